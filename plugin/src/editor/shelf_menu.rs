//! The list of all instruments, with a field to search it.

use super::App;
use super::theme::{BODY, Canvas, SMALL};
use crate::Task;
use crate::library::shelf::{Entry, Folder};
use crate::library::{InstrumentRef, Library};
use egui::{Button, Key, Label, Popup, PopupCloseBehavior, Response, RichText, ScrollArea, TextEdit, TextWrapMode, Ui};
use embouchure_inference::play::Slot;
use nice_plug::context::gui::GuiContext;
use std::path::PathBuf;

/// What a click in the list chooses.
enum Choice {
    Nothing,
    Place(i32, InstrumentRef),
    File(PathBuf),
    AskForFile,
    AskForPath,
    MakeFolder,
}

/// Opens the list for `slot` at `anchor` when that is clicked.
pub fn show(app: &mut App, canvas: &Canvas, anchor: &Response, slot: Slot, host: &GuiContext) {
    if anchor.clicked() {
        app.search.clear();
        app.found = None;
    }
    let (playing, library) = (app.wiring.instruments.source(slot), app.wiring.library.clone());
    let list = Popup::menu(anchor).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(canvas.px(230.0));
        let edit = TextEdit::singleline(&mut app.search).font(canvas.font(BODY)).hint_text("Search");
        let field = ui.add(edit.align(egui::Align2::LEFT_CENTER).desired_width(f32::INFINITY));
        if anchor.clicked() {
            field.request_focus();
        }
        if field.changed() {
            app.found = (!app.search.trim().is_empty()).then_some(0);
        }
        let keys = Keys::pressed(ui);
        let mut found = Found { library: &library, at: app.found, keys, n: 0, choice: None };
        ScrollArea::vertical()
            .max_height(canvas.px(330.0))
            .show(ui, |ui| rows(ui, canvas, slot, &app.search, playing.as_ref(), &mut found));
        app.found = keys.moved(app.found, found.n);
        let choice = found.choice;
        ui.separator();
        let mut other = row(ui, canvas, "Open file…", false, true).clicked().then_some(Choice::AskForFile);
        if row(ui, canvas, "Type a path…", false, true).clicked() {
            other = Some(Choice::AskForPath);
        }
        if let Some(folder) = library.shelf.folder() {
            heading(ui, canvas, "Files in this folder are listed above:");
            let path = RichText::new(folder.display().to_string()).font(canvas.font(SMALL)).color(canvas.colours.dim);
            ui.add(Label::new(path).truncate());
            match library.shelf.folder_state() {
                Folder::Absent if row(ui, canvas, "Make this folder", false, true).clicked() => {
                    other = Some(Choice::MakeFolder);
                }
                Folder::Unreadable(why) => problem(ui, canvas, &why),
                Folder::Absent | Folder::Present => {}
            }
        }
        let choice = choice.or(other);
        if choice.is_some() {
            ui.close();
        }
        choice
    });
    match list.and_then(|list| list.inner) {
        Some(Choice::Nothing) => app.choose(host, slot, 0, None),
        Some(Choice::Place(place, source)) => app.choose(host, slot, place, Some(source)),
        Some(Choice::File(path)) => app.wiring.tasks.send(Task::OpenFile(slot, path)),
        Some(Choice::AskForFile) => app.dialog.open(slot, &app.wiring.instruments, &app.wiring.notifier),
        Some(Choice::AskForPath) => app.dialog.ask_for_path(slot),
        Some(Choice::MakeFolder) => app.wiring.tasks.send(Task::MakeFolder),
        None => {}
    }
}

impl Entry {
    /// What a click on this entry chooses. A file without a place on the shelf is opened by its path.
    fn choice(&self) -> Choice {
        match &self.source {
            InstrumentRef::File { path, .. } if self.place == 0 => Choice::File(path.clone()),
            source => Choice::Place(self.place, source.clone()),
        }
    }
}

/// Keys that move through the results. The search field keeps the keyboard focus.
#[derive(Clone, Copy)]
struct Keys {
    step: isize,
    is_entered: bool,
}

impl Keys {
    fn pressed(ui: &Ui) -> Self {
        ui.input(|input| Self {
            step: isize::from(input.key_pressed(Key::ArrowDown)) - isize::from(input.key_pressed(Key::ArrowUp)),
            is_entered: input.key_pressed(Key::Enter),
        })
    }

