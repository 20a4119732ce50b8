//! A parameter's value as text, and a field to type another one.

use super::gesture::set_once;
use super::rejected;
use super::theme::{BODY, Canvas};
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Align2, Id, Key, Rect, Role, Sense, TextEdit, Ui, WidgetInfo};
use nice_plug::prelude::{Param, ParamSetter};

/// Shows the value in `rect`. A click opens the field. Enter sets the typed value if it is valid. Escape or a click
/// elsewhere changes nothing.
pub fn show<P: Param>(ui: &mut Ui, canvas: &Canvas, rect: Rect, param: &P, setter: &ParamSetter) {
    let id = ui.scope_id().with(("entry", param.name()));
    let value = param.normalized_value_to_string(param.unmodulated_normalized_value(), true);
    let typed: Option<String> = ui.data(|data| data.get_temp(id));
    if let Some(typed) = typed {
        let mut rejected = None;
        field(ui, canvas, (rect, id), typed, |text| {
            // Many countries write a decimal comma.
            let text = &if text.contains('.') { text.to_owned() } else { text.replacen(',', ".", 1) };
            let value = param.string_to_normalized_value(text);
            if let Some(value) = value {
                set_once(setter, param, param.preview_plain(value));
            }
            rejected = why_not(param, text, value);
        });
        if let Some(rejected) = rejected {
            rejected::show(ui.ctx(), rejected);
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

/// Message if `text` was not accepted, or was changed. `value`: the value that was set, from 0 to 1.
fn why_not(param: &impl Param, text: &str, value: Option<f32>) -> Option<String> {
    let [lowest, highest] = [0.0, 1.0].map(|share| param.normalized_value_to_string(share, true));
    let (text, name) = (text.trim(), param.name());
    match value {
        None => Some(format!("{text:?} is not a value of {name}, which goes from {lowest} to {highest}")),
        Some(value) if is_beyond(param, text, value) => {
            let nearest = param.normalized_value_to_string(value, true);
            Some(format!("{name} goes from {lowest} to {highest}: {text} was set to {nearest}"))
        }
        Some(_) => None,
    }
}

/// True if the number in `text` lies outside the range, so that it was clamped to an end. A parameter does not report
/// that, but then a number a little nearer to 0 gives the same end.
fn is_beyond(param: &impl Param, text: &str, value: f32) -> bool {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
    let (number, unit) = text.split_at(text.find(|c| !is_of_number(c)).unwrap_or(text.len()));
    let Ok(number) = number.parse::<f32>() else { return false };
    let is_end = value <= 0.0 || value >= 1.0;
    // The number 0 can be an end of the range, but not beyond it.
    is_end && number != 0.0 && param.string_to_normalized_value(&format!("{}{unit}", 0.97 * number)) == Some(value)
}

fn open(ui: &Ui, id: Id, text: String) {
    let field = id.with("field");
    ui.memory_mut(|memory| memory.request_focus(field));
    // The text is selected, so that typing replaces it.
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
