//! A parameter's value as text, and a field to type another one.

use super::gesture::set_once;
use super::rejected;
use super::theme::{BODY, Canvas};
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Align2, Id, Key, Rect, Role, Sense, TextEdit, Ui, WidgetInfo};
use nice_plug::prelude::{Param, ParamSetter};

/// Shows the value in `rect`. A click opens the field, Enter sets what was typed if it can be read, Escape or a click
/// elsewhere leaves everything as it was.
pub fn show<P: Param>(ui: &mut Ui, canvas: &Canvas, rect: Rect, param: &P, setter: &ParamSetter) {
    let id = ui.scope_id().with(("entry", param.name()));
    let value = param.normalized_value_to_string(param.unmodulated_normalized_value(), true);
    let typed: Option<String> = ui.data(|data| data.get_temp(id));
    if let Some(typed) = typed {
        let mut rejected = String::new();
        field(ui, canvas, (rect, id), typed, |text| match param.string_to_normalized_value(text) {
            Some(value) => set_once(setter, param, param.preview_plain(value)),
            None => rejected.push_str(&why_not(param, text)),
        });
        if !rejected.is_empty() {
            rejected::say(ui.ctx(), rejected);
        }
        return;
    }
    let response = ui.interact(rect, id, Sense::click());
    let at = (rect.center(), Align2::CENTER_CENTER);
    let width = rect.width() / canvas.px(1.0) + 8.0;
    canvas.text(ui.painter(), at, width, (BODY, canvas.colours.text), &value);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{} {value}", param.name())));
    if response.clicked() {
        open(ui, id, value);
    }
}

fn why_not(param: &impl Param, text: &str) -> String {
    let [lowest, highest] = [0.0, 1.0].map(|share| param.normalized_value_to_string(share, true));
    format!("{:?} is no {}: it goes from {lowest} to {highest}", text.trim(), param.name())
}

fn open(ui: &Ui, id: Id, text: String) {
    let field = id.with("field");
    ui.memory_mut(|memory| memory.request_focus(field));
    // Selected, so that typing replaces it.
    let mut state = TextEditState::default();
    state.cursor.set_char_range(Some(CCursorRange::two(CCursor::new(0), CCursor::new(text.chars().count()))));
    state.store(ui.ctx(), field);
    ui.data_mut(|data| data.insert_temp(id, text));
}

fn field(ui: &mut Ui, canvas: &Canvas, (rect, id): (Rect, Id), mut typed: String, set: impl FnOnce(&str)) {
    let edit = TextEdit::singleline(&mut typed)
        .id(id.with("field"))
        .font(canvas.font(BODY))
        .align(egui::Align2::CENTER_CENTER)
        .margin(egui::Margin::ZERO);
    let response = ui.put(rect, edit);
    if !response.lost_focus() {
        ui.data_mut(|data| data.insert_temp(id, typed));
        return;
    }
    if ui.input(|input| input.key_pressed(Key::Enter)) {
        set(&typed);
    }
    ui.data_mut(|data| data.remove_temp::<String>(id));
}
