//! The library: the shelf of instruments, presets, recent files, and the weights that were read. All instances in a
//! process share one, so that an instrument is read once and every window lists the same.

mod folders;
mod instrument_ref;
mod loaded;
pub mod presets;
pub mod recent;
pub mod shelf;
pub(crate) mod slots;

pub use folders::Folders;
pub use instrument_ref::InstrumentRef;
pub use loaded::Loaded;

use presets::Presets;
use recent::Recent;
use shelf::Shelf;
use std::sync::{Arc, LazyLock};

/// Everything that instances share. Each part has its own lock, held only briefly; reading a part waits for no disk.
pub struct Library {
    /// Weights in memory.
    pub loaded: Arc<Loaded>,
    /// Instruments, each at its place.
    pub shelf: Shelf,
    /// Presets that come with the plugin, and the player's own.
    pub presets: Presets,
    /// Recently opened instrument files.
    pub recent: Recent,
}

impl Library {
    /// The shipped instruments and presets; [`Library::rescan`] adds those in `folders`. Reads no file.
    pub fn new(folders: Folders) -> Self {
        let loaded = Arc::<Loaded>::default();
        Self {
            shelf: Shelf::new(folders.instruments, loaded.clone()),
            presets: Presets::new(folders.presets),
            recent: Recent::new(folders.recent),
            loaded,
        }
    }

    /// The library of this user, which all instances in the process share. A static is needed because a host makes an
    /// instance without an argument. All other code gets its library as an argument.
    pub fn of_this_process() -> Arc<Self> {
        static LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(|| Arc::new(Library::new(Folders::of_this_user())));
        LIBRARY.clone()
    }

    /// Reads all folders. Blocks.
    pub fn rescan(&self) {
        self.shelf.rescan();
        self.presets.rescan();
        self.recent.rescan();
    }
}

#[cfg(test)]
mod tests {
    use crate::library::InstrumentRef;
    use crate::test_folder::TestFolder;
    use crate::test_library::library_in;
    use std::sync::Arc;

    #[test]
    fn two_libraries_in_a_process_are_independent() {
        let folders = [TestFolder::new("one library"), TestFolder::new("another library")];
        let [one, other] = folders.each_ref().map(library_in);
        one.shelf.make_folder().unwrap();
        let file = folders[0].path("Instruments/mine.safetensors");
        std::fs::write(&file, embouchure_weights::instrument("oboe").unwrap()).unwrap();
        one.recent.add(&file);
        [&one, &other].into_iter().for_each(|library| library.rescan());
        let n_own = |library: &crate::library::Library| {
            let entries = library.shelf.entries().into_iter();
            entries.filter(|entry| matches!(entry.source, InstrumentRef::File { .. })).count()
        };
        assert_eq!((n_own(&one), n_own(&other)), (1, 0));
        assert_eq!((one.recent.files().len(), other.recent.files().len()), (1, 0));
    }

    #[test]
    fn an_instrument_is_read_once() {
        let library = library_in(&TestFolder::new("once"));
        let read = || library.loaded.built_in("oboe").unwrap();
        assert!(Arc::ptr_eq(&read(), &read()));
        assert!(library.loaded.built_in("nose flute").is_err_and(|e| e.contains("nose flute")));
    }
}
