//! Runs the demo.

use crate::hosted::Hosted;
use crate::melody;
use crate::picture::{self, Panel};
use crate::pitch_track::{self, cents, note_name};
use anyhow::{Context, Result, bail, ensure};
use embouchure_audio_file::{self as audio_file, Audio};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const DEFAULT_RATE: u32 = 48_000;

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The built CLAP plugin
    #[arg(long, value_name = "FILE", hide = true)]
    plugin: PathBuf,
    /// Where results go
    #[arg(long, value_name = "FOLDER", hide = true)]
    folder: PathBuf,
    /// A recording of one line; without it a whistled tune is synthesised
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// A shipped instrument, or an instrument file of your own
    #[arg(long, value_name = "NAME|FILE", default_value = embouchure_weights::DEFAULT_INSTRUMENT)]
    instrument: String,
    /// Samples per callback
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    block: u32,
    /// Sample rate of the host [default: that of the input; 48000 for the tune]
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=384_000))]
    rate: Option<u32>,
}

/// Contents of report.json.
#[derive(Serialize)]
struct Report {
    plugin: String,
    version: String,
    /// Path as given, or a description of the synthesised input.
    input: String,
    instrument: String,
    duration_seconds: f64,
    rate: u32,
    block: u32,
    latency_samples: usize,
    latency_ms: f64,
    /// Seconds of audio per second of callbacks. In offline mode the callbacks wait for the network.
    realtime_factor: f64,
    callback: CallbackTimes,
    /// Measured by the demo's tracker, not by the plugin.
    input_pitch: Option<PitchRange>,
    output_pitch: Option<PitchRange>,
    pitch_kept: Option<PitchKept>,
}

#[derive(Serialize)]
struct CallbackTimes {
    median_us: f64,
    p99_us: f64,
    /// Median duration as a share of the block's duration.
    median_share_of_deadline: f64,
    p99_share_of_deadline: f64,
}

/// The 5th to the 95th percentile.
#[derive(Serialize)]
struct PitchRange {
    detected_range_hz: [f64; 2],
    detected_notes: [String; 2],
}

/// Agreement of the output's pitch with the input's, over the frames in which both have one.
#[derive(Serialize)]
struct PitchKept {
    n_frames: usize,
    /// Median interval from input to output, semitones; 12 is an octave up.
    transposed_semitones: f64,
    /// Share of frames within 50 cents of that interval.
    within_50_cents: f64,
}

/// Runs the demo and writes its files.
pub fn run(arguments: &Arguments) -> Result<()> {
    let (input_name, input) = match &arguments.input {
        Some(path) => (path.display().to_string(), read(path, arguments.rate)?),
        None => {
            let rate = arguments.rate.unwrap_or(DEFAULT_RATE);
            let channels = vec![melody::whistle(f64::from(rate)).samples];
            ("a synthesised whistle".to_owned(), Audio { channels, rate })
        }
    };
    ensure!(!input.channels.is_empty() && !input.channels[0].is_empty(), "{input_name} contains no audio");

    std::fs::create_dir_all(&arguments.folder)?;
    let folder = Folder(arguments.folder.clone());
    audio_file::write_wav(&folder.input(), &input)?;
    let hosted = play_in_other_process(&folder, arguments)?;
    let output = audio_file::read(&folder.output())?;
    ensure!(output.channels[0].len() == input.channels[0].len(), "the output is not as long as the input");

    let rate = f64::from(input.rate);
    let (input_mono, output_mono) = (audio_file::to_mono(&input), audio_file::to_mono(&output));
    let input_f0 = pitch_track::track(&input_mono, rate);
    let output_f0 = pitch_track::track(&output_mono, rate);
    let report = Report {
        input: input_name,
        instrument: arguments.instrument.clone(),
        duration_seconds: input_mono.len() as f64 / rate,
        rate: input.rate,
        block: arguments.block,
        latency_samples: hosted.latency_samples,
        latency_ms: hosted.latency_samples as f64 / rate * 1000.0,
        realtime_factor: input_mono.len() as f64 / rate / hosted.callback_seconds.iter().sum::<f64>(),
        callback: CallbackTimes::of(&hosted.callback_seconds, f64::from(arguments.block) / rate),
        input_pitch: PitchRange::of(&input_f0),
        output_pitch: PitchRange::of(&output_f0),
        pitch_kept: PitchKept::of(&input_f0, &output_f0),
        plugin: hosted.plugin,
        version: hosted.version,
    };
    std::fs::write(folder.report(), serde_json::to_string_pretty(&report)? + "\n")?;
    picture::draw(
        &folder.picture(),
        &format!("{}: {}", report.plugin, report.instrument),
        &report.subtitle(),
        [
            &Panel { title: "Input", samples: &input_mono, f0_hz: &input_f0 },
            &Panel { title: "Output, moved back by the latency", samples: &output_mono, f0_hz: &output_f0 },
        ],
        rate,
    )?;
    report.print(&folder);
    if is_copy(&input_mono, &output_mono) {
        println!("The output is the input: this build has no trained weights, or the effect is off.");
    }
    Ok(())
}

