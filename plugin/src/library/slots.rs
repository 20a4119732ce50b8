//! Saved form of both slots' instruments in sessions and presets: `instrument` for A, `second` for B, as in all
//! versions. For `#[serde(flatten, with = "slots")]`.

use super::InstrumentRef;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default)]
    instrument: Option<InstrumentRef>,
    #[serde(default)]
    second: Option<InstrumentRef>,
}

pub fn serialize<S: Serializer>(slots: &[Option<InstrumentRef>; 2], to: S) -> Result<S::Ok, S::Error> {
    let [instrument, second] = slots.clone();
    Written { instrument, second }.serialize(to)
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[Option<InstrumentRef>; 2], D::Error> {
    let Written { instrument, second } = Written::deserialize(from)?;
    Ok([instrument, second])
}
