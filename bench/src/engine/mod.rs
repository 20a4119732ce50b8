//! The engine: processor time, late frames, number of instances, memory. Uses Linux's clocks and priorities.

pub mod clock;
mod instances;
mod load;
mod memory;
pub mod realtime;
mod work;

use crate::effect::Networks;
use crate::table::{self, Row, number};
use anyhow::Result;
use embouchure_inference::engine::DriverKind;
use serde_json::Value;
use std::path::PathBuf;

/// Arguments of `bench engine`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// Seconds of the run that counts late frames beside a busy program
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Watch the memory over an hour of audio instead of five minutes
    #[arg(long)]
    hour: bool,
    /// The built plugin, for the time that it takes to load
    #[arg(long, value_name = "FILE", default_value = "target/bundled/Embouchure.clap")]
    plugin: PathBuf,
    /// DDSP-VST's own pitch network (.tflite), to compare with; needs --peers
    #[arg(long, value_name = "FILE", requires = "peers")]
    ddsp_vst: Option<PathBuf>,
    /// Python with ai-edge-litert
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// Measure only these
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Measure only with these
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["worker", "direct"])]
    driver: Vec<Driver>,
}

/// Where the model runs.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum Driver {
    Worker,
    Direct,
}

impl Driver {
    fn kind(self) -> DriverKind {
        match self {
            Self::Worker => DriverKind::Worker,
            Self::Direct => DriverKind::Direct,
        }
    }
}

/// Measurements that can run alone, in order: those that need a fresh process come first.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum Part {
    Load,
    Memory,
    Work,
    Deadline,
    Machine,
    Crowd,
    Instances,
    Growth,
}

/// A figure and its target.
struct Figure {
    name: String,
    value: f64,
    digits: i32,
    /// NaN without a target.
    target: f64,
    /// True if the target is a minimum, false if it is a maximum.
    is_least: bool,
}

impl Figure {
    fn new(name: impl Into<String>, value: f64, digits: i32) -> Self {
        Self { name: name.into(), value, digits, target: f64::NAN, is_least: false }
    }

    fn at_most(self, at_most: f64) -> Self {
        Self { target: at_most, ..self }
    }

    fn at_least(self, at_least: f64) -> Self {
        Self { target: at_least, is_least: true, ..self }
    }

    fn row(&self, machine: &str) -> Row {
        let is_asked = !self.target.is_nan();
        let is_met = if self.is_least { self.value >= self.target } else { self.value <= self.target };
        let met = if is_asked { Value::Bool(is_met) } else { Value::Null };
        let mut row = Row::new();
        row.insert("table".into(), "engine".into());
        row.insert("machine".into(), machine.into());
        row.insert("figure".into(), self.name.clone().into());
        row.insert("value".into(), number(self.value, self.digits));
        row.insert("target".into(), number(self.target, self.digits));
        row.insert("met".into(), met);
        row
    }
}

/// Measures, prints the results and writes `engine.json`. The rows of a partial measurement replace the same rows of an
/// earlier one.
pub fn run(arguments: &Arguments) -> Result<()> {
    let machine = crate::machine::name();
    let parts: Vec<Part> = <Part as clap::ValueEnum>::value_variants().to_vec();
    let is_wanted = |part: &Part| arguments.only.is_empty() || arguments.only.contains(part);
    let mut rows = Vec::new();
    for part in parts.iter().filter(|part| is_wanted(part)) {
        let drivers = if part.depends_on_driver() { &arguments.driver[..] } else { &[Driver::Worker] };
        for driver in drivers {
            eprintln!("measuring: {part:?}, {driver:?}");
            let mut figures = measure(*part, *driver, arguments)?;
            if *driver == Driver::Direct {
                figures.iter_mut().for_each(|figure| figure.name.insert_str(0, "direct: "));
            }
            rows.extend(figures.iter().map(|figure| figure.row(&machine)));
        }
    }
    table::print(&format!("Engine at 48 kHz on {machine}"), &rows);
    let path = arguments.out.join("engine.json");
    let earlier = if arguments.only.is_empty() || !path.exists() { vec![] } else { table::read_json(&path)? };
    table::write_json(&path, &joined(earlier, rows))
}

/// Replaces rows of `earlier` by `new` ones with the same figure; appends the others.
fn joined(earlier: Vec<Row>, new: Vec<Row>) -> Vec<Row> {
    let mut all = earlier;
    for row in new {
        match all.iter_mut().find(|old| old["figure"] == row["figure"]) {
            Some(old) => *old = row,
            None => all.push(row),
        }
    }
    all
}

impl Part {
    fn depends_on_driver(self) -> bool {
        matches!(self, Self::Work | Self::Deadline | Self::Crowd | Self::Instances)
    }
}

fn measure(part: Part, driver: Driver, arguments: &Arguments) -> Result<Vec<Figure>> {
    let (networks, kind) = (Networks::built_in()?, driver.kind());
    match part {
        Part::Load => load::measure(&arguments.plugin),
        Part::Memory => memory::per_instance(&networks),
        Part::Work => work::measure(&networks, kind, arguments.ddsp_vst.as_deref().zip(arguments.peers.as_deref())),
        Part::Deadline => work::deadlines(&networks, kind),
        Part::Machine => Ok(instances::interruptions_by_the_machine()),
        Part::Crowd => instances::beside_a_busy_program(&networks, kind, arguments.seconds),
        Part::Instances => instances::how_many(&networks, kind),
        Part::Growth => memory::growth(&networks, if arguments.hour { 3600.0 } else { 300.0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_partial_measurement_replace_earlier_ones() {
        let rows = |figures: &[(&str, f64)]| -> Vec<Row> {
            figures.iter().map(|(name, value)| Figure::new(*name, *value, 1).row("here")).collect()
        };
        let all = joined(rows(&[("load", 1.0), ("memory", 2.0)]), rows(&[("memory", 3.0), ("crowd", 4.0)]));
        assert_eq!(all, rows(&[("load", 1.0), ("memory", 3.0), ("crowd", 4.0)]));
    }
}
