//! The networks of one running effect: encoder, pitch, gate, decoder. Runs on the worker thread.

use crate::config::HOP_SIZE;
use crate::controls::{Controls, SourceControls};
use crate::encoder::Encoder;
use crate::instrument::Instrument;
use crate::stream::{Heard, HopModel, HopOutput};
use std::sync::Arc;

/// Streaming state over shared weights.
pub struct Pipeline {}

/// Hands a new instrument to a running [`Pipeline`], from any thread but the audio thread.
#[derive(Clone)]
pub struct InstrumentSlot {}

impl Pipeline {
    /// Allocates the state; the weights are shared.
    pub fn new(_encoder: Arc<Encoder>, _instrument: Arc<Instrument>) -> (Self, InstrumentSlot) {
        (Self {}, InstrumentSlot {})
    }
}

impl InstrumentSlot {
    /// The worker crossfades to `instrument` from its next hop on, and frees the old one.
    pub fn play(&self, _instrument: Arc<Instrument>) {}
}

impl HopModel for Pipeline {
    fn reset(&mut self) {}
    fn hop(&mut self, _samples: &[f32; HOP_SIZE], _source: &SourceControls) -> HopOutput {
        HopOutput { controls: Controls::SILENT, heard: Heard::default() }
    }
}
