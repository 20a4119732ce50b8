//! Streams through networks that are made of candle's operations.

use crate::nn::{Network, Stream};
use candle_core::{Device, Result, Tensor};
use std::sync::Arc;

/// A network of candle's operations.
pub(super) trait Operations<const I: usize, const O: usize>: Send + Sync + 'static {
    /// Device that holds its weights.
    fn device(&self) -> &Device;

    /// State of its layers for a new stream.
    fn new_state(&self) -> Result<Vec<Tensor>>;

    /// From `[hops, I]` to `[hops, O]`; updates `state`.
    fn run(&self, state: &mut [Tensor], x: &Tensor) -> Result<Tensor>;

    /// Outputs for consecutive hops, one after the other; updates `state`.
    fn hops(&self, state: &mut [Tensor], input: &[[f32; I]]) -> Result<Vec<f32>> {
        let x = Tensor::from_slice(input.as_flattened(), (input.len(), I), self.device())?;
        self.run(state, &x)?.flatten_all()?.to_vec1()
    }
}

struct OperationsStream<N> {
    network: Arc<N>,
    /// None before the first hop.
    state: Option<Vec<Tensor>>,
}

impl<const I: usize, const O: usize, N: Operations<I, O>> Network<I, O> for N {
    fn stream(self: Arc<Self>) -> Box<dyn Stream<I, O>> {
        Box::new(OperationsStream { network: self, state: None })
    }

    fn realtime_stream(self: Arc<Self>) -> Option<Box<dyn Stream<I, O>>> {
        None
    }

    fn forward(self: Arc<Self>, clip: &[[f32; I]]) -> Vec<[f32; O]> {
        if clip.is_empty() {
            return Vec::new();
        }
        match self.new_state().and_then(|mut state| self.hops(&mut state, clip)) {
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
        let state = match &mut self.state {
            Some(state) => state,
            None => self.state.insert(self.network.new_state()?),
        };
        self.network.hops(state, std::slice::from_ref(input))
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
        self.state = None;
    }
}
