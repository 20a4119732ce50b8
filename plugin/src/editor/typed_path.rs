//! A field to type a file's path, for systems that show no file dialog, or show it late.

use super::App;
use super::theme::{BODY, Canvas, SMALL};
use crate::Task;
use egui::{Align2, Button, Key, Modal, RichText, TextEdit, Ui};
use percent_encoding::percent_decode_str;
use std::path::{Path, PathBuf};

/// Shows the field while a path is asked for.
pub fn show(app: &mut App, ui: &Ui, canvas: &Canvas) {
    let Some(slot) = app.dialog.path_slot() else { return };
    let mut is_done = false;
    let modal = Modal::new(ui.scope_id().with("typed path")).show(ui.ctx(), |ui| {
        ui.set_width(canvas.px(420.0));
        let text = "If your system shows no file dialog, type or paste the path of the instrument file:";
        ui.label(RichText::new(text).font(canvas.font(SMALL)));
        let edit =
            TextEdit::singleline(&mut app.typed_path).font(canvas.font(BODY)).hint_text("/home/…/horn.safetensors");
        let field = ui.add(edit.align(Align2::LEFT_CENTER).desired_width(f32::INFINITY));
        if !app.is_path_asked {
            app.is_path_asked = true;
            field.request_focus();
        }
        let path = path_of(&app.typed_path);
        let problem = problem(&path);
        // Drawn even without a problem, so that the buttons do not move.
        ui.label(RichText::new(problem.unwrap_or(" ")).font(canvas.font(SMALL)).color(canvas.colours.alarm));
        let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal(|ui| {
            let mut push = |label: &str| {
                ui.add(Button::new(RichText::new(label).font(canvas.font(SMALL))).fill(canvas.colours.groove)).clicked()
            };
            if (push("Open") || is_entered) && problem.is_none() && !path.as_os_str().is_empty() {
                app.wiring.tasks.send(Task::OpenFile(slot, path));
                is_done = true;
            }
            is_done |= push("Cancel");
        });
    });
    if is_done || modal.should_close() {
        app.is_path_asked = false;
        app.dialog.stop_asking();
    }
}

/// The problem with a path, as far as it shows without reading the disk.
fn problem(path: &Path) -> Option<&'static str> {
    let is_whole = path.as_os_str().is_empty() || path.is_absolute();
    (!is_whole).then_some("This is only part of a path. Type all of it, from / or ~/, on Windows from C:\\")
}

/// The path in a pasted text. It may have a shell's quotes, be a file manager's `file://` address, or begin with `~/`.
fn path_of(text: &str) -> PathBuf {
    let text = text.trim().trim_matches(['"', '\'']);
    if let Some(address) = text.strip_prefix("file://") {
        return path_of_address(address);
    }
    match (text.strip_prefix("~/"), directories::BaseDirs::new()) {
        (Some(rest), Some(folders)) => folders.home_dir().join(rest),
        _ => PathBuf::from(text),
    }
}

/// The path in an address without `file://`: an optional host name, then the percent-encoded path.
fn path_of_address(address: &str) -> PathBuf {
    let path = address.strip_prefix("localhost").unwrap_or(address);
    let path = percent_decode_str(path).decode_utf8_lossy();
    // On Windows such a path is /C:/folder.
    let has_drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    PathBuf::from(if has_drive { &path[1..] } else { &path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_pasted() {
        for text in [
            " /a b/ü.safetensors\n",
            "'/a b/ü.safetensors'",
            "\"/a b/ü.safetensors\"",
            "file:///a b/ü.safetensors",
            "file:///a%20b/%C3%BC.safetensors",
            "file://localhost/a%20b/%c3%bc.safetensors",
        ] {
            assert_eq!(path_of(text), Path::new("/a b/ü.safetensors"), "{text}");
        }
        assert_eq!(path_of("/100%25/x"), Path::new("/100%25/x"), "only an address is decoded");
        assert!(path_of("~/x").is_absolute() && !path_of("~/x").starts_with("~"));
        assert_eq!(path_of("  "), Path::new(""));
        assert!(problem(&path_of("horn.safetensors")).is_some() && problem(&path_of("./horn.safetensors")).is_some());
        assert_eq!([problem(&path_of("~/x")), problem(Path::new(""))], [None; 2]);
    }
}