    fn moved(self, at: Option<usize>, n: usize) -> Option<usize> {
        let last = n.saturating_sub(1) as isize;
        match at {
            Some(at) => Some((at as isize + self.step).clamp(0, last) as usize),
            None => (self.step != 0).then_some(0),
        }
    }
}

/// Search results that can be chosen, while they are drawn.
struct Found<'a> {
    library: &'a Library,
    /// Index of the result that the keyboard has selected.
    at: Option<usize>,
    keys: Keys,
    /// Results drawn so far.
    n: usize,
    /// What the player has chosen in this frame.
    choice: Option<Choice>,
}

impl Found<'_> {
    /// Draws a result, which a click or Enter chooses.
    fn row(&mut self, ui: &mut Ui, canvas: &Canvas, text: &str, is_chosen: bool, choice: Choice) -> Response {
        let is_at = self.at == Some(self.n);
        self.n += 1;
        let response = row(ui, canvas, text, is_chosen, true);
        if is_at {
            canvas.focus_ring(ui.painter(), response.rect);
            if self.keys.step != 0 {
                response.scroll_to_me(None);
            }
        }
        if response.clicked() || (is_at && self.keys.is_entered) {
            self.choice = Some(choice);
        }
        response
    }
}

fn rows(ui: &mut Ui, canvas: &Canvas, slot: Slot, search: &str, playing: Option<&InstrumentRef>, found: &mut Found) {
    if slot == Slot::B && search.trim().is_empty() {
        found.row(ui, canvas, "None", playing.is_none(), Choice::Nothing);
    }
    let mut is_own = false;
    for entry in found.library.shelf.entries().into_iter().filter(|entry| is_found(entry, search)) {
        if matches!(entry.source, InstrumentRef::File { .. }) && !is_own {
            is_own = true;
            heading(ui, canvas, "Your folder");
        }
        let is_playing = playing.is_some_and(|playing| playing.is_same(&entry.source));
        if let Some(problem) = &entry.problem {
            row(ui, canvas, &entry.name, false, false);
            self::problem(ui, canvas, problem);
        } else {
            found.row(ui, canvas, &entry.name, is_playing, entry.choice()).on_hover_text(&entry.family);
        }
    }
    recent_rows(ui, canvas, search, found);
    if found.n == 0 {
        heading(ui, canvas, &format!("No instrument or family has {:?} in its name", search.trim()));
    }
}

fn recent_rows(ui: &mut Ui, canvas: &Canvas, search: &str, found: &mut Found) {
    let name = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let files: Vec<PathBuf> =
        found.library.recent.files().into_iter().filter(|path| contains(&name(path), search)).collect();
    if !files.is_empty() {
        heading(ui, canvas, "Recently opened");
    }
    for path in files {
        let hover = path.display().to_string();
        found.row(ui, canvas, &name(&path), false, Choice::File(path)).on_hover_text(hover);
    }
}

fn heading(ui: &mut Ui, canvas: &Canvas, text: &str) {
    ui.label(RichText::new(text).font(canvas.font(SMALL)).color(canvas.colours.dim));
}

fn problem(ui: &mut Ui, canvas: &Canvas, why: &str) {
    ui.label(RichText::new(why).font(canvas.font(SMALL)).color(canvas.colours.alarm));
}

fn row(ui: &mut Ui, canvas: &Canvas, text: &str, is_chosen: bool, is_enabled: bool) -> Response {
    let text = RichText::new(text).font(canvas.font(BODY));
    ui.add_enabled(is_enabled, Button::selectable(is_chosen, text).wrap_mode(TextWrapMode::Extend))
}

fn is_found(entry: &Entry, search: &str) -> bool {
    contains(&entry.name, search) || contains(&entry.family, search)
}

fn contains(text: &str, search: &str) -> bool {
    text.to_lowercase().contains(&search.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_knows_names_and_families() {
        let shelf = &crate::test_library::shipped().shelf;
        let found = |search: &str| {
            let names = shelf.entries().into_iter().filter(|entry| is_found(entry, search)).map(|entry| entry.name);
            names.collect::<Vec<_>>()
        };
        assert_eq!(found("SAX"), ["Alto Saxophone", "Tenor Saxophone"]);
        assert_eq!(found(" strings"), ["Violin", "Viola", "Cello"]);
        assert!(found("").len() >= 14 && found("kazoo").is_empty());
    }
}
