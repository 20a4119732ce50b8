//! Every parameter is complete: hint, control, controller page, README, command line, text.

use super::*;
use crate::editor::shown;
use kinds::{leading_number, number_or_off, signed, time_value};
use std::collections::BTreeSet;

const README: &str = include_str!("../../../README.md");
/// Source of the command `embouchure render`, whose fields are its options. Reading the text needs no further
/// dependency.
const RENDER: &str = include_str!("../../../cli/src/render.rs");
/// Options whose names differ from the parameters' ids. The last two have no option.
const OPTIONS: [(&str, Option<&str>); 9] = [
    ("instrument_a", Some("instrument")),
    ("instrument_b", Some("second")),
    ("fine", Some("transpose")),
    ("octave_fit", Some("transpose")),
    ("level_fit", Some("level")),
    ("match_level", Some("own_level")),
    ("room_gate", Some("fixed_gate")),
    ("gain", None),
    ("bypass", None),
];

fn params() -> EmbouchureParams {
    EmbouchureParams::default()
}

/// Sets a parameter to a share of its range, as a host does.
fn set(param: ParamRef, share: f32) {
    // SAFETY: the parameter is borrowed.
    unsafe { param.as_ptr()._internal_set_normalized_value(share) };
}

fn text(param: ParamRef, share: f32) -> String {
    // SAFETY: the parameter is borrowed.
    unsafe { param.as_ptr().normalized_value_to_string(share, true) }
}

fn value(param: ParamRef, text: &str) -> Option<f32> {
    // SAFETY: the parameter is borrowed.
    unsafe { param.as_ptr().string_to_normalized_value(text) }
}

#[test]
fn hosts_see_the_rows_in_their_groups() {
    let params = params();
    let seen: Vec<_> = params.param_map().into_iter().collect();
    let rows: Vec<_> =
        ROWS.iter().map(|row| (row.id.into(), (row.param)(&params).as_ptr(), row.group.into())).collect();
    assert_eq!(seen, rows);
    let groups: Vec<&str> = ROWS.chunk_by(|a, b| a.group == b.group).map(|rows| rows[0].group).collect();
    assert_eq!(groups, ["Instruments", "Mix", "Sound", "Pitch", "Source"]);
    let ids: BTreeSet<&str> = ROWS.iter().map(|row| row.id).collect();
    let names: BTreeSet<&str> = ROWS.iter().map(|row| (row.param)(&params).name()).collect();
    assert_eq!((ids.len(), names.len()), (ROWS.len(), ROWS.len()), "no two have the same id or name");
}

/// The ids of 0.1.0, by which saved projects name the parameters.
#[test]
fn no_id_has_changed() {
    let ids: BTreeSet<&str> = ROWS.iter().map(|row| row.id).collect();
    let first = [
        "instrument_a",
        "instrument_b",
        "morph",
        "mix",
        "brightness",
        "breath",
        "dynamics",
        "follow",
        "attack",
        "width",
        "transpose",
        "fine",
        "octave_fit",
        "gate",
        "room_gate",
        "snap",
        "key",
        "scale",
        "glide",
        "room",
        "room_decay",
        "level_fit",
        "match_level",
        "gain",
        "bypass",
    ];
    assert!(first.iter().all(|id| ids.contains(id)), "{ids:?}");
}

#[test]
fn every_parameter_is_explained() {
    for row in ROWS {
        assert!(row.hint.len() > 10 && row.hint.ends_with('.'), "{}: {:?}", row.id, row.hint);
    }
}

#[test]
fn every_parameter_is_in_the_window() {
    let ids = shown();
    for row in ROWS {
        let n = ids.iter().filter(|id| **id == row.id).count();
        // The instruments have buttons and a list instead.
        assert_eq!(n, usize::from(row.group != "Instruments" || row.id == "morph"), "{}", row.id);
    }
}

#[test]
fn every_parameter_but_bypass_is_on_a_controller() {
    let params = params();
    for page in Page::ALL {
        let places: BTreeSet<usize> =
            ROWS.iter().filter_map(|row| row.remote.filter(|(on, _)| *on == page).map(|(_, place)| place)).collect();
        let n = params.on_page(page).len();
        assert_eq!(places, (0..n).collect(), "{}: no place is free or used twice", page.name());
        assert!(n <= 8, "{}: a controller has eight knobs", page.name());
    }
    let main: Vec<&str> = params.on_page(Page::Main).iter().map(|param| param.name()).collect();
    assert_eq!(
        main,
        ["Dry/Wet", "Instrument A", "Instrument B", "Morph", "Brightness", "Breath", "Dynamics", "Output"]
    );
    let not: Vec<&str> = ROWS.iter().filter(|row| row.remote.is_none()).map(|row| row.id).collect();
    assert_eq!(not, ["bypass"], "hosts have a button of their own for it");
}

