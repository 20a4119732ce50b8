//! Streams through networks of candle's operations.

use crate::nn::{Network, Stream};
use candle_core::{Device, Result, Tensor};
use std::sync::Arc;

/// A network of candle's operations.
pub(super) trait Operations<const I: usize, const O: usize>: Send + Sync + 'static {
    /// Where its weights are.
    fn device(&self) -> &Device;

    /// What its layers remember of a stream that it has read nothing of.
    fn memory(&self) -> Result<Vec<Tensor>>;

    /// `[hops, I]` to `[hops, O]`; `memory` moves on.
    fn run(&self, memory: &mut [Tensor], x: &Tensor) -> Result<Tensor>;

    /// Hops of a clip, one after the other.
    fn hops(&self, memory: &mut [Tensor], input: &[[f32; I]]) -> Result<Vec<f32>> {
        let x = Tensor::from_slice(input.as_flattened(), (input.len(), I), self.device())?;
        self.run(memory, &x)?.flatten_all()?.to_vec1()
    }
}

struct OperationsStream<N> {
    network: Arc<N>,
    /// None before the first hop.
    memory: Option<Vec<Tensor>>,
}

impl<const I: usize, const O: usize, N: Operations<I, O>> Network<I, O> for N {
    fn stream(self: Arc<Self>) -> Box<dyn Stream<I, O>> {
        Box::new(OperationsStream { network: self, memory: None })
    }

    fn realtime_stream(self: Arc<Self>) -> Option<Box<dyn Stream<I, O>>> {
        None
    }

    fn forward(self: Arc<Self>, clip: &[[f32; I]]) -> Vec<[f32; O]> {
        if clip.is_empty() {
            return Vec::new();
        }
        match self.memory().and_then(|mut memory| self.hops(&mut memory, clip)) {
            Ok(values) => values.as_chunks().0.to_vec(),
            Err(_) => vec![[f32::NAN; O]; clip.len()],
        }
    }
}

impl<N> OperationsStream<N> {
    fn run<const I: usize, const O: usize>(&mut self, input: &[f32; I]) -> Result<Vec<f32>>
    where
        N: Operations<I, O>,
    {
        let memory = match &mut self.memory {
            Some(memory) => memory,
            None => self.memory.insert(self.network.memory()?),
        };
        self.network.hops(memory, std::slice::from_ref(input))
    }
}

impl<const I: usize, const O: usize, N: Operations<I, O>> Stream<I, O> for OperationsStream<N> {
    fn hop(&mut self, input: &[f32; I], output: &mut [f32; O]) {
        match self.run(input) {
            Ok(values) => output.copy_from_slice(&values),
            Err(_) => output.fill(f32::NAN),
        }
    }

    fn reset(&mut self) {
        self.memory = None;
    }
}
