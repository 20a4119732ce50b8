//! Constructors of the kinds of parameters: range, unit, and conversion to and from text.

use crate::library::Library;
use crate::library::shelf::N_PLACES;
use embouchure_inference::scale::{Key, Scale};
use nice_plug::prelude::*;
use std::sync::Arc;

/// Unit of parameters in percent.
pub const PERCENT: &str = " %";

/// A share, 0 to 100 %.
pub fn share(name: &str, default: f32) -> FloatParam {
    factor(name, default, 1.0)
}

/// A factor, 0 to `max`, shown in percent.
pub fn factor(name: &str, default: f32, max: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max })
        .with_unit(PERCENT)
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(Arc::new(|text| leading_number(text).map(|percent| percent / 100.0)))
}

/// A signed number in `unit`, default 0, shown with `digits` digits after the point.
pub fn offset(name: &str, [min, max]: [f32; 2], unit: &'static str, digits: usize) -> FloatParam {
    FloatParam::new(name, 0.0, FloatRange::Linear { min, max })
        .with_value_to_string(Arc::new(move |v| format!("{} {unit}", signed(v, digits))))
        .with_string_to_value(Arc::new(leading_number))
}

/// Semitones, from `-most` to `most`.
pub fn semitones(name: &str, most: i32) -> IntParam {
    IntParam::new(name, 0, IntRange::Linear { min: -most, max: most })
        .with_value_to_string(Arc::new(|v| format!("{} st", signed(v as f32, 0))))
        .with_string_to_value(Arc::new(|text| leading_number(text).map(|v| v.round() as i32)))
}

/// A level in dB that is "Off" at its lowest.
pub fn level_or_off(name: &str, default: f32, [off, max]: [f32; 2]) -> FloatParam {
    db_or_off(name, default, [off, max], |v| format!("{v:.1}"))
}

/// A gain in dB that is "Off" at its lowest.
pub fn gain_or_off(name: &str, default: f32, [off, max]: [f32; 2]) -> FloatParam {
    db_or_off(name, default, [off, max], |v| signed(v, 1))
}

fn db_or_off(name: &str, default: f32, [off, max]: [f32; 2], number: fn(f32) -> String) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: off, max })
        .with_value_to_string(Arc::new(move |v| or_off(v, off, |v| format!("{} dB", number(v)))))
        .with_string_to_value(Arc::new(move |text| number_or_off(text, off)))
}

/// A time in s, shown in ms, "Off" at 0. The dial resolves short times more finely.
pub fn time(name: &str, default: f32, [min, max]: [f32; 2]) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Skewed { min, max, factor: 0.5 })
        .with_value_to_string(Arc::new(time_text))
        .with_string_to_value(Arc::new(time_value))
}

/// A key, 0 = C to 11 = B.
pub fn key(name: &str) -> IntParam {
    IntParam::new(name, 0, IntRange::Linear { min: 0, max: 11 })
        .with_value_to_string(Arc::new(|v| Key(v as u8).name().into()))
        .with_string_to_value(Arc::new(|text| Key::from_name(text).map(|key| i32::from(key.0))))
}

/// An index into [`Scale::ALL`].
pub fn scale(name: &str) -> IntParam {
    IntParam::new(name, 0, IntRange::Linear { min: 0, max: Scale::ALL.len() as i32 - 1 })
        .with_value_to_string(Arc::new(|v| scale_at(v).1.into()))
        .with_string_to_value(Arc::new(scale_value))
}

/// The scale at an index, and its name.
pub fn scale_at(index: i32) -> (Scale, &'static str) {
    Scale::ALL[index as usize % Scale::ALL.len()]
}

/// A place on the shelf; `none`: text of place 0.
pub fn instrument(library: &Arc<Library>, name: &str, default: i32, none: &'static str) -> IntParam {
    let (names, places) = (library.clone(), library.clone());
    let name_of = move |place: i32| if place == 0 { none.into() } else { names.shelf.name_of(place) };
    let place_of = move |text: &str| if text.trim() == none { Some(0) } else { places.shelf.place_of(text) };
    IntParam::new(name, default, IntRange::Linear { min: 0, max: N_PLACES })
        .with_value_to_string(Arc::new(name_of))
        .with_string_to_value(Arc::new(place_of))
}

/// "+3.0", "-3.0", "0.0": zero has no sign.
pub fn signed(value: f32, digits: usize) -> String {
    let text = format!("{value:+.digits$}");
    if text.bytes().any(|b| matches!(b, b'1'..=b'9')) { text } else { text[1..].into() }
}

/// Reads "-3", "+3.5 dB/oct", "3,5", "12 st".
pub fn leading_number(text: &str) -> Option<f32> {
    let number = text.trim().trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, ' ' | '/' | '%'));
    number.replacen(',', ".", 1).parse().ok().filter(|v: &f32| v.is_finite())
}

/// "Off" at the lowest value, `off_db`; otherwise `text` of the value.
fn or_off(value: f32, off_db: f32, text: impl Fn(f32) -> String) -> String {
    // Hosts show rounded values, so values that round to the lowest one are "Off", too.
    if value < off_db + 0.05 { "Off".into() } else { text(value) }
}

pub fn number_or_off(text: &str, off_db: f32) -> Option<f32> {
    if text.trim().eq_ignore_ascii_case("off") { Some(off_db) } else { leading_number(text) }
}

fn scale_value(text: &str) -> Option<i32> {
    Scale::ALL.iter().position(|(_, name)| name.eq_ignore_ascii_case(text.trim())).map(|i| i as i32)
}

fn time_text(seconds: f32) -> String {
    // Times that round to 0 ms are "Off", too.
    if seconds < 0.0005 { "Off".into() } else { format!("{:.0} ms", 1000.0 * seconds) }
}

/// Reads milliseconds, or seconds as in "0.5 s".
pub fn time_value(text: &str) -> Option<f32> {
    let text = text.trim().to_lowercase();
    if text == "off" {
        return Some(0.0);
    }
    let in_seconds = text.ends_with('s') && !text.ends_with("ms");
    leading_number(&text).map(|v| if in_seconds { v } else { v / 1000.0 })
}
