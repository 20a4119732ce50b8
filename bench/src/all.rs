//! Runs all measurements one after the other, each in its own process.

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

/// The measurements in order, each with the options it takes.
const PARTS: [(&str, &[OptionGroup]); 8] = [
    ("pitch", &[OptionGroup::Data, OptionGroup::Peers]),
    ("z", &[OptionGroup::Data]),
    ("latency", &[OptionGroup::Data]),
    ("engine", &[OptionGroup::Peers, OptionGroup::Long]),
    ("editor", &[]),
    ("train", &[]),
    ("pictures", &[OptionGroup::Data, OptionGroup::Peers]),
    ("report", &[]),
];

#[derive(Clone, Copy)]
enum OptionGroup {
    Data,
    Peers,
    /// Ten minutes beside a busy program, and an hour of audio.
    Long,
}

/// Runs all measurements; stops at the first failure.
pub fn run(arguments: &Arguments) -> Result<()> {
    let program = std::env::current_exe().context("cannot find this program")?;
    for (part, groups) in PARTS {
        // The pictures compare us with other trackers.
        if part == "pictures" && arguments.ddsp_vst.is_none() {
            continue;
        }
        eprintln!("bench {part}");
        let options = groups.iter().flat_map(|group| arguments.options(*group));
        let status = Command::new(&program).arg(part).args(options).status()?;
        ensure!(status.success(), "bench {part} failed, see above");
    }
    Ok(())
}

impl Arguments {
    fn options(&self, group: OptionGroup) -> Vec<OsString> {
        let option = |name: &str, value: &Option<PathBuf>| match value {
            Some(value) => vec![name.into(), value.into()],
            None => Vec::new(),
        };
        match group {
            OptionGroup::Data => vec!["--data".into(), self.data.clone().into()],
            OptionGroup::Peers => [option("--peers", &self.peers), option("--ddsp-vst", &self.ddsp_vst)].concat(),
            OptionGroup::Long => ["--seconds", "600", "--hour"].map(OsString::from).to_vec(),
        }
    }
}
