//! Time to the sample, at every rate and block length that hosts use: the dry signal comes out after the latency, the
//! wet signal at its hop's time stamp, and the time stamps are those of the input.
#![cfg(feature = "worker")]

mod common;

use common::*;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::HopModel;
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;
use std::sync::{Arc, Mutex};

/// Host rate, and half the taps of the resampler from it.
const RATES: [(f64, f64); 5] =
    [(44_100.0, 32.0), (48_000.0, 32.0), (88_200.0, 60.0), (96_000.0, 64.0), (192_000.0, 128.0)];
const BLOCKS: [usize; 8] = [16, 32, 64, 128, 441, 512, 1024, 2048];

/// Hop from which the tone sounds, and hop at which its pitch changes.
const ONSET: usize = 5;
const STEP: usize = 9;

/// Plays a tone that depends on the number of the hop; records its input.
struct Script {
    hop: usize,
    step: bool,
    heard: Arc<Mutex<Vec<f32>>>,
}

impl HopModel for Script {
    fn reset(&mut self) {}

    fn hop(&mut self, input: HopInput<'_>, _settings: &Settings) -> HopOutput {
        self.heard.lock().unwrap().extend_from_slice(input.samples);
        let f0_hz = if self.step && self.hop >= STEP { 587.0 } else { 440.0 };
        let controls = Controls::tone(f0_hz, &[if self.hop >= ONSET { 0.5 } else { 0.0 }]);
        self.hop += 1;
        HopOutput::of(controls)
    }
}

/// Output without the reported latency, and the input that the model got.
fn perform(host_rate: f64, max_block: usize, step: bool, input: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let heard = Arc::<Mutex<Vec<f32>>>::default();
    let mut engine = engine_with(host_rate, max_block, true, Script { hop: 0, step, heard: heard.clone() });
    let input = padded(input, engine.latency_samples());
    let mut out = play(&mut engine, &input, &even_cuts(input.len(), max_block), WET);
    out.drain(..engine.latency_samples());
    drop(engine);
    (out, Arc::into_inner(heard).unwrap().into_inner().unwrap())
}

/// Input sample at the end of a hop, which is the beginning of the next.
fn hop_end(hop: usize, host_rate: f64, delay: f64) -> usize {
    ((hop + 1) as f64 * host_rate * 0.004 - delay).round() as usize
}

#[test]
fn a_dry_impulse_comes_out_after_the_reported_latency() {
    for (host_rate, _) in RATES {
        for max_block in BLOCKS {
            let mut engine = engine(host_rate, max_block, true);
            let latency = engine.latency_samples();
            let mut input = vec![0.0; latency + 100];
            input[51] = 1.0;
            let out = play(&mut engine, &input, &even_cuts(input.len(), max_block), DRY);
            let landed: Vec<usize> = (0..out.len()).filter(|i| out[*i] != 0.0).collect();
            assert_eq!(landed, [51 + latency], "blocks of {max_block} at {host_rate} Hz");
        }
    }
}

#[test]
fn wet_onsets_and_pitch_steps_are_at_their_time_stamps() {
    for (host_rate, delay) in RATES {
        for max_block in BLOCKS {
            let input = vec![0.0; (0.06 * host_rate) as usize];
            let (out, _) = perform(host_rate, max_block, true, &input);
            let (unchanged, _) = perform(host_rate, max_block, false, &input);
            let name = format!("blocks of {max_block} at {host_rate} Hz");
            // A frame is reached at the end of its hop, so its change begins at the end of the hop before. The first
            // sample between two frames still has the first frame's values, and a new pitch acts one sample later,
            // through the phase.
            let onset = out.iter().position(|x| *x != 0.0).unwrap();
            assert_eq!(onset, hop_end(ONSET - 1, host_rate, delay) + 1, "onset, {name}");
            let step = out.iter().zip(&unchanged).position(|(a, b)| a != b).unwrap();
            assert_eq!(step, hop_end(STEP - 1, host_rate, delay) + 2, "pitch step, {name}");
        }
    }
}

#[test]
fn the_time_stamps_are_those_of_the_input() {
    for (host_rate, delay) in RATES {
        // A bump of 1 ms, which passes the resampler unchanged.
        let centre = 0.03 * host_rate;
        let bump = |i: usize| (-0.5 * ((i as f64 - centre) / (0.001 * host_rate)).powi(2)).exp() as f32;
        let input: Vec<f32> = (0..(0.06 * host_rate) as usize).map(bump).collect();
        let (_, heard) = perform(host_rate, 64, false, &input);
        let sum: f64 = heard.iter().map(|x| f64::from(*x)).sum();
        let heard_at = heard.iter().zip(0..).map(|(x, i)| f64::from(*x) * f64::from(i)).sum::<f64>() / sum;
        // Sample 63, the last of hop 0, belongs to the end of hop 0, and so on.
        let stamped = (heard_at + 1.0) * host_rate / 16_000.0 - delay;
        assert!((stamped - centre).abs() < 0.05, "{} samples, from {host_rate} Hz", stamped - centre);
    }
}
