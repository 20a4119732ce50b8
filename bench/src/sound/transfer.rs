//! Plays whistles, voices and other instruments through each instrument.

use super::judge::{figure, question};
use super::shelf::Instrument;
use super::{Bench, mean};
use crate::table::{Row, number};
use anyhow::Result;
use embouchure_inference::controls::Room;
use embouchure_training::recordings::audio_files;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Instruments that are tested.
const INTO: [&str; 7] = ["trumpet", "violin", "flute", "clarinet", "cello", "alto-saxophone", "tenor-saxophone"];
/// Prefixes of file names with single notes. The judge recognises single notes less well than phrases, even real ones.
const NOTES: [&str; 4] = ["iowa", "mtg__", "ixox", "phil"];
/// Required share of the judge's mean rating for the instrument's own phrases.
const ASKED: f64 = 0.7;
/// Amounts of reverb: none, and the usual one.
const ROOMS: [f32; 2] = [0.0, Room::USUAL_AMOUNT];

/// One row for each instrument and amount of reverb.
pub fn measure(bench: &Bench, instruments: &[Instrument]) -> Result<Vec<Row>> {
    let sources = sources(bench.data)?;
    let mut rows = Vec::new();
    for instrument in instruments.iter().filter(|i| INTO.contains(&i.name.as_str())) {
        eprintln!("{}: other voices", instrument.name);
        let of_phrases = judge_of_phrases(bench, instrument)?;
        for room in ROOMS.map(|amount| amount.to_string()) {
            let questions = sources.iter().enumerate().map(|(i, source)| {
                let name = format!("{}.from{i}.room{room}", instrument.name);
                let output = bench.render(source, instrument, &["--room", &room], &name)?;
                Ok(question("transfer", source, &output, &instrument.kind()))
            });
            let answers = bench.judge.ask(&questions.collect::<Result<Vec<_>>>()?)?;
            let mut row = row(&instrument.name, &room, of_phrases, &answers);
            row.insert("run".into(), format!("{} sources", sources.len()).into());
            rows.push(row);
        }
    }
    Ok(rows)
}

fn row(name: &str, room: &str, of_phrases: f64, answers: &[Value]) -> Row {
    let of = |path: &str| mean(answers.iter().filter_map(|answer| figure(answer, path)));
    let leak = answers.iter().filter_map(|answer| figure(answer, "leak_db")).fold(f64::NAN, f64::max);
    let mut row = Row::new();
    row.insert("instrument".into(), name.into());
    row.insert("room".into(), room.into());
    for (column, value, digits) in [
        ("pitch RPA", of("pitch_rpa"), 3),
        ("voiced recall", of("voiced_recall"), 3),
        ("loudness correlation", of("loudness_corr"), 2),
        ("worst leak dB", leak, 1),
        ("judge", of("judge/score"), 2),
        ("asked for", ASKED * of_phrases, 2),
    ] {
        row.insert(column.into(), number(value, digits));
    }
    row
}

/// The judge's mean rating of the instrument's held-out phrases; of all its recordings if there are no phrases.
fn judge_of_phrases(bench: &Bench, instrument: &Instrument) -> Result<f64> {
    let Some(folder) = &instrument.judged_on else { return Ok(f64::NAN) };
    let files = audio_files(&bench.data.join(folder))?;
    let is_phrase = |path: &&PathBuf| !NOTES.iter().any(|notes| name(path).starts_with(notes));
    let phrases: Vec<&PathBuf> = files.iter().filter(is_phrase).collect();
    let judged = if phrases.is_empty() { files.iter().collect() } else { phrases };
    let questions: Vec<Value> = judged.iter().map(|path| question("judge", path, path, &instrument.kind())).collect();
    let answers = bench.judge.ask(&questions)?;
    Ok(mean(answers.iter().filter_map(|answer| figure(answer, "judge/score"))))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The sources: whistles, three voices, two phrases each of a violin and a flute.
fn sources(data: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = audio_files(&data.join("source/whistle"))?;
    let voices = ["voice/smstools__singing-female", "voice/smstools__vignesh", "voice_f0/vocadito_1"];
    sources.extend(voices.map(|voice| data.join("source").join(voice).with_extension("flac")));
    for instrument in ["violin", "flute"] {
        let phrases = audio_files(&data.join("heldout").join(instrument))?;
        sources.extend(phrases.into_iter().filter(|path| name(path).starts_with("Medley")).take(2));
    }
    Ok(sources)
}
