//! Loading instruments A and B, and handing them to the running engine. Everything here blocks and allocates: background
//! threads, the dialog's thread, `activate`, and for a short look the GUI; never `process`.

use crate::params::EmbouchureParams;
use crate::shelf::files::{built_in, encoder, load_file};
use crate::shelf::{self, InstrumentRef, recent};
use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::controls::{Controls, SourceControls};
use embouchure_inference::engine::{Heard, HopModel, HopOutput};
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::play::pipeline::{InstrumentSlot, Pipeline, Slot};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;

/// The instruments of one plugin instance, and why others could not be had.
pub struct Instruments {
    params: Arc<EmbouchureParams>,
    /// Held while a file is read, so that two requests do not overtake each other.
    one_at_a_time: Mutex<()>,
    /// Held briefly, so that the GUI may look at any time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seats: [Seat; 2],
    /// Where the running engine takes new instruments.
    slot: Option<InstrumentSlot>,
    /// The running engine started without an instrument, so it has no slot.
    runs_dry: bool,
    /// The session has changed at the player's wish, which the host does not know yet.
    is_unsaved: bool,
}

/// What plays in a slot, and what went wrong there last.
#[derive(Default)]
struct Seat {
    playing: Option<Playing>,
    message: Option<String>,
    /// What the message is about is a file that was not found.
    is_missing: bool,
}

struct Playing {
    instrument: Arc<Instrument>,
    source: InstrumentRef,
}

/// What the editor shows of a slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Empty if nothing plays.
    pub name: String,
    /// Of the instrument.
    pub family: String,
    /// Of the weights.
    pub licence: String,
    /// Playable range, Hz.
    pub range_hz: Option<[f32; 2]>,
    /// What went wrong last, and what to do about it.
    pub message: Option<String>,
    /// The session's file was not found: the player may know where it is.
    pub is_missing: bool,
}

/// The networks for an engine that is about to start.
pub struct Model {
    /// Runs on the worker thread.
    pub hop_model: Box<dyn HopModel>,
    /// False if there is no instrument, so that only the dry signal is worth hearing.
    pub is_playable: bool,
}

/// An instrument, and a remark if it is not quite what was asked for.
type Loaded = (Arc<Instrument>, Option<String>);

/// Why an instrument cannot be had.
struct Failure {
    message: String,
    is_missing: bool,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, is_missing: false }
    }
}

impl Instruments {
    /// Loads nothing yet.
    pub fn new(params: Arc<EmbouchureParams>) -> Self {
        Self { params, one_at_a_time: Mutex::default(), state: Mutex::default() }
    }

    /// Plays what session and parameters name, unless it plays already. If that cannot be had, the old instrument stays,
    /// or the default one comes in, and the session keeps its reference. `n_swaps`: see [`InstrumentSlot::seat`].
    pub fn follow(&self, n_swaps: u32) {
        let _guard = self.one_at_a_time.lock();
        for slot in Slot::ALL {
            match self.wanted(slot) {
                Ok(Some(wanted)) => self.load_and_play(slot, wanted, n_swaps),
                Ok(None) => self.empty(slot, n_swaps),
                Err(failure) => self.fall_back(slot, failure, n_swaps),
            }
        }
    }

    /// Plays the file that the player chose, and notes it in the session. A file that cannot be used changes nothing
    /// but the message.
    pub fn open_file(&self, slot: Slot, path: &Path) {
        let _guard = self.one_at_a_time.lock();
        match load_file(path) {
            Ok(instrument) => {
                recent::add(path);
                let source = InstrumentRef::file(&instrument.card.name, path, &instrument.id);
                // The parameter stays where it is: from there the session counts.
                let place = self.params.place(slot);
                self.params.session.edit(|session| session.choose(slot, Some(source.clone()), place));
                self.play(slot, Playing { instrument, source }, None, 0);
                self.state.lock().is_unsaved = true;
            }
            Err(message) => self.fail(slot, message.into()),
        }
    }

    /// Networks for a new engine. What is loaded from now on goes to this engine.
    pub fn model(&self) -> Model {
        let mut state = self.state.lock();
        let [first, second] = state.seats.each_ref().map(|seat| seat.playing.as_ref().map(|p| p.instrument.clone()));
        let networks =
            first.zip(encoder().ok()).map(|(instrument, encoder)| Pipeline::with_second(encoder, instrument, second));
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
        self.state.lock().seats[0].message = Some(message);
    }

