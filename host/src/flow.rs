//! Streams that do less than they are asked for. Plugins must ask again, or say that they failed.

/// How much of a state passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Bytes in one call.
    pub n_in_a_call: usize,
    /// Bytes before the stream reports an error, if it ever does.
    pub n_until_error: Option<usize>,
}

impl Flow {
    /// All that is asked for.
    pub const WHOLE: Self = Self { n_in_a_call: usize::MAX, n_until_error: None };

    /// Bytes that pass of `n_wanted` after `n_done`; nothing is an error.
    pub(crate) fn pass(self, n_done: usize, n_wanted: usize) -> Option<usize> {
        let n_left = self.n_until_error.map_or(usize::MAX, |n| n.saturating_sub(n_done));
        (n_left > 0).then(|| n_wanted.min(self.n_in_a_call).min(n_left))
    }
}
