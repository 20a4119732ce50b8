//! Edits the plugin's saved state: its length (64 bits, little-endian), then JSON. The session is a JSON string inside
//! it.

use serde_json::Value;

/// The saved state does not have this version's format.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The state ends before the JSON.
    #[error("the plugin saved a state of {0} bytes, which is too short")]
    TooShort(usize),
    /// The state or the session in it is not JSON.
    #[error("the plugin saved a state that is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The JSON has no session.
    #[error("the plugin's state has no session")]
    NoSession,
}

/// Returns the state with an edited session, as if the project had been saved like that.
pub fn with_session(state: &[u8], edit: impl FnOnce(&mut Value)) -> Result<Vec<u8>, StateError> {
    let json = with_session_in_json(state.get(8..).ok_or(StateError::TooShort(state.len()))?, edit)?;
    Ok([&(json.len() as u64).to_le_bytes(), json.as_slice()].concat())
}

/// The same for the JSON alone, which is the whole state in VST3.
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
