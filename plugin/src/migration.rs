//! Migration of projects of earlier versions, so that they sound as they did.

use nice_plug::plugin::{ParamValue, PluginState};

/// Parameters that were added later, with the value that earlier versions played at. Their defaults differ from it.
const BEFORE: [(&str, ParamValue); 3] =
    [("room", ParamValue::F32(0.0)), ("room_decay", ParamValue::F32(0.6)), ("match_level", ParamValue::Bool(false))];

/// A parameter that every version saved. A state without it has no parameters, so there is nothing to complete.
const ALWAYS: &str = "mix";

/// Adds the parameters that a state of an earlier version lacks.
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
    fn absent_parameters_get_their_earlier_value_and_present_ones_stay() {
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
