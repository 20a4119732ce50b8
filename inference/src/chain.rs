//! The signal chain of one hop: a source is heard, and a player plays what is heard.

use crate::controls::Controls;
use crate::hear::{Heard, HopInput, Source};
use crate::play::{LoadedInstrument, Played, Player, Slot};
use crate::settings::Settings;

/// A source and a player. Knows no thread, no clock and no file; everything is allocated when it is made.
pub struct Chain<S> {
    source: S,
    player: Player,
}

/// Result of one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopOutput {
    /// What to play.
    pub controls: Controls,
    /// What was heard: for meters and for the f0 track, before transposition.
    pub heard: Heard,
    /// False if a network gave what is no number.
    pub is_valid: bool,
}

impl HopOutput {
    /// Played without anything heard.
    pub fn of(controls: Controls) -> Self {
        Self { controls, heard: Heard::SILENCE, is_valid: true }
    }

    /// The networks failed: silence stands in their place.
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
        // A gate sees no certainty in what is no number, and shuts: without this it would be silence that nobody counts.
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
