//! Streams that transfer fewer bytes than requested, or fail. A plugin must call again, or report the failure.

/// Limits of a stream for states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Most bytes per call.
    pub n_in_a_call: usize,
    /// Bytes after which the stream reports an error; `None` = never.
    pub n_until_error: Option<usize>,
}

impl StreamLimits {
    /// No limits.
    pub const WHOLE: Self = Self { n_in_a_call: usize::MAX, n_until_error: None };

    /// Bytes transferred by a call that requests `n_wanted`, after `n_done` bytes; `None` is an error.
    pub(crate) fn n_bytes(self, n_done: usize, n_wanted: usize) -> Option<usize> {
        let n_left = self.n_until_error.map_or(usize::MAX, |n| n.saturating_sub(n_done));
        (n_left > 0).then(|| n_wanted.min(self.n_in_a_call).min(n_left))
    }
}
