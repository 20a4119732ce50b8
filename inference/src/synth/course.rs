//! How values move within a hop.

/// How a value goes from one frame to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Samples for which it stays what it was.
    pub turn: usize,
    /// Where it then goes in a straight line.
    pub to: f32,
}

impl Course {
    /// On its way from the first sample on.
    pub fn straight_to(to: f32) -> Self {
        Self { turn: 0, to }
    }

    /// Fades from `samples` to `after` as the value goes.
    pub(super) fn fade(self, samples: &mut [f32], after: &[f32]) {
        let step = 1.0 / (samples.len().saturating_sub(self.turn).max(1)) as f32;
        for (i, (x, after)) in samples.iter_mut().zip(after).skip(self.turn).enumerate() {
            *x += i as f32 * step * (after - *x);
        }
    }
}

/// A value's whole way through a hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// At the first sample.
    pub from: f32,
    /// At the sample after the last.
    pub to: f32,
    /// Samples for which it stays what it was, of `len`.
    pub turn: usize,
    /// Samples of the hop.
    pub len: usize,
}
