//! Loads instruments A and B, and hands them to the running engine. Everything here blocks and allocates. It is called
//! by the background thread, the dialog's thread and `activate`, and by the GUI for short reads; offline also by
//! `process`.

mod engine;
mod slot;

pub use engine::Silent;
pub use slot::Playing;

use crate::library::{InstrumentRef, Library};
use crate::params::EmbouchureParams;
use embouchure_inference::engine::{DriverKind, HopModel};
use embouchure_inference::play::Slot;
use engine::EngineLink;
use parking_lot::Mutex;
use slot::Failure;
use std::path::Path;
use std::sync::Arc;

/// The instruments of one plugin instance, and messages about failed loads.
pub struct Instruments {
    library: Arc<Library>,
    params: Arc<EmbouchureParams>,
    /// Held while instruments load, so that loads take effect in the order of their requests.
    loading: Mutex<()>,
    /// Held only briefly, so that the GUI may lock it at any time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What slots A and B play.
    slots: [Playing; 2],
    engine: EngineLink,
    /// The player has changed the session, and the host has not been told yet.
    is_unsaved: bool,
}

impl Instruments {
    /// Empty slots.
    pub fn new(library: Arc<Library>, params: Arc<EmbouchureParams>) -> Self {
        Self { library, params, loading: Mutex::default(), state: Mutex::default() }
    }

    /// Loads the instruments that session and parameters name, unless they play already. If one cannot be loaded, the
    /// old one stays, or A gets the default one, and the session keeps its reference. The engine plays the new ones
    /// once it has counted `n_loads` requested loads; 0 = at once.
    pub fn update(&self, n_loads: u32) {
        let _guard = self.loading.lock();
        for slot in Slot::ALL {
            match self.wanted(slot) {
                Ok(Some(wanted)) => self.load_and_play(slot, wanted, n_loads),
                Ok(None) => self.play(slot, Playing::default(), n_loads),
                Err(message) => self.fall_back(slot, message.into(), n_loads),
            }
        }
    }

    /// Plays the file that the player chose, and stores the choice in the session. If the file cannot be used, only the
    /// message changes.
    pub fn open_file(&self, slot: Slot, path: &Path) {
        let _guard = self.loading.lock();
        match self.library.loaded.file(path) {
            Ok(instrument) => {
                self.library.recent.add(path);
                let source = InstrumentRef::file(&instrument.card.name, path, &instrument.id);
                // The parameter keeps its value. The session stores it, so that the slot plays the choice at this
                // value.
                let place = self.params.place(slot);
                self.params.session.edit(|session| session.choose(slot, Some(source.clone()), place));
                self.play(slot, Playing::new(source, instrument), 0);
                self.state.lock().is_unsaved = true;
            }
            Err(message) => self.fail(slot, message.into()),
        }
    }

    /// Networks for a new engine; `None` if there is no instrument to play. Later loads go to this engine.
    pub fn start(&self, driver: DriverKind) -> Option<Box<dyn HopModel>> {
        let mut state = self.state.lock();
        let instruments = state.slots.each_ref().map(|playing| playing.instrument().cloned());
        let (running, networks) = EngineLink::start(driver, self.library.loaded.encoder().ok(), instruments);
        state.engine = running;
        networks
    }

    /// Call when the engine has stopped.
    pub fn engine_stopped(&self) {
        self.state.lock().engine = EngineLink::Nothing;
    }

    /// Shows `message` until the next load of instrument A.
    pub fn report(&self, message: String) {
        self.state.lock().slots[0].message = Some(message);
    }

    /// What a slot plays. Does not wait for loads.
    pub fn playing(&self, slot: Slot) -> Playing {
        self.state.lock().slots[slot as usize].clone()
    }

    /// The session's reference to what a slot plays.
    pub fn source(&self, slot: Slot) -> Option<InstrumentRef> {
        self.state.lock().slots[slot as usize].source().cloned()
    }

    /// True once after the player has changed the session, so that the host can be told to save it.
    pub fn take_is_unsaved(&self) -> bool {
        std::mem::take(&mut self.state.lock().is_unsaved)
    }

