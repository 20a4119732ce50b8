//! The preset controls: previous, next, list of all; saving, renaming and deleting the player's own.

use super::area::{Area, REST};
use super::theme::{BODY, Canvas, SMALL};
use super::{App, button};
use crate::Task;
use crate::library::presets::Preset;
use egui::{Button, Key, Popup, PopupCloseBehavior, RichText, ScrollArea, TextEdit, TextWrapMode, Ui};
use nice_plug::context::gui::GuiContext;

/// Draws the row of buttons.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, area: Area) {
    let [before, _, list, _, next, _, save] = area.columns([28.0, 4.0, REST, 4.0, 28.0, 8.0, 90.0]);
    let name = app.wiring.params.session.get().preset;
    if button::show(ui, canvas, before, "‹", true).clicked() {
        step(app, host, &name, -1);
    }
    let label = if name.is_empty() { "Presets".to_owned() } else { label(app, &name) };
    let list = button::show(ui, canvas, list, &label, true);
    self::list(app, canvas, &list, host, &name);
    if button::show(ui, canvas, next, "›", true).clicked() {
        step(app, host, &name, 1);
    }
    let save = button::show(ui, canvas, save, "Save as…", true);
    if save.clicked() {
        app.preset_name =
            if app.wiring.library.presets.is_factory(&name) { format!("My {name}") } else { name.clone() };
        app.preset_question = None;
    }
    save_menu(app, canvas, &save, host, &name);
}

/// The preset's name, with a mark if the sound has changed since it was loaded.
fn label(app: &App, name: &str) -> String {
    if app.wiring.library.presets.is_unchanged(&app.captured(), &app.wiring.params) {
        name.into()
    } else {
        format!("{name} *")
    }
}

fn list(app: &App, canvas: &Canvas, anchor: &egui::Response, host: &GuiContext, name: &str) {
    Popup::menu(anchor).show(|ui| {
        ui.set_min_width(anchor.rect.width() - canvas.px(16.0));
        ScrollArea::vertical().max_height(canvas.px(420.0)).show(ui, |ui| {
            for preset in app.wiring.library.presets.all() {
                let text = RichText::new(&preset.name).font(canvas.font(BODY));
                if ui.add(Button::selectable(preset.name == name, text).wrap_mode(TextWrapMode::Extend)).clicked() {
                    app.load_preset(host, &preset);
                }
            }
        });
    });
}

/// Loads the next preset (`by` = 1) or the previous one (-1). The last is followed by the first.
fn step(app: &App, host: &GuiContext, name: &str, by: isize) {
    let all = app.wiring.library.presets.all();
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

/// Question before a preset is overwritten or deleted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Question {
    /// Replace the preset of the typed name?
    Replace,
    /// Delete the loaded preset?
    Delete,
}

/// The popup to save under a name, rename and delete. `loaded`: name of the preset that was loaded last.
fn save_menu(app: &mut App, canvas: &Canvas, anchor: &egui::Response, host: &GuiContext, loaded: &str) {
    Popup::menu(anchor).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        let edit = TextEdit::singleline(&mut app.preset_name).font(canvas.font(BODY)).hint_text("Name of the preset");
        let field = ui.add(edit.align(egui::Align2::LEFT_CENTER).desired_width(canvas.px(230.0)));
        if anchor.clicked() {
            field.request_focus();
        }
        if field.changed() {
            app.preset_question = None;
        }
        let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let name = app.preset_name.trim().to_owned();
        if app.wiring.library.presets.is_factory(&name) {
            note(ui, canvas, "This is the name of a preset that comes with the plugin: choose another one");
            return;
        }
        match app.preset_question {
            Some(Question::Replace) => confirm(app, ui, canvas, &format!("Replace {name:?}?"), "Replace", |app| {
                save(app, host, &name);
            }),
            Some(Question::Delete) => confirm(app, ui, canvas, &format!("Delete {loaded:?}?"), "Delete", |app| {
                app.wiring.tasks.send(Task::DeletePreset(loaded.to_owned()));
                set_preset_name(app, host, "");
            }),
            None => save_buttons(app, ui, canvas, host, (loaded, &name), is_entered),
        }
    });
}

/// Shows the buttons that apply: Save, Rename, Delete. `is_entered`: the player has pressed Enter in the field.
fn save_buttons(
    app: &mut App,
    ui: &mut Ui,
    canvas: &Canvas,
    host: &GuiContext,
    (loaded, name): (&str, &str),
    is_entered: bool,
) {
    ui.horizontal(|ui| {
        if (push_button(ui, canvas, "Save", !name.is_empty()) || is_entered) && !name.is_empty() {
            if app.wiring.library.presets.is_own(name) {
                app.preset_question = Some(Question::Replace);
            } else {
                save(app, host, name);
                ui.close();
            }
        }
        if !app.wiring.library.presets.is_own(loaded) {
            return;
        }
        if push_button(ui, canvas, "Rename", !name.is_empty() && !app.wiring.library.presets.is_own(name)) {
            app.wiring.tasks.send(Task::RenamePreset(loaded.to_owned(), name.to_owned()));
            set_preset_name(app, host, name);
            ui.close();
        }
        if push_button(ui, canvas, "Delete…", true) {
            app.preset_question = Some(Question::Delete);
        }
    });
}

fn confirm(app: &mut App, ui: &mut Ui, canvas: &Canvas, question: &str, yes: &str, act: impl FnOnce(&mut App)) {
    note(ui, canvas, question);
    ui.horizontal(|ui| {
        if push_button(ui, canvas, yes, true) {
            act(app);
            app.preset_question = None;
            ui.close();
        }
        if push_button(ui, canvas, "Cancel", true) {
            app.preset_question = None;
        }
    });
}

fn save(app: &App, host: &GuiContext, name: &str) {
    let preset = Preset { name: name.into(), ..app.captured() };
    app.wiring.tasks.send(Task::SavePreset(Box::new(preset)));
    set_preset_name(app, host, name);
}

/// Stores `name` as the name of the present sound.
fn set_preset_name(app: &App, host: &GuiContext, name: &str) {
    app.wiring.params.session.edit(|session| session.preset = name.into());
    app.mark_unsaved(host);
}

fn push_button(ui: &mut Ui, canvas: &Canvas, label: &str, is_enabled: bool) -> bool {
    let text = RichText::new(label).font(canvas.font(SMALL));
    ui.add_enabled(is_enabled, Button::new(text).fill(canvas.colours.groove)).clicked()
}

fn note(ui: &mut Ui, canvas: &Canvas, text: &str) {
    ui.set_max_width(canvas.px(230.0));
    ui.label(RichText::new(text).font(canvas.font(SMALL)).color(canvas.colours.text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stepping_goes_round() {
        let all = &crate::test_library::shipped().presets.all()[..3];
        let names: Vec<&str> = all.iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!([stepped(all, names[0], 1), stepped(all, names[2], 1), stepped(all, names[0], -1)], [1, 0, 2]);
        assert_eq!([stepped(all, "", 1), stepped(all, "", -1), stepped(&[], "", 1)], [0, 2, 0]);
    }
}
