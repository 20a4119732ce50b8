//! The product's chain, and the rings that bring new instruments to it while it runs, and old ones back.

use super::{DriverKind, HopModel};
use crate::chain::{Chain, HopOutput};
use crate::hear::encoder::Encoder;
use crate::hear::{HopInput, Microphone};
use crate::play::instrument::Instrument;
use crate::play::{LoadedInstrument, Player, Slot};
use crate::settings::Settings;
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Loads on their way to a model that is not running; further ones wait in the loader.
const N_IN_FLIGHT: usize = 64;
/// Room for old instruments on their way back: one per load in flight, and those that play, fade or wait in both
/// voices.
const N_RETIRED: usize = N_IN_FLIGHT + 8;

/// The product's chain: microphone and player.
pub struct Model {
    chain: Chain<Microphone>,
    loads: Consumer<Load>,
    /// The next load, if it is not due yet.
    early: Option<Load>,
    /// Old instruments, which the loader frees.
    retired: Producer<Box<LoadedInstrument>>,
}

/// Hands new instruments to a running [`Model`], from any thread but the audio thread. The model never waits for it.
#[derive(Clone)]
pub struct Loader {
    ends: Arc<Mutex<LoaderEnds>>,
    driver: DriverKind,
}

struct LoaderEnds {
    loads: Producer<Load>,
    retired: Consumer<Box<LoadedInstrument>>,
    /// Loads that found no room, oldest first. They go with the next load.
    waiting: VecDeque<Load>,
}

/// An instrument for a voice; `None` empties the voice.
struct Load {
    slot: Slot,
    instrument: Option<Box<LoadedInstrument>>,
    /// Due once the samples count this many loads.
    after: u32,
}

impl Model {
    /// A model for the default driver. `instruments`: A and B. Allocates the state; the weights are shared.
    pub fn new(encoder: &Encoder, instruments: [Option<Arc<Instrument>>; 2]) -> (Self, Loader) {
        Self::for_driver(DriverKind::default(), encoder, instruments)
    }

    /// A model for `driver`: in the callback, its networks allocate nothing. Allocates the state; the weights are
    /// shared.
    pub fn for_driver(
        driver: DriverKind,
        encoder: &Encoder,
        instruments: [Option<Arc<Instrument>>; 2],
    ) -> (Self, Loader) {
        let (loads_in, loads) = RingBuffer::new(N_IN_FLIGHT);
        let (retired, retired_out) = RingBuffer::new(N_RETIRED);
        let microphone = match driver {
            DriverKind::Direct => Microphone::realtime(encoder),
            #[cfg(feature = "worker")]
            DriverKind::Worker => Microphone::new(encoder),
        };
        let player = Player::new(instruments.map(|instrument| instrument.map(|i| loaded(i, driver))));
        let model = Self { chain: Chain::new(microphone, player), loads, early: None, retired };
        let ends = LoaderEnds { loads: loads_in, retired: retired_out, waiting: VecDeque::new() };
        (model, Loader { ends: Arc::new(Mutex::new(ends)), driver })
    }

    fn send_back(&mut self, old: Option<Box<LoadedInstrument>>) {
        let Some(old) = old else { return };
        let sent = self.retired.push(old);
        debug_assert!(sent.is_ok(), "there is room for all that were loaded");
    }

    fn send_back_retired(&mut self) {
        while let Some(old) = self.chain.take_retired() {
            self.send_back(Some(old));
        }
    }
}

fn loaded(instrument: Arc<Instrument>, driver: DriverKind) -> Box<LoadedInstrument> {
    Box::new(match driver {
        DriverKind::Direct => LoadedInstrument::realtime(instrument),
        #[cfg(feature = "worker")]
        DriverKind::Worker => LoadedInstrument::new(instrument),
    })
}

impl HopModel for Model {
    fn load(&mut self, n_loads: u32) {
        while let Some(load) = self.early.take().or_else(|| self.loads.pop().ok()) {
            if load.after > n_loads {
                self.early = Some(load);
                return;
            }
            let replaced = self.chain.load(load.slot, load.instrument);
            self.send_back(replaced);
        }
    }

    fn reset(&mut self) {
        // Instruments that are here play from the first hop on.
        self.load(u32::MAX);
        self.chain.reset();
        self.send_back_retired();
    }

    fn rest(&mut self) {
        self.load(u32::MAX);
        self.chain.rest();
        self.send_back_retired();
    }

    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let output = self.chain.hop(input, settings);
        self.send_back_retired();
        output
    }
}

impl Loader {
    /// Allocates the instrument's state and sends it to the model. The model crossfades to it in the first hop that
    /// counts `n_loads` loads or more, and sends the old one back; 0 = at once. A bounce waits for its files, so it
    /// swaps at the same sample each time. `None` empties B; A is never emptied. Frees instruments that came back.
    pub fn load(&self, n_loads: u32, slot: Slot, instrument: Option<Arc<Instrument>>) {
        if slot == Slot::B || instrument.is_some() {
            let instrument = instrument.map(|instrument| loaded(instrument, self.driver));
            self.exchange(Some(Load { slot, instrument, after: n_loads }));
        }
    }

    /// Frees instruments that came back since the last load.
    pub fn free_retired(&self) {
        self.exchange(None);
    }

    fn exchange(&self, load: Option<Load>) {
        let mut old = Vec::new();
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(retired) = ends.retired.pop() {
            old.push(retired);
        }
        ends.waiting.extend(load);
        while let Some(load) = ends.waiting.pop_front() {
            if let Err(rtrb::PushError::Full(load)) = ends.loads.push(load) {
                ends.waiting.push_front(load);
                break;
            }
        }
        // Freeing may take time, so the next caller need not wait for it.
        drop(ends);
    }
}
