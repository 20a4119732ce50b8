//! Where the system shows no file dialog, the player types the path.

use super::App;
use super::theme::{BODY, Canvas, SMALL};
use crate::Task;
use egui::{Align2, Button, Key, Modal, RichText, TextEdit, Ui};
use std::path::PathBuf;

/// Asks for the path while the dialog could not be shown.
pub fn show(app: &mut App, ui: &Ui, canvas: &Canvas) {
    let Some(slot) = app.dialog.wanted_without() else { return };
    let mut is_done = false;
    let modal = Modal::new(ui.scope_id().with("typed path")).show(ui.ctx(), |ui| {
        ui.set_width(canvas.px(420.0));
        let text = "This system shows no file dialog. Type or paste the path of the instrument file:";
        ui.label(RichText::new(text).font(canvas.font(SMALL)));
        let edit =
            TextEdit::singleline(&mut app.typed_path).font(canvas.font(BODY)).hint_text("/home/…/horn.safetensors");
        let field = ui.add(edit.align(Align2::LEFT_CENTER).desired_width(f32::INFINITY));
        if !app.is_path_asked {
            app.is_path_asked = true;
            field.request_focus();
        }
        let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal(|ui| {
            let mut push = |label: &str| {
                ui.add(Button::new(RichText::new(label).font(canvas.font(SMALL))).fill(canvas.colours.groove)).clicked()
            };
            let path = path_of(&app.typed_path);
            if (push("Open") || is_entered) && !path.as_os_str().is_empty() {
                app.wiring.tasks.send(Task::OpenFile(slot, path));
                is_done = true;
            }
            is_done |= push("Cancel");
        });
    });
    if is_done || modal.should_close() {
        app.is_path_asked = false;
        app.dialog.forget();
    }
}

/// As it may be pasted: from a shell with quotes, from a file manager as an address, with the home folder's sign.
fn path_of(text: &str) -> PathBuf {
    let text = text.trim().trim_matches(['"', '\'']);
    let text = text.strip_prefix("file://").unwrap_or(text);
    match (text.strip_prefix("~/"), directories::BaseDirs::new()) {
        (Some(rest), Some(folders)) => folders.home_dir().join(rest),
        _ => PathBuf::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_path_is_read_as_it_is_pasted() {
        for text in [" /a b/c.safetensors\n", "'/a b/c.safetensors'", "file:///a b/c.safetensors"] {
            assert_eq!(path_of(text), Path::new("/a b/c.safetensors"));
        }
        assert!(path_of("~/x").is_absolute() && !path_of("~/x").starts_with("~"));
        assert_eq!(path_of("  "), Path::new(""));
    }
}
