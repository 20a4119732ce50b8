//! Presets: one before, one on, the list of all, and saving.

use super::theme::{BODY, Canvas, SMALL};
use super::{App, button};
use crate::Task;
use crate::presets::{self, Preset};
use egui::{Button, Key, Popup, PopupCloseBehavior, RichText, ScrollArea, TextEdit, TextWrapMode, Ui};
use nice_plug::context::gui::GuiContext;

/// Draws the row of buttons from x = 240 to 650.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    let name = app.wiring.params.session.get().preset;
    if button::show(ui, canvas, canvas.rect(240.0, 12.0, 28.0, 28.0), "‹", true).clicked() {
        step(app, host, &name, -1);
    }
    let label = if name.is_empty() { "Presets".to_owned() } else { label(app, &name) };
    let list = button::show(ui, canvas, canvas.rect(272.0, 12.0, 244.0, 28.0), &label, true);
    self::list(app, canvas, &list, host, &name);
    if button::show(ui, canvas, canvas.rect(520.0, 12.0, 28.0, 28.0), "›", true).clicked() {
        step(app, host, &name, 1);
    }
    let save = button::show(ui, canvas, canvas.rect(556.0, 12.0, 90.0, 28.0), "Save as…", true);
    if save.clicked() {
        app.preset_name = if presets::is_factory(&name) { format!("My {name}") } else { name };
    }
    save_as(app, canvas, &save, host);
}

/// The name, with a mark if something has changed since.
fn label(app: &App, name: &str) -> String {
    if presets::is_unchanged(&app.captured()) { name.into() } else { format!("{name} *") }
}

fn list(app: &App, canvas: &Canvas, anchor: &egui::Response, host: &GuiContext, name: &str) {
    Popup::menu(anchor).show(|ui| {
        ui.set_min_width(anchor.rect.width() - canvas.px(16.0));
        ScrollArea::vertical().max_height(canvas.px(420.0)).show(ui, |ui| {
            for preset in presets::all() {
                let text = RichText::new(&preset.name).font(canvas.font(BODY));
                if ui.add(Button::selectable(preset.name == name, text).wrap_mode(TextWrapMode::Extend)).clicked() {
                    app.load_preset(host, &preset);
                }
            }
        });
    });
}

/// Loads the preset so many places on, round the end of the list.
fn step(app: &App, host: &GuiContext, name: &str, by: isize) {
    let all = presets::all();
    if let Some(preset) = all.get(stepped(&all, name, by)) {
        app.load_preset(host, preset);
    }
}

fn stepped(all: &[Preset], name: &str, by: isize) -> usize {
    let n = all.len().max(1) as isize;
    match all.iter().position(|preset| preset.name == name) {
        Some(at) => (at as isize + by).rem_euclid(n) as usize,
        None if by < 0 => n as usize - 1,
        None => 0,
    }
}

fn save_as(app: &mut App, canvas: &Canvas, anchor: &egui::Response, host: &GuiContext) {
    Popup::menu(anchor).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        let edit = TextEdit::singleline(&mut app.preset_name).font(canvas.font(BODY)).hint_text("Name of the preset");
        let field = ui.add(edit.align(egui::Align2::LEFT_CENTER).desired_width(canvas.px(200.0)));
        if anchor.clicked() {
            field.request_focus();
        }
        let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let is_named = !app.preset_name.trim().is_empty();
        let label = RichText::new("Save").font(canvas.font(SMALL));
        if (ui.add_enabled(is_named, Button::new(label).fill(canvas.colours.groove)).clicked() || is_entered)
            && is_named
        {
            let preset = Preset { name: app.preset_name.trim().into(), ..app.captured() };
            app.wiring.params.session.edit(|session| session.preset = preset.name.clone());
            app.mark_unsaved(host);
            app.wiring.tasks.send(Task::SavePreset(Box::new(preset)));
            ui.close();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stepping_goes_round() {
        let all = &presets::all()[..3];
        let names: Vec<&str> = all.iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!([stepped(all, names[0], 1), stepped(all, names[2], 1), stepped(all, names[0], -1)], [1, 0, 2]);
        assert_eq!([stepped(all, "", 1), stepped(all, "", -1), stepped(&[], "", 1)], [0, 2, 0]);
    }
}
