//! Plays a clip through the engine and records all control frames. Offline, so the result is always the same.

use super::track::{Recorder, Track};
use crate::effect::{Effect, Networks};
use anyhow::{Context, Result};
use embouchure_inference::chain::HopOutput;
use embouchure_inference::config::HOP_S;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::{DriverKind, EngineConfig, HopModel};
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;

/// Sample rate and largest block of a host.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    pub rate: f64,
    pub block: usize,
}

/// The result of playing a clip.
pub struct Take {
    /// Wet output without the reported latency: sample n belongs to input sample n.
    pub sound: Vec<f32>,
    /// The control frames, in the input's time.
    pub track: Track,
}

impl Host {
    fn config(self) -> EngineConfig {
        EngineConfig { host_rate: self.rate, max_block: self.block, offline: true, driver: DriverKind::default() }
    }

    /// Latency that the engine reports, samples.
    pub fn latency_samples(self) -> Result<usize> {
        Ok(Effect::new(self.config(), Starter::default(), 0.0)?.engine.latency_samples())
    }

    /// Plays the wet signal only.
    pub fn play(self, networks: &Networks, input: &[f32]) -> Result<Take> {
        let (model, frames) = Recorder::new(networks.model());
        let mut effect = Effect::new(self.config(), model, 1.0)?;
        let mut sound = effect.play(input);
        sound.drain(..effect.engine.latency_samples());
        Ok(Take { sound, track: Track::new(&frames, self.first_frame_s()?) })
    }

    /// Position of a dry impulse in the output, relative to the reported latency, samples.
    pub fn dry_error(self, networks: &Networks) -> Result<i64> {
        const AT: usize = 1234;
        let mut effect = Effect::new(self.config(), networks.model(), 0.0)?;
        let mut input = vec![0.0; AT + 100];
        input[AT] = 1.0;
        let out = effect.play(&input);
        let landed = out.iter().position(|x| *x != 0.0).context("the impulse is lost")?;
        Ok(landed as i64 - (AT + effect.engine.latency_samples()) as i64)
    }

    /// Time at which the first frame is reached, in the input's time, s. Measured with a model that begins to play in a
    /// known hop, so that the level rises from the frame before.
    fn first_frame_s(self) -> Result<f64> {
        let mut effect = Effect::new(self.config(), Starter::default(), 1.0)?;
        let out = effect.play(&vec![0.0; (0.1 * self.rate) as usize]);
        // The rise begins one sample earlier, at 0.
        let start = out.iter().position(|x| *x != 0.0).context("nothing sounds")? as f64 - 1.0;
        let hops_before = (Starter::SILENT_HOPS - 1) as f64;
        Ok((start - effect.engine.latency_samples() as f64) / self.rate - HOP_S * hops_before)
    }
}

/// A model that is silent for some hops, then plays a tone.
#[derive(Default)]
struct Starter(usize);

impl Starter {
    const SILENT_HOPS: usize = 10;
}

impl HopModel for Starter {
    fn reset(&mut self) {
        self.0 = 0;
    }

    fn hop(&mut self, _input: HopInput<'_>, _settings: &Settings) -> HopOutput {
        let amplitude = if self.0 >= Self::SILENT_HOPS { 0.5 } else { 0.0 };
        self.0 += 1;
        HopOutput::of(Controls::tone(440.0, &[amplitude]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_reached_a_hop_apart_less_the_resampler() {
        for (rate, delay) in [(44_100.0, 32.0), (48_000.0, 32.0), (96_000.0, 64.0)] {
            let first_s = Host { rate, block: 64 }.first_frame_s().unwrap();
            // A hop of 4 ms, less the delay of the resampling filter.
            assert!((first_s - (HOP_S - delay / rate)).abs() < 0.6 / rate, "{first_s} at {rate} Hz");
            let other = Host { rate, block: 1024 }.first_frame_s().unwrap();
            assert_eq!(first_s, other);
        }
    }
}
