//! Compares hand-written gradients with finite differences.

use super::{tensor, values};
use candle_core::{Result, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Seeded values between -1 and 1.
pub fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let n = shape.iter().product();
    tensor((0..n).map(|_| rng.random_range(-1.0..1.0)).collect(), shape).expect("test tensor")
}

/// Every output counts with a weight of its own, so that no error can cancel.
fn weighted(out: &Tensor) -> Result<Tensor> {
    (out * random(out.dims(), 99))?.sum_all()
}

fn gradients(inputs: &[Tensor], op: impl Fn(&[Tensor]) -> Result<Tensor>) -> Vec<Vec<f32>> {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).expect("var")).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let grads = op(&tensors).and_then(|out| weighted(&out)?.backward()).expect("forward and backward");
    vars.iter().map(|var| values(grads.get(var).expect("gradient")).expect("values")).collect()
}

/// Panics unless `op` and `plain` give the same, and the same gradient for every input.
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