    /// What a slot should play: the player's choice, or the instrument that its parameter was moved to since.
    fn wanted(&self, slot: Slot) -> Result<Option<InstrumentRef>, String> {
        let (session, place) = (self.params.session.get(), self.params.place(slot));
        let chosen_at = session.places[slot as usize];
        if place == 0 && slot == Slot::B && chosen_at != 0 && session.chosen(slot).is_some() {
            return Ok(None);
        }
        if place == 0 || place == chosen_at {
            return Ok(session.chosen(slot).cloned());
        }
        if let Some(file) = session.files.get(&place) {
            return Ok(Some(file.clone()));
        }
        let shelf = &self.library.shelf;
        let entry = shelf.at(place).or_else(|| {
            shelf.rescan();
            shelf.at(place)
        });
        let empty =
            || format!("place {place} of the instrument list is empty: put an instrument file into your folder");
        let source = entry.ok_or_else(empty)?.source;
        if let InstrumentRef::File { .. } = source {
            self.params.session.edit(|session| drop(session.files.insert(place, source.clone())));
        }
        Ok(Some(source))
    }

    fn load_and_play(&self, slot: Slot, wanted: InstrumentRef, n_loads: u32) {
        let playing = self.playing(slot);
        if playing.message.is_none() && playing.source() == Some(&wanted) {
            return;
        }
        match Playing::load(&self.library, wanted) {
            Ok(new) => self.play(slot, new, n_loads),
            Err(failure) => self.fall_back(slot, failure, n_loads),
        }
    }

    /// Keeps what plays. If nothing does, A plays the default instrument.
    fn fall_back(&self, slot: Slot, failure: Failure, n_loads: u32) {
        let is_empty = self.playing(slot).instrument().is_none();
        let default = (is_empty && slot == Slot::A).then(|| Playing::load(&self.library, InstrumentRef::default()));
        if let Some(Ok(default)) = default {
            self.play(slot, default, n_loads);
        }
        self.fail(slot, failure);
    }

    fn fail(&self, slot: Slot, failure: Failure) {
        let playing = &mut self.state.lock().slots[slot as usize];
        (playing.message, playing.is_missing) = (Some(failure.message), failure.is_missing);
    }

