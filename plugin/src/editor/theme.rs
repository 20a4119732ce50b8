//! Colours, and the map from design units to the window: 900 × 600 units, centred and scaled to fit.

use super::area::Area;
use crate::session::{Theme, WindowSize};
use egui::style::Spacing;
use egui::{Align, Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Stroke, Vec2, pos2, vec2};

/// Colours of a theme.
#[derive(Debug, PartialEq)]
pub struct Palette {
    pub background: Color32,
    pub panel: Color32,
    pub groove: Color32,
    pub text: Color32,
    /// Less important text; its contrast against the panel is at least 4.5 : 1.
    pub dim: Color32,
    /// Controls, and what is heard.
    pub accent: Color32,
    /// What is played.
    pub second: Color32,
    pub level: Color32,
    pub alarm: Color32,
}

const DARK: Palette = Palette {
    background: Color32::from_rgb(0x14, 0x17, 0x1c),
    panel: Color32::from_rgb(0x1f, 0x24, 0x2b),
    groove: Color32::from_rgb(0x37, 0x3f, 0x4a),
    text: Color32::from_rgb(0xec, 0xee, 0xf1),
    dim: Color32::from_rgb(0x99, 0xa3, 0xb1),
    accent: Color32::from_rgb(0xe6, 0xb0, 0x55),
    second: Color32::from_rgb(0x67, 0xb7, 0xe6),
    level: Color32::from_rgb(0x6f, 0xc2, 0x8b),
    alarm: Color32::from_rgb(0xff, 0x80, 0x6b),
};

const LIGHT: Palette = Palette {
    background: Color32::from_rgb(0xe4, 0xe2, 0xdc),
    panel: Color32::from_rgb(0xf7, 0xf5, 0xf0),
    groove: Color32::from_rgb(0xcd, 0xca, 0xc2),
    text: Color32::from_rgb(0x22, 0x24, 0x28),
    dim: Color32::from_rgb(0x63, 0x64, 0x68),
    accent: Color32::from_rgb(0xa8, 0x5f, 0x06),
    second: Color32::from_rgb(0x12, 0x69, 0xa3),
    level: Color32::from_rgb(0x2f, 0x82, 0x4e),
    alarm: Color32::from_rgb(0xb5, 0x2a, 0x17),
};

impl Theme {
    /// The theme's colours.
    pub fn palette(self) -> &'static Palette {
        match self {
            Self::Dark => &DARK,
            Self::Light => &LIGHT,
        }
    }
}

/// Type size of an instrument's name, design units.
pub const TITLE: f32 = 24.0;
/// Type size of most text, design units.
pub const BODY: f32 = 13.0;
/// Type size of labels, design units.
pub const SMALL: f32 = 11.5;

/// Sets the style of menus, tooltips and text fields, which egui draws itself. `scale`: points per design unit.
pub fn apply(context: &egui::Context, theme: Theme, scale: f32) {
    let palette = theme.palette();
    context.set_theme(if theme == Theme::Dark { egui::Theme::Dark } else { egui::Theme::Light });
    context.all_styles_mut(|style| {
        style.visuals.window_fill = palette.panel;
        style.visuals.panel_fill = palette.background;
        style.visuals.extreme_bg_color = palette.background;
        style.visuals.override_text_color = Some(palette.text);
        style.visuals.window_stroke = Stroke::new(1.0, palette.groove);
        style.visuals.selection.bg_fill = palette.accent.gamma_multiply(0.5);
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.6;
        for (kind, font) in &mut style.text_styles {
            font.size = scale * if *kind == egui::TextStyle::Small { SMALL } else { BODY };
        }
        style.spacing = scaled(Spacing::default(), scale);
    });
    // The window's size sets the scale, so egui's own zoom is off.
    context.options_mut(|options| options.zoom_with_keyboard = false);
}

