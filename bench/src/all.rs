//! Everything, one measurement after the other, each in a process of its own.

use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// Arguments of `bench all`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder with `heldout/INSTRUMENT` and `source/KIND`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Python with the packages of bench/peers/requirements.txt
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// DDSP-VST's own pitch network (.tflite); needs --peers
    #[arg(long, value_name = "FILE", requires = "peers")]
    ddsp_vst: Option<PathBuf>,
}

/// What each measurement is told, in the order of measuring.
const PARTS: [(&str, &[Told]); 8] = [
    ("pitch", &[Told::Data, Told::Peers]),
    ("z", &[Told::Data]),
    ("latency", &[Told::Data]),
    ("engine", &[Told::Peers, Told::Long]),
    ("editor", &[]),
    ("train", &[]),
    ("pictures", &[Told::Data, Told::Peers]),
    ("report", &[]),
];

#[derive(Clone, Copy)]
enum Told {
    Data,
    Peers,
    /// Ten minutes beside a busy program, an hour of audio.
    Long,
}

/// Runs all parts; the first that fails ends it.
pub fn run(arguments: &Arguments) -> Result<()> {
    let program = std::env::current_exe().context("cannot find this program")?;
    for (part, told) in PARTS {
        // The pictures show us beside others.
        if part == "pictures" && arguments.ddsp_vst.is_none() {
            continue;
        }
        eprintln!("bench {part}");
        let options = told.iter().flat_map(|told| arguments.options(*told));
        let status = Command::new(&program).arg(part).args(options).status()?;
        ensure!(status.success(), "bench {part} failed, see above");
    }
    Ok(())
}

impl Arguments {
    fn options(&self, told: Told) -> Vec<OsString> {
        let option = |name: &str, value: &Option<PathBuf>| match value {
            Some(value) => vec![name.into(), value.into()],
            None => Vec::new(),
        };
        match told {
            Told::Data => vec!["--data".into(), self.data.clone().into()],
            Told::Peers => [option("--peers", &self.peers), option("--ddsp-vst", &self.ddsp_vst)].concat(),
            Told::Long => ["--seconds", "600", "--hour"].map(OsString::from).to_vec(),
        }
    }
}
