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

/// Panics unless the gradient of every input agrees with central differences. The output is weighted by fixed random
/// numbers, so that no error can cancel.
pub fn gradients_match(inputs: &[Tensor], op: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let loss = |inputs: &[Tensor]| -> Result<Tensor> {
        let out = op(inputs)?;
        (&out * random(out.dims(), 99))?.sum_all()
    };
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).expect("var")).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let grads = loss(&tensors).expect("forward").backward().expect("backward");
    for (i, input) in inputs.iter().enumerate() {
        let analytic = values(grads.get(&vars[i]).expect("gradient")).expect("values");
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
