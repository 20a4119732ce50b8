//! Linear changes of values within a hop.

/// Where a value goes in one hop, from wherever it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RampTo {
    /// Samples of the hop before the value begins to move.
    pub start: usize,
    /// Value at the sample after the hop; linear from `start` on.
    pub to: f32,
}

impl RampTo {
    /// A change over the whole hop.
    pub fn over_hop(to: f32) -> Self {
        Self { start: 0, to }
    }

    /// Crossfades from `samples` to `after` along the ramp.
    pub(super) fn fade(self, samples: &mut [f32], after: &[f32]) {
        let step = 1.0 / (samples.len().saturating_sub(self.start).max(1)) as f32;
        for (i, (x, after)) in samples.iter_mut().zip(after).skip(self.start).enumerate() {
            *x += i as f32 * step * (after - *x);
        }
    }
}

/// A value over a whole hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopRamp {
    /// Value at the first sample.
    pub from: f32,
    /// Value at the sample after the last.
    pub to: f32,
    /// Samples before the value begins to move.
    pub start: usize,
    /// Samples of the hop.
    pub len: usize,
}
