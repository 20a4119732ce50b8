//! The window's layout: its items, in rows, columns and panels.

use super::area::{Area, Padding, REST};
use super::knob::{Edit, Place, WIDTH as KNOB};
use super::theme::Canvas;
use super::tree::Found;
use super::tree::Node::{self, Columns, Free, Leaf, Panel, Rows, Within};
use super::{App, audio_page, header, instrument_panel, knob, note, preset_menu, status, toggle, typed_path};
use crate::params::{ParamRef, Row, row};
use crate::session::WindowSize;
use egui::Ui;
use embouchure_inference::engine::TelemetryView;
use embouchure_inference::play::Slot;
use nice_plug::context::gui::GuiContext;

/// Space between two panels, design units.
const GAP: f32 = 8.0;
/// Height of a row of knobs with its panel.
const KNOBS: f32 = 112.0;
/// Space around knobs.
const AROUND_KNOBS: Padding = Padding::even(4.0, 6.0);

/// The whole window.
const WINDOW: Node<Item> = Within(
    Padding { left: 12.0, top: 12.0, right: 12.0, bottom: 0.0 },
    &Rows(
        0.0,
        &[
            (28.0, HEADER),
            (16.0, Free),
            (260.0, Columns(GAP, &[(240.0, INSTRUMENTS), (REST, PICTURES), (84.0, METERS)])),
            (GAP, Free),
            (KNOBS, Columns(GAP, &[(REST, SOUND), (140.0, SWITCHES)])),
            (GAP, Free),
            (KNOBS, Columns(GAP, &[(520.0, PITCH), (REST, NOTES)])),
            (REST, STATUS),
        ],
    ),
);

const HEADER: Node<Item> = Columns(
    0.0,
    &[
        (136.0, Within(Padding { left: 4.0, ..Padding::NONE }, &Leaf(Item::Title))),
        (84.0, Leaf(Item::Listen)),
        (8.0, Free),
        (406.0, Leaf(Item::Presets)),
        (14.0, Free),
        (110.0, Leaf(Item::Compare)),
        (REST, Free),
        (84.0, Leaf(Item::Theme)),
    ],
);

const INSTRUMENTS: Node<Item> = Panel(
    Padding { left: 4.0, top: 8.0, right: 4.0, bottom: 2.0 },
    &Rows(
        0.0,
        &[
            (56.0, Within(Padding::even(6.0, 0.0), &Leaf(Item::Name(Slot::A)))),
            (2.0, Free),
            (26.0, Within(Padding::even(4.0, 0.0), &Leaf(Item::Choose(Slot::A)))),
            (12.0, Free),
            (20.0, Within(Padding { left: 6.0, right: 4.0, ..Padding::NONE }, &Leaf(Item::Name(Slot::B)))),
            (4.0, Free),
            (26.0, Within(Padding::even(4.0, 0.0), &Leaf(Item::Choose(Slot::B)))),
            (4.0, Free),
            (REST, Columns(0.0, &[(KNOB, param("morph")), (REST, MESSAGE)])),
        ],
    ),
);

const MESSAGE: Node<Item> =
    Within(Padding { left: 16.0, top: 4.0, right: 2.0, bottom: 4.0 }, &Leaf(Item::InstrumentMessage));

const PICTURES: Node<Item> = Rows(6.0, &[(REST, Leaf(Item::Trace)), (68.0, Leaf(Item::Harmonics))]);

const METERS: Node<Item> =
    Panel(Padding::even(4.0, 4.0), &Columns(0.0, &[(REST, Leaf(Item::Input)), (REST, Leaf(Item::Output))]));

const SOUND: Node<Item> = Panel(
    AROUND_KNOBS,
    &Columns(
        0.0,
        &[
            (KNOB, param("mix")),
            (KNOB, param("brightness")),
            (KNOB, param("breath")),
            (KNOB, param("dynamics")),
            (KNOB, param("follow")),
            (KNOB, param("attack")),
            (KNOB, param("width")),
            (KNOB, param("room")),
            (KNOB, param("room_decay")),
            (KNOB, param("gain")),
        ],
    ),
);

/// The rows overlap by 3 units, so that the focus rings fit; the labels do not overlap.
const SWITCHES: Node<Item> = Panel(
    Padding { left: 4.0, top: 3.0, right: 4.0, bottom: 1.0 },
    &Rows(
        -3.0,
        &[
            (REST, param("octave_fit")),
            (REST, param("level_fit")),
            (REST, param("match_level")),
            (REST, param("room_gate")),
            (REST, param("bypass")),
        ],
    ),
);

const PITCH: Node<Item> = Panel(
    AROUND_KNOBS,
    &Columns(
        0.0,
        &[
            (KNOB, param("transpose")),
            (KNOB, param("fine")),
            (KNOB, param("snap")),
            (KNOB, param("key")),
            (KNOB, param("scale")),
            (KNOB, param("glide")),
            (KNOB, param("gate")),
        ],
    ),
);

const NOTES: Node<Item> = Panel(Padding { left: 40.0, top: 8.0, right: 56.0, bottom: 12.0 }, &Leaf(Item::Notes));

