//! `embouchure train`: trains an encoder or an instrument.

mod coverage;
mod prepare;

use crate::number::parse_within;
use crate::outputs::{self, Force};
use crate::progress::Terminal;
use crate::{shelf, streams};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::weights::read_file;
use embouchure_inference::play::instrument::Adjustments;
use embouchure_training::DeviceKind;
use embouchure_training::about::{About, Trained};
use embouchure_training::corpus::Corpus;
use embouchure_training::encoder::{EncoderTraining, Improve};
use embouchure_training::instrument::{InstrumentTraining, Recipe, Study};
use embouchure_training::recordings::Found;
use prepare::PrepareArguments;
use std::path::{Path, PathBuf};

/// Train an instrument from recordings of it, or the encoder that all instruments listen to.
///
/// Progress is saved as it goes: run the same command again after an interruption and it continues. Ctrl-C ends the
/// training and writes what has been learned so far.
#[derive(Args)]
pub struct TrainCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Prepare(PrepareArguments),
    Instrument(InstrumentArguments),
    Encoder(EncoderArguments),
}

/// Train an instrument from a folder of recordings: one instrument, one note at a time.
#[derive(Args)]
struct InstrumentArguments {
    /// Recording, or a folder of them; may be given more than once.
    #[arg(long, value_name = "DIR|FILE", required = true)]
    audio: Vec<PathBuf>,
    /// Name that the player sees.
    #[arg(long)]
    name: String,
    /// Brass, strings, woodwind, voice, …
    #[arg(long, default_value = "")]
    family: String,
    /// Player to sound like, of recordings by several players (files named PLAYER__REST); default: the one with most
    /// audio. The others are learned as well, which improves what all have in common.
    #[arg(long, value_name = "PLAYER")]
    player: Option<String>,
    /// Units of the hidden layers: more sound better and need more of your processor.
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u16).range(16..=512))]
    width: u16,
    /// Steps that learn from measured harmonics and noise.
    #[arg(long, value_name = "N", default_value_t = 1500)]
    warm_up_steps: usize,
    /// Steps after them that learn from the sound itself.
    #[arg(long, value_name = "N", default_value_t = 800)]
    sound_steps: usize,
    /// Sequences of a second per step that learns from the sound.
    #[arg(long, value_name = "N", default_value_t = Recipe::USUAL.sound_clips, hide = true)]
    sound_clips: usize,
    /// Gain of the breath, bow and key noise relative to the recordings, dB. Played with another voice, some
    /// instruments are only recognised with more of it.
    #[arg(long, value_name = "DB", default_value_t = 0.0, allow_hyphen_values = true, value_parser = |s: &str| parse_within(s, -40.0, 40.0))]
    breath: f32,
    /// How much the differences between soft and loud of the played voice are reduced: 0 = as sung or whistled, 1 = no
    /// differences.
    #[arg(long, value_name = "0..1", default_value_t = 0.0, value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    compression: f32,
    /// Keep lines within the range in their octave, instead of moving them to the middle of the range.
    #[arg(long)]
    keep_octave: bool,
    /// Encoder file; the one in this program if left out.
    #[arg(long, value_name = "FILE")]
    encoder: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Train the encoder on recordings with a pitch, whatever the instrument, and on synthetic tones.
#[derive(Args)]
struct EncoderArguments {
    /// Folder of recordings, searched with all its subfolders; may be given more than once.
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// Steps.
    #[arg(long, value_name = "N", default_value_t = 12_500)]
    steps: usize,
    /// Go on from this encoder file, and keep what it calls z: instruments that were trained with it can be played with
    /// the new one.
    #[arg(long, value_name = "FILE")]
    improve: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// Weights file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Decides every random draw: the same seed gives the same weights on the same machine.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, value_name = "DEVICE", default_value = "cpu", value_parser = parse_device, help = DEVICE_HELP)]
    device: DeviceKind,
    /// Licence of the weights, as the recordings allow.
    #[arg(long, default_value = "")]
    licence: String,
    /// Author of the weights.
    #[arg(long, default_value = "")]
    author: String,
    /// The recordings, with the attribution that their licences ask for.
    #[arg(long, default_value = "")]
    trained_on: String,
    /// Where the training is saved on the way; beside the weights file if left out.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Leave out recordings whose path contains this; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    exclude: Vec<String>,
    #[command(flatten)]
    force: Force,
}

impl TrainCommand {
    /// Trains until finished or interrupted.
    pub fn run(self) -> Result<()> {
        match self.what {
            What::Prepare(arguments) => arguments.run(),
            What::Instrument(arguments) => arguments.run(),
            What::Encoder(arguments) => arguments.run(),
        }
    }
}

