//! Projects of earlier versions sound as they did.

use nice_plug::plugin::{ParamValue, PluginState};

/// What was played before a parameter was there, where its default is something else.
const BEFORE: [(&str, ParamValue); 3] =
    [("room", ParamValue::F32(0.0)), ("room_decay", ParamValue::F32(0.6)), ("match_level", ParamValue::Bool(false))];

/// A parameter of every version: a state without it says nothing about how anything sounded.
const ALWAYS: &str = "mix";

/// Adds the parameters that a state of an earlier version does not have.
pub fn complete(state: &mut PluginState) {
    if !state.params.contains_key(ALWAYS) {
        return;
    }
    for (id, value) in BEFORE {
        state.params.entry(id.into()).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(state: &PluginState, id: &str) -> f32 {
        match state.params[id] {
            ParamValue::F32(value) => value,
            _ => panic!("{id} is no number"),
        }
    }

    #[test]
    fn what_was_dry_stays_dry_and_what_is_there_stays() {
        let json = r#"{"version":"0.1.0","params":{"mix":{"f32":1.0}},"fields":{}}"#;
        let mut state: PluginState = serde_json::from_str(json).unwrap();
        complete(&mut state);
        assert_eq!((value(&state, "room"), value(&state, "room_decay")), (0.0, 0.6));
        assert!(matches!(state.params["match_level"], ParamValue::Bool(false)));
        state.params.insert("room_decay".into(), ParamValue::F32(1.5));
        complete(&mut state);
        assert_eq!(value(&state, "room_decay"), 1.5);
        state.params.clear();
        complete(&mut state);
        assert!(state.params.is_empty());
    }
}
