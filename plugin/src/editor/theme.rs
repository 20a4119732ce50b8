//! Colours, and the map from design units to the window: 560 × 490 units, centred and scaled to fit.

use crate::session::WindowSize;
use egui::{Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Stroke, Vec2, pos2, vec2};

pub const BACKGROUND: Color32 = Color32::from_rgb(0x16, 0x19, 0x1e);
pub const PANEL: Color32 = Color32::from_rgb(0x1f, 0x24, 0x2b);
pub const GROOVE: Color32 = Color32::from_rgb(0x37, 0x3f, 0x4a);
pub const TEXT: Color32 = Color32::from_rgb(0xec, 0xee, 0xf1);
/// 5.6 : 1 against [`PANEL`].
pub const DIM: Color32 = Color32::from_rgb(0x99, 0xa3, 0xb1);
pub const ACCENT: Color32 = Color32::from_rgb(0xe6, 0xb0, 0x55);
pub const LEVEL: Color32 = Color32::from_rgb(0x6f, 0xc2, 0x8b);
pub const ALARM: Color32 = Color32::from_rgb(0xff, 0x80, 0x6b);

/// Design units.
pub const TITLE: f32 = 24.0;
pub const BODY: f32 = 13.0;
pub const SMALL: f32 = 11.5;

/// Dark style for what egui draws by itself: menus and tooltips.
pub fn apply(context: &egui::Context) {
    context.set_theme(egui::Theme::Dark);
    context.all_styles_mut(|style| {
        style.visuals.window_fill = PANEL;
        style.visuals.panel_fill = BACKGROUND;
        style.visuals.override_text_color = Some(TEXT);
        style.visuals.window_stroke = Stroke::new(1.0, GROOVE);
        style.interaction.selectable_labels = false;
    });
    // The window's size sets the scale; a second zoom would fight it.
    context.options_mut(|options| options.zoom_with_keyboard = false);
}

/// Design units to points on the screen.
#[derive(Clone, Copy)]
pub struct Canvas {
    origin: Pos2,
    scale: f32,
}

impl Canvas {
    /// The largest canvas that fits into `window`.
    pub fn fit(window: Rect) -> Self {
        let design = vec2(WindowSize::DESIGN.width, WindowSize::DESIGN.height);
        let scale = (window.width() / design.x).min(window.height() / design.y);
        Self { origin: window.center() - design * (scale / 2.0), scale }
    }

    pub fn px(&self, units: f32) -> f32 {
        units * self.scale
    }

    pub fn pos(&self, x: f32, y: f32) -> Pos2 {
        self.origin + vec2(x, y) * self.scale
    }

    pub fn rect(&self, x: f32, y: f32, width: f32, height: f32) -> Rect {
        Rect::from_min_size(self.pos(x, y), Vec2::new(width, height) * self.scale)
    }

    pub fn font(&self, units: f32) -> FontId {
        FontId::proportional(self.px(units))
    }

    /// One line of text, cut with an ellipsis at `width` units.
    pub fn text(&self, painter: &Painter, at: (Pos2, Align2), width: f32, style: (f32, Color32), text: &str) {
        let mut job = egui::text::LayoutJob::simple_singleline(text.into(), self.font(style.0), style.1);
        job.wrap = egui::text::TextWrapping::truncate_at_width(self.px(width));
        let galley = painter.layout_job(job);
        let rect = at.1.anchor_size(at.0, galley.size());
        painter.galley(rect.min, galley, style.1);
    }

    /// As many lines of text as fit into `rect`.
    pub fn paragraph(&self, painter: &Painter, rect: Rect, style: (f32, Color32), text: &str) {
        let mut job = egui::text::LayoutJob::simple(text.into(), self.font(style.0), style.1, rect.width());
        job.wrap.max_rows = (rect.height() / self.px(style.0 * 1.25)) as usize;
        painter.galley(rect.min, painter.layout_job(job), style.1);
    }

    pub fn panel(&self, painter: &Painter, rect: Rect) {
        painter.rect_filled(rect, self.corner(8.0), PANEL);
    }

    pub fn corner(&self, units: f32) -> CornerRadius {
        CornerRadius::same(self.px(units).round() as u8)
    }

    /// Marks what the keyboard acts on.
    pub fn focus_ring(&self, painter: &Painter, rect: Rect) {
        let stroke = Stroke::new(self.px(1.5), ACCENT);
        painter.rect_stroke(rect, self.corner(6.0), stroke, egui::StrokeKind::Inside);
    }
}

/// The part of `rect` from its bottom up to `share` (0 to 1) of its height.
pub fn lower_part(rect: Rect, share: f32) -> Rect {
    let top = rect.bottom() - rect.height() * share.clamp(0.0, 1.0);
    Rect::from_min_max(pos2(rect.left(), top), rect.max)
}
