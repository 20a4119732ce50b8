//! Gains of an instrument's body for the harmonics of a batch.

use super::{on_cpu, plain, slice, tensor, values};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use embouchure_inference::play::body::between;
use std::sync::Arc;

/// Reads gains from a table by linear interpolation. `table`: natural logarithms, any shape. `places`: for each value
/// of the result, the index of its lower neighbour in the table and the weight of the next, see
/// [`embouchure_inference::play::body::neighbours`]. Returns linear gains of the given shape.
pub fn body_gains(table: &Tensor, places: Arc<Vec<(u32, f32)>>, shape: (usize, usize, usize)) -> Result<Tensor> {
    match on_cpu(table) {
        true => table.contiguous()?.apply_op1(BodyGains { places, shape }),
        false => plain::body_gains(table, &places, shape),
    }
}

struct BodyGains {
    places: Arc<Vec<(u32, f32)>>,
    shape: (usize, usize, usize),
}

impl CustomOp1 for BodyGains {
    fn name(&self) -> &'static str {
        "body-gains"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let table = slice(table, layout)?;
        let gain = |(low, share): &(u32, f32)| between(table, (*low as usize, *share)).exp();
        Ok((CpuStorage::F32(self.places.iter().map(gain).collect()), self.shape.into()))
    }

    fn bwd(&self, table: &Tensor, out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut d = vec![0.0; table.elem_count()];
        for (((low, share), gain), g) in self.places.iter().zip(values(out)?).zip(values(grad)?) {
            let low = *low as usize;
            d[low] += (1.0 - share) * gain * g;
            d[low + 1] += share * gain * g;
        }
        Ok(Some(tensor(d, table.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};

    #[test]
    fn gradient_is_right() {
        let places = Arc::new(vec![(0, 0.0), (0, 0.3), (1, 0.5), (3, 0.9), (5, 0.2), (8, 1.0)]);
        let (table, ours) = ([random(&[2, 5], 8)], |v: &[Tensor]| body_gains(&v[0], places.clone(), (1, 2, 3)));
        gradients_match(&table, ours);
        plain_matches(&table, ours, |v| plain::body_gains(&v[0], &places, (1, 2, 3)));
    }
}
