//! Duration of a training, from recordings to a weights file.

use crate::program;
use crate::table::{self, Row, number};
use anyhow::{Context, Result, ensure};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Instrument;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Arguments of `bench curve`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Some minutes of recordings of one instrument
    #[arg(long, value_name = "DIR")]
    audio: PathBuf,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// For `embouchure train instrument`
    #[arg(last = true)]
    passed_on: Vec<String>,
}

/// Trains as a user would, prints the results and writes `curve.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let work = arguments.out.join("curve");
    std::fs::create_dir_all(&work)?;
    let (weights, checkpoint) = (work.join("instrument.safetensors"), work.join("checkpoint"));
    let _ = std::fs::remove_file(&checkpoint);
    let start = Instant::now();
    let mut command = Command::new(program::find()?);
    command.args(["train", "instrument", "--force", "--name", "curve", "--audio"]).arg(&arguments.audio);
    command.arg("--out").arg(&weights).arg("--checkpoint").arg(&checkpoint).args(&arguments.passed_on);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let said = BufReader::new(child.stdout.take().context("the training says nothing")?);
    let mut looks: Vec<(f64, usize, f64)> = Vec::new();
    for line in said.lines() {
        let line = line?;
        eprintln!("{line}");
        let minutes = start.elapsed().as_secs_f64() / 60.0;
        looks.extend(
            look(&line).filter(|look| looks.last().is_none_or(|last| last.2 != look.1)).map(|(s, l)| (minutes, s, l)),
        );
    }
    ensure!(child.wait()?.success(), "the training failed, see above");
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let card =
        Instrument::from_bytes(&std::fs::read(&weights)?, &Encoder::from_bytes(embouchure_weights::ENCODER)?)?.card;
    let best = looks.iter().map(|look| look.2).fold(f64::INFINITY, f64::min);
    let machine = crate::machine::name();
    let row = |what: String, minutes: f64, step: f64, loss: f64| {
        let mut row = Row::new();
        row.insert("machine".into(), machine.clone().into());
        row.insert("of".into(), what.into());
        row.insert("minutes".into(), number(minutes, 1));
        row.insert("steps".into(), number(step, 0));
        row.insert("held-out loss".into(), number(loss, 3));
        row.insert("of the best".into(), number(loss / best, 2));
        row
    };
    let what = format!("{:.1} minutes of recordings", card.provenance.minutes);
    let mut rows: Vec<Row> = looks.iter().map(|look| row(what.clone(), look.0, look.1 as f64, look.2)).collect();
    rows.push(row("weights file".into(), minutes, f64::NAN, f64::from(card.run.loss)));
    table::print("A new instrument", &rows);
    table::write_json(&arguments.out.join("curve.json"), &rows)
}

/// Parses a line of the training's log: the step and the held-out loss, if the line has one.
fn look(line: &str) -> Option<(usize, f64)> {
    let (step, rest) = line.strip_prefix("step ")?.split_once(':')?;
    let (_, loss) = rest.split_once("held out ")?;
    Some((step.parse().ok()?, loss.split(',').next()?.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_with_a_held_out_loss_is_parsed() {
        let line = "step 1700: loss 0.302, sound 0.245, held out 0.340, 170 s left";
        assert_eq!(look(line), Some((1700, 0.34)));
        assert_eq!(look("step 50: loss 1.0, 2 s left"), None);
        assert_eq!(look("12 recordings"), None);
    }
}
