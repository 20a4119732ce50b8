//! An instrument: its card and its decoder, loaded from one file.

use crate::config::N_Z;
use crate::hear::encoder::Encoder;
use crate::k_weight::power_of;
use crate::nn::Backend;
use crate::nn::weights::{LoadError, Weights};
use crate::play::decoder::{Decoder, Features};
use crate::play::follow::Follow;
use serde::{Deserialize, Serialize};

/// Format and version of an instrument file.
pub const FORMAT: &str = "embouchure-instrument/2";

/// What an instrument file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Shown to the player.
    pub name: String,
    /// Brass, strings, woodwind, voice, …
    pub family: String,
    /// Licence of the weights.
    pub licence: String,
    /// Who trained them.
    pub author: String,
    /// Recordings they were trained on, with attribution.
    pub trained_on: String,
    /// Minutes of those recordings that were used.
    pub minutes: f32,
    /// Content id of the encoder file they were trained with.
    pub encoder_id: String,
    /// Units of the decoder's hidden layers.
    pub width: usize,
    /// Playable range: 5th and 95th percentile of the f0 trained on, Hz.
    pub f0_range_hz: [f32; 2],
    /// 5th, 50th, 80th and 95th percentile of the loudness trained on, dB.
    pub loudness_db: [f32; 4],
    /// Mean of each value of z over the training data.
    pub z_mean: Vec<f32>,
    /// Standard deviation of each value of z over the training data.
    pub z_std: Vec<f32>,
    /// Its noise is played louder by this than it was learned, dB: other voices, a whistle above all, bring less of the
    /// breath or bow along that an instrument is known by.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub breath_db: f32,
    /// How much less its soft and loud differ than those of the source that is brought to its level: 0 = as it was played,
    /// 1 = not at all. Between its notes a whistle all but ends, and a bow does not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub compression: f32,
    /// A line within its range rather stays in its octave than it is moved to the middle of the range.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keeps_octave: bool,
    /// Last held-out training loss.
    pub loss: f32,
    /// Day of the training, YYYY-MM-DD.
    pub date: String,
}

/// Immutable, shared between threads by `Arc`.
pub struct Instrument {
    /// What the file says about itself.
    pub card: Card,
    /// Content id of the file.
    pub id: String,
    pub(crate) decoder: Decoder,
    /// Weighted mean square of its loud notes, as it plays them by itself: what its level is expected to be.
    pub(crate) loud_power: f32,
}

impl Instrument {
    /// Reads an instrument file that must have been trained with `encoder`, or with one whose z it keeps, and is run as that
    /// is. Allocates; takes tens of milliseconds, so never call it on the audio or GUI thread.
    pub fn from_bytes(bytes: &[u8], encoder: &Encoder) -> Result<Self, LoadError> {
        let instrument = Self::load(bytes, encoder.backend)?;
        let id = &instrument.card.encoder_id;
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
        let decoder = Decoder::load(&mut weights, card.width, backend)?;
        let loud_power = loud_power(&decoder, &card);
        Ok(Self { card, id: crate::nn::weights::content_id(bytes), decoder, loud_power })
    }

    /// The decoder, for rendering whole clips.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// Mean square of loud notes where it cannot be measured: -20 dB.
const USUAL_POWER: f32 = 0.01;
/// Hops that a note is played for, and those at its end that are measured.
const N_PLAYED: usize = 40;
const N_MEASURED: usize = 20;

/// Plays notes over the range, as loud as the card's loud notes, and measures them. Allocates.
fn loud_power(decoder: &Decoder, card: &Card) -> f32 {
    let [low, high] = card.f0_range_hz;
    let mut sum = 0.0;
    let shares = [0.2, 0.4, 0.6, 0.8];
    for f0_hz in shares.map(|share| low * (high / low).powf(share)) {
        let features = Features { f0_hz, loudness_db: card.loudness_db[2], voicing: 0.95, z: &card.z_mean };
        let mut stream = decoder.stream();
        let raw = decoder.forward(&[features.scaled(card); N_PLAYED]);
        for raw in &raw[N_PLAYED - N_MEASURED..] {
            sum += power_of(&decoder.controls(&mut stream, raw, f0_hz, &Follow::NONE));
        }
    }
    let mean = sum / (shares.len() * N_MEASURED) as f32;
    if mean.is_finite() && mean > 0.0 { mean } else { USUAL_POWER }
}

fn is_zero(x: &f32) -> bool {
    *x == 0.0
}

fn is_false(x: &bool) -> bool {
    !x
}

impl Card {
    /// What an instrument file says about itself, whether or not it can be played. Allocates.
    pub fn of(bytes: &[u8]) -> Result<Self, LoadError> {
        crate::nn::weights::read_card(bytes, FORMAT)
    }

    /// Refuses values that would make the sound wrong rather than fail.
    fn check(&self) -> Result<(), LoadError> {
        let [low, high] = self.f0_range_hz;
        let wrong = |what: &str| Err(LoadError::Card(format!("{what} makes no sense")));
        if !(low > 0.0 && low <= high && high.is_finite()) {
            return wrong("its playable range");
        }
        if !self.loudness_db.iter().all(|x| x.is_finite()) {
            return wrong("its loudness");
        }
        if !(-40.0..=40.0).contains(&self.breath_db) {
            return wrong("its breath");
        }
        if !(0.0..=1.0).contains(&self.compression) {
            return wrong("its compression");
        }
        if self.z_mean.len() != N_Z || self.z_std.len() != N_Z || !self.z_std.iter().all(|s| *s > 0.0) {
            return wrong("its statistics of z");
        }
        Ok(())
    }
}
