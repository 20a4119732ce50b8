//! An instrument: its card and its decoder, loaded from one file.

pub use super::card::{Adjustments, Card, Provenance, Run, Shape, Statistics};

use crate::hear::encoder::Encoder;
use crate::k_weight::power_of;
use crate::nn::Backend;
use crate::nn::weights::{LoadError, Weights};
use crate::play::decoder::{Decoder, Features};
use crate::play::follow::Follow;

/// Format and version of an instrument file.
pub const FORMAT: &str = "embouchure-instrument/2";

/// Immutable, shared between threads by `Arc`.
pub struct Instrument {
    /// What the file says about itself.
    pub card: Card,
    /// Content id of the file.
    pub id: String,
    pub(crate) decoder: Decoder,
    /// Expected K-weighted mean square of its loud notes, before any gain.
    pub(crate) loud_power: f32,
}

impl Instrument {
    /// Reads an instrument file that must have been trained with `encoder`, or with one whose z it keeps, and is run as
    /// that is. Allocates; takes tens of milliseconds, so never call it on the audio or GUI thread.
    pub fn from_bytes(bytes: &[u8], encoder: &Encoder) -> Result<Self, LoadError> {
        let instrument = Self::load(bytes, encoder.backend)?;
        let id = &instrument.card.provenance.encoder_id;
        if !encoder.speaks_to(id) {
            return Err(LoadError::ForeignEncoder { expected: encoder.id.clone(), actual: id.clone() });
        }
        Ok(instrument)
    }

    /// Reads an instrument file, whichever encoder it was trained with, to look at it. Allocates.
    pub fn of_any_encoder(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::load(bytes, Backend::default())
    }

    fn load(bytes: &[u8], backend: Backend) -> Result<Self, LoadError> {
        let (mut weights, card) = Weights::from_bytes::<Card>(bytes, FORMAT)?;
        card.check()?;
        let decoder = Decoder::load(&mut weights, card.shape.width, backend)?;
        let loud_power = loud_power(&decoder, &card.statistics);
        Ok(Self { card, id: crate::nn::weights::content_id(bytes), decoder, loud_power })
    }

    /// The decoder, for rendering whole clips.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// Mean square of loud notes if it cannot be measured: -20 dB.
const USUAL_POWER: f32 = 0.01;
/// Hops of each test note, and the last hops that are measured.
const N_PLAYED: usize = 40;
const N_MEASURED: usize = 20;

/// Plays test notes over the range at the loudness of the card's loud notes. Returns their mean power. Allocates.
fn loud_power(decoder: &Decoder, statistics: &Statistics) -> f32 {
    let [low, high] = statistics.f0_range_hz;
    let mut sum = 0.0;
    let shares = [0.2, 0.4, 0.6, 0.8];
    for f0_hz in shares.map(|share| low * (high / low).powf(share)) {
        let features = Features { f0_hz, loudness_db: statistics.loudness_db[2], voicing: 0.95, z: &statistics.z_mean };
        let mut stream = decoder.stream();
        let raw = decoder.forward(&[features.scaled(statistics); N_PLAYED]);
        for raw in &raw[N_PLAYED - N_MEASURED..] {
            sum += power_of(&decoder.controls(&mut stream, raw, f0_hz, &Follow::NONE));
        }
    }
    let mean = sum / (shares.len() * N_MEASURED) as f32;
    if mean.is_finite() && mean > 0.0 { mean } else { USUAL_POWER }
}
