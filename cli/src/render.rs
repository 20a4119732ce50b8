//! `embouchure render`: plays a recording with another instrument.

use crate::f0_track::{self, HopRecorder, Track};
use crate::number::parse_within;
use crate::offline::{self, Rendered};
use crate::outputs::{self, Force, is_dash};
use crate::{shelf, streams, warnings};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use embouchure_audio_file::{Audio, to_mono, write_wav};
use embouchure_inference::controls::Room;
use embouchure_inference::engine::{DriverKind, Model};
use embouchure_inference::note::Note;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::scale::{Key, Scale};
use embouchure_inference::settings::{
    MixSettings, PitchSettings, Settings, SnapSettings, SoundSettings, SourceSettings,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What counts as silence.
#[derive(Args)]
pub struct GateOptions {
    /// The instrument is silent where the recording is below this level, dB relative to full scale. The level is lower
    /// for a recording that is soft as a whole.
    #[arg(long, value_name = "DB", default_value = "-60", value_parser = |s: &str| parse_within(s, -120.0, 0.0))]
    #[arg(allow_hyphen_values = true)]
    pub gate: f32,
    /// Only the level of --gate counts, not how loud the room or the recording is.
    #[arg(long)]
    pub fixed_gate: bool,
}

/// Turn a recording into another instrument.
///
/// The recording should be one melody line, dry and alone: whistled, hummed, sung or played. The result has the same
/// length, sample rate and timing, so it can be laid beside the original in any session. What is wrong with the
/// recording is said at the end: clipped, several notes at once, too soft.
#[derive(Args)]
pub struct RenderCommand {
    /// Recording to read; "-" is standard input.
    input: PathBuf,
    /// File to write; must end in .wav (32-bit float). "-" is standard output.
    output: PathBuf,
    /// Name of an instrument that comes with Embouchure, or an instrument file of your own.
    #[arg(long, short, value_name = "NAME|FILE", default_value = embouchure_weights::DEFAULT_INSTRUMENT)]
    instrument: String,
    /// "auto" moves your line by whole octaves into the instrument's range; a number moves it by exactly so many
    /// semitones.
    #[arg(long, value_name = "auto|SEMITONES", default_value = "auto", value_parser = parse_transpose)]
    #[arg(allow_hyphen_values = true)]
    transpose: Transpose,
    /// "auto" brings your loud notes to the level of the instrument's loud notes; "as-recorded" plays them as loud as
    /// they come, which is right for recordings of the instrument itself.
    #[arg(long, value_enum, default_value = "auto")]
    level: Level,
    /// Do not adjust the instrument's level to the recording's.
    #[arg(long)]
    own_level: bool,
    /// How much of the instrument is heard: 0 = only the recording, 1 = only the instrument.
    #[arg(long, value_name = "0..1", default_value = "1", value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    #[arg(allow_hyphen_values = true)]
    mix: f32,
    /// Darker (below 0) or brighter (above 0) than the instrument was recorded, dB per octave.
    #[arg(long, value_name = "DB", default_value = "0", value_parser = |s: &str| parse_within(s, -12.0, 12.0))]
    #[arg(allow_hyphen_values = true)]
    brightness: f32,
    #[command(flatten)]
    gate: GateOptions,
    /// Glide time from note to note, ms; 0 = as sung.
    #[arg(long, value_name = "MS", default_value = "0", value_parser = |s: &str| parse_within(s, 0.0, 2000.0))]
    glide: f32,
    /// How far the pitch is pulled to the notes of the scale: 0 = as sung, 1 = exactly on them.
    #[arg(long, value_name = "0..1", default_value = "0", value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    snap: f32,
    /// First note of the scale: C, C#, Db, … B.
    #[arg(long, value_name = "NOTE", default_value = "C", value_parser = |s: &str| Key::from_name(s).ok_or("name a note: C to B, a black key as C# or Db"))]
    key: Key,
    /// Notes that --snap pulls to: chromatic, major, minor, harmonic-minor, dorian, mixolydian, major-pentatonic,
    /// minor-pentatonic, blues or whole-tone.
    #[arg(long, value_name = "SCALE", default_value = "chromatic", value_parser = parse_scale)]
    scale: Scale,
    /// How much of a room there is around the instrument: 0 = none, 1 = as on a stage.
    #[arg(long, value_name = "0..1", default_value_t = Room::USUAL_AMOUNT, value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    room: f32,
    /// Time in which that room fades by 60 dB, s.
    #[arg(long, value_name = "SECONDS", default_value_t = Room::USUAL_DECAY_S, value_parser = |s: &str| parse_within(s, Room::DECAY_RANGE_S.0, Room::DECAY_RANGE_S.1))]
    room_decay: f32,
    /// Spread of the instrument's noise, upper partials and room over two channels: 0 = none, 1 = wide. A recording of
    /// one channel becomes one of two.
    #[arg(long, value_name = "0..1", default_value = "0", value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    width: f32,
    /// More or less of the instrument's breath, bow and key noise, dB; -40 = none.
    #[arg(long, value_name = "DB", default_value = "0", value_parser = |s: &str| parse_within(s, -40.0, 18.0))]
    #[arg(allow_hyphen_values = true)]
    breath: f32,
    /// How much soft and loud differ: 0 = everything equally loud, 1 = as played, 2 = twice as much.
    #[arg(long, value_name = "0..2", default_value = "1", value_parser = |s: &str| parse_within(s, 0.0, 2.0))]
    dynamics: f32,
    /// The source's own timbre: 0 = the instrument's alone, 1 = harmonics as strong against each other as the source's,
    /// for recordings of the instrument itself, or for a trumpet that speaks.
    #[arg(long, value_name = "0..1", default_value = "0", value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    follow: f32,
    /// Time in which every note fades in, ms; 0 = as played.
    #[arg(long, value_name = "MS", default_value = "0", value_parser = |s: &str| parse_within(s, 0.0, 1000.0))]
    attack: f32,
    /// A second instrument, for --morph.
    #[arg(long, value_name = "NAME|FILE")]
    second: Option<String>,
    /// From the instrument (0) to the second one (1); between them their sounds are blended, not mixed.
    #[arg(long, value_name = "0..1", default_value = "0", requires = "second", value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    morph: f32,
    /// Block size, samples. Does not change the sound.
    #[arg(long, value_name = "N", default_value = "512", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    block: u32,
    /// Also write the pitch that was heard, every 4 ms, as a table of time and Hz (0 = no pitch); "-" is
    /// standard output.
    #[arg(long, value_name = "FILE")]
    f0_csv: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

/// How the level is adjusted.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum Level {
    Auto,
    AsRecorded,
}

/// How the pitch is moved.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Transpose {
    Auto,
    Semitones(f32),
}

