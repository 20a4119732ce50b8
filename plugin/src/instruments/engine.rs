//! Where instruments meet the running engine. No other file of the plugin knows the engine's networks.

use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::controls::{Controls, SourceControls};
use embouchure_inference::engine::{Heard, HopModel, HopOutput};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::play::pipeline::{InstrumentSlot, Pipeline, Slot};
use std::sync::Arc;

/// What takes new instruments.
#[derive(Default)]
pub enum Running {
    /// No engine: the next one starts with what there is by then.
    #[default]
    Nothing,
    /// An engine without networks, which cannot get any before it starts again.
    Dry,
    /// An engine with networks.
    Networks(InstrumentSlot),
}

impl Running {
    /// Networks for an engine that is about to start, and where that takes new instruments. No networks without an
    /// encoder or an instrument A.
    pub fn start(
        encoder: Option<Arc<Encoder>>,
        [first, second]: [Option<Arc<Instrument>>; 2],
    ) -> (Self, Option<Box<dyn HopModel>>) {
        let networks = encoder.zip(first).map(|(encoder, first)| Pipeline::with_second(encoder, first, second));
        match networks {
            Some(Ok((pipeline, slot))) => (Self::Networks(slot), Some(Box::new(pipeline))),
            _ => (Self::Dry, None),
        }
    }

    /// Plays `instrument` from the first hop on whose settings count `n_swaps` instruments or more.
    pub fn load(&self, slot: Slot, instrument: Option<Arc<Instrument>>, n_swaps: u32) {
        if let Self::Networks(running) = self {
            running.seat(n_swaps, slot, instrument);
        }
    }
}

/// Stands in for the networks if there is no instrument.
pub struct Silent;

impl HopModel for Silent {
    fn reset(&mut self) {}

    fn hop(&mut self, _samples: &[f32; HOP_SIZE], _source: &SourceControls) -> HopOutput {
        HopOutput { controls: Controls::SILENT, heard: Heard::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_networks_the_engine_gets_silence() {
        let (running, networks) = Running::start(None, [None, None]);
        assert!(matches!(running, Running::Dry) && networks.is_none());
        assert!(Silent.hop(&[0.5; HOP_SIZE], &SourceControls::default()).controls.is_silent());
    }
}
