//! The shelf: all instruments of the list, each at a numbered place. First the shipped ones, then the files in the
//! player's folder, which keep their places. Reading the shelf waits for no disk; [`Shelf::rescan`] does.

mod places;
mod scan;

pub use scan::Folder;

use super::{InstrumentRef, Loaded};
use embouchure_inference::play::instrument::Card;
use parking_lot::{Mutex, RwLock};
use scan::Scan;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Highest place and highest value of the instruments' parameters. It never changes, because hosts store automation as
/// a share of it.
pub const N_PLACES: i32 = 127;
/// Place of a new instance's instrument.
pub const DEFAULT_PLACE: i32 = 1;

/// One instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Place on the shelf, from 1; 0 if it has none, because it cannot be played or the shelf is full.
    pub place: i32,
    /// Name shown to the player.
    pub name: String,
    /// The instrument's family; empty if the file cannot be read.
    pub family: String,
    /// Reference to load it by.
    pub source: InstrumentRef,
    /// Why it cannot be played.
    pub problem: Option<String>,
}

/// The shipped instruments, and those that the last scan of the player's folder found.
pub struct Shelf {
    /// Shipped instruments, in the order of their places.
    shipped: Vec<Entry>,
    /// The player's files, in the order of their names.
    own: RwLock<Vec<Entry>>,
    /// The player's folder; `None`: the system has no place for it.
    folder: Option<PathBuf>,
    folder_state: RwLock<Folder>,
    /// Held while the folder is read.
    scan: Mutex<Scan>,
    loaded: Arc<Loaded>,
}

impl Shelf {
    /// The shipped instruments; [`Shelf::rescan`] adds those in `folder`.
    pub fn new(folder: Option<PathBuf>, loaded: Arc<Loaded>) -> Self {
        Self {
            shipped: shipped(),
            own: RwLock::default(),
            folder,
            folder_state: RwLock::new(Folder::Absent),
            scan: Mutex::default(),
            loaded,
        }
    }

    /// Everything on the shelf: the shipped instruments by place, then the player's by name.
    pub fn entries(&self) -> Vec<Entry> {
        self.shipped.iter().chain(self.own.read().iter()).cloned().collect()
    }

    /// The instrument at a place, if any.
    pub fn at(&self, place: i32) -> Option<Entry> {
        self.find_entry(|entry| entry.place == place)
    }

    /// Name of the instrument at a place, for hosts; "Place n" if it is empty.
    pub fn name_of(&self, place: i32) -> String {
        self.at(place).map_or_else(|| format!("Place {place}"), |entry| entry.name)
    }

    /// Inverse of [`Shelf::name_of`].
    pub fn place_of(&self, name: &str) -> Option<i32> {
        let name = name.trim();
        let named = self.find_entry(|entry| entry.name.eq_ignore_ascii_case(name));
        let number = || name.strip_prefix("Place ")?.parse().ok();
        named.map(|entry| entry.place).or_else(number).filter(|place| (1..=N_PLACES).contains(place))
    }

    /// Place of an instrument.
    pub fn find(&self, source: &InstrumentRef) -> Option<i32> {
        self.find_entry(|entry| entry.source.is_same(source)).map(|entry| entry.place)
    }

    /// A file in the player's folder with this content.
    pub fn file_with(&self, id: &str) -> Option<PathBuf> {
        self.own.read().iter().find_map(|entry| match &entry.source {
            InstrumentRef::File { path, id: its, .. } if its == id => Some(path.clone()),
            _ => None,
        })
    }

    /// The player's folder for instruments; it need not exist.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// State of the player's folder at the last scan.
    pub fn folder_state(&self) -> Folder {
        self.folder_state.read().clone()
    }

    /// Makes the player's folder.
    pub fn make_folder(&self) -> std::io::Result<()> {
        let folder =
            self.folder().ok_or_else(|| std::io::Error::other("this system has no place for such a folder"))?;
        std::fs::create_dir_all(folder)
    }

    /// Scans the player's folder. Reads only files that are new or changed since the last scan.
    pub fn rescan(&self) {
        let Some(folder) = self.folder() else { return };
        let mut scan = self.scan.lock();
        *self.folder_state.write() = Folder::at(folder);
        *self.own.write() = scan.run(folder, &self.loaded);
    }

    /// The first entry with a place for which `is_wanted`.
    fn find_entry(&self, is_wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let is_it = |entry: &&Entry| entry.place != 0 && is_wanted(entry);
        self.shipped.iter().find(is_it).cloned().or_else(|| self.own.read().iter().find(is_it).cloned())
    }
}

fn shipped() -> Vec<Entry> {
    let entry = |(place, (name, bytes)): (i32, &(&str, &[u8]))| {
        let (shown, family) = Card::of(bytes).map(|card| (card.name, card.family)).unwrap_or_default();
        Entry { place, name: shown, family, source: InstrumentRef::built_in(name), problem: None }
    };
    (1..places::FIRST).zip(embouchure_weights::INSTRUMENTS).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_instruments_keep_their_places() {
        let shelf = Shelf::new(None, Arc::default());
        let names = ["Trumpet", "French Horn", "Trombone", "Violin", "Viola", "Cello", "Flute", "Alto Flute"];
        for (place, name) in (1..).zip(names) {
            assert_eq!(shelf.name_of(place), name);
            assert_eq!(shelf.place_of(&name.to_lowercase()), Some(place));
        }
        assert_eq!(shelf.name_of(DEFAULT_PLACE), "Trumpet");
        assert_eq!([0, -5, 10_000].map(|place| shelf.at(place)), [None, None, None]);
        assert!(
            shelf.shipped.len() == embouchure_weights::INSTRUMENTS.len(),
            "the player's places begin at {}",
            places::FIRST
        );
        assert_eq!((shelf.name_of(100), shelf.place_of("Place 100")), ("Place 100".into(), Some(100)));
        assert_eq!(["Place 0", "Place 1000", "Kazoo"].map(|name| shelf.place_of(name)), [None, None, None]);
    }
}
