//! The app's mute. A microphone beside loudspeakers feeds back, so the output is silent until the player asks for
//! sound.

/// Time in which the sound fades in or out, s.
const FADE_S: f32 = 0.02;

/// A gain that moves linearly between 0 and 1.
#[derive(Debug)]
pub struct Mute {
    gain: f32,
    step: f32,
}

impl Mute {
    /// Muted. `rate` in Hz, > 0.
    pub fn new(rate: f32) -> Self {
        Self { gain: 0.0, step: 1.0 / (FADE_S * rate) }
    }

    /// Fades the channels in if `is_listening`, else out. Realtime-safe.
    pub fn process(&mut self, channels: &mut [&mut [f32]], is_listening: bool) {
        let target = if is_listening { 1.0 } else { 0.0 };
        if self.gain == 1.0 && is_listening {
            return;
        }
        for i in 0..channels.first().map_or(0, |c| c.len()) {
            self.gain += (target - self.gain).clamp(-self.step, self.step);
            channels.iter_mut().for_each(|channel| channel[i] *= self.gain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_until_asked_and_without_a_step() {
        let mut mute = Mute::new(48_000.0);
        let mut play = |is_listening| {
            let (mut left, mut right) = ([1.0_f32; 1000], [-1.0_f32; 1000]);
            mute.process(&mut [&mut left, &mut right], is_listening);
            assert!(left.iter().zip(right).all(|(l, r)| *l == -r));
            left
        };
        assert_eq!(play(false), [0.0; 1000]);
        let opening = play(true);
        assert!(opening.windows(2).all(|w| (0.0..0.0011).contains(&(w[1] - w[0]))) && opening[990] == 1.0);
        assert_eq!(play(true), [1.0; 1000]);
        assert!(play(false)[999] == 0.0);
    }
}
