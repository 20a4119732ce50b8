//! What an instrument file says about itself. In the file it is one flat object of JSON; here it is divided by concern.

use super::instrument::FORMAT;
use crate::config::N_Z;
use crate::nn::weights::{LoadError, read_card};
use serde::{Deserialize, Serialize};

/// The card of an instrument. The order of all fields is that of the file: the same card gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Shown to the player.
    pub name: String,
    /// Brass, strings, woodwind, voice, …
    pub family: String,
    /// Where the weights come from.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// Sizes of the network.
    #[serde(flatten)]
    pub shape: Shape,
    /// What was measured in the recordings.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// What was set by ear.
    #[serde(flatten)]
    pub adjustments: Adjustments,
    /// How the training ended.
    #[serde(flatten)]
    pub run: Run,
}

/// Where the weights come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
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
}

/// Sizes of the network that are not the same for every instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Units of the decoder's hidden layers.
    pub width: usize,
}

/// What was measured in the recordings. The decoder's input is scaled by it, and the source is fitted to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Playable range: 5th and 95th percentile of the f0 trained on, Hz.
    pub f0_range_hz: [f32; 2],
    /// 5th, 50th, 80th and 95th percentile of the loudness trained on, dB.
    pub loudness_db: [f32; 4],
    /// Mean of each value of z over the training data.
    pub z_mean: Vec<f32>,
    /// Standard deviation of each value of z over the training data, > 0.
    pub z_std: Vec<f32>,
}

/// What was set by ear, and is not learned. By default nothing is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Adjustments {
    /// Gain of the instrument's noise against what was learned, dB, ±40: other voices, a whistle above all, bring less
    /// of the breath or bow along that an instrument is known by.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub breath_db: f32,
    /// Share by which soft and loud differ less than in a source whose level is fitted: 0 = as it was played, 1 = not
    /// at all. Between its notes a whistle all but ends, and a bow does not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub compression: f32,
    /// A line within the range rather stays in its octave than it is moved to the middle of the range.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keeps_octave: bool,
}

/// How the training ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Last held-out training loss.
    pub loss: f32,
    /// Day of the training, YYYY-MM-DD.
    pub date: String,
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
        read_card(bytes, FORMAT)
    }

    /// Refuses values that would make the sound wrong rather than fail.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        let wrong = |what: &str| Err(LoadError::Card(format!("{what} makes no sense")));
        let Statistics { f0_range_hz: [low, high], loudness_db, z_mean, z_std } = &self.statistics;
        if !(*low > 0.0 && low <= high && high.is_finite()) {
            return wrong("its playable range");
        }
        if !loudness_db.iter().all(|x| x.is_finite()) {
            return wrong("its loudness");
        }
        if !(-40.0..=40.0).contains(&self.adjustments.breath_db) {
            return wrong("its breath");
        }
        if !(0.0..=1.0).contains(&self.adjustments.compression) {
            return wrong("its compression");
        }
        if z_mean.len() != N_Z || z_std.len() != N_Z || !z_std.iter().all(|s| *s > 0.0) {
            return wrong("its statistics of z");
        }
        Ok(())
    }

    /// One that is valid, and says nothing of interest.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        Self {
            name: "Example".into(),
            family: String::new(),
            provenance: Provenance {
                licence: String::new(),
                author: String::new(),
                trained_on: String::new(),
                minutes: 1.0,
                encoder_id: String::new(),
            },
            shape: Shape { width: 16 },
            statistics: Statistics {
                f0_range_hz: [100.0, 1000.0],
                loudness_db: [-50.0, -25.0, -20.0, -15.0],
                z_mean: vec![0.0; N_Z],
                z_std: vec![1.0; N_Z],
            },
            adjustments: Adjustments::default(),
            run: Run { loss: 1.0, date: "2000-01-01".into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::SafeTensors;

    /// Content ids of shipped files are in sessions and presets, so what is written must not change.
    #[test]
    fn the_cards_of_shipped_files_are_written_as_they_are() {
        assert!(embouchure_weights::INSTRUMENTS.len() > 10);
        for (name, bytes) in embouchure_weights::INSTRUMENTS {
            let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
            let text = &header.metadata().as_ref().unwrap()["card"];
            assert_eq!(serde_json::to_string(&Card::of(bytes).unwrap()).unwrap(), *text, "{name}");
        }
    }

    #[test]
    fn a_card_without_adjustments_is_flat_and_has_none() {
        let text = serde_json::to_string(&Card::example()).unwrap();
        assert!(text.starts_with(r#"{"name":"Example","family":"","licence":"","#), "{text}");
        assert!(text.ends_with(r#","loss":1.0,"date":"2000-01-01"}"#) && !text.contains("breath_db"), "{text}");
        assert_eq!(serde_json::from_str::<Card>(&text).unwrap(), Card::example());
        let adjusted = text.replace(r#""loss""#, r#""breath_db":3.0,"keeps_octave":true,"loss""#);
        let card: Card = serde_json::from_str(&adjusted).unwrap();
        assert_eq!(card.adjustments, Adjustments { breath_db: 3.0, compression: 0.0, keeps_octave: true });
        assert!(card.check().is_ok());
        assert!(serde_json::from_str::<Card>(&text.replace(r#""width":16,"#, "")).is_err());
    }
}
