//! Compares hand-written gradients with finite differences and with the plain operations.

use super::{tensor, values};
use crate::params::Params;
use candle_core::{Result, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::Cell;

thread_local! {
    /// If true, plain operations are used on the CPU, too, so that a GPU's path can be tested without one.
    pub static IS_PLAIN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with plain operations.
pub fn with_plain<T>(f: impl FnOnce() -> T) -> T {
    IS_PLAIN.set(true);
    let result = f();
    IS_PLAIN.set(false);
    result
}

/// Panics unless plain operations give the same loss and the same gradient of every parameter.
pub fn plain_gradients_match(params: &Params, loss: impl Fn() -> Result<Tensor>) {
    let run = || {
        let loss = loss().expect("forward");
        let grads = loss.backward().expect("backward");
        let of = |(name, var): (&String, &Var)| Some((name.clone(), values(grads.get(var)?).expect("values")));
        (loss.to_scalar::<f32>().expect("scalar"), params.iter().filter_map(of).collect::<Vec<_>>())
    };
    let ((ours, gradients), (theirs, plain_gradients)) = (run(), with_plain(run));
    assert!((ours - theirs).abs() < 1e-3 * ours.abs(), "{ours} and {theirs}");
    assert_eq!(gradients.len(), plain_gradients.len());
    for ((name, ours), (_, theirs)) in gradients.iter().zip(&plain_gradients) {
        let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
        let off: Vec<f32> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
        assert!(norm(&off) <= 2e-2 * norm(ours), "{name}: {} of {}", norm(&off), norm(ours));
    }
}

/// Random values between -1 and 1, by seed.
pub fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let n = shape.iter().product();
    tensor((0..n).map(|_| rng.random_range(-1.0..1.0)).collect(), shape).expect("test tensor")
}

/// Sum of the outputs with random weights, so that errors cannot cancel.
fn weighted(out: &Tensor) -> Result<Tensor> {
    (out * random(out.dims(), 99))?.sum_all()
}

fn gradients(inputs: &[Tensor], op: impl Fn(&[Tensor]) -> Result<Tensor>) -> Vec<Vec<f32>> {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).expect("var")).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let grads = op(&tensors).and_then(|out| weighted(&out)?.backward()).expect("forward and backward");
    vars.iter().map(|var| values(grads.get(var).expect("gradient")).expect("values")).collect()
}

/// Panics unless `op` and `plain` give the same result and the same gradient of every input.
pub fn plain_matches(
    inputs: &[Tensor],
    op: impl Fn(&[Tensor]) -> Result<Tensor>,
    plain: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let [ours, theirs] = [op(inputs), plain(inputs)].map(|out| out.expect("forward"));
    assert_eq!(ours.shape(), theirs.shape());
    assert_near(&values(&ours).expect("values"), &values(&theirs).expect("values"), "the result");
    for (i, (ours, theirs)) in gradients(inputs, op).iter().zip(gradients(inputs, plain)).enumerate() {
        assert_near(ours, &theirs, &format!("the gradient of input {i}"));
    }
}

fn assert_near(a: &[f32], b: &[f32], what: &str) {
    let size = (a.iter().map(|x| x * x).sum::<f32>() / a.len() as f32).sqrt();
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(size > 0.0 && worst < 1e-3 * size, "{what} is off by {worst} of {size}");
}

/// Panics unless the gradient of every input agrees with central differences.
pub fn gradients_match(inputs: &[Tensor], op: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let loss = |inputs: &[Tensor]| weighted(&op(inputs)?);
    for (i, (input, analytic)) in inputs.iter().zip(gradients(inputs, &op)).enumerate() {
        let at = values(input).expect("values");
        for (j, got) in analytic.iter().enumerate() {
            let shifted = |by: f32| {
                let mut moved = at.clone();
                moved[j] += by;
                let mut inputs = inputs.to_vec();
                inputs[i] = tensor(moved, input.shape()).expect("tensor");
                loss(&inputs).expect("forward").to_scalar::<f32>().expect("scalar")
            };
            const STEP: f32 = 1e-2;
            let numeric = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            assert!((got - numeric).abs() < 2e-2 * (1.0 + numeric.abs()), "input {i}[{j}]: {got} for {numeric}");
        }
    }
}
