//! A whole network as one operation of candle's.

use super::slice;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use std::cell::RefCell;

/// Rows of `width` values that `network` makes of the values of `x`, which is on the CPU and contiguous. Without gradients.
pub fn fused(x: &Tensor, width: usize, network: impl FnMut(&[f32]) -> Result<Vec<f32>>) -> Result<Tensor> {
    x.apply_op1_no_bwd(&Fused { width, network: RefCell::new(network) })
}

struct Fused<F> {
    width: usize,
    /// In a cell, for candle calls operations that remember nothing, and a network's memory moves on.
    network: RefCell<F>,
}

impl<F: FnMut(&[f32]) -> Result<Vec<f32>>> CustomOp1 for Fused<F> {
    fn name(&self) -> &'static str {
        "fused"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = (self.network.borrow_mut())(slice(x, layout)?)?;
        let n_rows = out.len() / self.width;
        Ok((CpuStorage::F32(out), (n_rows, self.width).into()))
    }
}
