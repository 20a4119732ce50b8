//! Each instrument resynthesises its own held-out recordings.

use super::judge::{figure, question};
use super::shelf::Instrument;
use super::{Bench, mean};
use crate::program::output_of;
use crate::table::{Row, number};
use anyhow::Result;
use embouchure_audio_file::{Audio, read, to_mono, write_wav};
use embouchure_training::recordings::audio_files;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Values of Follow, with their options: 0 uses only what was learned, 1 follows the recording's timbre completely. The
/// latter includes the recording's noise between notes, so the gate is opened.
const FOLLOW: [(&str, &[&str]); 2] = [("0", &[]), ("1", &["--gate", "-120", "--fixed-gate"])];

/// Two rows for each instrument, and their means.
pub fn measure(bench: &Bench, instruments: &[Instrument]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for instrument in instruments {
        let Some(folder) = &instrument.judged_on else { continue };
        eprintln!("{}: its own recordings", instrument.name);
        for wish in FOLLOW {
            rows.push(row(bench, instrument, &bench.data.join(folder), wish)?);
        }
    }
    let means = FOLLOW.map(|(follow, _)| mean_row(rows.iter().filter(|row| row["follow"] == follow)));
    rows.extend(means);
    Ok(rows)
}

fn mean_row<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Row {
    let mut all = rows.clone().next().cloned().unwrap_or_default();
    for (column, value) in all.iter_mut().filter(|(_, value)| value.is_number()) {
        *value = number(mean(rows.clone().filter_map(|row| row[column].as_f64())), 3);
    }
    all.insert("instrument".into(), "mean".into());
    all
}

fn row(bench: &Bench, instrument: &Instrument, folder: &Path, (follow, gate): (&str, &[&str])) -> Result<Row> {
    let files = audio_files(folder)?;
    let questions = files.iter().enumerate().map(|(i, file)| {
        let name = format!("{}.{i}.follow{follow}", instrument.name);
        let options =
            [&["--transpose", "0", "--level", "as-recorded", "--room", "0", "--follow", follow], gate].concat();
        let output = bench.render(file, instrument, &options, &name)?;
        let [notes, played] = without_rests(file, &output)?;
        let question = |source: &Path, output: &Path| question("resynth", source, output, &instrument.kind());
        Ok([question(file, &output), question(&notes, &played)])
    });
    let answers = bench.judge.ask(&questions.collect::<Result<Vec<_>>>()?.concat())?;
    let of_every_other = |first: usize, path: &str| {
        mean(answers.iter().skip(first).step_by(2).filter_map(|answer| figure(answer, path)))
    };
    let of = |path: &str| of_every_other(0, path);
    let mut eval = Command::new(&bench.program);
    eval.arg("eval").arg(bench.instrument(instrument)).args(["--follow", follow]).args(gate).arg("--audio").arg(folder);
    let ours = output_of(&mut eval)?;
    let ours: Value = serde_json::from_str(&ours)?;
    let mut row = Row::new();
    row.insert("instrument".into(), instrument.name.clone().into());
    row.insert("follow".into(), follow.into());
    for (column, value, digits) in [
        ("recordings", files.len() as f64, 0),
        ("mss", of("mss"), 2),
        ("of notes alone", of_every_other(1, "mss"), 2),
        ("log-mel dB", of("logmel_db"), 1),
        ("loudness dB", of("loudness_db"), 1),
        ("pitch RPA", of("pitch_rpa"), 3),
        ("judge", of("judge/score"), 2),
        ("of the recordings", of("judge_of_source/score"), 2),
        ("centroid ratio", figure(&ours, "mean/centroid_ratio").unwrap_or(f64::NAN), 2),
        ("above 4 kHz, dB", figure(&ours, "mean/treble_db").unwrap_or(f64::NAN), 1),
    ] {
        row.insert(column.into(), number(value, digits));
    }
    Ok(row)
}

/// Trims both sounds to the part from the first to the last sample at which the rendering sounds. A recording's noise
/// before and after its notes does not belong to the instrument.
fn without_rests(recording: &Path, rendering: &Path) -> Result<[PathBuf; 2]> {
    let sounds = [read(recording)?, read(rendering)?].map(|audio| (to_mono(&audio), audio.rate));
    let played = &sounds[1].0;
    let is_loud = |x: &f32| x.abs() > 1e-6;
    let from = played.iter().position(is_loud).unwrap_or(0);
    let to = played.iter().rposition(is_loud).unwrap_or(played.len());
    let cut = |(samples, rate): &(Vec<f32>, u32), kind: &str| -> Result<PathBuf> {
        let path = rendering.with_extension(format!("{kind}.wav"));
        write_wav(&path, &Audio { channels: vec![samples[from..to.min(samples.len())].to_vec()], rate: *rate })?;
        Ok(path)
    };
    Ok([cut(&sounds[0], "recording")?, cut(&sounds[1], "rendering")?])
}