/// Scales the parts of the spacing that menus, tooltips and text fields use.
fn scaled(mut spacing: Spacing, scale: f32) -> Spacing {
    spacing.item_spacing *= scale;
    spacing.window_margin *= scale;
    spacing.button_padding *= scale;
    spacing.menu_margin *= scale;
    spacing.menu_spacing *= scale;
    spacing.interact_size *= scale;
    spacing.default_area_size *= scale;
    spacing.tooltip_width *= scale;
    spacing.scroll.bar_width *= scale;
    spacing.scroll.floating_width *= scale;
    spacing
}

/// Maps design units to points on the screen, and draws basic shapes and text.
#[derive(Clone, Copy)]
pub struct Canvas {
    origin: Pos2,
    scale: f32,
    pub colours: &'static Palette,
}

impl Canvas {
    /// The largest canvas that fits into `window`.
    pub fn fit(window: Rect, theme: Theme) -> Self {
        let design = vec2(WindowSize::DESIGN.width, WindowSize::DESIGN.height);
        let scale = (window.width() / design.x).min(window.height() / design.y);
        Self { origin: window.center() - design * (scale / 2.0), scale, colours: theme.palette() }
    }

    pub fn px(&self, units: f32) -> f32 {
        units * self.scale
    }

    pub fn pos(&self, (x, y): (f32, f32)) -> Pos2 {
        self.origin + vec2(x, y) * self.scale
    }

    pub fn rect(&self, area: Area) -> Rect {
        Rect::from_min_size(self.pos((area.x, area.y)), Vec2::new(area.width, area.height) * self.scale)
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

    /// One line of text, centred in the height of an area, cut with an ellipsis at its width.
    pub fn line(&self, painter: &Painter, (area, align): (Area, Align), style: (f32, Color32), text: &str) {
        let x = match align {
            Align::Min => area.x,
            Align::Center => area.centre().0,
            Align::Max => area.x + area.width,
        };
        let at = (self.pos((x, area.centre().1)), Align2([align, Align::Center]));
        self.text(painter, at, area.width, style, text);
    }

    /// As many lines of text as fit into `rect`.
    pub fn paragraph(&self, painter: &Painter, rect: Rect, style: (f32, Color32), text: &str) {
        let mut job = egui::text::LayoutJob::simple(text.into(), self.font(style.0), style.1, rect.width());
        job.wrap.max_rows = (rect.height() / self.px(style.0 * 1.25)) as usize;
        painter.galley(rect.min, painter.layout_job(job), style.1);
    }

    pub fn panel(&self, painter: &Painter, rect: Rect) {
        painter.rect_filled(rect, self.corner(8.0), self.colours.panel);
    }

    pub fn corner(&self, units: f32) -> CornerRadius {
        CornerRadius::same(self.px(units).round() as u8)
    }

    /// Marks the control that has the keyboard focus.
    pub fn focus_ring(&self, painter: &Painter, rect: Rect) {
        let stroke = Stroke::new(self.px(1.5), self.colours.accent);
        painter.rect_stroke(rect, self.corner(6.0), stroke, egui::StrokeKind::Inside);
    }
}

/// The part of `rect` from its bottom up to `share` (0 to 1) of its height.
pub fn lower_part(rect: Rect, share: f32) -> Rect {
    let top = rect.bottom() - rect.height() * share.clamp(0.0, 1.0);
    Rect::from_min_max(pos2(rect.left(), top), rect.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of two colours as WCAG 2 defines it.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let linear = |c: u8| (f32::from(c) / 255.0).powf(2.2);
        let luminance = |c: Color32| 0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b());
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn everything_can_be_read_in_both_themes() {
        for theme in [Theme::Dark, Theme::Light] {
            let palette = theme.palette();
            for text in [palette.text, palette.dim, palette.alarm] {
                for ground in [palette.panel, palette.background] {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
                }
            }
            for drawn in [palette.accent, palette.second, palette.level] {
                assert!(
                    contrast(drawn, palette.background) >= 3.0,
                    "{drawn:?}: {}",
                    contrast(drawn, palette.background)
                );
            }
        }
    }
}
