//! `cargo xtask train-shelf DATA`: trains all shipped instruments as `weights/shelf.toml` says.

use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Author of the shipped weights.
const AUTHOR: &str = "The Embouchure developers";

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of recordings with the subfolders that weights/shelf.toml names
    data: PathBuf,
    /// Train only these
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Trainings side by side; each wants a core
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Where the weights files go; the checkpoints and the logs go to target/shelf
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// For `embouchure train instrument`
    #[arg(last = true)]
    passed_on: Vec<String>,
}

#[derive(Deserialize)]
struct Shelf {
    instrument: Vec<Instrument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Instrument {
    name: String,
    title: String,
    family: String,
    audio: Vec<PathBuf>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    leave_out: Vec<String>,
    /// The player among several; see `embouchure train instrument --player`.
    #[serde(default)]
    player: Option<String>,
    /// See `embouchure train instrument --breath`.
    breath_db: Option<f32>,
    /// See `embouchure train instrument --compression`.
    compression: Option<f32>,
    /// See `embouchure train instrument --keep-octave`.
    #[serde(default)]
    keeps_octave: bool,
    #[serde(default)]
    judged_on: Option<PathBuf>,
    licence: String,
    trained_on: String,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let shelf = workspace::root().join("weights/shelf.toml");
    let shelf: Shelf = toml::from_str(&std::fs::read_to_string(&shelf)?).context("weights/shelf.toml")?;
    for name in &arguments.only {
        ensure!(shelf.instrument.iter().any(|i| i.name == *name), "no instrument is called {name:?}");
    }
    let wanted = shelf.instrument.into_iter().filter(|i| arguments.only.is_empty() || arguments.only.contains(&i.name));
    workspace::run(
        workspace::cargo().args(["build", "--release", "--package", "embouchure"]).current_dir(workspace::root()),
    )?;
    let program = workspace::target_folder()?.join("release/embouchure");
    let work = workspace::target_folder()?.join("shelf");
    std::fs::create_dir_all(&work)?;
    let waiting = Mutex::new(wanted.collect::<Vec<_>>().into_iter());
    let failed = Mutex::new(Vec::new());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                while let Some(instrument) = next() {
                    println!(
                        "{}: log in {}",
                        instrument.name,
                        work.join(&instrument.name).with_extension("log").display()
                    );
                    match instrument.train(arguments, &program, &work) {
                        Ok(()) => println!("{}: done", instrument.name),
                        Err(error) => {
                            println!("{}: {error:#}", instrument.name);
                            failed.lock().into_iter().for_each(|mut failed| failed.push(instrument.name.clone()));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    if !failed.is_empty() {
        bail!("not trained: {}; run the command again to go on where it stopped", failed.join(", "));
    }
    Ok(())
}

impl Instrument {
    fn train(&self, arguments: &Arguments, program: &Path, work: &Path) -> Result<()> {
        let weights = workspace::root().join("weights");
        let out = arguments.out.as_deref().unwrap_or(&weights).join(&self.name).with_extension("safetensors");
        let judged_on = self.judged_on(&arguments.data);
        let log = File::create(work.join(&self.name).with_extension("log"))?;
        let mut command = Command::new(program);
        command.args(["train", "instrument", "--force", "--name", &self.title, "--family", &self.family]);
        command.args(["--licence", &self.licence, "--author", AUTHOR, "--trained-on", &self.trained_on]);
        command.arg("--out").arg(&out).arg("--checkpoint").arg(work.join(&self.name).with_extension("checkpoint"));
        self.player.iter().for_each(|player| _ = command.args(["--player", player]));
        self.breath_db.iter().for_each(|breath| _ = command.args(["--breath", &breath.to_string()]));
        self.compression.iter().for_each(|compression| _ = command.args(["--compression", &compression.to_string()]));
        command.args(self.keeps_octave.then_some("--keep-octave"));
        for audio in self.recordings(&arguments.data)? {
            command.arg("--audio").arg(audio);
        }
        // One thread each: with more, parallel trainings slow each other down.
        command
            .args(&arguments.passed_on)
            .env("RAYON_NUM_THREADS", "1")
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?);
        workspace::run(&mut command)?;

        let mut command = Command::new(program);
        command.arg("eval").arg(&out).arg("--force").arg("--card").arg(out.with_extension("md"));
        judged_on.iter().for_each(|audio| _ = command.arg("--audio").arg(audio));
        workspace::run(command.stdout(log.try_clone()?).stderr(log))
    }

    /// Recordings that are held out from the training.
    fn judged_on(&self, data: &Path) -> Vec<PathBuf> {
        let left_out =
            self.audio.iter().flat_map(|folder| self.leave_out.iter().map(move |name| data.join(folder).join(name)));
        self.judged_on.iter().map(|folder| data.join(folder)).chain(left_out).collect()
    }

    /// Folders of recordings, or the selected files in them.
    fn recordings(&self, data: &Path) -> Result<Vec<PathBuf>> {
        let folders: Vec<PathBuf> = self.audio.iter().map(|folder| data.join(folder)).collect();
        if self.only.is_empty() && self.leave_out.is_empty() {
            return Ok(folders);
        }
        let mut files = Vec::new();
        for folder in folders {
            let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
            let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            for name in names.collect::<Result<Vec<String>>>()? {
                let is_chosen = self.only.is_empty() || self.only.iter().any(|start| name.starts_with(start));
                if is_chosen && !self.leave_out.contains(&name) {
                    files.push(folder.join(name));
                }
            }
        }
        files.sort();
        Ok(files)
    }
}
