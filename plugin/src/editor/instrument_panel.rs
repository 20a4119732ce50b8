//! The two instruments, and how much of each is heard.

use super::knob::{Edit, Place};
use super::theme::{BODY, Canvas, SMALL, TITLE};
use super::{App, button, knob, shelf_menu};
use egui::{Align2, Ui};
use embouchure_inference::play::Slot;
use nice_plug::context::gui::GuiContext;

/// Draws the panel: 240 × 260 design units.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    canvas.panel(ui.painter(), canvas.rect(12.0, 56.0, 240.0, 260.0));
    name(app, ui, canvas, Slot::A, 64.0);
    buttons(app, ui, canvas, host, Slot::A, 122.0);
    name(app, ui, canvas, Slot::B, 160.0);
    buttons(app, ui, canvas, host, Slot::B, 184.0);
    let params = app.wiring.params.clone();
    let setter = host.param_setter();
    let mut edit = Edit { gestures: &mut app.gestures, setter: &setter };
    knob::show(ui, canvas, Place { x: 16.0, y: 214.0, origin: 0.0 }, &params.morph, &mut edit);
    messages(app, ui, canvas);
}

fn name(app: &App, ui: &Ui, canvas: &Canvas, slot: Slot, y: f32) {
    let (view, colours) = (&app.views[slot as usize], canvas.colours);
    let left = |x: f32, dy: f32| (canvas.pos(x, y + dy), Align2::LEFT_CENTER);
    let painter = ui.painter();
    match slot {
        Slot::A => {
            canvas.text(painter, left(22.0, 6.0), 30.0, (SMALL, colours.accent), "A");
            let (name, colour) = named(view.name(), colours.text, colours.dim, "No instrument");
            canvas.text(painter, left(22.0, 25.0), 220.0, (TITLE, colour), name);
            let about =
                view.card().map(|card| format!("{} · {}", card.family, card.provenance.licence)).unwrap_or_default();
            canvas.text(
                painter,
                left(22.0, 47.0),
                220.0,
                (SMALL, colours.dim),
                if view.name().is_empty() { "" } else { &about },
            );
        }
        Slot::B => {
            canvas.text(painter, left(22.0, 10.0), 30.0, (SMALL, colours.second), "B");
            let (name, colour) = named(view.name(), colours.text, colours.dim, "none: nothing to morph into");
            canvas.text(painter, left(40.0, 10.0), 204.0, (BODY, colour), name);
        }
    }
}

fn named<'a, C>(name: &'a str, colour: C, none: C, otherwise: &'a str) -> (&'a str, C) {
    if name.is_empty() { (otherwise, none) } else { (name, colour) }
}

fn buttons(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, slot: Slot, y: f32) {
    ui.push_id(slot as usize, |ui| {
        for (x, label, by) in [(20.0, "‹", -1), (50.0, "›", 1)] {
            if button::show(ui, canvas, canvas.rect(x, y, 26.0, 26.0), label, true).clicked() {
                step(app, host, slot, by);
            }
        }
        let is_idle = !app.dialog.is_open();
        let choose = button::show(ui, canvas, canvas.rect(80.0, y, 164.0, 26.0), "Choose…", is_idle);
        shelf_menu::show(app, canvas, &choose, slot, host);
    });
}

/// Plays the next instrument of the shelf that can be played, round its end.
fn step(app: &App, host: &GuiContext, slot: Slot, by: i32) {
    let mut entries = app.wiring.library.shelf.entries();
    entries.retain(|entry| entry.place != 0 && entry.problem.is_none());
    let playing = app.wiring.instruments.source(slot);
    let here = entries.iter().position(|entry| playing.as_ref().is_some_and(|p| p.is_same(&entry.source)));
    let n = entries.len().max(1) as i32;
    let next = here.map_or(if by > 0 { 0 } else { n - 1 }, |here| (here as i32 + by).rem_euclid(n));
    if let Some(entry) = entries.get(next as usize) {
        app.choose(host, slot, entry.place, Some(entry.source.clone()));
    }
}

/// What went wrong with either, and a way out.
fn messages(app: &mut App, ui: &mut Ui, canvas: &Canvas) {
    let mut views = Slot::ALL.into_iter().zip(&app.views);
    let found = views.find_map(|(slot, view)| Some((slot, view, view.message.as_ref()?)));
    let Some((slot, view, message)) = found else { return };
    let message = capitalised(message);
    let room = if view.is_missing { 60.0 } else { 92.0 };
    let rect = canvas.rect(104.0, 218.0, 142.0, room);
    canvas.paragraph(ui.painter(), rect, (SMALL, canvas.colours.alarm), &message);
    ui.interact(rect, ui.scope_id().with("message"), egui::Sense::hover()).on_hover_text(&message);
    if !view.is_missing {
        return;
    }
    let is_idle = !app.dialog.is_open();
    if button::show_small(ui, canvas, canvas.rect(104.0, 284.0, 84.0, 24.0), "Locate…", is_idle).clicked() {
        app.dialog.open(slot, &app.wiring.instruments, &app.wiring.notifier);
    }
    let path = button::show_small(ui, canvas, canvas.rect(192.0, 284.0, 54.0, 24.0), "Path…", true);
    if path.on_hover_text("Type the file's path: for systems without a file dialog.").clicked() {
        app.dialog.do_without(slot);
    }
}

fn capitalised(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
