//! State that the host's project saves beside the parameters.

use crate::buffer::BufferChoice;
use crate::engine_choice::EngineChoice;
use crate::library::shelf::DEFAULT_PLACE;
use crate::library::{InstrumentRef, slots};
use embouchure_inference::play::Slot;
use nice_plug::params::persist::PersistentField;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// The saved state. Unknown fields are ignored and absent ones get their default, so sessions of other versions load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// The player's choice for A and B. A slot plays it while its parameter has the value in `places`, or 0. A is never
    /// empty.
    #[serde(flatten, with = "slots")]
    pub instruments: [Option<InstrumentRef>; 2],
    /// Values of the parameters of A and B when the player chose. At another value, automation has moved the parameter.
    /// The player's choice is found by its content, even if its place on the shelf has changed.
    pub places: [i32; 2],
    /// The player's files that were played, by their place on the shelf. The project finds them by content, even if the
    /// shelf has another file at that place now, or on another computer.
    pub files: BTreeMap<i32, InstrumentRef>,
    /// Name of the preset that was loaded last.
    pub preset: String,
    /// Colours of the editor.
    pub theme: Theme,
    /// Size of the editor's window.
    pub window: WindowSize,
    /// Choice of the longest block that the latency covers.
    pub buffer: BufferChoice,
    /// Where the engine computes.
    #[serde(skip_serializing_if = "EngineChoice::is_default")]
    pub engine: EngineChoice,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            instruments: [Some(InstrumentRef::default()), None],
            places: [DEFAULT_PLACE, 0],
            files: BTreeMap::new(),
            preset: String::new(),
            theme: Theme::default(),
            window: WindowSize::default(),
            buffer: BufferChoice::default(),
            engine: EngineChoice::default(),
        }
    }
}

impl Session {
    /// The player's choice for a slot.
    pub fn chosen(&self, slot: Slot) -> Option<&InstrumentRef> {
        self.instruments[slot as usize].as_ref()
    }

    /// Stores the player's choice for a slot whose parameter is, or will be, at `place`. Choosing none for A changes
    /// nothing.
    pub fn choose(&mut self, slot: Slot, instrument: Option<InstrumentRef>, place: i32) {
        if slot == Slot::A && instrument.is_none() {
            return;
        }
        if let Some(file @ InstrumentRef::File { .. }) = &instrument
            && place != 0
        {
            self.files.insert(place, file.clone());
        }
        self.instruments[slot as usize] = instrument;
        self.places[slot as usize] = place;
    }
}

/// Colours of the editor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

/// A window's size in logical pixels, before the host's scaling for high-resolution screens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowSize {
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl WindowSize {
    /// Size of a new window. Its contents are laid out in these units and scaled with the window.
    pub const DESIGN: Self = Self { width: 900.0, height: 600.0 };
    /// Smallest size at which the text is legible.
    pub const MIN: Self = Self { width: 600.0, height: 400.0 };
    const MAX: Self = Self { width: 2700.0, height: 1800.0 };

    /// This size, moved into the valid range.
    pub fn usable(self) -> Self {
        Self {
            width: self.width.clamp(Self::MIN.width, Self::MAX.width),
            height: self.height.clamp(Self::MIN.height, Self::MAX.height),
        }
    }
}

impl Default for WindowSize {
    fn default() -> Self {
        Self::DESIGN
    }
}

/// The session as the framework saves and loads it. It flags each load, because an active plugin is not told in any
/// other way.
#[derive(Default)]
pub struct SessionField {
    session: RwLock<Session>,
    was_loaded: AtomicBool,
}

impl SessionField {
    /// A copy of the session. Not for the audio thread.
    pub fn get(&self) -> Session {
        self.session.read().clone()
    }

    /// Edits the session for the player, without raising the flag. Not for the audio thread.
    pub fn edit(&self, edit: impl FnOnce(&mut Session)) {
        edit(&mut self.session.write());
    }

    /// True once after each load of a session by the host. Realtime-safe.
    pub fn take_was_loaded(&self) -> bool {
        // The plain load keeps the cache line shared in the usual case.
        self.was_loaded.load(Ordering::Relaxed) && self.was_loaded.swap(false, Ordering::AcqRel)
    }
}

impl<'a> PersistentField<'a, Session> for SessionField {
    fn set(&self, mut session: Session) {
        session.instruments[Slot::A as usize].get_or_insert_default();
        *self.session.write() = session;
        self.was_loaded.store(true, Ordering::Release);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&Session) -> R,
    {
        f(&self.session.read())
    }
}

