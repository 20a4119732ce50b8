//! The product's chain, and the channel that brings new instruments to it while it runs.

use super::HopModel;
use crate::chain::{Chain, HopOutput};
use crate::hear::encoder::Encoder;
use crate::hear::{HopInput, Microphone};
use crate::play::instrument::Instrument;
use crate::play::{LoadedInstrument, Player, Slot};
use crate::settings::Settings;
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::sync::Arc;

/// The product's chain: microphone and player.
pub struct Model {
    chain: Chain<Microphone>,
    loads: Receiver<Load>,
    /// The next load, if it is not due yet.
    early: Option<Load>,
}

/// Hands new instruments to a running [`Model`], from any thread but the audio thread.
#[derive(Clone)]
pub struct Loader(Sender<Load>);

/// An instrument for a voice; `None` empties the voice.
struct Load {
    slot: Slot,
    instrument: Option<Box<LoadedInstrument>>,
    /// Due once the samples count this many loads.
    after: u32,
}

impl Model {
    /// Allocates the state; the weights are shared. `instruments`: A and B.
    pub fn new(encoder: &Encoder, instruments: [Option<Arc<Instrument>>; 2]) -> (Self, Loader) {
        let (sender, loads) = unbounded();
        let loaded = |instrument| Box::new(LoadedInstrument::new(instrument));
        let player = Player::new(instruments.map(|instrument| instrument.map(loaded)));
        (Self { chain: Chain::new(Microphone::new(encoder), player), loads, early: None }, Loader(sender))
    }

    fn free_retired(&mut self) {
        while let Some(old) = self.chain.take_retired() {
            drop(old);
        }
    }
}

impl HopModel for Model {
    fn load(&mut self, n_loads: u32) {
        while let Some(load) = self.early.take().or_else(|| self.loads.try_recv().ok()) {
            if load.after > n_loads {
                self.early = Some(load);
                return;
            }
            drop(self.chain.load(load.slot, load.instrument));
        }
    }

    fn reset(&mut self) {
        // Instruments that are here play from the first hop on.
        self.load(u32::MAX);
        self.chain.reset();
        self.free_retired();
    }

    fn rest(&mut self) {
        self.load(u32::MAX);
        self.chain.rest();
        self.free_retired();
    }

    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let output = self.chain.hop(input, settings);
        self.free_retired();
        output
    }
}

impl Loader {
    /// Allocates the instrument's state and sends it to the model. The model crossfades to it in the first hop that counts
    /// `n_loads` loads or more, and frees the old one; 0 = at once. A bounce waits for its files, so it swaps at the same sample
    /// each time. `None` empties B; A is never emptied.
    pub fn load(&self, n_loads: u32, slot: Slot, instrument: Option<Arc<Instrument>>) {
        if slot == Slot::B || instrument.is_some() {
            let instrument = instrument.map(|instrument| Box::new(LoadedInstrument::new(instrument)));
            // Fails only when the model is gone, and then nobody wants to hear it.
            let _ = self.0.send(Load { slot, instrument, after: n_loads });
        }
    }
}
