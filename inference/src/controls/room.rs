//! The room around an instrument: level and decay in three bands. What follows the first reflections is noise that
//! fades exponentially (Moorer 1979, "About this reverberation business"), and [`Reverb`](crate::synth::room::Reverb)
//! makes it.

/// Bands, and the frequencies between them, Hz.
pub const N_BANDS: usize = 3;
/// See above.
pub const CROSSOVERS_HZ: [f32; N_BANDS - 1] = [400.0, 3000.0];
/// `ln 1000`: amplitudes fall by 60 dB.
pub const LN_60_DB: f32 = 6.907_755;
const MAX_LEVEL: f32 = 4.0;
const T60_RANGE_S: (f32, f32) = (0.05, 2.5);

/// A room, per band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Square root of the energy that comes back, against what is played.
    pub levels: [f32; N_BANDS],
    /// Time in which the room fades by 60 dB, seconds.
    pub t60_s: [f32; N_BANDS],
}

impl Room {
    /// The open air.
    pub const NONE: Self = Self { levels: [0.0; N_BANDS], t60_s: [T60_RANGE_S.0; N_BANDS] };
    /// What there is of it, and for how long (s), if nothing else is wished: a booth. Dry, an instrument sounds like
    /// none that anybody has heard (`docs/tried.md`).
    pub const USUAL_AMOUNT: f32 = 0.7;
    /// See above.
    pub const USUAL_DECAY_S: f32 = 0.25;
    /// Decays to choose from, s. As a knob whose way is the square root of the value, the usual 0.25 s is a quarter of
    /// the way, without rounding: hosts turn values into ways and back.
    pub const DECAY_RANGE_S: (f32, f32) = (0.125, 2.125);

    /// Levels of a stage with people in it, and its decay against that of the middle band. Of levels from -10 to 0 dB,
    /// a listener that was trained by others (see `docs/tried.md`) knows instruments best around here.
    const STAGE_LEVELS: [f32; N_BANDS] = [0.7, 0.8, 0.7];
    const STAGE_DECAYS: [f32; N_BANDS] = [1.17, 1.0, 0.67];

    /// `amount` of a room (0 = none, 1 = as on a stage) that fades by 60 dB in `decay_s`.
    pub fn of(amount: f32, decay_s: f32) -> Self {
        let levels = Self::STAGE_LEVELS.map(|level| level * amount);
        Self { levels, t60_s: Self::STAGE_DECAYS.map(|share| share * decay_s) }
    }

    /// Power of a sound with its room, against the sound alone.
    pub fn power_gain(&self) -> f32 {
        1.0 + self.levels.map(|level| level * level).iter().sum::<f32>() / N_BANDS as f32
    }

    /// With everything finite and within what a room can have.
    pub fn made_valid(self) -> Self {
        let within = |x: f32, low: f32, high: f32| if x.is_finite() { x.clamp(low, high) } else { low };
        Self {
            levels: self.levels.map(|level| within(level, 0.0, MAX_LEVEL)),
            t60_s: self.t60_s.map(|s| within(s, T60_RANGE_S.0, T60_RANGE_S.1)),
        }
    }
}
