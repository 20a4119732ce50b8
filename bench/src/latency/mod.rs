//! Latency: the reported one, the measured one, and the additional time until a note is recognised.

mod matrix;
mod notes;
mod probe;
mod recordings;
mod track;

use crate::effect::Networks;
use crate::statistics::quantile;
use crate::table::{self, Row, number};
use anyhow::Result;
use serde_json::Value;
use std::path::PathBuf;

/// Largest delay of an onset beyond the reported latency, ms.
const ONSET_TARGET_MS: f64 = 8.0;
/// Largest delay until a pitch is right, beyond the reported latency: pitch in Hz, delay in ms.
const PITCH_TARGETS_MS: [(f64, f64); 3] = [(110.0, 25.0), (440.0, 15.0), (1500.0, 8.0)];

/// Arguments of `bench latency`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder with `heldout/INSTRUMENT` and `source/whistle`, for onsets as they are played
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

/// Measures, prints the results and writes `latency.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let machine = crate::machine::name();
    let networks = Networks::built_in()?;
    let mut tables = vec![("reported", matrix::measure(&networks)?)];
    let [onsets, steps] = notes::measure(&networks)?;
    tables.extend([("onsets", onsets), ("steps", steps)]);
    if let Some(data) = &arguments.data {
        tables.push(("recordings", recordings::measure(&networks, data)?));
    }
    let mut all = Vec::new();
    for (name, rows) in tables {
        table::print(&format!("Latency: {name}"), &rows);
        let about = [("table", name.into()), ("machine", Value::from(machine.clone()))];
        let about = about.map(|(key, value)| (key.to_owned(), value));
        all.extend(rows.into_iter().map(|row| about.clone().into_iter().chain(row).collect::<Row>()));
    }
    table::write_json(&arguments.out.join("latency.json"), &all)
}

/// Delays of several notes beyond the reported latency, ms. Infinite for a note that was never right.
#[derive(Default)]
struct Delays {
    onset_ms: Vec<f64>,
    pitch_ms: Vec<f64>,
}

impl Delays {
    fn and(mut self, other: &Self) -> Self {
        self.onset_ms.extend(&other.onset_ms);
        self.pitch_ms.extend(&other.pitch_ms);
        self
    }

    /// `hz`: pitch of the notes, which decides the target.
    fn onset_row(&self, name: &str, hz: f64) -> Row {
        let mut row = self.row(name);
        self.add_onset(&mut row);
        self.add_pitch(&mut row, hz);
        row
    }

    fn step_row(&self, name: &str, hz: f64) -> Row {
        let mut row = self.row(name);
        self.add_pitch(&mut row, hz);
        row
    }

    fn row(&self, name: &str) -> Row {
        let mut row = Row::new();
        row.insert("notes".into(), name.into());
        row.insert("n".into(), self.pitch_ms.len().into());
        row
    }

    fn add_onset(&self, row: &mut Row) {
        row.insert("onset, median ms".into(), number(quantile(&self.onset_ms, 0.5), 1));
        row.insert("onset, p90 ms".into(), number(quantile(&self.onset_ms, 0.9), 1));
        row.insert("at most".into(), number(ONSET_TARGET_MS, 0));
    }

    fn add_pitch(&self, row: &mut Row, hz: f64) {
        let target = PITCH_TARGETS_MS.iter().find(|(at, _)| *at == hz).map_or(f64::NAN, |(_, ms)| *ms);
        row.insert("pitch, median ms".into(), number(quantile(&self.pitch_ms, 0.5), 1));
        row.insert("pitch, p90 ms".into(), number(quantile(&self.pitch_ms, 0.9), 1));
        row.insert("pitch, at most".into(), number(target, 0));
        row.insert("never right".into(), self.pitch_ms.iter().filter(|ms| ms.is_infinite()).count().into());
    }
}