const STATUS: Node<Item> = Columns(
    0.0,
    &[
        (150.0, Leaf(Item::Corner)),
        (12.0, Free),
        (250.0, Leaf(Item::Rates)),
        (6.0, Free),
        (262.0, Leaf(Item::Message)),
        (8.0, Free),
        (REST, Leaf(Item::LateFrames)),
    ],
);

/// Items of the window.
#[derive(Clone, Copy)]
enum Item {
    Title,
    Listen,
    Presets,
    Compare,
    Theme,
    Name(Slot),
    Choose(Slot),
    InstrumentMessage,
    Trace,
    Harmonics,
    Input,
    Output,
    /// A knob or a switch.
    Param(&'static Row),
    Notes,
    Corner,
    Rates,
    Message,
    LateFrames,
}

/// The control of a parameter.
const fn param(id: &str) -> Node<Item> {
    Leaf(Item::Param(row(id)))
}

/// Draws the whole window.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, telemetry: &TelemetryView) {
    ui.painter().rect_filled(ui.max_rect(), 0.0, canvas.colours.background);
    let WindowSize { width, height } = WindowSize::DESIGN;
    WINDOW.walk(Area::sized(width, height), &mut |found, area| match found {
        Found::Panel => canvas.panel(ui.painter(), canvas.rect(area)),
        Found::Leaf(Item::Title) => header::title(ui, canvas, area),
        Found::Leaf(Item::Listen) => header::listen(app, ui, canvas, host, area),
        Found::Leaf(Item::Presets) => preset_menu::show(app, ui, canvas, host, area),
        Found::Leaf(Item::Compare) => header::compare(app, ui, canvas, host, area),
        Found::Leaf(Item::Theme) => header::theme(app, ui, canvas, host, area),
        Found::Leaf(Item::Name(slot)) => instrument_panel::name(app, ui, canvas, *slot, area),
        Found::Leaf(Item::Choose(slot)) => instrument_panel::buttons(app, ui, canvas, host, (*slot, area)),
        Found::Leaf(Item::InstrumentMessage) => instrument_panel::message(app, ui, canvas, area),
        Found::Leaf(Item::Trace) => app.trace.show(ui, canvas, canvas.rect(area), app.playable_hz()),
        Found::Leaf(Item::Harmonics) => app.harmonics.show(ui, canvas, canvas.rect(area)),
        Found::Leaf(Item::Input) => app.input.show(ui, canvas, area, "In"),
        Found::Leaf(Item::Output) => app.output.show(ui, canvas, area, "Out"),
        Found::Leaf(Item::Param(row)) => control(app, ui, canvas, host, (row, area)),
        Found::Leaf(Item::Notes) => note::show(ui, canvas, area, telemetry),
        Found::Leaf(Item::Corner) => status::corner(app, ui, canvas, host, area),
        Found::Leaf(Item::Rates) => status::rates(app, ui, canvas, area),
        Found::Leaf(Item::Message) => status::message(app, ui, canvas, area),
        Found::Leaf(Item::LateFrames) => status::late_frames(app, ui, canvas, telemetry, area),
    });
    typed_path::show(app, ui, canvas);
    audio_page::show(app, ui, canvas);
}

/// A knob, or a switch for what is on or off.
fn control(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, (row, area): (&Row, Area)) {
    let params = app.wiring.params.clone();
    let setter = host.param_setter();
    let mut edit = Edit { gestures: &mut app.gestures, setter: &setter };
    let param = (row.param)(&params);
    let place = Place { area, origin: knob::origin(param) };
    let response = match param {
        ParamRef::Float(param) => knob::show(ui, canvas, place, param, &mut edit),
        ParamRef::Int(param) => knob::show(ui, canvas, place, param, &mut edit),
        ParamRef::Bool(param) => toggle::show(ui, canvas, area, param, &setter),
    };
    response.on_hover_text(row.hint);
}

/// Ids of the parameters that have a control.
#[cfg(test)]
pub fn shown() -> Vec<&'static str> {
    let mut ids = Vec::new();
    WINDOW.walk(Area::sized(WindowSize::DESIGN.width, WindowSize::DESIGN.height), &mut |found, _| {
        if let Found::Leaf(Item::Param(row)) = found {
            ids.push(row.id);
        }
    });
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_lie_within_the_window_and_do_not_overlap() {
        let WindowSize { width, height } = WindowSize::DESIGN;
        let mut items: Vec<(usize, Area)> = Vec::new();
        WINDOW.walk(Area::sized(width, height), &mut |found, area| {
            if let Found::Leaf(_) = found {
                items.push((items.len(), area));
            }
        });
        for (i, (item, area)) in items.iter().enumerate() {
            let (right, bottom) = (area.x + area.width, area.y + area.height);
            assert!(area.x >= 0.0 && area.y >= 0.0 && right <= width && bottom <= height, "item {item}: {area:?}");
            assert!(area.width >= 20.0 && area.height >= 10.0, "item {item}: {area:?}");
            for (other, there) in &items[..i] {
                let across = right.min(there.x + there.width) - area.x.max(there.x);
                let along = bottom.min(there.y + there.height) - area.y.max(there.y);
                // The switches' focus rings overlap.
                assert!(across <= 0.0 || along <= 3.0, "item {item} at {area:?} and item {other} at {there:?}");
            }
        }
    }
}