    /// What the editor shows of a slot. Waits for no loading.
    pub fn view(&self, slot: Slot) -> View {
        let state = self.state.lock();
        let seat = &state.seats[slot as usize];
        let card = seat.playing.as_ref().map(|p| &p.instrument.card);
        View {
            name: card.map(|c| c.name.clone()).unwrap_or_default(),
            family: card.map(|c| c.family.clone()).unwrap_or_default(),
            licence: card.map(|c| c.provenance.licence.clone()).unwrap_or_default(),
            range_hz: card.map(|c| c.statistics.f0_range_hz),
            message: seat.message.clone(),
            is_missing: seat.is_missing,
        }
    }

    /// What plays in a slot.
    pub fn source(&self, slot: Slot) -> Option<InstrumentRef> {
        self.state.lock().seats[slot as usize].playing.as_ref().map(|p| p.source.clone())
    }

    /// True once after the player has changed the session; the host should learn that there is something to save.
    pub fn take_is_unsaved(&self) -> bool {
        std::mem::take(&mut self.state.lock().is_unsaved)
    }

    /// What a slot should play: what the player chose, or what its parameter was moved to since.
    fn wanted(&self, slot: Slot) -> Result<Option<InstrumentRef>, Failure> {
        let (session, place) = (self.params.session.get(), self.params.place(slot));
        if place == 0 && slot == Slot::B && session.places[1] != 0 && session.chosen(slot).is_some() {
            return Ok(None);
        }
        if place == 0 || place == session.places[slot as usize] {
            return Ok(session.chosen(slot).cloned());
        }
        if let Some(file) = session.files.get(&place) {
            return Ok(Some(file.clone()));
        }
        let entry = shelf::at(place).or_else(|| {
            shelf::rescan();
            shelf::at(place)
        });
        let empty = || format!("place {place} of the shelf is empty: put an instrument file into your folder");
        let source = entry.ok_or_else(empty)?.source;
        if let InstrumentRef::File { .. } = source {
            self.params.session.edit(|session| drop(session.files.insert(place, source.clone())));
        }
        Ok(Some(source))
    }

    fn load_and_play(&self, slot: Slot, wanted: InstrumentRef, n_swaps: u32) {
        let is_there = |seat: &Seat| {
            seat.message.is_none() && seat.playing.as_ref().is_some_and(|playing| playing.source == wanted)
        };
        if is_there(&self.state.lock().seats[slot as usize]) {
            return;
        }
        match load(&wanted) {
            Ok((instrument, note)) => self.play(slot, Playing { instrument, source: wanted }, note, n_swaps),
            Err(failure) => self.fall_back(slot, failure, n_swaps),
        }
    }

    /// What plays goes on; if nothing does, A plays the default instrument.
    fn fall_back(&self, slot: Slot, failure: Failure, n_swaps: u32) {
        let is_empty = self.state.lock().seats[slot as usize].playing.is_none();
        let default = (is_empty && slot == Slot::A).then(|| built_in(embouchure_weights::DEFAULT_INSTRUMENT));
        if let Some(Ok(instrument)) = default {
            self.play(slot, Playing { instrument, source: InstrumentRef::default() }, None, n_swaps);
        }
        self.fail(slot, failure);
    }

    fn fail(&self, slot: Slot, failure: Failure) {
        let seat = &mut self.state.lock().seats[slot as usize];
        (seat.message, seat.is_missing) = (Some(failure.message), failure.is_missing);
    }

    fn play(&self, slot: Slot, playing: Playing, note: Option<String>, n_swaps: u32) {
        let mut state = self.state.lock();
        let mut message = note;
        if let Some(running) = &state.slot {
            running.seat(n_swaps, slot, Some(playing.instrument.clone()));
        } else if state.runs_dry {
            message.get_or_insert_with(|| "restart the audio to hear this instrument".into());
        }
        let new = Seat { playing: Some(playing), message, is_missing: false };
        let old = std::mem::replace(&mut state.seats[slot as usize], new);
        drop(state);
        drop(old);
    }