impl RenderCommand {
    /// Reads, renders, writes, and prints a summary.
    pub fn run(self) -> Result<()> {
        self.check_files()?;
        let recording = streams::read(&self.input)?;
        recording.remarks.iter().for_each(|remark| eprintln!("note: {}: {remark}", self.input.display()));
        let mut audio = one_or_two_channels(recording.audio);
        if let ([mono], true) = (&audio.channels[..], self.width > 0.0) {
            audio.channels = vec![mono.clone(); 2];
        }
        let model = self.load_model()?;
        let (n_samples, rate) = (audio.channels[0].len(), audio.rate);
        let track = Track::for_clip(n_samples, rate);
        let model = HopRecorder::new(model, track.clone());
        let progress = progress_bar(n_samples);
        let start = Instant::now();
        let show = |done: usize| progress.set_position(done as u64);
        let rendered = offline::render(audio, Box::new(model), self.block as usize, &self.settings(), show)?;
        let elapsed = start.elapsed();
        progress.finish_and_clear();
        ensure!(rendered.complete, "the engine lost part of the sound, so nothing was written: please report this");
        if rendered.failed_frames > 0 {
            let n = rendered.failed_frames;
            eprintln!("note: for {n} frames of 4 ms the networks gave no sound: try another instrument file");
        }
        streams::with_output(&self.output, |path| Ok(write_wav(path, &rendered.audio)?))?;
        let heard = track.within_clip(n_samples, rate);
        let f0_hz: Vec<f32> = heard.iter().map(|heard| heard.f0_hz).collect();
        if let Some(path) = &self.f0_csv {
            let cannot = || format!("cannot write {}", path.display());
            streams::with_output(path, |path| write_track(path, &f0_hz).with_context(cannot))?;
        }
        let warnings = warnings::lines(&heard, rendered.clipped_frames);
        let summary = [vec![summary(&rendered, &f0_hz, elapsed)], warnings].concat().join("\n");
        let is_piped = is_dash(&self.output) || self.f0_csv.as_deref().is_some_and(is_dash);
        if is_piped {
            eprintln!("{summary}");
            return Ok(());
        }
        streams::say(&format!("{}: {summary}\n", self.output.display()))
    }