    fn play(&self, slot: Slot, mut new: Playing, n_loads: u32) {
        let mut state = self.state.lock();
        let is_empty = [&new, &state.slots[slot as usize]].iter().all(|playing| playing.instrument().is_none());
        if !is_empty {
            state.engine.load(n_loads, slot, new.instrument().cloned());
        }
        if matches!(state.engine, EngineLink::Dry) && new.instrument().is_some() {
            new.message.get_or_insert_with(|| "restart the audio to hear this instrument".into());
        }
        let old = std::mem::replace(&mut state.slots[slot as usize], new);
        drop(state);
        // After the lock is released, because freeing weights takes a while and the GUI may need the lock.
        drop(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;
    use crate::test_folder::TestFolder;
    use crate::test_library::{library_in, shipped};
    use nice_plug::prelude::{IntParam, IntRange};

    /// An instance that plays nothing yet.
    fn new_instance(library: &Arc<Library>) -> Instruments {
        Instruments::new(library.clone(), Arc::new(EmbouchureParams::new(library)))
    }

    fn instruments() -> Instruments {
        let instruments = new_instance(&shipped());
        instruments.update(0);
        instruments
    }

    /// Name, message and missing flag of a slot, as the window shows them.
    fn shown(instruments: &Instruments, slot: Slot) -> (String, Option<String>, bool) {
        let playing = instruments.playing(slot);
        (playing.name().into(), playing.message, playing.is_missing)
    }

    /// Puts an instrument file into the player's folder.
    fn put(library: &Library, file: &str, instrument: &str) {
        library.shelf.make_folder().unwrap();
        let path = library.shelf.folder().unwrap().join(file);
        std::fs::write(path, embouchure_weights::instrument(instrument).unwrap()).unwrap();
        library.shelf.rescan();
    }

    #[test]
    fn an_unusable_file_changes_nothing_but_the_message() {
        let instruments = instruments();
        let (before, session) = (shown(&instruments, Slot::A), instruments.params.session.get());
        let folder = TestFolder::new("unusable");
        let path = folder.path("unusable");
        std::fs::write(&path, b"this is no weights file").unwrap();
        instruments.open_file(Slot::A, &path);
        let (name, message, is_missing) = shown(&instruments, Slot::A);
        let message = message.unwrap();
        assert!(message.contains(path.file_name().unwrap().to_str().unwrap()), "{message}");
        assert_eq!((name, None, is_missing), before);
        assert_eq!(instruments.params.session.get(), session);
        assert!(!instruments.take_is_unsaved());
    }

    #[test]
    fn a_missing_file_is_reported_and_its_reference_kept() {
        let instruments = instruments();
        let before = shown(&instruments, Slot::A);
        let missing = InstrumentRef::file("Oboe", Path::new("/nowhere/oboe.safetensors"), "0123456789abcdef");
        let session = Session { instruments: [Some(missing), None], ..Session::default() };
        instruments.params.session.edit(|s| *s = session.clone());
        instruments.update(0);
        let (name, message, is_missing) = shown(&instruments, Slot::A);
        let message = message.unwrap();
        assert!(message.contains("Oboe") && message.contains("/nowhere/oboe.safetensors"), "{message}");
        assert!(is_missing);
        assert_eq!(name, before.0);
        assert_eq!(instruments.params.session.get(), session);
    }

    #[test]
    fn a_session_with_a_missing_file_plays_the_default_instrument() {
        let instruments = new_instance(&shipped());
        let missing = InstrumentRef::file("", Path::new("/nowhere"), "");
        instruments.params.session.edit(|s| s.instruments[0] = Some(missing));
        instruments.update(0);
        let playing = instruments.playing(Slot::A);
        assert!(playing.message.as_ref().unwrap().contains("/nowhere"));
        assert_eq!(playing.source(), Some(&InstrumentRef::default()));
        assert_eq!(playing.name(), "Trumpet");
    }

    #[test]
    fn an_unknown_instrument_is_named_in_the_message() {
        let instruments = instruments();
        instruments.params.session.edit(|s| s.instruments[0] = Some(InstrumentRef::built_in("nose flute")));
        instruments.update(0);
        assert!(instruments.playing(Slot::A).message.unwrap().contains("nose flute"));
        assert_eq!(instruments.playing(Slot::A).name(), "Trumpet", "what played goes on");
    }

    #[test]
    fn a_moved_parameter_plays_the_shelf_and_moved_back_the_session() {
        let library = shipped();
        let at = |a: i32, b: i32| {
            let (mut params, range) = (EmbouchureParams::new(&library), IntRange::Linear { min: 0, max: 127 });
            [params.instruments.a, params.instruments.b] = [a, b].map(|place| IntParam::new("", place, range));
            params.session.edit(|s| {
                s.choose(Slot::A, Some(InstrumentRef::built_in("cello")), 7);
                s.choose(Slot::B, Some(InstrumentRef::built_in("ah")), 14);
            });
            let instruments = Instruments::new(library.clone(), Arc::new(params));
            instruments.update(0);
            Slot::ALL.map(|slot| instruments.playing(slot).name().to_owned())
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
        let again = new_instance(&shipped());
        again.params.session.edit(|s| *s = first.params.session.get());
        again.update(0);
        assert_eq!(shown(&again, Slot::A), ("Oboe".into(), None, false));
        // A file that is deleted while in use plays on.
        std::fs::remove_file(&path).unwrap();
        again.update(0);
        assert_eq!(shown(&again, Slot::A), ("Oboe".into(), None, false));
    }

    #[test]
    fn a_file_that_has_moved_onto_the_shelf_is_found_by_its_content() {
        let (folder, elsewhere) = (TestFolder::new("found"), TestFolder::new("moved"));
        let library = library_in(&folder);
        put(&library, "renamed.safetensors", "ah");
        let id = embouchure_inference::nn::weights::content_id(embouchure_weights::instrument("ah").unwrap());
        let wanted = Some(InstrumentRef::file("Ah", &elsewhere.path("ah.safetensors"), &id));
        let play = || {
            let instruments = new_instance(&library);
            instruments.params.session.edit(|s| s.instruments[0] = wanted.clone());
            instruments.update(0);
            let session = instruments.params.session.get();
            assert_eq!(session.instruments[0], wanted, "the project's name for it is kept");
            shown(&instruments, Slot::A)
        };
        let (name, message, is_missing) = play();
        assert_eq!((name.as_str(), is_missing), ("Ah", false));
        assert!(message.unwrap().contains("renamed"));
        // It is found also if another file has its name.
        std::fs::write(elsewhere.path("ah.safetensors"), embouchure_weights::instrument("cello").unwrap()).unwrap();
        assert_eq!(play().0, "Ah");
        std::fs::remove_dir_all(library.shelf.folder().unwrap()).unwrap();
        library.shelf.rescan();
        let (name, message, _) = play();
        assert!(name == "Cello" && message.unwrap().contains("changed"));
    }

    /// An instance whose parameter A a host has set to a place of the shelf.
    fn at_place(library: &Arc<Library>, place: i32, session: Option<Session>) -> Instruments {
        let mut params = EmbouchureParams::new(library);
        params.instruments.a = IntParam::new("", place, IntRange::Linear { min: 0, max: 127 });
        session.into_iter().for_each(|session| params.session.edit(|s| *s = session));
        let instruments = Instruments::new(library.clone(), Arc::new(params));
        instruments.update(0);
        instruments
    }

    #[test]
    fn a_file_keeps_its_place_when_another_sorts_before_it() {
        let folder = TestFolder::new("in front");
        let library = library_in(&folder);
        put(&library, "m.safetensors", "cello");
        let is_it = |entry: &crate::library::shelf::Entry| entry.name == "Cello" && entry.place > 14;
        let place = library.shelf.entries().into_iter().find(is_it).unwrap().place;
        let name_at = |session| at_place(&library, place, session).playing(Slot::A).name().to_owned();
        let saved = at_place(&library, place, None);
        assert_eq!(saved.playing(Slot::A).name(), "Cello");
        put(&library, "a.safetensors", "oboe");
        assert_eq!(name_at(None), "Cello", "the folder remembers");
        // Without the folder's file, as on another computer, the project remembers.
        std::fs::write(library.shelf.folder().unwrap().join("places.json"), br#"{"by_place": {}}"#).unwrap();
        library.shelf.rescan();
        assert_eq!(name_at(None), "Oboe");
        assert_eq!(name_at(Some(saved.params.session.get())), "Cello");
    }

    #[test]
    fn a_file_cut_off_while_two_instances_play_it_harms_neither() {
        let folder = TestFolder::new("shared");
        let path = folder.path("oboe.safetensors");
        std::fs::write(&path, embouchure_weights::instrument("oboe").unwrap()).unwrap();
        let library = shipped();
        let both = [new_instance(&library), new_instance(&library)];
        both.iter().for_each(|instruments| instruments.open_file(Slot::A, &path));
        std::fs::write(&path, b"half of").unwrap();
        for instruments in &both {
            instruments.update(0);
            assert_eq!(shown(instruments, Slot::A), ("Oboe".into(), None, false));
            instruments.open_file(Slot::A, &path);
            let (name, message, _) = shown(instruments, Slot::A);
            assert!(name == "Oboe" && message.unwrap().contains("truncated"));
        }
    }

    #[test]
    fn without_an_instrument_the_engine_gets_no_networks() {
        let instruments = new_instance(&shipped());
        assert!(instruments.start(DriverKind::default()).is_none());
        instruments.update(0);
        let said = |instruments: &Instruments| instruments.playing(Slot::A).message;
        assert!(said(&instruments).unwrap().contains("restart the audio"), "the running engine cannot play it");
        assert_eq!(instruments.playing(Slot::B).message, None, "nothing is no instrument to wait for");
        instruments.engine_stopped();
        instruments.update(0);
        assert_eq!(said(&instruments), None);
        assert!(instruments.start(DriverKind::default()).is_some());
    }
}