fn is_copy(input: &[f32], output: &[f32]) -> bool {
    input.iter().zip(output).all(|(i, o)| (i - o).abs() < 1e-4)
}

/// Reads a file, with at most two channels, at the host's rate.
fn read(path: &Path, rate: Option<u32>) -> Result<Audio> {
    let recording = audio_file::read_recording(path)?;
    recording.remarks.iter().for_each(|remark| eprintln!("note: {}: {remark}", path.display()));
    let mut audio = recording.audio;
    if audio.channels.len() > 2 {
        audio.channels = vec![audio_file::to_mono(&audio)];
    }
    if let Some(rate) = rate.filter(|rate| *rate != audio.rate) {
        let from = audio.rate;
        audio.channels = audio.channels.iter().map(|channel| audio_file::resample(channel, from, rate)).collect();
        audio.rate = rate;
    }
    Ok(audio)
}

/// Paths of the files in the demo's folder.
struct Folder(PathBuf);

impl Folder {
    fn input(&self) -> PathBuf {
        self.0.join("input.wav")
    }

    fn output(&self) -> PathBuf {
        self.0.join("output.wav")
    }

    fn report(&self) -> PathBuf {
        self.0.join("report.json")
    }

    fn picture(&self) -> PathBuf {
        self.0.join("report.png")
    }
}

