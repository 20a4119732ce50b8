//! Per-sample values of mix, brightness, width and gain, smoothed between settings.

use super::mix::Shape;
use crate::math::db::db_to_gain;
use crate::settings::Settings;

/// Time from one setting to the next, s: long enough to hide a step in level, short enough to follow a hand.
const RAMP_S: f32 = 0.02;
/// Gains at or below this are 0, dB.
const SILENT_DB: f32 = -100.0;

/// Linear ramps of mix, brightness, width and gain. Bypass fades the mix to 0 and the gain to 1. Realtime-safe.
pub(super) struct Ramps {
    wet: Ramp,
    brightness_db: Ramp,
    width: Ramp,
    gain_db: Ramp,
    /// The last gain in dB, and linear. Cached, because a power per sample would cost more than the synth.
    last_gain: (f32, f32),
    /// 0 = not bypassed, 1 = bypassed; and its target.
    bypass: f32,
    bypass_target: f32,
    bypass_step: f32,
}

impl Ramps {
    /// `host_rate` in Hz, > 0.
    pub fn new(host_rate: f64) -> Self {
        let n_steps = (host_rate as f32 * RAMP_S).round() as u32;
        let ramp = Ramp { value: 0.0, target: 0.0, step: 0.0, n_left: 0, n_steps };
        Self {
            wet: ramp,
            brightness_db: ramp,
            width: ramp,
            gain_db: ramp,
            last_gain: (0.0, 1.0),
            bypass: 0.0,
            bypass_target: 0.0,
            bypass_step: (1.0 / (f64::from(RAMP_S) * host_rate)) as f32,
        }
    }

    /// Sets the targets.
    pub fn aim(&mut self, settings: &Settings) {
        self.each(settings, Ramp::aim);
        self.bypass_target = if settings.mix.bypass { 1.0 } else { 0.0 };
    }

    /// Sets the targets and jumps to them.
    pub fn jump(&mut self, settings: &Settings) {
        self.each(settings, Ramp::jump);
        self.bypass_target = if settings.mix.bypass { 1.0 } else { 0.0 };
        self.bypass = self.bypass_target;
    }

    fn each(&mut self, settings: &Settings, set: fn(&mut Ramp, f32)) {
        set(&mut self.wet, settings.mix.wet);
        set(&mut self.brightness_db, settings.sound.brightness_db);
        set(&mut self.width, settings.sound.width);
        set(&mut self.gain_db, settings.mix.gain_db);
    }

    /// Values of the next sample.
    #[inline]
    pub fn step(&mut self) -> Shape {
        let (mut mix, brightness_db, width) = (self.wet.step(), self.brightness_db.step(), self.width.step());
        let gain_db = self.gain_db.step();
        if gain_db != self.last_gain.0 {
            self.last_gain = (gain_db, if gain_db > SILENT_DB { db_to_gain(gain_db) } else { 0.0 });
        }
        let mut output_gain = self.last_gain.1;
        if self.bypass != self.bypass_target || self.bypass_target != 0.0 {
            // Clamping lands on the target itself, so a bypassed signal is untouched to the last bit.
            self.bypass += (self.bypass_target - self.bypass).clamp(-self.bypass_step, self.bypass_step);
            mix *= 1.0 - self.bypass;
            output_gain = output_gain * (1.0 - self.bypass) + self.bypass;
        }
        Shape { mix, brightness_db, width, output_gain }
    }
}

/// One value and its target.
#[derive(Clone, Copy)]
struct Ramp {
    value: f32,
    target: f32,
    step: f32,
    n_left: u32,
    /// Steps from one target to the next.
    n_steps: u32,
}

impl Ramp {
    fn aim(&mut self, target: f32) {
        if target == self.target {
            return;
        }
        self.target = target;
        self.n_left = self.n_steps;
        self.step = (target - self.value) / self.n_steps.max(1) as f32;
    }

    fn jump(&mut self, target: f32) {
        (self.value, self.target, self.n_left) = (target, target, 0);
    }

    #[inline]
    fn step(&mut self) -> f32 {
        if self.n_left > 0 {
            self.n_left -= 1;
            // The steps do not add up to the last bit.
            self.value = if self.n_left == 0 { self.target } else { self.value + self.step };
        } else {
            self.value = self.target;
        }
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::MixSettings;

    fn settings(gain_db: f32, bypass: bool) -> Settings {
        Settings { mix: MixSettings { gain_db, bypass, ..MixSettings::default() }, ..Settings::default() }
    }

    fn shapes(ramps: &mut Ramps, settings: &Settings, n: usize) -> Vec<Shape> {
        ramps.aim(settings);
        (0..n).map(|_| ramps.step()).collect()
    }

    #[test]
    fn bypass_is_exact_and_fades_without_a_step() {
        let (off, on) = (settings(-6.0, false), settings(-6.0, true));
        let mut ramps = Ramps::new(48_000.0);
        ramps.jump(&off);
        let gain = db_to_gain(-6.0);
        assert!(shapes(&mut ramps, &off, 100).iter().all(|s| s.mix == 1.0 && s.output_gain == gain));
        let fading = shapes(&mut ramps, &on, 4096);
        let largest_step = fading.windows(2).map(|w| (w[1].mix - w[0].mix).abs()).fold(0.0, f32::max);
        assert!(largest_step < 0.0011, "{largest_step}");
        assert!(fading[1000..].iter().all(|s| s.mix == 0.0 && s.output_gain == 1.0));
        assert!(shapes(&mut ramps, &off, 4096)[1000..].iter().all(|s| s.mix == 1.0));
    }

    #[test]
    fn a_way_takes_20_ms_and_begins_with_its_first_sample() {
        let mut ramps = Ramps::new(48_000.0);
        ramps.jump(&settings(0.0, false));
        let gains = shapes(&mut ramps, &settings(-12.0, false), 1000).iter().map(|s| s.output_gain).collect::<Vec<_>>();
        let end = db_to_gain(-12.0);
        assert!(gains[0] < 1.0 && gains[958] > end && gains[959] == end && gains[999] == end);
        assert!(gains.windows(2).all(|w| w[1] <= w[0]));
    }

    #[test]
    fn a_jump_is_there_at_once() {
        let mut ramps = Ramps::new(48_000.0);
        ramps.jump(&settings(-6.0, true));
        assert_eq!(ramps.step().mix, 0.0);
        assert_eq!(ramps.step().output_gain, 1.0);
    }
}
