//! Loading instruments, and handing them to the running engine. Everything here blocks and allocates: background
//! threads, the dialog's thread, `activate`, and for a short look the GUI; never `process`.

use crate::session::{InstrumentRef, SessionField};
use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::controls::{Controls, SourceControls};
use embouchure_inference::encoder::Encoder;
use embouchure_inference::instrument::Instrument;
use embouchure_inference::pipeline::{InstrumentSlot, Pipeline};
use embouchure_inference::stream::{Heard, HopModel, HopOutput};
use embouchure_inference::weights::read_file;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The instrument of one plugin instance, and why another one could not be had.
pub struct Instruments {
    session: Arc<SessionField>,
    /// Held while a file is read, so that two requests do not overtake each other.
    one_at_a_time: Mutex<()>,
    /// Held briefly, so that the GUI may look at any time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    playing: Option<Playing>,
    /// Where the running engine takes new instruments.
    slot: Option<InstrumentSlot>,
    /// The running engine started without an instrument, so it has no slot.
    runs_dry: bool,
    message: Option<String>,
    /// The session has changed at the player's wish, which the host does not know yet.
    is_unsaved: bool,
}

struct Playing {
    instrument: Arc<Instrument>,
    source: InstrumentRef,
}

/// What the editor shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Empty if nothing plays.
    pub name: String,
    /// Of the instrument.
    pub family: String,
    /// Of the weights.
    pub licence: String,
    /// What went wrong last, and what to do about it.
    pub message: Option<String>,
}

/// The networks for an engine that is about to start.
pub struct Model {
    /// Runs on the worker thread.
    pub hop_model: Box<dyn HopModel>,
    /// False if there is no instrument, so that only the dry signal is worth hearing.
    pub is_playable: bool,
}

impl Instruments {
    /// Loads nothing yet.
    pub fn new(session: Arc<SessionField>) -> Self {
        Self { session, one_at_a_time: Mutex::default(), state: Mutex::default() }
    }

    /// Plays what the session names, unless it plays already. If that cannot be had, the old instrument stays, or the
    /// default one comes in, and the session keeps its reference.
    pub fn follow_session(&self) {
        let _guard = self.one_at_a_time.lock();
        let wanted = self.session.get().instrument;
        let is_playing = |state: &State| state.playing.as_ref().is_some_and(|p| p.source == wanted);
        if matches!(&*self.state.lock(), state if is_playing(state) && state.message.is_none()) {
            return;
        }
        match load(&wanted) {
            Ok((instrument, note)) => self.play(instrument, wanted, note),
            Err(message) => {
                if self.state.lock().playing.is_none()
                    && let Ok(instrument) = built_in(embouchure_weights::DEFAULT_INSTRUMENT)
                {
                    self.play(instrument, InstrumentRef::default(), None);
                }
                self.state.lock().message = Some(message);
            }
        }
    }

    /// Plays the file that the player chose, and notes it in the session. A file that cannot be used changes nothing
    /// but the message.
    pub fn open_file(&self, path: &Path) {
        let _guard = self.one_at_a_time.lock();
        match load_file(path) {
            Ok(instrument) => {
                let source = InstrumentRef::file(&instrument.card.name, path, &instrument.id);
                self.choose(instrument, source);
            }
            Err(message) => self.report(message),
        }
    }

    /// Plays the shipped instrument that the player chose, and notes it in the session.
    pub fn open_built_in(&self, name: &str) {
        let _guard = self.one_at_a_time.lock();
        match built_in(name) {
            Ok(instrument) => self.choose(instrument, InstrumentRef::built_in(name)),
            Err(message) => self.report(message),
        }
    }

    /// Networks for a new engine. What is loaded from now on goes to this engine.
    pub fn model(&self) -> Model {
        let mut state = self.state.lock();
        let playing = state.playing.as_ref().map(|p| p.instrument.clone());
        let networks = playing.zip(encoder().ok()).map(|(instrument, encoder)| Pipeline::new(encoder, instrument));
        if let Some(Ok((pipeline, slot))) = networks {
            state.slot = Some(slot);
            state.runs_dry = false;
            return Model { hop_model: Box::new(pipeline), is_playable: true };
        }
        state.slot = None;
        state.runs_dry = true;
        Model { hop_model: Box::new(Silent), is_playable: false }
    }

    /// No engine runs any more.
    pub fn stopped(&self) {
        let mut state = self.state.lock();
        state.slot = None;
        state.runs_dry = false;
    }

    /// Shows `message` until the next instrument is loaded.
    pub fn report(&self, message: String) {
        self.state.lock().message = Some(message);
    }

    /// What the editor shows. Waits for no loading.
    pub fn view(&self) -> View {
        let state = self.state.lock();
        let card = state.playing.as_ref().map(|p| &p.instrument.card);
        View {
            name: card.map(|c| c.name.clone()).unwrap_or_default(),
            family: card.map(|c| c.family.clone()).unwrap_or_default(),
            licence: card.map(|c| c.licence.clone()).unwrap_or_default(),
            message: state.message.clone(),
        }
    }

    /// True once after the player has changed the session; the host should learn that there is something to save.
    pub fn take_is_unsaved(&self) -> bool {
        std::mem::take(&mut self.state.lock().is_unsaved)
    }

    fn choose(&self, instrument: Arc<Instrument>, source: InstrumentRef) {
        self.session.edit(|session| session.instrument = source.clone());
        self.play(instrument, source, None);
        self.state.lock().is_unsaved = true;
    }