    fn empty(&self, slot: Slot, n_swaps: u32) {
        let mut state = self.state.lock();
        if let (Some(running), true) = (&state.slot, state.seats[slot as usize].playing.is_some()) {
            running.seat(n_swaps, slot, None);
        }
        let old = std::mem::take(&mut state.seats[slot as usize]);
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

fn load(source: &InstrumentRef) -> Result<Loaded, Failure> {
    let InstrumentRef::File { path, id, .. } = source else {
        return Ok((built_in(source.name())?, None));
    };
    let there = load_file(path);
    if let Ok(instrument) = &there
        && (id.is_empty() || *id == instrument.id)
    {
        return Ok((instrument.clone(), None));
    }
    // The file has moved, and maybe another one has taken its name.
    shelf::rescan();
    if let Some(moved) = shelf::file_with(id)
        && let Ok(instrument) = load_file(&moved)
    {
        return Ok((instrument, Some(format!("{} was found as {}", source.name(), moved.display()))));
    }
    match there {
        Ok(instrument) => {
            let note = format!("{} has changed since this session was saved", path.display());
            Ok((instrument, Some(note)))
        }
        Err(e) => {
            let message = format!("{} of this session: {e}", source.name());
            Err(Failure { message, is_missing: !path.exists() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;
    use crate::test_folder::TestFolder;

    /// Held by tests that fill the player's folder, which is one for the process.
    static ALONE_WITH_THE_SHELF: Mutex<()> = Mutex::new(());

    fn instruments() -> Instruments {
        let instruments = Instruments::new(Arc::default());
        instruments.follow(0);
        instruments
    }

    #[test]
    fn an_unusable_file_changes_nothing_but_the_message() {
        let instruments = instruments();
        let (before, session) = (instruments.view(Slot::A), instruments.params.session.get());
        let folder = TestFolder::new("unusable");
        let path = folder.path("unusable");
        std::fs::write(&path, b"this is no weights file").unwrap();
        instruments.open_file(Slot::A, &path);
        let after = instruments.view(Slot::A);
        assert!(after.message.as_ref().unwrap().contains(path.file_name().unwrap().to_str().unwrap()), "{after:?}");
        assert_eq!(View { message: before.message.clone(), ..after }, before);
        assert_eq!(instruments.params.session.get(), session);
        assert!(!instruments.take_is_unsaved());
    }

    #[test]
    fn a_missing_file_is_reported_and_its_reference_kept() {
        let instruments = instruments();
        let before = instruments.view(Slot::A);
        let session = Session {
            instrument: InstrumentRef::file("Oboe", Path::new("/nowhere/oboe.safetensors"), "0123456789abcdef"),
            ..Session::default()
        };
        instruments.params.session.edit(|s| *s = session.clone());
        instruments.follow(0);
        let after = instruments.view(Slot::A);
        let message = after.message.as_ref().unwrap();
        assert!(message.contains("Oboe") && message.contains("/nowhere/oboe.safetensors"), "{message}");
        assert!(after.is_missing);
        assert_eq!(after.name, before.name);
        assert_eq!(instruments.params.session.get(), session);
    }

    #[test]
    fn a_session_with_a_missing_file_plays_the_default_instrument() {
        let instruments = Instruments::new(Arc::default());
        let missing = InstrumentRef::file("", Path::new("/nowhere"), "");
        instruments.params.session.edit(|s| s.instrument = missing);
        instruments.follow(0);
        let view = instruments.view(Slot::A);
        assert!(view.message.unwrap().contains("/nowhere"));
        let default = built_in(embouchure_weights::DEFAULT_INSTRUMENT);
        assert_eq!(view.name, default.map(|i| i.card.name.clone()).unwrap_or_default());
    }

    #[test]
    fn an_unknown_instrument_is_named_in_the_message() {
        let instruments = instruments();
        instruments.params.session.edit(|s| s.instrument = InstrumentRef::built_in("nose flute"));
        instruments.follow(0);
        assert!(instruments.view(Slot::A).message.unwrap().contains("nose flute"));
        assert_eq!(instruments.view(Slot::A).name, "Trumpet", "what played goes on");
    }

    #[test]
    fn a_parameter_that_moves_takes_from_the_shelf_and_back_to_the_session() {
        let at = |a: i32, b: i32| {
            let (default, range) =
                (EmbouchureParams::default(), nice_plug::prelude::IntRange::Linear { min: 0, max: 127 });
            let param = |place| nice_plug::prelude::IntParam::new("", place, range);
            let params = EmbouchureParams { instrument_a: param(a), instrument_b: param(b), ..default };
            params.session.edit(|s| {
                s.choose(Slot::A, Some(InstrumentRef::built_in("cello")), 7);
                s.choose(Slot::B, Some(InstrumentRef::built_in("ah")), 14);
            });
            let instruments = Instruments::new(Arc::new(params));
            instruments.follow(0);
            Slot::ALL.map(|slot| instruments.view(slot).name)
        };
        assert_eq!(at(7, 14), ["Cello", "Ah"], "where the player chose, the session counts");
        assert_eq!(at(0, 0), ["Cello", ""], "B is emptied");
        assert_eq!(at(4, 7), ["Violin", "Flute"]);
        assert_eq!(at(120, 120), ["Trumpet", ""], "an empty place");
    }

    #[test]
    fn a_file_that_was_chosen_plays_on_in_a_new_instance() {
        let folder = TestFolder::new("chosen");
        let path = folder.path("my oboe.safetensors");
        std::fs::write(&path, embouchure_weights::instrument("oboe").unwrap()).unwrap();
        let first = instruments();
        first.open_file(Slot::A, &path);
        assert!(first.take_is_unsaved());
        let again = Instruments::new(Arc::default());
        again.params.session.edit(|s| *s = first.params.session.get());
        again.follow(0);
        assert_eq!((again.view(Slot::A).name.as_str(), again.view(Slot::A).message), ("Oboe", None));
        // Deleted while in use: it plays on.
        std::fs::remove_file(&path).unwrap();
        again.follow(0);
        assert_eq!((again.view(Slot::A).name.as_str(), again.view(Slot::A).message), ("Oboe", None));
    }

    #[test]
    fn a_file_that_has_moved_onto_the_shelf_is_found_by_its_content() {
        let _alone = ALONE_WITH_THE_SHELF.lock();
        let folder = shelf::folder().unwrap();
        shelf::make_folder().unwrap();
        let (elsewhere, moved) = (TestFolder::new("moved"), folder.join("renamed.safetensors"));
        let content = embouchure_weights::instrument("ah").unwrap();
        std::fs::write(&moved, content).unwrap();
        let id = embouchure_inference::nn::weights::content_id(content);
        let wanted = InstrumentRef::file("Ah", &elsewhere.path("ah.safetensors"), &id);
        let play = || {
            let instruments = Instruments::new(Arc::default());
            instruments.params.session.edit(|s| s.instrument = wanted.clone());
            instruments.follow(0);
            assert_eq!(instruments.params.session.get().instrument, wanted, "the project's name for it is kept");
            instruments.view(Slot::A)
        };
        let found = play();
        assert_eq!((found.name.as_str(), found.is_missing), ("Ah", false));
        assert!(found.message.unwrap().contains("renamed"));
        // Also where another file has taken its name.
        std::fs::write(elsewhere.path("ah.safetensors"), embouchure_weights::instrument("cello").unwrap()).unwrap();
        assert_eq!(play().name, "Ah");
        std::fs::remove_dir_all(&folder).unwrap();
        shelf::rescan();
        let changed = play();
        assert!(changed.name == "Cello" && changed.message.unwrap().contains("changed"));
    }

    /// As an instance that a host has moved to a place of the shelf.
    fn at_place(place: i32, session: Option<Session>) -> Instruments {
        let range = nice_plug::prelude::IntRange::Linear { min: 0, max: 127 };
        let instrument_a = nice_plug::prelude::IntParam::new("", place, range);
        let params = EmbouchureParams { instrument_a, ..EmbouchureParams::default() };
        session.into_iter().for_each(|session| params.session.edit(|s| *s = session));
        let instruments = Instruments::new(Arc::new(params));
        instruments.follow(0);
        instruments
    }

    #[test]
    fn a_file_stays_where_a_host_found_it_whatever_is_put_in_front() {
        let _alone = ALONE_WITH_THE_SHELF.lock();
        let folder = shelf::folder().unwrap();
        shelf::make_folder().unwrap();
        let put = |file: &str, instrument: &str| {
            std::fs::write(folder.join(file), embouchure_weights::instrument(instrument).unwrap()).unwrap();
            shelf::rescan();
        };
        put("m.safetensors", "cello");
        let place = shelf::entries().into_iter().find(|entry| entry.name == "Cello" && entry.place > 14).unwrap().place;
        let saved = at_place(place, None);
        assert_eq!(saved.view(Slot::A).name, "Cello");
        put("a.safetensors", "oboe");
        assert_eq!(at_place(place, None).view(Slot::A).name, "Cello", "the folder remembers");
        // On another computer, or where the folder cannot be written to, the project does.
        std::fs::write(folder.join("places.json"), br#"{"by_place": {}}"#).unwrap();
        shelf::rescan();
        assert_eq!(at_place(place, None).view(Slot::A).name, "Oboe");
        let session = saved.params.session.get();
        assert_eq!(at_place(place, Some(session)).view(Slot::A).name, "Cello");
        std::fs::remove_dir_all(&folder).unwrap();
        shelf::rescan();
    }

    #[test]
    fn a_file_cut_off_while_two_instances_play_it_harms_neither() {
        let folder = TestFolder::new("shared");
        let path = folder.path("oboe.safetensors");
        std::fs::write(&path, embouchure_weights::instrument("oboe").unwrap()).unwrap();
        let both = [instruments(), instruments()];
        both.iter().for_each(|instruments| instruments.open_file(Slot::A, &path));
        std::fs::write(&path, b"half of").unwrap();
        for instruments in &both {
            instruments.follow(0);
            assert_eq!((instruments.view(Slot::A).name.as_str(), instruments.view(Slot::A).message), ("Oboe", None));
            instruments.open_file(Slot::A, &path);
            assert_eq!(instruments.view(Slot::A).name, "Oboe");
            assert!(instruments.view(Slot::A).message.unwrap().contains("truncated"));
        }
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
