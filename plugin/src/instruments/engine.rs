//! Hands instruments to the running engine. No other file of the plugin uses the engine's networks.

use embouchure_inference::chain::HopOutput;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::{DriverKind, HopModel, Loader, Model};
use embouchure_inference::hear::HopInput;
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::Slot;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::settings::Settings;
use std::sync::Arc;

/// The running engine, as the receiver of new instruments.
#[derive(Default)]
pub enum EngineLink {
    /// No engine runs. The next one starts with the slots' instruments.
    #[default]
    Nothing,
    /// An engine without networks. It gets them only when it starts again.
    Dry,
    /// An engine with networks.
    Networks(Loader),
}

impl EngineLink {
    /// Networks for an engine that is about to start, and the receiver of its new instruments. Without an encoder or an
    /// instrument A there are no networks.
    pub fn start(
        driver: DriverKind,
        encoder: Option<Arc<Encoder>>,
        instruments: [Option<Arc<Instrument>>; 2],
    ) -> (Self, Option<Box<dyn HopModel>>) {
        match encoder.filter(|_| instruments[Slot::A as usize].is_some()) {
            Some(encoder) => {
                let (model, loader) = Model::for_driver(driver, &encoder, instruments);
                (Self::Networks(loader), Some(Box::new(model)))
            }
            None => (Self::Dry, None),
        }
    }

    /// See [`Loader::load`].
    pub fn load(&self, n_loads: u32, slot: Slot, instrument: Option<Arc<Instrument>>) {
        if let Self::Networks(loader) = self {
            loader.load(n_loads, slot, instrument);
        }
    }
}

/// A silent model, for an engine without an instrument.
pub struct Silent;

impl HopModel for Silent {
    fn reset(&mut self) {}

    fn hop(&mut self, _input: HopInput<'_>, _settings: &Settings) -> HopOutput {
        HopOutput::of(Controls::SILENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embouchure_inference::config::HOP_SIZE;

    #[test]
    fn without_networks_the_engine_gets_silence() {
        let (running, networks) = EngineLink::start(DriverKind::default(), None, [None, None]);
        assert!(matches!(running, EngineLink::Dry) && networks.is_none());
        assert!(Silent.hop(HopInput { samples: &[0.5; HOP_SIZE] }, &Settings::default()).controls.is_silent());
    }
}