    fn play(&self, instrument: Arc<Instrument>, source: InstrumentRef, note: Option<String>) {
        let mut state = self.state.lock();
        state.message = note;
        if let Some(slot) = &state.slot {
            slot.play(instrument.clone());
        } else if state.runs_dry {
            state.message.get_or_insert_with(|| "restart the audio to hear this instrument".into());
        }
        let old = state.playing.replace(Playing { instrument, source });
        drop(state);
        drop(old);
    }
}

/// Stands in for the networks if there is no instrument.
struct Silent;

impl HopModel for Silent {
    fn reset(&mut self) {}

    fn hop(&mut self, _samples: &[f32; HOP_SIZE], _source: &SourceControls) -> HopOutput {
        HopOutput { controls: Controls::SILENT, heard: Heard::default() }
    }
}

/// The instrument, and a remark if it is not quite what was asked for.
fn load(source: &InstrumentRef) -> Result<(Arc<Instrument>, Option<String>), String> {
    match source {
        InstrumentRef::BuiltIn { name } => built_in(name).map(|instrument| (instrument, None)),
        InstrumentRef::File { path, id, .. } => {
            let instrument = load_file(path).map_err(|e| format!("{} of this session: {e}", source.name()))?;
            let is_changed = !id.is_empty() && *id != instrument.id;
            let note = is_changed.then(|| format!("{} has changed since this session was saved", path.display()));
            Ok((instrument, note))
        }
    }
}

fn load_file(path: &Path) -> Result<Arc<Instrument>, String> {
    let encoder = encoder()?;
    let bytes = read_file(path).map_err(|e| e.to_string())?;
    let instrument = Instrument::from_bytes(&bytes, &encoder.id).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Arc::new(instrument))
}

/// A shipped instrument, read once per process.
fn built_in(name: &str) -> Result<Arc<Instrument>, String> {
    static LOADED: Mutex<BTreeMap<String, Arc<Instrument>>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock();
    if let Some(instrument) = loaded.get(name) {
        return Ok(instrument.clone());
    }
    let bytes = embouchure_weights::instrument(name)
        .ok_or_else(|| format!("this version has no instrument called {name:?}: choose another one"))?;
    let instrument = Instrument::from_bytes(bytes, &encoder()?.id)
        .map(Arc::new)
        .map_err(|e| format!("the shipped instrument {name:?} cannot be used: {e}"))?;
    loaded.insert(name.into(), instrument.clone());
    Ok(instrument)
}

/// The encoder, read once per process.
fn encoder() -> Result<Arc<Encoder>, String> {
    static LOADED: OnceLock<Result<Arc<Encoder>, String>> = OnceLock::new();
    LOADED
        .get_or_init(|| {
            let encoder = Encoder::from_bytes(embouchure_weights::ENCODER);
            encoder.map(Arc::new).map_err(|e| format!("the shipped encoder cannot be used: {e}"))
        })
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;
    use std::path::PathBuf;

    fn instruments() -> Instruments {
        let instruments = Instruments::new(Arc::default());
        instruments.follow_session();
        instruments
    }

    fn garbage_file(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("embouchure-{}-{name}", std::process::id()));
        std::fs::write(&path, b"this is no weights file").unwrap();
        path
    }

    #[test]
    fn an_unusable_file_changes_nothing_but_the_message() {
        let instruments = instruments();
        let (before, session) = (instruments.view(), instruments.session.get());
        let path = garbage_file("unusable");
        instruments.open_file(&path);
        std::fs::remove_file(&path).unwrap();
        let after = instruments.view();
        assert!(after.message.as_ref().unwrap().contains(path.to_str().unwrap()), "{after:?}");
        assert_eq!(View { message: before.message.clone(), ..after }, before);
        assert_eq!(instruments.session.get(), session);
        assert!(!instruments.take_is_unsaved());
    }

    #[test]
    fn a_missing_file_is_reported_and_its_reference_kept() {
        let instruments = instruments();
        let before = instruments.view();
        let session = Session {
            instrument: InstrumentRef::file("Oboe", Path::new("/nowhere/oboe.safetensors"), "0123456789abcdef"),
            ..Session::default()
        };
        instruments.session.edit(|s| *s = session.clone());
        instruments.follow_session();
        let after = instruments.view();
        let message = after.message.as_ref().unwrap();
        assert!(message.contains("Oboe") && message.contains("/nowhere/oboe.safetensors"), "{message}");
        assert_eq!(after.name, before.name);
        assert_eq!(instruments.session.get(), session);
    }

    #[test]
    fn a_session_with_a_missing_file_plays_the_default_instrument() {
        let instruments = Instruments::new(Arc::default());
        instruments.session.edit(|s| s.instrument = InstrumentRef::file("", Path::new("/nowhere"), ""));
        instruments.follow_session();
        assert!(instruments.view().message.unwrap().contains("/nowhere"));
        let default = built_in(embouchure_weights::DEFAULT_INSTRUMENT);
        assert_eq!(instruments.view().name, default.map(|i| i.card.name.clone()).unwrap_or_default());
    }

    #[test]
    fn an_unknown_instrument_is_named_in_the_message() {
        let instruments = instruments();
        instruments.open_built_in("nose flute");
        assert!(instruments.view().message.unwrap().contains("nose flute"));
    }

    #[test]
    fn without_an_instrument_the_engine_gets_silence() {
        let instruments = Instruments::new(Arc::default());
        let mut model = instruments.model();
        assert!(!model.is_playable);
        let output = model.hop_model.hop(&[0.5; HOP_SIZE], &SourceControls::default());
        assert!(output.controls.is_silent());
    }
}
