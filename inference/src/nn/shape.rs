//! Sizes and constants of both networks, shared by the CPU's kernels, candle's operations and training.

use crate::config::{FRAME_SIZE, HOP_SIZE, N_PITCH_BINS, N_Z};
pub use crate::config::{N_FEATURES, N_RAW};

/// Slope of the leaky ReLU below zero.
pub const LEAK: f64 = 0.1;
/// Keeps the division by the root mean square finite on silence.
pub const RMS_EPS: f64 = 1e-4;
/// Keeps layer normalisation finite on constant rows.
pub const LAYER_NORM_EPS: f64 = 1e-5;

/// Sizes of one causal strided convolution: output `i` depends on inputs up to the end of its own block of `stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvSpec {
    /// Input channels.
    pub n_in: usize,
    /// Output channels.
    pub n_out: usize,
    /// Taps.
    pub kernel: usize,
    /// Inputs per output.
    pub stride: usize,
    /// Inputs between taps.
    pub dilation: usize,
}

impl ConvSpec {
    /// Past inputs that the layer keeps between steps.
    pub const fn n_past(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1 - self.stride
    }

    /// Row of the input that each tap of each output reads; row 0 is `n_past` before the first new one.
    pub(super) fn window_rows(&self, n_new: usize) -> impl Iterator<Item = usize> {
        let spec = *self;
        (0..n_new / spec.stride).flat_map(move |o| (0..spec.kernel).map(move |k| o * spec.stride + k * spec.dilation))
    }
}

const fn conv(n_in: usize, n_out: usize, kernel: usize, stride: usize, dilation: usize) -> ConvSpec {
    ConvSpec { n_in, n_out, kernel, stride, dilation }
}

/// The encoder's convolutions. The product of the strides is the hop, the receptive field is one frame.
pub const CONVS: [ConvSpec; 6] = [
    conv(1, 32, 32, 8, 1),
    conv(32, 64, 5, 4, 1),
    conv(64, 128, 3, 2, 1),
    conv(128, 160, 3, 1, 1),
    conv(160, 160, 3, 1, 2),
    conv(160, 160, 3, 1, 4),
];
/// Outputs of the convolutions per hop.
pub const N_CONVOLVED: usize = CONVS[CONVS.len() - 1].n_out;
/// Units of the encoder between the convolutions and the head.
pub const N_TRUNK: usize = 192;
/// Outputs of the encoder: pitch posterior (logits), voicing (logit), z.
pub const N_HEAD: usize = N_PITCH_BINS + 1 + N_Z;

/// True if the input of convolution `i` is added to its output.
pub const fn is_residual(i: usize) -> bool {
    CONVS[i].n_in == CONVS[i].n_out && CONVS[i].stride == 1
}

const _: () = {
    let (mut stride, mut field, mut i) = (1, 1, 0);
    while i < CONVS.len() {
        field += (CONVS[i].kernel - 1) * CONVS[i].dilation * stride;
        stride *= CONVS[i].stride;
        i += 1;
    }
    assert!(stride == HOP_SIZE && field == FRAME_SIZE);
};
