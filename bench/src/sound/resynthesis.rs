//! Each instrument plays its own held-out recordings again.

use super::judge::{figure, question};
use super::shelf::Instrument;
use super::{Bench, mean};
use crate::program::said;
use crate::table::{Row, number};
use anyhow::Result;
use embouchure_training::recordings::audio_files;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// One row an instrument, and their mean.
pub fn measure(bench: &Bench, instruments: &[Instrument]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for instrument in instruments {
        let Some(folder) = &instrument.judged_on else { continue };
        eprintln!("{}: its own recordings", instrument.name);
        rows.push(row(bench, instrument, &bench.data.join(folder))?);
    }
    let mut all = Row::new();
    for column in rows.first().into_iter().flat_map(Row::keys) {
        let values = rows.iter().filter_map(|row| row[column].as_f64());
        all.insert(column.clone(), if column == "instrument" { "mean".into() } else { number(mean(values), 3) });
    }
    rows.push(all);
    Ok(rows)
}

fn row(bench: &Bench, instrument: &Instrument, folder: &Path) -> Result<Row> {
    let files = audio_files(folder)?;
    let questions = files.iter().enumerate().map(|(i, file)| {
        let name = format!("{}.{i}", instrument.name);
        let output = bench.render(file, instrument, &["--transpose", "0", "--level", "as-recorded"], &name)?;
        Ok(question("resynth", file, &output, &instrument.kind()))
    });
    let answers = bench.judge.ask(&questions.collect::<Result<Vec<_>>>()?)?;
    let of = |path: &str| mean(answers.iter().filter_map(|answer| figure(answer, path)));
    let ours =
        said(Command::new(&bench.program).arg("eval").arg(bench.instrument(instrument)).arg("--audio").arg(folder))?;
    let ours: Value = serde_json::from_str(&ours)?;
    let mut row = Row::new();
    row.insert("instrument".into(), instrument.name.clone().into());
    for (column, value, digits) in [
        ("recordings", files.len() as f64, 0),
        ("mss", of("mss"), 2),
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
