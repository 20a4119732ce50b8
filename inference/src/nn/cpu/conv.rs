//! Causal strided convolution, a hop at a time.

use super::affine::{Affine, Scratch};
use crate::nn::parameters::LinearParameters;
use crate::nn::shape::ConvSpec;

/// Weights of one convolution.
pub struct Conv {
    spec: ConvSpec,
    windows: Affine,
}

/// State of a convolution for one stream.
pub struct Past {
    /// Rows of input: the past ones, then those of the current hop.
    rows: Vec<f32>,
    /// Taps of all windows, contiguous; empty without dilation.
    taps: Vec<f32>,
}

impl Past {
    /// Clears the state.
    pub fn reset(&mut self) {
        self.rows.fill(0.0);
    }
}

impl Conv {
    /// `parameters`: `[out, kernel · in]`, tap-major. Allocates.
    pub fn new(spec: ConvSpec, parameters: &LinearParameters) -> Self {
        Self { spec, windows: Affine::new(parameters) }
    }

    /// State of a new stream with `n_new` rows per hop, a multiple of the stride. Enlarges `scratch` as needed.
    /// Allocates.
    pub fn past(&self, n_new: usize, scratch: &mut Scratch) -> Past {
        let ConvSpec { n_in, kernel, stride, dilation, .. } = self.spec;
        let n_windows = n_new / stride;
        scratch.fit(&self.windows, n_windows);
        let n_taps = if dilation == 1 { 0 } else { n_windows * kernel * n_in };
        Past { rows: vec![0.0; (self.spec.n_past() + n_new) * n_in], taps: vec![0.0; n_taps] }
    }

    /// Overwrites `y` with the output rows of one hop, whose input rows are `x`.
    pub fn hop(&self, past: &mut Past, x: &[f32], scratch: &mut Scratch, y: &mut [f32]) {
        let ConvSpec { n_in, kernel, stride, dilation, .. } = self.spec;
        let Past { rows, taps } = past;
        let n_kept = rows.len() - x.len();
        rows[n_kept..].copy_from_slice(x);
        if dilation == 1 {
            // Windows are contiguous in the rows.
            self.windows.rows(rows, stride * n_in, scratch, y);
        } else {
            let sources = self.spec.window_rows(x.len() / n_in);
            let copy = |(tap, row): (&mut [f32], usize)| tap.copy_from_slice(&rows[row * n_in..][..n_in]);
            taps.chunks_exact_mut(n_in).zip(sources).for_each(copy);
            self.windows.rows(taps, kernel * n_in, scratch, y);
        }
        rows.copy_within(x.len().., 0);
    }
}
