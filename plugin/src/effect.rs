//! The engine with this plugin's parameters: one value per sample, whatever the host's block size.

use crate::instruments::Silent;
use crate::params::EmbouchureParams;
use embouchure_inference::controls::SourceControls;
use embouchure_inference::engine::{BlockParams, Engine, EngineConfig, HopModel, PrepareError};
use embouchure_inference::play::tuning::SnapWish;
use embouchure_inference::settings::Settings;
use nice_plug::util::db_to_gain;

/// Time in which bypass fades in or out.
const BYPASS_FADE_S: f64 = 0.02;
/// What the host is told to wait after the input has ended: release of the instrument and of the room around it.
const RELEASE_S: f64 = 5.0;

/// A prepared engine and the buffers for its parameters.
pub struct Effect {
    engine: Engine,
    /// Input channels of the host's layout.
    n_inputs: usize,
    ramps: Ramps,
    tail_samples: u32,
    /// Instruments that were asked for so far.
    n_swaps: u32,
}

impl Effect {
    /// Allocates everything and starts the worker. Without `networks` only the dry signal is heard.
    pub fn prepare(
        config: EngineConfig,
        n_inputs: usize,
        networks: Option<Box<dyn HopModel>>,
    ) -> Result<Self, PrepareError> {
        let is_playable = networks.is_some();
        let engine = Engine::prepare(config, networks.unwrap_or_else(|| Box::new(Silent)))?;
        let tail_samples = engine.latency_samples() as u32 + (RELEASE_S * config.host_rate) as u32;
        let ramps = Ramps::new(config.max_block.max(1), config.host_rate, is_playable);
        Ok(Self { engine, n_inputs, ramps, tail_samples, n_swaps: 0 })
    }

    /// The engine, for its latency and telemetry.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Time after which a silent input gives a silent output, samples at the host's rate.
    pub fn tail_samples(&self) -> u32 {
        self.tail_samples
    }

    /// Says that an instrument is asked for, and returns how many were so far: the new one plays from the samples on that
    /// come next, or as soon as it is loaded. Realtime-safe.
    pub fn expect_swap(&mut self) -> u32 {
        self.n_swaps = self.n_swaps.wrapping_add(1);
        self.n_swaps
    }

    /// Forgets the past; parameters jump to their present values. Realtime-safe.
    pub fn reset(&mut self, params: &EmbouchureParams) {
        self.ramps.reset(params);
        self.engine.reset();
    }

    /// Processes one or two channels of any length in place. `is_piece`: they go on with the host's block. Realtime-safe,
    /// unless the engine is offline.
    pub fn process(&mut self, channels: &mut [&mut [f32]], params: &EmbouchureParams, is_piece: bool) {
        let n_samples = channels.first().map_or(0, |c| c.len());
        let mut start = 0;
        // A host may send more than it announced.
        while start < n_samples {
            let end = n_samples.min(start + self.ramps.max_block());
            match channels {
                [mono] => self.process_block(&mut [&mut mono[start..end]], params, is_piece || start > 0),
                [left, right] => {
                    let channels = &mut [&mut left[start..end], &mut right[start..end]];
                    self.process_block(channels, params, is_piece || start > 0);
                }
                _ => debug_assert!(false, "no layout has {} channels", channels.len()),
            }
            start = end;
        }
    }

    fn process_block(&mut self, channels: &mut [&mut [f32]], params: &EmbouchureParams, is_piece: bool) {
        let mut block = self.ramps.fill(channels[0].len(), params);
        block.is_piece = is_piece;
        block.source.n_swaps = self.n_swaps;
        self.engine.process(channels, self.n_inputs, &block);
    }
}

/// Per-sample values of mix, brightness, width and gain. Bypass fades the first to 0 and the last to 1.
struct Ramps {
    /// `[max_block]` each.
    mix: Vec<f32>,
    brightness_db: Vec<f32>,
    width: Vec<f32>,
    output_gain: Vec<f32>,
    /// 0 = not bypassed, 1 = bypassed.
    bypass: f32,
    bypass_step: f32,
    is_playable: bool,
}

impl Ramps {
    fn new(max_block: usize, host_rate: f64, is_playable: bool) -> Self {
        let zeros = vec![0.0; max_block];
        Self {
            mix: zeros.clone(),
            brightness_db: zeros.clone(),
            width: zeros.clone(),
            output_gain: zeros,
            bypass: 0.0,
            bypass_step: (1.0 / (BYPASS_FADE_S * host_rate)) as f32,
            is_playable,
        }
    }

    fn max_block(&self) -> usize {
        self.mix.len()
    }

