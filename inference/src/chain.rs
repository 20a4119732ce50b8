//! The signal chain of one hop: from a source to synth controls.

use crate::controls::Controls;
use crate::hear::{Heard, HopInput, Source};
use crate::play::{LoadedInstrument, Played, Player, Slot};
use crate::settings::Settings;

/// A source and a player. Uses no thread, no clock and no file, and allocates nothing after `new`.
pub struct Chain<S> {
    source: S,
    player: Player,
}

/// Result of one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopOutput {
    /// Controls for the synth.
    pub controls: Controls,
    /// What was heard, before transposition: for meters and the f0 track.
    pub heard: Heard,
    /// False if a network gave NaN or infinity.
    pub is_valid: bool,
}

impl HopOutput {
    /// Controls without anything heard, as models in tests give them.
    pub fn of(controls: Controls) -> Self {
        Self { controls, heard: Heard::SILENCE, is_valid: true }
    }

    /// Silence in place of a failed hop.
    pub const FAILED: Self = Self { controls: Controls::SILENT, heard: Heard::SILENCE, is_valid: false };
}

impl<S: Source> Chain<S> {
    /// `instruments`: A and B. Allocates nothing itself.
    pub fn new(source: S, player: Player) -> Self {
        Self { source, player }
    }

    /// One hop. Realtime-safe.
    pub fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let heard = self.source.hop(input, settings);
        // NaN would shut the gate, and the failure would look like silence that is not counted.
        if !heard.is_valid() {
            return HopOutput::FAILED;
        }
        let Played { controls, is_valid } = self.player.hop(&heard, settings);
        if is_valid { HopOutput { controls, heard, is_valid } } else { HopOutput::FAILED }
    }

    /// Forgets the past, as if newly made. Realtime-safe.
    pub fn reset(&mut self) {
        self.source.reset();
        self.player.reset();
    }

    /// As [`reset`](Self::reset), but what was learned of the source and its room stays: the same player goes on.
    /// Realtime-safe.
    pub fn rest(&mut self) {
        self.source.rest();
        self.player.rest();
    }

    /// See [`Player::load`].
    pub fn load(&mut self, slot: Slot, instrument: Option<Box<LoadedInstrument>>) -> Option<Box<LoadedInstrument>> {
        self.player.load(slot, instrument)
    }

    /// See [`Player::take_retired`].
    pub fn take_retired(&mut self) -> Option<Box<LoadedInstrument>> {
        self.player.take_retired()
    }
}