/// Lists only the devices that this build supports.
const DEVICE_HELP: &str = match (cfg!(feature = "cuda"), cfg!(feature = "metal")) {
    (false, false) => "Where to train: cpu. This program was built for no GPU",
    (true, false) => "Where to train: cpu or cuda",
    (false, true) => "Where to train: cpu or metal",
    (true, true) => "Where to train: cpu, cuda or metal",
};

impl InstrumentArguments {
    fn run(self) -> Result<()> {
        let files = self.common.begin(&self.audio, self.encoder.as_deref())?;
        let encoder = match &self.encoder {
            Some(path) => Encoder::from_bytes(&read_file(path)?).with_context(|| path.display().to_string())?,
            None => shelf::encoder()?,
        };
        let study = Study {
            files,
            encoder,
            player: self.player,
            recipe: Recipe { sound_clips: self.sound_clips, ..Recipe::USUAL },
            width: self.width.into(),
            device: self.common.device.open()?,
            seed: self.common.seed,
        };
        let (checkpoint, out) = (self.common.checkpoint(), self.common.out.clone());
        let adjustments =
            Adjustments { breath_db: self.breath, compression: self.compression, keeps_octave: self.keep_octave };
        let job = InstrumentTraining {
            study,
            steps: (self.warm_up_steps, self.sound_steps),
            about: self.common.about(self.name),
            family: self.family,
            adjustments,
            checkpoint,
            out: out.clone(),
        };
        print_result(&out, embouchure_training::instrument::train(job, &Terminal::new())?)
    }
}

impl EncoderArguments {
    fn run(self) -> Result<()> {
        let files = self.common.begin(&self.data, self.improve.as_deref())?;
        // Opened first, because the analysis takes long.
        let device = self.common.device.open()?;
        let progress = Terminal::new();
        let corpus = Corpus::analyse(&files, &progress)?;
        streams::say(&format!("{} recordings, {:.1} minutes\n", files.len(), corpus.minutes()))?;
        let read = |path: &PathBuf| Improve::from_bytes(&read_file(path)?).with_context(|| path.display().to_string());
        let improve = self.improve.as_ref().map(read).transpose()?;
        let (checkpoint, out, seed) = (self.common.checkpoint(), self.common.out.clone(), self.common.seed);
        let about = self.common.about("encoder".into());
        let job =
            EncoderTraining { corpus, steps: self.steps, device, seed, checkpoint, out: out.clone(), improve, about };
        print_result(&out, embouchure_training::encoder::train(job, &progress)?)
    }
}

fn print_result(out: &Path, Trained { steps, loss }: Trained) -> Result<()> {
    streams::say(&format!("wrote {} after {steps} steps, loss {loss:.3}\n", out.display()))
}

impl Common {
    /// Finds the recordings and checks the outputs before the first step, so that hours of work cannot end without a
    /// place for the result. A training that continues from its checkpoint may overwrite its own result.
    fn begin(&self, places: &[PathBuf], encoder: Option<&Path>) -> Result<Vec<PathBuf>> {
        let files = self.recordings(places)?;
        let inputs: Vec<&Path> = files.iter().map(PathBuf::as_path).chain(encoder).collect();
        let checkpoint = self.checkpoint();
        let is_continued = checkpoint.exists();
        outputs::check(&inputs, &[&self.out, &checkpoint], Force { force: true })?;
        outputs::check(&[], &[&self.out], Force { force: self.force.force || is_continued })?;
        Ok(files)
    }

    /// Finds the recordings in these files and folders; reports the files that are not used.
    fn recordings(&self, places: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let mut found = Found::default();
        places.iter().try_for_each(|place| found.add(place))?;
        found.passed_over.iter().for_each(|(path, why)| eprintln!("not used: {}: {why}", path.display()));
        let is_wanted = |path: &PathBuf| {
            let path = path.to_string_lossy().replace('\\', "/");
            !self.exclude.iter().any(|text| path.contains(text))
        };
        let files: Vec<PathBuf> = found.files.into_iter().filter(is_wanted).collect();
        anyhow::ensure!(!files.is_empty(), "there is no recording that can be read in what was named");
        Ok(files)
    }

    /// Description for the model's card.
    fn about(self, name: String) -> About {
        let Self { licence, author, trained_on, .. } = self;
        About { name, licence, author, trained_on, date: today() }
    }

    fn checkpoint(&self) -> PathBuf {
        let beside = |out: &Path| out.with_extension("checkpoint");
        self.checkpoint.clone().unwrap_or_else(|| beside(&self.out))
    }
}

fn parse_device(name: &str) -> Result<DeviceKind, String> {
    match name {
        "cpu" => Ok(DeviceKind::Cpu),
        "cuda" => Ok(DeviceKind::Cuda),
        "metal" => Ok(DeviceKind::Metal),
        _ => Err("name one of cpu, cuda and metal".into()),
    }
}

/// Today's date, YYYY-MM-DD.
fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}
