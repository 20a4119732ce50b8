//! A whole network as one candle operation on the CPU.

use crate::nn::{Network, Stream};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use std::cell::RefCell;
use std::sync::Arc;

/// A network that candle runs hop by hop, as one operation.
pub struct Fused<N>(pub Arc<N>);

/// A stream of it. In a cell, because candle's operations are called by shared reference and a hop changes the state.
struct FusedStream<const I: usize, const O: usize>(RefCell<Box<dyn Stream<I, O>>>);

impl<const I: usize, const O: usize, N: Network<I, O>> Network<I, O> for Fused<N> {
    fn stream(self: Arc<Self>) -> Box<dyn Stream<I, O>> {
        Box::new(FusedStream(RefCell::new(self.0.clone().stream())))
    }

    fn realtime_stream(self: Arc<Self>) -> Option<Box<dyn Stream<I, O>>> {
        self.0.clone().realtime_stream()
    }
}

impl<const I: usize, const O: usize> FusedStream<I, O> {
    fn run(&self, input: &[f32; I]) -> Result<Vec<f32>> {
        Tensor::from_slice(input, I, &Device::Cpu)?.apply_op1_no_bwd(self)?.to_vec1()
    }
}

impl<const I: usize, const O: usize> Stream<I, O> for FusedStream<I, O> {
    fn hop(&mut self, input: &[f32; I], output: &mut [f32; O]) {
        match self.run(input) {
            Ok(values) => output.copy_from_slice(&values),
            Err(_) => output.fill(f32::NAN),
        }
    }

    fn reset(&mut self) {
        self.0.get_mut().reset();
    }
}

impl<const I: usize, const O: usize> CustomOp1 for FusedStream<I, O> {
    fn name(&self) -> &'static str {
        "fused"
    }

    /// `[I]` to `[O]`.
    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some(input) = slice(x, layout)?.as_array() else { candle_core::bail!("a hop has {I} values") };
        let mut output = [0.0; O];
        self.0.borrow_mut().hop(input, &mut output);
        Ok((CpuStorage::F32(output.to_vec()), O.into()))
    }
}

/// The values of a contiguous argument of a custom operation.
pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("argument must be contiguous"),
    }
}
