//! The encoder with the CPU's kernels.

use super::activation::{leaky_relu, leaky_rms_norm};
use super::affine::{Affine, Scratch};
use super::conv::{Conv, Past};
use crate::config::HOP_SIZE;
use crate::nn::parameters::EncoderParameters;
use crate::nn::shape::{CONVS, N_CONVOLVED, N_HEAD, N_TRUNK, is_residual};
use crate::nn::{Network, Stream};
use std::sync::Arc;

/// Weights of the encoder.
pub struct Encoder {
    convs: Vec<Conv>,
    trunk: Affine,
    head: Affine,
}

/// Rows per hop before each convolution, and after the last.
const N_ROWS: [usize; CONVS.len() + 1] = {
    let mut rows = [HOP_SIZE; CONVS.len() + 1];
    let mut i = 0;
    while i < CONVS.len() {
        rows[i + 1] = rows[i] / CONVS[i].stride;
        i += 1;
    }
    rows
};

/// Largest number of outputs of a layer before the head, per hop.
const WIDEST: usize = {
    let mut widest = if HOP_SIZE > N_TRUNK { HOP_SIZE } else { N_TRUNK };
    let mut i = 0;
    while i < CONVS.len() {
        let n = N_ROWS[i + 1] * CONVS[i].n_out;
        widest = if n > widest { n } else { widest };
        i += 1;
    }
    widest
};

struct EncoderStream {
    encoder: Arc<Encoder>,
    /// One per convolution.
    pasts: Vec<Past>,
    /// Input and output of a layer; they change roles from layer to layer.
    buffers: [[f32; WIDEST]; 2],
    scratch: Scratch,
}

impl Encoder {
    /// Allocates.
    pub fn new(parameters: &EncoderParameters) -> Self {
        let convs = CONVS.iter().zip(&parameters.convs).map(|(spec, conv)| Conv::new(*spec, conv)).collect();
        Self { convs, trunk: Affine::new(&parameters.trunk), head: Affine::new(&parameters.head) }
    }
}

impl Network<HOP_SIZE, N_HEAD> for Encoder {
    fn stream(self: Arc<Self>) -> Box<dyn Stream<HOP_SIZE, N_HEAD>> {
        let mut scratch = Scratch::default();
        let pasts = self.convs.iter().zip(N_ROWS).map(|(conv, n_rows)| conv.past(n_rows, &mut scratch)).collect();
        scratch.fit(&self.trunk, 1);
        scratch.fit(&self.head, 1);
        Box::new(EncoderStream { encoder: self, pasts, buffers: [[0.0; WIDEST]; 2], scratch })
    }

    fn realtime_stream(self: Arc<Self>) -> Option<Box<dyn Stream<HOP_SIZE, N_HEAD>>> {
        Some(self.stream())
    }
}

impl Stream<HOP_SIZE, N_HEAD> for EncoderStream {
    fn hop(&mut self, samples: &[f32; HOP_SIZE], head: &mut [f32; N_HEAD]) {
        let Self { encoder, pasts, buffers: [x, y], scratch } = self;
        let (mut x, mut y) = (x, y);
        x[..HOP_SIZE].copy_from_slice(samples);
        for (i, (conv, past)) in encoder.convs.iter().zip(pasts).enumerate() {
            let (input, output) = (&x[..N_ROWS[i] * CONVS[i].n_in], &mut y[..N_ROWS[i + 1] * CONVS[i].n_out]);
            conv.hop(past, input, scratch, output);
            leaky_rms_norm(output, CONVS[i].n_out, is_residual(i).then_some(input));
            std::mem::swap(&mut x, &mut y);
        }
        let trunk = &mut y[..N_TRUNK];
        encoder.trunk.row(&x[..N_CONVOLVED], scratch, trunk);
        leaky_relu(trunk);
        encoder.head.row(trunk, scratch, head);
    }

    fn reset(&mut self) {
        self.pasts.iter_mut().for_each(Past::reset);
    }
}
