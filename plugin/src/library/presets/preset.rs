//! One preset: captured from the parameters, and applied to them.

use crate::library::shelf::Shelf;
use crate::library::{InstrumentRef, slots};
use crate::params::EmbouchureParams;
use embouchure_inference::play::Slot;
use nice_plug::prelude::{ParamPtr, ParamSetter, Params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Format name in a preset file.
pub const FORMAT: &str = "embouchure-preset/1";
/// Parameters that are not in presets. The instruments are stored by name instead.
pub const EXCLUDED: [&str; 3] = ["bypass", "instrument_a", "instrument_b"];

/// One sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// `embouchure-preset/1`.
    pub format: String,
    /// Shown to the player.
    pub name: String,
    /// What A and B play; A is never empty.
    #[serde(flatten, with = "slots")]
    pub instruments: [Option<InstrumentRef>; 2],
    /// Plain values by parameter id; an absent parameter gets its default.
    pub params: BTreeMap<String, f32>,
}

impl Preset {
    /// The present sound as a preset.
    pub fn capture(name: &str, params: &EmbouchureParams, playing: [Option<InstrumentRef>; 2]) -> Self {
        let session = params.session.get();
        let [first, second] = playing;
        let first = first.or_else(|| session.chosen(Slot::A).cloned());
        let value = |(id, param, _): (String, ParamPtr, String)| {
            // SAFETY: the parameters are borrowed for as long as this takes.
            let value = unsafe { param.unmodulated_plain_value() };
            (!EXCLUDED.contains(&id.as_str())).then_some((id, value))
        };
        Self {
            format: FORMAT.into(),
            name: name.into(),
            instruments: [first, second],
            params: params.param_map().into_iter().filter_map(value).collect(),
        }
    }

    /// Sets session and parameters to the preset, each parameter in a gesture of its own. `shelf` gives the
    /// instruments' places. The caller must then have the instruments loaded.
    pub fn apply(&self, shelf: &Shelf, params: &EmbouchureParams, setter: &ParamSetter) {
        let place = |instrument: &Option<InstrumentRef>| instrument.as_ref().and_then(|i| shelf.find(i)).unwrap_or(0);
        let places = self.instruments.each_ref().map(place);
        params.session.edit(|session| {
            for slot in Slot::ALL {
                session.choose(slot, self.instruments[slot as usize].clone(), places[slot as usize]);
            }
            session.preset = self.name.clone();
        });
        for (id, param, _) in params.param_map() {
            // SAFETY: the parameters are borrowed for as long as this takes, and the framework checks that they are its
            // own.
            unsafe {
                let plain = match id.as_str() {
                    "instrument_a" => places[0] as f32,
                    "instrument_b" => places[1] as f32,
                    "bypass" => continue,
                    id => match self.params.get(id) {
                        Some(value) if value.is_finite() => *value,
                        _ => param.default_plain_value(),
                    },
                };
                setter.raw_context.raw_begin_set_parameter(param);
                setter.raw_context.raw_set_parameter_normalized(param, param.preview_normalized(plain));
                setter.raw_context.raw_end_set_parameter(param);
            }
        }
    }

    /// True if this preset sets the values and instruments of `now`, which has every parameter.
    pub fn equals(&self, now: &Self, params: &EmbouchureParams) -> bool {
        let is_same = |slot: Slot| match [self, now].map(|preset| &preset.instruments[slot as usize]) {
            [Some(a), Some(b)] => a.is_same(b),
            [a, b] => a == b,
        };
        let is_set = |(id, param, _): (String, ParamPtr, String)| {
            // SAFETY: the parameters are borrowed for as long as this takes.
            let default = unsafe { param.default_plain_value() };
            let set = self.params.get(&id).filter(|value| value.is_finite()).unwrap_or(&default);
            now.params.get(&id).is_none_or(|now| (now - set).abs() < 1e-3)
        };
        Slot::ALL.into_iter().all(is_same) && params.param_map().into_iter().all(is_set)
    }
}