    /// Checks before any work that no file is lost and that the results can be written.
    fn check_files(&self) -> Result<()> {
        let is_wav = self.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("wav"));
        if !is_wav && !is_dash(&self.output) {
            bail!("cannot write {}: only wav is written, so let its name end in .wav", self.output.display());
        }
        let instruments = [Some(&self.instrument), self.second.as_ref()].into_iter().flatten();
        let instruments: Vec<PathBuf> = instruments.filter_map(|name| shelf::file_of(name)).collect();
        let inputs: Vec<&Path> = instruments.iter().map(PathBuf::as_path).chain([self.input.as_path()]).collect();
        let outputs: Vec<&Path> =
            [Some(&self.output), self.f0_csv.as_ref()].into_iter().flatten().map(|p| &**p).collect();
        outputs::check(&inputs, &outputs, self.force)
    }

    fn load_model(&self) -> Result<Model> {
        let encoder = shelf::encoder()?;
        let load = |name: &String| -> Result<_> {
            let instrument = Instrument::from_bytes(&shelf::load(name)?, &encoder).with_context(|| name.clone())?;
            Ok(Arc::new(instrument))
        };
        let instruments = [Some(load(&self.instrument)?), self.second.as_ref().map(load).transpose()?];
        // In this thread: nothing is handed over, so nothing waits.
        Ok(Model::for_driver(DriverKind::Direct, &encoder, instruments).0)
    }

    fn settings(&self) -> Settings {
        let (transpose_semitones, octave_fit) = match self.transpose {
            Transpose::Auto => (0.0, true),
            Transpose::Semitones(semitones) => (semitones, false),
        };
        Settings {
            source: SourceSettings {
                gate_db: self.gate.gate,
                gate_follows_room: !self.gate.fixed_gate,
                level_fit: self.level == Level::Auto,
            },
            pitch: PitchSettings {
                transpose_semitones,
                octave_fit,
                snap: SnapSettings { strength: self.snap, key: self.key, scale: self.scale },
                glide_s: self.glide / 1000.0,
            },
            sound: SoundSettings {
                morph: self.morph,
                brightness_db: self.brightness,
                breath_db: self.breath,
                dynamics: self.dynamics,
                follow: self.follow,
                attack_s: self.attack / 1000.0,
                width: self.width,
                room: self.room,
                room_decay_s: self.room_decay,
                match_level: !self.own_level,
            },
            mix: MixSettings { wet: self.mix, ..MixSettings::default() },
        }
    }
}

fn parse_scale(text: &str) -> Result<Scale, String> {
    let plain = |name: &str| name.to_lowercase().replace([' ', '_'], "-");
    let found = Scale::ALL.iter().find(|(_, name)| plain(name) == plain(text));
    let names = || Scale::ALL.map(|(_, name)| plain(name)).join(", ");
    found.map(|(scale, _)| *scale).ok_or_else(|| format!("choose one of {}", names()))
}

fn one_or_two_channels(audio: Audio) -> Audio {
    if audio.channels.len() <= 2 {
        return audio;
    }
    eprintln!("note: the {} channels are mixed to one", audio.channels.len());
    Audio { channels: vec![to_mono(&audio)], rate: audio.rate }
}

/// indicatif hides the bar when the output is not a terminal.
fn progress_bar(n_samples: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %, {eta} left");
    ProgressBar::new(n_samples as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn write_track(path: &Path, f0_hz: &[f32]) -> std::io::Result<()> {
    f0_track::write_csv(std::io::BufWriter::new(std::fs::File::create(path)?), f0_hz)
}

fn summary(rendered: &Rendered, f0_hz: &[f32], elapsed: Duration) -> String {
    let duration_s = rendered.audio.channels[0].len() as f64 / f64::from(rendered.audio.rate);
    let factor = duration_s / elapsed.as_secs_f64().max(1e-9);
    let heard = match f0_track::range_hz(f0_hz) {
        Some([low, high]) => format!("heard {}", Note::range(low, high)),
        None => "no pitch heard".to_string(),
    };
    let latency_samples = rendered.latency_samples;
    let latency_ms = 1000.0 * latency_samples as f64 / f64::from(rendered.audio.rate);
    format!(
        "{duration_s:.1} s, {factor:.1} times as fast as realtime, latency of {latency_samples} samples \
         ({latency_ms:.1} ms) removed, {heard}"
    )
}

fn parse_transpose(text: &str) -> Result<Transpose> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(Transpose::Auto);
    }
    let semitones = parse_within(text, -48.0, 48.0).context("\"auto\" or a number of semitones is needed")?;
    Ok(Transpose::Semitones(semitones))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposition_is_auto_or_semitones() {
        assert_eq!(parse_transpose("auto").unwrap(), Transpose::Auto);
        assert_eq!(parse_transpose("-12").unwrap(), Transpose::Semitones(-12.0));
        assert_eq!(parse_transpose("0").unwrap(), Transpose::Semitones(0.0));
        assert_eq!(parse_transpose("-0,5").unwrap(), Transpose::Semitones(-0.5));
        for bad in ["", "up", "49", "NaN", "inf", "1,000,5"] {
            assert!(parse_transpose(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn more_than_two_channels_become_one() {
        let audio = |n: usize| Audio { channels: (0..n).map(|c| vec![c as f32; 3]).collect(), rate: 48_000 };
        assert_eq!(one_or_two_channels(audio(1)), audio(1));
        assert_eq!(one_or_two_channels(audio(2)), audio(2));
        assert_eq!(one_or_two_channels(audio(3)).channels, [[1.0; 3]]);
    }
}