impl<'a> PersistentField<'a, Session> for std::sync::Arc<SessionField> {
    fn set(&self, session: Session) {
        self.as_ref().set(session);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&Session) -> R,
    {
        self.as_ref().map(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::EmbouchureParams;
    use nice_plug::prelude::Params;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn load(params: &EmbouchureParams, json: &str) {
        params.deserialize_fields(&BTreeMap::from([("session".to_string(), json.to_string())]));
    }

    #[test]
    fn survives_a_round_trip() {
        let session = Session {
            instruments: [
                Some(InstrumentRef::file("Oboe", Path::new("/music/oboe.safetensors"), "0123456789abcdef")),
                Some(InstrumentRef::built_in("violin")),
            ],
            window: WindowSize { width: 700.0, height: 450.0 },
            buffer: BufferChoice::Samples(128),
            engine: EngineChoice::Direct,
            places: [0, 4],
            files: BTreeMap::from([(15, InstrumentRef::file("Kazoo", Path::new("/music/kazoo.safetensors"), "01"))]),
            preset: "Lead".into(),
            theme: Theme::Light,
        };
        let first = EmbouchureParams::default();
        first.session.edit(|s| *s = session.clone());
        let second = EmbouchureParams::default();
        second.deserialize_fields(&first.serialize_fields());
        assert_eq!(second.session.get(), session);
    }

    #[test]
    fn a_load_raises_the_flag_once() {
        let params = EmbouchureParams::default();
        assert!(!params.session.take_was_loaded());
        load(&params, "{}");
        assert!(params.session.take_was_loaded());
        assert!(!params.session.take_was_loaded());
    }

    #[test]
    #[cfg_attr(debug_assertions, ignore = "the framework itself panics on garbage in tests of debug builds")]
    fn garbage_changes_nothing() {
        let params = EmbouchureParams::default();
        params.session.edit(|s| s.instruments[0] = Some(InstrumentRef::built_in("kept")));
        for garbage in ["", "null", "[1, 2]", "\"x\"", "{\"instrument\": 3}", "{\"instrument\": {\"kind\": \"alien\"}}"]
        {
            load(&params, garbage);
            let kept = params.session.get().instruments;
            assert_eq!(kept, [Some(InstrumentRef::built_in("kept")), None], "{garbage}");
            assert!(!params.session.take_was_loaded(), "{garbage}");
        }
    }

    #[test]
    fn sessions_of_other_versions_load() {
        let params = EmbouchureParams::default();
        load(&params, r#"{"new": 1, "instrument": {"kind": "file", "path": "a", "new": 2}}"#);
        assert_eq!(params.session.get().instruments, [Some(InstrumentRef::file("", Path::new("a"), "")), None]);
        assert_eq!(params.session.get().window, WindowSize::DESIGN);
        assert_eq!(params.session.get().buffer, BufferChoice::Auto);
    }

    #[test]
    fn what_is_written_is_as_earlier_versions_wrote_it() {
        let written = |session: &Session| serde_json::to_string(session).unwrap();
        let rest = r#""files":{},"preset":"","theme":"dark","window":{"width":900.0,"height":600.0},"buffer":"auto"}"#;
        let new = written(&Session::default());
        let trumpet = r#"{"instrument":{"kind":"builtin","name":"trumpet"},"second":null,"places":[1,0],"#;
        assert_eq!(new, [trumpet, rest].concat());
        let mut both = Session::default();
        both.choose(Slot::A, Some(InstrumentRef::built_in("cello")), 6);
        both.choose(Slot::B, Some(InstrumentRef::built_in("oboe")), 10);
        let duet = concat!(
            r#"{"instrument":{"kind":"builtin","name":"cello"},"second":{"kind":"builtin","name":"oboe"},"#,
            r#""places":[6,10],"#
        );
        assert_eq!(written(&both), [duet, rest].concat());
        let params = EmbouchureParams::default();
        load(&params, &written(&both));
        assert_eq!(params.session.get(), both);
    }

    #[test]
    fn a_is_never_empty() {
        let params = EmbouchureParams::default();
        for json in ["{}", r#"{"instrument": null}"#, r#"{"second": {"kind": "builtin", "name": "oboe"}}"#] {
            load(&params, json);
            assert_eq!(params.session.get().chosen(Slot::A), Some(&InstrumentRef::default()), "{json}");
        }
        params.session.edit(|session| session.choose(Slot::A, None, 0));
        let session = params.session.get();
        assert_eq!((session.chosen(Slot::A), session.places[0]), (Some(&InstrumentRef::default()), DEFAULT_PLACE));
    }

    #[test]
    fn a_buffer_is_stored_by_name() {
        let params = EmbouchureParams::default();
        for (json, choice) in [
            (r#"{"buffer": "auto"}"#, BufferChoice::Auto),
            (r#"{"buffer": {"samples": 64}}"#, BufferChoice::Samples(64)),
            (r#"{"buffer": "host"}"#, BufferChoice::Host),
        ] {
            load(&params, json);
            assert_eq!(params.session.get().buffer, choice);
        }
    }

    #[test]
    fn an_engine_is_stored_by_name_and_only_if_it_is_not_the_usual_one() {
        let params = EmbouchureParams::default();
        for (json, engine) in [
            ("{}", EngineChoice::Worker),
            (r#"{"engine": "direct"}"#, EngineChoice::Direct),
            (r#"{"engine": "worker"}"#, EngineChoice::Worker),
        ] {
            load(&params, json);
            assert_eq!(params.session.get().engine, engine);
        }
        let written = |engine| serde_json::to_string(&Session { engine, ..Session::default() }).unwrap();
        assert!(!written(EngineChoice::Worker).contains("engine"));
        assert!(written(EngineChoice::Direct).contains(r#""engine":"direct""#));
    }

    #[test]
    fn absurd_window_sizes_are_brought_into_range() {
        let size = WindowSize { width: 1e9, height: -3.0 }.usable();
        assert_eq!((size.width, size.height), (2700.0, 400.0));
    }
}
