//! Pitch: accuracy, delay and false alarms, on sounds whose pitch is known.

mod cases;
pub mod ours;
mod peers;
mod score;

use crate::table::{self, Row, number};
use anyhow::Result;
use cases::{Case, Set};
use score::Tally;
use std::path::PathBuf;

/// Arguments of `bench pitch`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder with `heldout/INSTRUMENT`, `source/whistle`, `source/voice_f0`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where sounds, tracks and results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// Encoder file to measure instead of the built-in one
    #[arg(long, value_name = "FILE")]
    encoder: Option<PathBuf>,
    /// Python with swift-f0, torchcrepe and ai-edge-litert, to measure these beside
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// DDSP-VST's own pitch network (.tflite), measured if given with --peers
    #[arg(long, value_name = "FILE")]
    ddsp_vst: Option<PathBuf>,
}

/// Measures, prints the results and writes `pitch.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let cases = cases::all(&arguments.data)?;
    let mut trackers = vec![ours::track(&cases, arguments.encoder.as_deref())?];
    if let Some(python) = &arguments.peers {
        trackers.extend(peers::track(&cases, python, arguments.ddsp_vst.as_deref(), &arguments.out.join("pitch"))?);
    }
    let mut rows: Vec<Row> = Vec::new();
    for set in Set::ALL {
        let from = rows.len();
        for tracker in &trackers {
            let pairs: Vec<(&Case, &score::Track)> =
                cases.iter().zip(&tracker.tracks).filter(|(case, _)| case.set == set).collect();
            if !pairs.is_empty() {
                rows.push(row(set, tracker, &pairs));
            }
        }
        table::print(set.title(), &rows[from..]);
    }
    let per_case = cases.iter().zip(&trackers[0].tracks).map(|(case, track)| {
        let mut row = row(case.set, &trackers[0], &[(case, track)]);
        row.insert("case".into(), case.name.clone().into());
        row
    });
    table::write_json(&arguments.out.join("pitch_cases.json"), &per_case.collect::<Vec<_>>())?;
    table::write_json(&arguments.out.join("pitch.json"), &rows)
}

fn row(set: Set, tracker: &score::Tracker, pairs: &[(&Case, &score::Track)]) -> Row {
    let (now, best) = (Tally::of(pairs, 0.0), Tally::best(pairs, set.allowed_delay_s()));
    let mut row = Row::new();
    let mut add = |name: &str, value| row.insert(name.into(), value);
    add("set", set.name().into());
    add("tracker", tracker.name.clone().into());
    add("RPA at 0 ms", number(now.rpa(), 4));
    add("RCA at 0 ms", number(now.rca(), 4));
    add("RPA", number(best.rpa(), 4));
    add("RCA", number(best.rca(), 4));
    add("at ms", number(best.delay_s * 1000.0, 0));
    add("RPA, voicing too", number(best.rpa_voiced(), 4));
    add("cents", number(best.median_cents(), 1));
    add("false alarms", number(best.false_alarms(), 4));
    add("blips/min", number(score::blips_per_minute(pairs), 2));
    add("CPU", number(tracker.cpu_share, 4));
    row
}