fn play_in_other_process(folder: &Folder, arguments: &Arguments) -> Result<Hosted> {
    let figures = folder.0.join("hosted.json");
    // Remove earlier results, so that they cannot be mistaken for new ones.
    for path in [&figures, &folder.output(), &folder.report(), &folder.picture()] {
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    let status = Command::new(std::env::current_exe()?)
        .arg("host")
        .arg(&arguments.plugin)
        .arg(folder.input())
        .arg(folder.output())
        .arg(&figures)
        .args(["--block", &arguments.block.to_string(), "--instrument", &arguments.instrument])
        .stdin(Stdio::null())
        .status()
        .context("cannot start the host process")?;
    if status.code().is_none() {
        bail!("the plugin crashed its host: {status}; the input was {}", folder.input().display());
    }
    ensure!(status.success(), "hosting the plugin failed ({status}); see above");
    let text = std::fs::read_to_string(&figures).context("the host process left no figures")?;
    std::fs::remove_file(&figures)?;
    Ok(serde_json::from_str(&text)?)
}

impl CallbackTimes {
    fn of(seconds: &[f64], deadline_seconds: f64) -> Self {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        Self {
            median_us: at(0.5) * 1e6,
            p99_us: at(0.99) * 1e6,
            median_share_of_deadline: at(0.5) / deadline_seconds,
            p99_share_of_deadline: at(0.99) / deadline_seconds,
        }
    }
}

impl PitchRange {
    fn of(f0_hz: &[Option<f64>]) -> Option<Self> {
        let detected_range_hz = pitch_track::range_hz(f0_hz)?;
        Some(Self { detected_range_hz, detected_notes: detected_range_hz.map(note_name) })
    }

    fn shown(range: Option<&Self>) -> String {
        range.map_or("no pitch found".into(), |r| {
            let ([low, high], [low_note, high_note]) = (r.detected_range_hz, &r.detected_notes);
            format!("{low:.0} to {high:.0} Hz ({low_note} to {high_note})")
        })
    }
}

impl PitchKept {
    fn of(input: &[Option<f64>], output: &[Option<f64>]) -> Option<Self> {
        let both = input.iter().zip(output).filter_map(|(i, o)| Some(cents((*o)?, (*i)?)));
        let mut intervals: Vec<f64> = both.collect();
        intervals.sort_by(f64::total_cmp);
        let median = *intervals.get(intervals.len() / 2)?;
        let n_within = intervals.iter().filter(|cents| (*cents - median).abs() <= 50.0).count();
        Some(Self {
            n_frames: intervals.len(),
            transposed_semitones: median / 100.0,
            within_50_cents: n_within as f64 / intervals.len() as f64,
        })
    }
}

impl Report {
    fn subtitle(&self) -> String {
        format!(
            "{} {}  ·  {} Hz, blocks of {}  ·  latency {} samples = {:.1} ms  ·  {:.0} times as fast as realtime",
            self.plugin,
            self.version,
            self.rate,
            self.block,
            self.latency_samples,
            self.latency_ms,
            self.realtime_factor,
        )
    }

    fn print(&self, folder: &Folder) {
        println!("\n{} {} played {:.1} s of {}", self.plugin, self.version, self.duration_seconds, self.input);
        println!("  instrument   {}", self.instrument);
        println!("  host         {} Hz, blocks of {} samples, offline", self.rate, self.block);
        println!("  latency      {} samples = {:.2} ms, compensated", self.latency_samples, self.latency_ms);
        println!("  speed        {:.1} times as fast as realtime, the network included", self.realtime_factor);
        println!(
            "  callback     median {:.0} µs = {:.1} % of the deadline, 99th percentile {:.0} µs = {:.1} %",
            self.callback.median_us,
            100.0 * self.callback.median_share_of_deadline,
            self.callback.p99_us,
            100.0 * self.callback.p99_share_of_deadline,
        );
        println!("  input pitch  {}", PitchRange::shown(self.input_pitch.as_ref()));
        println!("  output pitch {}", PitchRange::shown(self.output_pitch.as_ref()));
        if let Some(kept) = &self.pitch_kept {
            println!(
                "  pitch kept   {:.1} % of {} frames within 50 cents, transposed by {:+.1} semitones",
                100.0 * kept.within_50_cents,
                kept.n_frames,
                kept.transposed_semitones,
            );
        }
        println!("Listen to");
        println!("  {}\n  {}", folder.input().display(), folder.output().display());
        println!("Look at");
        println!("  {}\n  {}", folder.picture().display(), folder.report().display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_octave_down_counts_as_the_same_melody() {
        let input: Vec<_> = (0..100).map(|i| (i % 10 != 0).then(|| 700.0 + f64::from(i))).collect();
        let output: Vec<_> =
            input.iter().enumerate().map(|(i, f0)| f0.map(|f0| if i % 20 == 1 { f0 } else { f0 / 2.0 })).collect();
        let kept = PitchKept::of(&input, &output).unwrap();
        assert!((kept.transposed_semitones + 12.0).abs() < 1e-9);
        assert_eq!(kept.n_frames, 90);
        assert!((kept.within_50_cents - 85.0 / 90.0).abs() < 1e-9);
        assert!(PitchKept::of(&input, &[None]).is_none());
    }

    #[test]
    fn callback_times_are_percentiles() {
        let seconds: Vec<f64> = (0..=100).rev().map(|i| f64::from(i) * 1e-6).collect();
        let times = CallbackTimes::of(&seconds, 1e-3);
        assert!((times.median_us - 50.0).abs() < 1e-9 && (times.p99_us - 99.0).abs() < 1e-9);
        assert!((times.p99_share_of_deadline - 0.099).abs() < 1e-9);
    }
}
