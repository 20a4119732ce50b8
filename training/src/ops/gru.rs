//! A whole GRU sequence as one operation.

use super::{Matrix, matmul, on_cpu, plain, slice, tensor, values};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

/// Runs a GRU over time, from a state of zeros. `input_gates`: the input's part of reset gate, update gate and
/// candidate, bias included, `[batch, time, 3·width]`. `weight`, `bias`: those of the hidden state, `[3·width, width]`
/// and `[3·width]`. Returns the states, `[batch, time, width]`.
pub fn gru_sequence(input_gates: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    match on_cpu(input_gates) {
        true => input_gates.contiguous()?.apply_op3(weight, bias, GruSequence),
        false => plain::gru_sequence(input_gates, weight, bias),
    }
}

struct GruSequence;

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Several times faster than `f32::tanh`, and exact enough here.
fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// Reset gate, update gate, candidate, and the hidden state's part of the candidate, for unit `i`.
fn gates(i: usize, width: usize, input: &[f32], hidden: &[f32], bias: &[f32]) -> (f32, f32, f32, f32) {
    let at = |g: usize| g * width + i;
    let reset = sigmoid(input[at(0)] + hidden[at(0)] + bias[at(0)]);
    let update = sigmoid(input[at(1)] + hidden[at(1)] + bias[at(1)]);
    let recalled = hidden[at(2)] + bias[at(2)];
    (reset, update, tanh(input[at(2)] + reset * recalled), recalled)
}

impl CustomOp3 for GruSequence {
    fn name(&self) -> &'static str {
        "gru-sequence"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, time, n_gates) = x_layout.shape().dims3()?;
        let width = n_gates / 3;
        let (x, w, b) = (slice(x, x_layout)?, slice(w, w_layout)?, slice(b, b_layout)?);
        let mut out = vec![0.0; batch * time * width];
        let (mut state, mut hidden) = (vec![0.0; batch * width], vec![0.0; batch * n_gates]);
        for t in 0..time {
            let recurrent = Matrix::rows(w, width).transposed();
            matmul((batch, n_gates, width), &mut hidden, false, Matrix::rows(&state, width), recurrent);
            for clip in 0..batch {
                let at = clip * time + t;
                let (input, hidden) = (&x[at * n_gates..][..n_gates], &hidden[clip * n_gates..][..n_gates]);
                let state = &mut state[clip * width..][..width];
                for (i, h) in state.iter_mut().enumerate() {
                    let (_, update, new, _) = gates(i, width, input, hidden, b);
                    *h = new + update * (*h - new);
                }
                out[at * width..][..width].copy_from_slice(state);
            }
        }
        Ok((CpuStorage::F32(out), (batch, time, width).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (batch, time, n_gates) = x.dims3()?;
        let width = n_gates / 3;
        let (x_values, w_values, b_values) = (values(x)?, values(w)?, values(b)?);
        let (out, grad) = (values(out)?, values(grad)?);
        let before = previous_states(&out, time, width);
        let mut hidden = vec![0.0; batch * time * n_gates];
        let recurrent = Matrix::rows(&w_values, width);
        let sizes = (batch * time, n_gates, width);
        matmul(sizes, &mut hidden, false, Matrix::rows(&before, width), recurrent.transposed());

        let (mut dx, mut d_hidden) = (vec![0.0; hidden.len()], vec![0.0; hidden.len()]);
        let (mut d_state, mut d_now) = (vec![0.0; batch * width], vec![0.0; batch * n_gates]);
        for t in (0..time).rev() {
            for clip in 0..batch {
                let at = clip * time + t;
                let (input, hidden) = (&x_values[at * n_gates..][..n_gates], &hidden[at * n_gates..][..n_gates]);
                for i in 0..width {
                    let (reset, update, new, recalled) = gates(i, width, input, hidden, &b_values);
                    let d = d_state[clip * width + i] + grad[at * width + i];
                    let d_new = d * (1.0 - update) * (1.0 - new * new);
                    let d_update = d * (before[at * width + i] - new) * update * (1.0 - update);
                    let d_reset = d_new * recalled * reset * (1.0 - reset);
                    let of_input = [d_reset, d_update, d_new];
                    let of_hidden = [d_reset, d_update, d_new * reset];
                    for g in 0..3 {
                        dx[at * n_gates + g * width + i] = of_input[g];
                        d_now[clip * n_gates + g * width + i] = of_hidden[g];
                    }
                    d_state[clip * width + i] = d * update;
                }
                d_hidden[at * n_gates..][..n_gates].copy_from_slice(&d_now[clip * n_gates..][..n_gates]);
            }
            matmul((batch, width, n_gates), &mut d_state, true, Matrix::rows(&d_now, n_gates), recurrent);
        }
        // One product for all time steps is faster than one per step.
        let mut dw = vec![0.0; w_values.len()];
        let rows = Matrix::rows(&d_hidden, n_gates).transposed();
        matmul((n_gates, width, batch * time), &mut dw, false, rows, Matrix::rows(&before, width));
        let mut db = vec![0.0; n_gates];
        for row in d_hidden.chunks_exact(n_gates) {
            db.iter_mut().zip(row).for_each(|(a, g)| *a += g);
        }
        Ok((Some(tensor(dx, x.shape())?), Some(tensor(dw, w.shape())?), Some(tensor(db, b.shape())?)))
    }
}

/// States one step earlier: each clip is moved by one step, with zeros first.
fn previous_states(states: &[f32], time: usize, width: usize) -> Vec<f32> {
    let mut before = vec![0.0; states.len()];
    for (before, states) in before.chunks_exact_mut(time * width).zip(states.chunks_exact(time * width)) {
        before[width..].copy_from_slice(&states[..(time - 1) * width]);
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};

    #[test]
    fn gradient_is_right_for_batches() {
        let inputs = [random(&[2, 4, 9], 9), random(&[9, 3], 10), random(&[9], 11)];
        let ours = |v: &[Tensor]| gru_sequence(&v[0], &v[1], &v[2]);
        gradients_match(&inputs, ours);
        plain_matches(&inputs, ours, |v| plain::gru_sequence(&v[0], &v[1], &v[2]));
    }
}
