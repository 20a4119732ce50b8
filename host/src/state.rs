//! The plugin's saved state from outside: its length (64 bits, little endian) and JSON, in which the session is JSON in a
//! string.

use serde_json::Value;

/// The saved state is not what this version of the plugin saves.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Cut off before the JSON.
    #[error("the plugin saved a state of {0} bytes, which is too short")]
    TooShort(usize),
    /// Not JSON, outside or inside.
    #[error("the plugin saved a state that is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another shape.
    #[error("the plugin's state has no session")]
    NoSession,
}

/// The state with an edited session, as if the project had been saved so.
pub fn with_session(state: &[u8], edit: impl FnOnce(&mut Value)) -> Result<Vec<u8>, StateError> {
    let json = with_session_in_json(state.get(8..).ok_or(StateError::TooShort(state.len()))?, edit)?;
    Ok([&(json.len() as u64).to_le_bytes(), json.as_slice()].concat())
}

/// The same for the JSON alone, which is the state in VST3.
pub fn with_session_in_json(json: &[u8], edit: impl FnOnce(&mut Value)) -> Result<Vec<u8>, StateError> {
    let mut state: Value = serde_json::from_slice(json)?;
    let stored = state.pointer_mut("/fields/session").ok_or(StateError::NoSession)?;
    let mut session: Value = serde_json::from_str(stored.as_str().unwrap_or_default())?;
    edit(&mut session);
    *stored = Value::String(session.to_string());
    Ok(state.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_session_changes() {
        let json = json!({ "params": { "mix": 1 }, "fields": { "session": "{\"window\":1}" } }).to_string();
        let state = [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat();
        let edited = with_session(&state, |session| session["instrument"] = json!("horn")).unwrap();
        assert_eq!(edited[..8], ((edited.len() - 8) as u64).to_le_bytes());
        let edited: Value = serde_json::from_slice(&edited[8..]).unwrap();
        let session: Value = serde_json::from_str(edited["fields"]["session"].as_str().unwrap()).unwrap();
        assert_eq!(session, json!({ "window": 1, "instrument": "horn" }));
        assert_eq!(edited["params"]["mix"], 1);
        assert!(with_session(&state[..5], |_| ()).is_err());
    }
}
