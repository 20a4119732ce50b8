//! The panel of instruments A and B: their names, the choice of others, and messages.

use super::area::{Area, REST};
use super::theme::{BODY, Canvas, SMALL, TITLE};
use super::{App, button, shelf_menu};
use egui::{Align, Ui};
use embouchure_inference::play::Slot;
use nice_plug::context::gui::GuiContext;

/// Draws the name of the instrument that a slot plays.
pub fn name(app: &App, ui: &Ui, canvas: &Canvas, slot: Slot, area: Area) {
    let (view, colours, painter) = (&app.views[slot as usize], canvas.colours, ui.painter());
    match slot {
        Slot::A => {
            let [letter, name, about] = area.rows([12.0, 26.0, REST]);
            canvas.line(painter, (letter, Align::Min), (SMALL, colours.accent), "A");
            let (text, colour) = named(view.name(), colours.text, colours.dim, "No instrument");
            canvas.line(painter, (name, Align::Min), (TITLE, colour), text);
            if let Some(card) = view.card() {
                let text = format!("{} · {}", card.family, card.provenance.licence);
                canvas.line(painter, (about, Align::Min), (SMALL, colours.dim), &text);
            }
        }
        Slot::B => {
            let [letter, name] = area.columns([18.0, REST]);
            canvas.line(painter, (letter, Align::Min), (SMALL, colours.second), "B");
            let (text, colour) = named(view.name(), colours.text, colours.dim, "none: Morph has no effect");
            canvas.line(painter, (name, Align::Min), (BODY, colour), text);
        }
    }
}

fn named<'a, C>(name: &'a str, colour: C, none: C, otherwise: &'a str) -> (&'a str, C) {
    if name.is_empty() { (otherwise, none) } else { (name, colour) }
}

/// Draws a slot's buttons: previous and next instrument, list of all.
pub fn buttons(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, (slot, area): (Slot, Area)) {
    let [before, _, next, _, list] = area.columns([26.0, 4.0, 26.0, 4.0, REST]);
    ui.push_id(slot as usize, |ui| {
        for (area, label, by) in [(before, "‹", -1), (next, "›", 1)] {
            if button::show(ui, canvas, area, label, true).clicked() {
                step(app, host, slot, by);
            }
        }
        let is_idle = !app.dialog.is_open();
        let choose = button::show(ui, canvas, list, "Choose…", is_idle);
        shelf_menu::show(app, canvas, &choose, slot, host);
    });
}

/// Plays the next playable instrument of the shelf (`by` = 1) or the previous one (-1). The last is followed by the
/// first.
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

/// Shows the message of the first slot that has one. If its file is missing, offers to locate it.
pub fn message(app: &mut App, ui: &mut Ui, canvas: &Canvas, area: Area) {
    let mut views = Slot::ALL.into_iter().zip(&app.views);
    let found = views.find_map(|(slot, view)| Some((slot, view, view.message.as_ref()?)));
    let Some((slot, view, message)) = found else { return };
    let message = capitalised(message);
    let [above, _, buttons, _] = area.rows([REST, 6.0, 24.0, 2.0]);
    let rect = canvas.rect(if view.is_missing { above } else { area });
    canvas.paragraph(ui.painter(), rect, (SMALL, canvas.colours.alarm), &message);
    ui.interact(rect, ui.scope_id().with("message"), egui::Sense::hover()).on_hover_text(&message);
    if !view.is_missing {
        return;
    }
    let [locate, _, path] = buttons.columns([84.0, 4.0, REST]);
    let is_idle = !app.dialog.is_open();
    if button::show_small(ui, canvas, locate, "Locate…", is_idle).clicked() {
        app.dialog.open(slot, &app.wiring.instruments, &app.wiring.notifier);
    }
    let path = button::show_small(ui, canvas, path, "Path…", true);
    if path.on_hover_text("Type the file's path, if the system has no file dialog.").clicked() {
        app.dialog.ask_for_path(slot);
    }
}

fn capitalised(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
