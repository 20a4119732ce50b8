//! The realtime engine over a whole clip, with its delay taken out.

use embouchure_audio_file::Audio;
use embouchure_inference::controls::SourceControls;
use embouchure_inference::engine::{BlockParams, Engine, EngineConfig, HopModel, PrepareError};
use std::ops::Range;

/// Settings that hold for the whole clip.
pub struct Settings {
    /// Samples given to the engine at once, ≥ 1.
    pub block_size: usize,
    /// 0 = input, 1 = instrument.
    pub mix: f32,
    /// Tilt over the harmonics, dB per octave.
    pub brightness_db: f32,
    /// How far the instrument spreads over two channels, 0 to 1; not at all in one.
    pub width: f32,
    /// Acts on the analysis.
    pub source: SourceControls,
}

/// A clip that went through the engine.
pub struct Rendered {
    /// As many samples and channels as the input; sample n belongs to sample n.
    pub audio: Audio,
    /// Delay that was taken out, samples.
    pub latency_samples: usize,
    /// Whether the worker kept up, as it must offline.
    pub complete: bool,
    /// Frames for which the networks gave no sound.
    pub failed_frames: u64,
    /// Frames of 4 ms in which the input was clipped.
    pub clipped_frames: u64,
}

/// Renders a clip of one or two channels. `on_progress` gets the number of input samples done so far. Allocates.
pub fn render(
    mut audio: Audio,
    model: Box<dyn HopModel>,
    settings: &Settings,
    mut on_progress: impl FnMut(usize),
) -> Result<Rendered, PrepareError> {
    let host_rate = f64::from(audio.rate);
    let mut engine = Engine::prepare(EngineConfig { host_rate, max_block: settings.block_size, offline: true }, model)?;
    let latency_samples = engine.latency_samples();
    let n_samples = audio.channels[0].len();
    for channel in &mut audio.channels {
        channel.resize(n_samples + latency_samples, 0.0);
    }
    let values = BlockValues::new(settings);
    for start in (0..n_samples + latency_samples).step_by(settings.block_size) {
        let block = start..(start + settings.block_size).min(n_samples + latency_samples);
        process(&mut engine, &mut audio.channels, block.clone(), &values.params(block.len()));
        on_progress(block.end.min(n_samples));
    }
    for channel in &mut audio.channels {
        channel.drain(..latency_samples);
    }
    let telemetry = engine.telemetry().view();
    let complete = telemetry.late_frames == 0 && telemetry.lost_samples == 0;
    let (failed_frames, clipped_frames) = (telemetry.failed_frames, telemetry.clipped_frames);
    Ok(Rendered { audio, latency_samples, complete, failed_frames, clipped_frames })
}

fn process(engine: &mut Engine, channels: &mut [Vec<f32>], block: Range<usize>, params: &BlockParams) {
    match channels {
        [mono] => engine.process(&mut [&mut mono[block]], 1, params),
        [left, right] => engine.process(&mut [&mut left[block.clone()], &mut right[block]], 2, params),
        _ => debug_assert!(false, "one or two channels"),
    }
}

/// The settings, once per sample of the longest block.
struct BlockValues {
    mix: Vec<f32>,
    brightness_db: Vec<f32>,
    width: Vec<f32>,
    output_gain: Vec<f32>,
    source: SourceControls,
}

impl BlockValues {
    fn new(settings: &Settings) -> Self {
        let constant = |value| vec![value; settings.block_size];
        Self {
            mix: constant(settings.mix),
            brightness_db: constant(settings.brightness_db),
            width: constant(settings.width),
            output_gain: constant(1.0),
            source: settings.source,
        }
    }

    fn params(&self, len: usize) -> BlockParams<'_> {
        BlockParams {
            mix: &self.mix[..len],
            brightness_db: &self.brightness_db[..len],
            width: &self.width[..len],
            output_gain: &self.output_gain[..len],
            is_piece: false,
            source: self.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embouchure_inference::config::HOP_SIZE;
    use embouchure_inference::controls::Controls;
    use embouchure_inference::engine::{Heard, HopOutput};

    /// Plays 500 Hz as loud as the hop's peak.
    struct PeakModel;

    impl HopModel for PeakModel {
        fn reset(&mut self) {}
        fn hop(&mut self, samples: &[f32; HOP_SIZE], _source: &SourceControls) -> HopOutput {
            let mut controls = Controls { f0_hz: 500.0, ..Controls::SILENT };
            controls.amplitude = samples.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
            controls.harmonic_distribution[0] = 1.0;
            controls.noise_magnitudes[20] = 0.1 * controls.amplitude;
            HopOutput { controls, heard: Heard::default() }
        }
    }

    fn settings(block_size: usize, mix: f32) -> Settings {
        Settings { block_size, mix, brightness_db: 0.0, width: 0.0, source: SourceControls::default() }
    }

    /// Silence, then a tone of another level on each channel.
    fn late_tone(rate: u32, n_channels: usize) -> Audio {
        let (n_samples, onset) = (rate as usize / 2 + 17, rate as usize / 5);
        let tone = |i: usize| (std::f32::consts::TAU * 300.0 * i as f32 / rate as f32).sin();
        let channel =
            |c: usize| (0..n_samples).map(|i| if i < onset { 0.0 } else { 0.4 / (1.0 + c as f32) * tone(i) }).collect();
        Audio { channels: (0..n_channels).map(channel).collect(), rate }
    }

    fn run(audio: &Audio, settings: &Settings) -> Rendered {
        render(audio.clone(), Box::new(PeakModel), settings, |_| ()).unwrap()
    }

    #[test]
    fn no_mix_gives_back_the_input() {
        for (rate, n_channels) in [(44_100, 2), (48_000, 1), (96_000, 2), (8_000, 1)] {
            let audio = late_tone(rate, n_channels);
            for block_size in [1, 64, 480, 4096] {
                let rendered = run(&audio, &settings(block_size, 0.0));
                assert!(rendered.audio == audio, "{rate} Hz, {n_channels} channels, blocks of {block_size}");
                assert!(rendered.latency_samples > 0);
                assert!(rendered.complete);
            }
        }
    }

    #[test]
    fn the_length_of_the_blocks_does_not_matter() {
        for (rate, n_channels) in [(44_100, 2), (48_000, 1)] {
            let audio = late_tone(rate, n_channels);
            let reference = run(&audio, &settings(512, 0.7));
            for block_size in [1, 7, 64, 511, 4096, 100_000] {
                let rendered = run(&audio, &settings(block_size, 0.7));
                assert!(rendered.audio == reference.audio, "{rate} Hz, blocks of {block_size}");
            }
        }
    }

    #[test]
    fn the_instrument_starts_with_the_source() {
        for rate in [44_100, 48_000] {
            let audio = late_tone(rate, 1);
            let wet = run(&audio, &settings(256, 1.0)).audio;
            assert_eq!(wet.channels[0].len(), audio.channels[0].len());
            let onset = wet.channels[0].iter().position(|v| v.abs() > 1e-3).expect("silence");
            let late_ms = 1000.0 * (onset as f32 / rate as f32 - 0.2);
            assert!((-5.0..=5.0).contains(&late_ms), "{late_ms} ms late at {rate} Hz");
        }
    }

    #[test]
    fn progress_ends_at_the_end() {
        let (mut last, audio) = (0, late_tone(48_000, 1));
        let grows = |done: usize| {
            assert!(done >= last);
            last = done;
        };
        render(audio.clone(), Box::new(PeakModel), &settings(512, 1.0), grows).unwrap();
        assert_eq!(last, audio.channels[0].len());
    }
}
