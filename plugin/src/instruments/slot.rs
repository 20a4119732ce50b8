//! The instrument that a slot plays, and how it is loaded.

use crate::library::{InstrumentRef, Library};
use embouchure_inference::play::instrument::{Card, Instrument};
use std::sync::Arc;

/// What a slot plays, and a message about it. A clone is cheap, because the weights are shared.
#[derive(Clone, Default)]
pub struct Playing {
    /// The session's reference to the instrument, and its weights.
    instrument: Option<(InstrumentRef, Arc<Instrument>)>,
    /// The last failure and what to do about it, or a difference from the session.
    pub message: Option<String>,
    /// The session's file was not found, so the player may locate it.
    pub is_missing: bool,
}

/// Why an instrument cannot be loaded.
pub struct Failure {
    /// Message for the player.
    pub message: String,
    /// The file was not found.
    pub is_missing: bool,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, is_missing: false }
    }
}

impl Playing {
    /// An instrument without a message.
    pub fn new(source: InstrumentRef, instrument: Arc<Instrument>) -> Self {
        Self { instrument: Some((source, instrument)), ..Self::default() }
    }

    /// Reads the instrument that `source` names. Blocks.
    pub fn load(library: &Library, source: InstrumentRef) -> Result<Self, Failure> {
        let InstrumentRef::File { path, id, .. } = &source else {
            let instrument = library.loaded.built_in(source.name())?;
            return Ok(Self::new(source, instrument));
        };
        let there = library.loaded.file(path);
        if let Ok(instrument) = &there
            && (id.is_empty() || *id == instrument.id)
        {
            let instrument = instrument.clone();
            return Ok(Self::new(source, instrument));
        }
        // The file may have been moved, or replaced by another one of the same name.
        library.shelf.rescan();
        if let Some(moved) = library.shelf.file_with(id)
            && let Ok(instrument) = library.loaded.file(&moved)
        {
            let message = format!("{} was found as {}", source.name(), moved.display());
            return Ok(Self { message: Some(message), ..Self::new(source, instrument) });
        }
        match there {
            Ok(instrument) => {
                let message = format!("{} has changed since this session was saved", path.display());
                Ok(Self { message: Some(message), ..Self::new(source, instrument) })
            }
            Err(e) => {
                let message = format!("the instrument {} of this session: {e}", source.name());
                Err(Failure { message, is_missing: !path.exists() })
            }
        }
    }

    /// The session's reference to what plays.
    pub fn source(&self) -> Option<&InstrumentRef> {
        self.instrument.as_ref().map(|(source, _)| source)
    }

    /// The weights.
    pub fn instrument(&self) -> Option<&Arc<Instrument>> {
        self.instrument.as_ref().map(|(_, instrument)| instrument)
    }

    /// Name of the instrument; empty if nothing plays.
    pub fn name(&self) -> &str {
        self.card().map_or("", |card| &card.name)
    }

    /// The card of the weights.
    pub fn card(&self) -> Option<&Card> {
        self.instrument().map(|instrument| &instrument.card)
    }

    /// Playable range, Hz.
    pub fn range_hz(&self) -> Option<[f32; 2]> {
        self.card().map(|card| card.statistics.f0_range_hz)
    }
}