    fn reset(&mut self, params: &EmbouchureParams) {
        for param in [&params.mix.mix, &params.sound.brightness_db, &params.sound.width, &params.mix.gain_db] {
            param.smoothed.reset(param.value());
        }
        self.bypass = bypass_target(params);
    }

    /// The next `n` ≤ `max_block` samples.
    fn fill<'a>(&'a mut self, n: usize, params: &EmbouchureParams) -> BlockParams<'a> {
        let mix = &mut self.mix[..n];
        let brightness_db = &mut self.brightness_db[..n];
        let output_gain = &mut self.output_gain[..n];
        mix.fill_with(|| params.mix.mix.smoothed.next());
        brightness_db.fill_with(|| params.sound.brightness_db.smoothed.next());
        let width = &mut self.width[..n];
        width.fill_with(|| params.sound.width.smoothed.next());
        if params.mix.gain_db.smoothed.is_smoothing() {
            output_gain.fill_with(|| db_to_gain(params.mix.gain_db.smoothed.next()));
        } else {
            // A power per sample would cost more than the synth.
            output_gain.fill(db_to_gain(params.mix.gain_db.smoothed.next()));
        }
        if !self.is_playable {
            mix.fill(0.0);
        }
        let target = bypass_target(params);
        if self.bypass != target || target != 0.0 {
            for (mix, gain) in mix.iter_mut().zip(output_gain.iter_mut()) {
                // Clamping lands on the target itself, so a bypassed signal is untouched to the last bit.
                self.bypass += (target - self.bypass).clamp(-self.bypass_step, self.bypass_step);
                *mix *= 1.0 - self.bypass;
                *gain = *gain * (1.0 - self.bypass) + self.bypass;
            }
        }
        BlockParams {
            mix,
            brightness_db,
            width,
            output_gain,
            is_piece: false,
            source: source_controls(&params.settings()),
        }
    }
}

fn bypass_target(params: &EmbouchureParams) -> f32 {
    if params.mix.bypass.value() { 1.0 } else { 0.0 }
}

/// The settings as the engine takes them today.
fn source_controls(settings: &Settings) -> SourceControls {
    let Settings { source, pitch, sound, .. } = settings;
    SourceControls {
        transpose_semitones: pitch.transpose_semitones,
        octave_fit: pitch.octave_fit,
        gate_db: source.gate_db,
        gate_follows_room: source.gate_follows_room,
        snap: SnapWish { strength: pitch.snap.strength, key: pitch.snap.key, scale: pitch.snap.scale },
        glide_s: pitch.glide_s,
        level_fit: source.level_fit,
        match_level: sound.match_level,
        room: sound.room,
        room_decay_s: sound.room_decay_s,
        breath_db: sound.breath_db,
        dynamics: sound.dynamics,
        follow: sound.follow,
        attack_s: sound.attack_s,
        morph: sound.morph,
        n_swaps: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nice_plug::prelude::{BoolParam, FloatParam, FloatRange, Param};

    fn params(gain_db: f32, bypass: bool) -> EmbouchureParams {
        let range = FloatRange::Linear { min: -24.0, max: 12.0 };
        let mut params = EmbouchureParams::default();
        params.mix.gain_db = FloatParam::new("", gain_db, range);
        params.mix.bypass = BoolParam::new("", bypass);
        params
    }

    #[test]
    fn bypass_is_exact_and_fades_without_a_step() {
        let off = params(-6.0, false);
        let on = params(-6.0, true);
        let mut ramps = Ramps::new(4096, 48_000.0, true);
        ramps.reset(&off);
        let gain = db_to_gain(-6.0);
        let block = ramps.fill(100, &off);
        assert!(block.mix.iter().all(|v| *v == 1.0) && block.output_gain.iter().all(|v| *v == gain));
        let block = ramps.fill(4096, &on);
        let largest_step = block.mix.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(largest_step < 0.0011, "{largest_step}");
        assert!(block.mix[1000..].iter().all(|v| *v == 0.0) && block.output_gain[1000..].iter().all(|v| *v == 1.0));
        let block = ramps.fill(4096, &off);
        assert!(block.mix[1000..].iter().all(|v| *v == 1.0));
    }

    #[test]
    fn a_reset_jumps() {
        let on = params(0.0, true);
        let mut ramps = Ramps::new(8, 48_000.0, true);
        ramps.reset(&on);
        assert_eq!(ramps.fill(8, &on).mix, [0.0; 8]);
    }

    #[test]
    fn without_an_instrument_only_dry_passes() {
        let params = params(0.0, false);
        let mut ramps = Ramps::new(8, 48_000.0, false);
        ramps.reset(&params);
        assert_eq!(params.mix.mix.unmodulated_plain_value(), 1.0);
        assert_eq!(ramps.fill(8, &params).mix, [0.0; 8]);
    }
}
