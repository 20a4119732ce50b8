//! Runs the realtime engine over a whole clip and removes its latency.

use embouchure_audio_file::Audio;
use embouchure_inference::engine::{DriverKind, Engine, EngineConfig, HopModel, Io, PrepareError};
use embouchure_inference::settings::Settings;

/// The result of a rendering.
pub struct Rendered {
    /// As many samples and channels as the input; output sample n belongs to input sample n.
    pub audio: Audio,
    /// Latency that was removed, samples.
    pub latency_samples: usize,
    /// True if the worker kept up, as it must offline.
    pub complete: bool,
    /// Frames for which the networks gave no output.
    pub failed_frames: u64,
    /// Frames of 4 ms in which the input is clipped.
    pub clipped_frames: u64,
}

/// Renders a clip of one or two channels in blocks of `block` samples (≥ 1). `on_progress` receives the number of input
/// samples done so far. Allocates.
pub fn render(
    mut audio: Audio,
    model: Box<dyn HopModel>,
    block: usize,
    settings: &Settings,
    mut on_progress: impl FnMut(usize),
) -> Result<Rendered, PrepareError> {
    let host_rate = f64::from(audio.rate);
    let mut engine = Engine::prepare(
        EngineConfig { host_rate, max_block: block, offline: true, driver: DriverKind::Direct },
        model,
    )?;
    let latency_samples = engine.latency_samples();
    let n_samples = audio.channels[0].len();
    for channel in &mut audio.channels {
        channel.resize(n_samples + latency_samples, 0.0);
    }
    for start in (0..n_samples + latency_samples).step_by(block) {
        let end = (start + block).min(n_samples + latency_samples);
        let channels = &mut audio.channels.iter_mut().map(|channel| &mut channel[start..end]).collect::<Vec<_>>()[..];
        let n_inputs = channels.len();
        engine.process(Io { channels, n_inputs, is_piece: false }, settings, &[]);
        on_progress(end.min(n_samples));
    }
    for channel in &mut audio.channels {
        channel.drain(..latency_samples);
    }
    let telemetry = engine.telemetry().view();
    let complete = telemetry.late_frames == 0 && telemetry.lost_samples == 0;
    let (failed_frames, clipped_frames) = (telemetry.failed_frames, telemetry.clipped_frames);
    Ok(Rendered { audio, latency_samples, complete, failed_frames, clipped_frames })
}

#[cfg(test)]
mod tests {
    use super::*;
    use embouchure_inference::chain::HopOutput;
    use embouchure_inference::controls::Controls;
    use embouchure_inference::hear::HopInput;

    /// A model that plays 500 Hz at the level of the hop's peak.
    struct PeakModel;

    impl HopModel for PeakModel {
        fn reset(&mut self) {}
        fn hop(&mut self, input: HopInput<'_>, _settings: &Settings) -> HopOutput {
            let peak = input.samples.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
            let noise = std::array::from_fn(|band| if band == 20 { 0.1 * peak } else { 0.0 });
            HopOutput::of(Controls::tone(500.0, &[peak]).with_noise(noise))
        }
    }

    fn settings(wet: f32) -> Settings {
        Settings::default().with(|s| (s.mix.wet, s.sound.room) = (wet, 0.0))
    }

    /// Silence, then a tone with a different level on each channel.
    fn late_tone(rate: u32, n_channels: usize) -> Audio {
        let (n_samples, onset) = (rate as usize / 2 + 17, rate as usize / 5);
        let tone = |i: usize| (std::f32::consts::TAU * 300.0 * i as f32 / rate as f32).sin();
        let channel =
            |c: usize| (0..n_samples).map(|i| if i < onset { 0.0 } else { 0.4 / (1.0 + c as f32) * tone(i) }).collect();
        Audio { channels: (0..n_channels).map(channel).collect(), rate }
    }

    fn run(audio: &Audio, block: usize, wet: f32) -> Rendered {
        render(audio.clone(), Box::new(PeakModel), block, &settings(wet), |_| ()).unwrap()
    }

    #[test]
    fn no_mix_gives_back_the_input() {
        for (rate, n_channels) in [(44_100, 2), (48_000, 1), (96_000, 2), (8_000, 1)] {
            let audio = late_tone(rate, n_channels);
            for block_size in [1, 64, 480, 4096] {
                let rendered = run(&audio, block_size, 0.0);
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
            let reference = run(&audio, 512, 0.7);
            for block_size in [1, 7, 64, 511, 4096, 100_000] {
                let rendered = run(&audio, block_size, 0.7);
                assert!(rendered.audio == reference.audio, "{rate} Hz, blocks of {block_size}");
            }
        }
    }

    #[test]
    fn the_instrument_starts_with_the_source() {
        for rate in [44_100, 48_000] {
            let audio = late_tone(rate, 1);
            let wet = run(&audio, 256, 1.0).audio;
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
        render(audio.clone(), Box::new(PeakModel), 512, &settings(1.0), grows).unwrap();
        assert_eq!(last, audio.channels[0].len());
    }
}
