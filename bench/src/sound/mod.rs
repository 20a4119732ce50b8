//! Sound quality of the shipped instruments, rated by an independent judge: their own recordings resynthesised, and
//! other sources played with them.

mod judge;
mod resynthesis;
mod shelf;
mod transfer;

use crate::program::{self, output_of};
use crate::table;
use anyhow::Result;
use judge::Judge;
use shelf::Instrument;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Arguments of `bench sound`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder with `heldout/INSTRUMENT` and `source/KIND`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The judge, see bench/peers/sound.py
    #[arg(long, value_name = "FILE")]
    judge: PathBuf,
    /// Python with the packages of bench/peers/requirements.txt
    #[arg(long, value_name = "FILE")]
    peers: PathBuf,
    /// Only these instruments
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Folder with NAME.safetensors, instead of the instruments in the program
    #[arg(long, value_name = "DIR")]
    weights: Option<PathBuf>,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

/// Renders, has the results judged, prints them and writes `resynthesis.json` and `transfer.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let work = arguments.out.join("sound");
    std::fs::create_dir_all(&work)?;
    let instruments = shelf::read(&arguments.only)?;
    let bench = Bench {
        data: &arguments.data,
        program: program::find()?,
        weights: arguments.weights.as_deref(),
        judge: Judge { script: &arguments.judge, python: &arguments.peers, work: &work },
        work: &work,
    };
    let rows = resynthesis::measure(&bench, &instruments)?;
    table::print("Their own recordings", &rows);
    table::write_json(&arguments.out.join("resynthesis.json"), &rows)?;
    let rows = transfer::measure(&bench, &instruments)?;
    table::print("Other voices", &rows);
    table::write_json(&arguments.out.join("transfer.json"), &rows)
}

/// What all measurements share.
struct Bench<'a> {
    data: &'a Path,
    /// Path of `embouchure`.
    program: PathBuf,
    weights: Option<&'a Path>,
    judge: Judge<'a>,
    /// Folder for renderings.
    work: &'a Path,
}

impl Bench<'_> {
    /// The instrument's name or file, for the command line.
    fn instrument(&self, instrument: &Instrument) -> OsString {
        match self.weights {
            Some(folder) => folder.join(&instrument.name).with_extension("safetensors").into(),
            None => instrument.name.clone().into(),
        }
    }

    /// Runs `embouchure render source … -i instrument options`; writes a file called `name`.
    fn render(&self, source: &Path, instrument: &Instrument, options: &[&str], name: &str) -> Result<PathBuf> {
        let output = self.work.join(format!("{name}.wav"));
        let mut command = Command::new(&self.program);
        command
            .args(["render", "--force"])
            .arg(source)
            .arg(&output)
            .arg("-i")
            .arg(self.instrument(instrument))
            .args(options);
        output_of(&mut command)?;
        Ok(output)
    }
}

/// Mean of the values; NaN if there are none.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
    sum / n
}
