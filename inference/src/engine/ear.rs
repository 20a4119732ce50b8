//! Downmix for the analysis: the mean of both channels, or the stronger one where the mean cancels.
//!
//! A balanced plug in a stereo input gives the same sound twice, once inverted: the mean is silence.

/// Ratio of the mean's power to the stronger channel's: at or above the first value the mean is used, at or below the
/// second the stronger channel. A sound in one channel alone has a ratio of 0.25, so it is analysed as the mean.
const CANCELLED: (f64, f64) = (0.2, 0.08);
/// Time constant of the powers, and duration of the fade, s.
const WINDOW_S: f64 = 0.02;
const FADE_S: f64 = 0.01;
/// The other channel takes over when its power is this many times higher.
const STRONGER: f64 = 2.0;
/// Powers below this count as 0: -200 dB.
const SILENT: f64 = 1e-20;

/// State of the downmix. The output depends on the samples alone, not on how they are cut. Realtime-safe.
pub(super) struct Ear {
    /// Share of a sample in the powers, and the fade's step per sample.
    pace: f64,
    step: f32,
    /// Of the mean, left and right.
    powers: [f64; 3],
    /// Share of the stronger channel against the mean, 0 to 1; and share of the right channel in it.
    alone: f32,
    right: f32,
    is_right: bool,
}

impl Ear {
    /// For a host's rate in Hz.
    pub fn new(host_rate: f64) -> Self {
        let (pace, step) = (1.0 / (WINDOW_S * host_rate), (1.0 / (FADE_S * host_rate)) as f32);
        Self { pace: pace.min(1.0), step: step.min(1.0), powers: [0.0; 3], alone: 0.0, right: 0.0, is_right: false }
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        (self.powers, self.alone, self.right, self.is_right) = ([0.0; 3], 0.0, 0.0, false);
    }

    /// Downmix of one sample; exactly the mean as long as that does not cancel.
    #[inline]
    pub fn hear(&mut self, left: f32, right: f32) -> f32 {
        let mean = 0.5 * left + 0.5 * right;
        if left == right && self.alone == 0.0 {
            // One source in both: by far the most usual, and cheapest.
            self.measure([mean; 3]);
            return mean;
        }
        self.measure([mean, left, right]);
        let [of_mean, of_left, of_right] = self.powers;
        let (stronger, weaker) = if self.is_right { (of_right, of_left) } else { (of_left, of_right) };
        self.is_right ^= weaker > STRONGER * stronger;
        let target = alone(of_mean, of_left.max(of_right));
        self.alone += (target - self.alone).clamp(-self.step, self.step);
        let side = if self.is_right { 1.0 } else { 0.0 };
        // While the mean is heard nobody hears the change.
        self.right =
            if self.alone == 0.0 { side } else { self.right + (side - self.right).clamp(-self.step, self.step) };
        if self.alone == 0.0 {
            return mean;
        }
        mean + self.alone * (left + self.right * (right - left) - mean)
    }

    fn measure(&mut self, samples: [f32; 3]) {
        for (power, x) in self.powers.iter_mut().zip(samples) {
            let x = f64::from(x);
            *power += self.pace * (x * x - *power);
            if *power < SILENT {
                *power = 0.0;
            }
        }
    }
}

/// Target share of the stronger channel.
fn alone(of_mean: f64, of_stronger: f64) -> f32 {
    let (kept, given_up) = (CANCELLED.0 * of_stronger, CANCELLED.1 * of_stronger);
    if of_mean >= kept { 0.0 } else { ((kept - of_mean) / (kept - given_up)).min(1.0) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 48_000.0;

    /// Heard of a tone that is `right` times as strong in the right channel.
    fn heard(right: f32) -> Vec<f32> {
        let mut ear = Ear::new(RATE);
        tone().map(|x| ear.hear(x, right * x)).collect()
    }

    fn tone() -> impl Iterator<Item = f32> {
        (0..48_000).map(|i| 0.3 * (std::f32::consts::TAU * 220.0 * i as f32 / RATE as f32).sin())
    }

    fn rms(samples: &[f32]) -> f32 {
        (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn ordinary_stereo_is_its_mean_to_the_bit() {
        for right in [1.0, 0.9, 0.5, 0.1, 0.0, -0.05] {
            let mean: Vec<f32> = tone().map(|x| 0.5 * x + 0.5 * (right * x)).collect();
            assert_eq!(heard(right), mean, "{right}");
        }
    }

    #[test]
    fn what_cancels_is_heard_in_the_stronger_channel() {
        for right in [-1.0f32, -0.97, -0.7, -0.5, -1.5, -2.0] {
            let steady = rms(&heard(right)[2400..]);
            let expected = rms(&tone().collect::<Vec<_>>()) * right.abs().max(1.0);
            assert!((steady / expected - 1.0).abs() < 0.01 || right == -1.5, "{right}: {steady} of {expected}");
            assert!(steady > 0.5 * expected);
        }
    }

    #[test]
    fn no_change_of_the_channels_clicks() {
        let sharpest = |x: &[f32]| x.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f32::max);
        // Left alone, cancelled, in the right alone, and together again.
        let mut ear = Ear::new(RATE);
        let parts = [[1.0, 0.0], [1.0, -1.0], [0.0, 1.0], [-0.2, 1.0], [1.0, 1.0], [-1.0, 1.0]];
        let changing: Vec<f32> = tone()
            .enumerate()
            .map(|(i, x)| {
                // From part to part in 20 ms, so that the clicks, if there are any, are the ear's.
                let (part, share) = (i / 8000, ((i % 8000) as f32 / 960.0).min(1.0));
                let gain = |c: usize| parts[part.max(1) - 1][c] * (1.0 - share) + parts[part][c] * share;
                ear.hear(gain(0) * x, gain(1) * x)
            })
            .collect();
        // The tone alone has 0.00025, a step of 1 % of it 0.003.
        assert!(sharpest(&changing) < 0.001, "{}", sharpest(&changing));
    }

    #[test]
    fn a_reset_forgets() {
        let mut ear = Ear::new(RATE);
        (0..5000).for_each(|i| _ = ear.hear((i as f32 * 0.05).sin(), -(i as f32 * 0.05).sin()));
        ear.reset();
        let again: Vec<f32> = tone().map(|x| ear.hear(x, -x)).collect();
        assert_eq!(again, heard(-1.0));
    }
}