#[test]
fn every_parameter_is_in_the_readme() {
    let params = params();
    let table: Vec<&str> = README.lines().filter(|line| line.starts_with("| ")).collect();
    for row in ROWS {
        let name = (row.param)(&params).name();
        let name = if name == "Instrument B" { "B, " } else { name };
        assert!(table.iter().any(|line| line.split('|').nth(1).is_some_and(|cell| cell.contains(name))), "{name}");
    }
}

#[test]
fn every_parameter_is_an_option_of_render() {
    for row in ROWS {
        let named = OPTIONS.iter().find(|(id, _)| *id == row.id);
        if let Some(option) = named.map_or(Some(row.id), |(_, option)| *option) {
            let is_field =
                |line: &str| line.trim_start().trim_start_matches("pub ").starts_with(&format!("{option}: "));
            assert!(RENDER.lines().any(is_field), "{}: embouchure render has no --{option}", row.id);
        }
    }
    assert!(OPTIONS.iter().all(|(id, _)| ROWS.iter().any(|row| row.id == *id)));
}

#[test]
fn text_goes_both_ways() {
    let params = params();
    for row in ROWS {
        let param = (row.param)(&params);
        for step in 0..=20 {
            let shown = text(param, step as f32 / 20.0);
            let read = value(param, &shown).unwrap_or_else(|| panic!("{}: {shown:?} is not read", row.id));
            assert_eq!(text(param, read), shown, "{}", row.id);
        }
    }
}

/// A host that stores values as shares of their range gives defaults back exactly, so a project saved again is the
/// same.
#[test]
fn defaults_survive_a_host() {
    let params = params();
    for row in ROWS {
        let ptr = (row.param)(&params).as_ptr();
        // SAFETY: the parameter is borrowed.
        let (plain, back) = unsafe {
            let plain = ptr.default_plain_value();
            (plain, ptr.preview_plain(ptr.preview_normalized(plain)))
        };
        assert_eq!(plain, back, "{}", row.id);
    }
}

#[test]
fn every_parameter_but_the_instruments_is_a_setting() {
    let params = params();
    for row in ROWS {
        let param = (row.param)(&params);
        let [low, high] = [0.0, 1.0].map(|share| {
            set(param, share);
            params.settings()
        });
        assert_eq!(low == high, matches!(row.id, "instrument_a" | "instrument_b"), "{}", row.id);
    }
}

#[test]
fn defaults_are_the_engines() {
    assert_eq!(params().settings(), Settings::default());
}

#[test]
fn the_lowest_gate_lets_everything_pass() {
    let params = params();
    set((&params.source.gate_db).into(), 0.0);
    assert_eq!(params.settings().source.gate_db, NEVER_DB);
}

#[test]
fn semitones_and_cents_add_up() {
    let params = params();
    set((&params.pitch.transpose_semitones).into(), 1.0);
    set((&params.pitch.fine_cents).into(), 0.25);
    assert_eq!(params.settings().pitch.transpose_semitones, 35.5);
}

#[test]
fn text_reads_as_a_player_writes() {
    let params = params();
    let plain = |text| value((&params.sound.brightness_db).into(), text).map(|v| v * 24.0 - 12.0);
    assert_eq!(plain("-3"), Some(-3.0));
    assert_eq!(plain("+6 dB/oct"), Some(6.0));
    assert_eq!(plain("2,5"), Some(2.5));
    assert_eq!(plain("loud"), None);
    assert_eq!(plain("NaN"), None);
    assert_eq!(signed(-0.04, 1), "0.0");
    assert_eq!(signed(0.5, 1), "+0.5");
    assert_eq!(text((&params.source.gate_db).into(), 0.0), "Off");
    assert_eq!(number_or_off("-60 dB", GATE_OFF_DB), Some(-60.0));
    assert_eq!((time_value("120 ms"), time_value("0.5 s"), time_value("80")), (Some(0.12), Some(0.5), Some(0.08)));
    assert_eq!(leading_number("12 st"), Some(12.0));
}
