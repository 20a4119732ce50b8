//! All instruments that can be had without looking for them, each at its place: the shipped ones, then the files in the
//! player's folder, whose places stay what they are. One shelf for all instances in a process. Reading it waits for no
//! disk; [`rescan`] does.

pub mod files;
mod places;
pub mod recent;
mod reference;

pub use reference::InstrumentRef;

use embouchure_inference::play::instrument::Card;
use embouchure_weights::own;
use files::load_file;
use parking_lot::{Mutex, RwLock};
use places::Places;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

/// Highest place, which the hosts' parameters reach; never changes, because automation is stored as a share of it.
pub const N_PLACES: i32 = 127;
/// Where a new instance's instrument is.
pub const DEFAULT_PLACE: i32 = 1;

/// One instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// On the shelf, from 1; 0 if it has none, because it cannot be played or the shelf is full.
    pub place: i32,
    /// Shown to the player.
    pub name: String,
    /// Of the instrument; empty if the file cannot be read.
    pub family: String,
    /// How to get it.
    pub source: InstrumentRef,
    /// Why it cannot be played.
    pub problem: Option<String>,
}

type Entries = Arc<Vec<Entry>>;

static SHIPPED: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let entry = |(place, (name, bytes)): (i32, &(&str, &[u8]))| {
        let (name_shown, family) = Card::of(bytes).map(|card| (card.name, card.family)).unwrap_or_default();
        Entry { place, name: name_shown, family, source: InstrumentRef::built_in(name), problem: None }
    };
    (1..places::FIRST).zip(embouchure_weights::INSTRUMENTS).map(entry).collect()
});

/// What the last look found of the folder itself.
static FOLDER: RwLock<Folder> = RwLock::new(Folder::Absent);

/// The player's folder.
#[derive(Clone, Debug, PartialEq)]
pub enum Folder {
    /// Not there; it can be made.
    Absent,
    /// There.
    Present,
    /// There, but it cannot be read, and why.
    Unreadable(String),
}

impl Folder {
    fn at(path: &Path) -> Self {
        match std::fs::read_dir(path) {
            Ok(_) => Self::Present,
            Err(e) if e.kind() == ErrorKind::NotFound => Self::Absent,
            Err(e) => Self::Unreadable(format!("it cannot be read ({e}): change who may, or what is in its place")),
        }
    }
}

/// Files of the player's, by name.
static OWN: LazyLock<RwLock<Entries>> = LazyLock::new(RwLock::default);

/// Everything on the shelf: the shipped instruments by place, then the player's by name.
pub fn entries() -> Vec<Entry> {
    SHIPPED.iter().chain(OWN.read().iter()).cloned().collect()
}

/// What is at a place, if anything.
pub fn at(place: i32) -> Option<Entry> {
    let is_there = |entry: &&Entry| place != 0 && entry.place == place;
    SHIPPED.iter().find(is_there).cloned().or_else(|| OWN.read().iter().find(is_there).cloned())
}

/// Name of what is at a place, for hosts.
pub fn name_of(place: i32) -> String {
    at(place).map_or_else(|| format!("Place {place}"), |entry| entry.name)
}

/// Inverse of [`name_of`].
pub fn place_of(name: &str) -> Option<i32> {
    let name = name.trim();
    let named = entries().into_iter().find(|entry| entry.place != 0 && entry.name.eq_ignore_ascii_case(name));
    let number = || name.strip_prefix("Place ")?.parse().ok();
    named.map(|entry| entry.place).or_else(number).filter(|place| (1..=N_PLACES).contains(place))
}

/// Place of an instrument.
pub fn find(source: &InstrumentRef) -> Option<i32> {
    entries().into_iter().find(|entry| entry.place != 0 && entry.source.is_same(source)).map(|entry| entry.place)
}

/// A file in the player's folder with this content.
pub fn file_with(id: &str) -> Option<PathBuf> {
    OWN.read().iter().find_map(|entry| match &entry.source {
        InstrumentRef::File { path, id: its, .. } if its == id => Some(path.clone()),
        _ => None,
    })
}

/// The player's folder for instruments, where the system wants such things; it need not exist.
pub fn folder() -> Option<PathBuf> {
    if cfg!(test) {
        // The tests shall not see what the player has.
        return Some(std::env::temp_dir().join(format!("embouchure-shelf-{}", std::process::id())));
    }
    own::folder()
}

/// The player's folder as it was at the last look.
pub fn folder_state() -> Folder {
    FOLDER.read().clone()
}

/// Makes the player's folder.
pub fn make_folder() -> std::io::Result<()> {
    let folder = folder().ok_or_else(|| std::io::Error::other("this system has no place for such a folder"))?;
    std::fs::create_dir_all(folder)
}

/// Looks into the player's folder. Reads only files that it has not seen as they are now.
pub fn rescan() {
    static LAST: Mutex<Scan> = Mutex::new(Scan::NONE);
    let mut last = LAST.lock();
    *FOLDER.write() = folder().map_or(Folder::Absent, |folder| Folder::at(&folder));
    let entries = folder().map_or_else(Vec::new, |folder| last.look(&folder));
    if **OWN.read() != entries {
        *OWN.write() = Arc::new(entries);
    }
}

/// A file, and what it was like when it was read.
struct Known {
    path: PathBuf,
    stamp: Option<(u64, SystemTime)>,
    entry: Entry,
}

/// What the last look found.
struct Scan {
    known: Vec<Known>,
    /// In case the folder cannot remember them.
    places: Places,
}

impl Scan {
    const NONE: Self = Self { known: Vec::new(), places: Places::NONE };

    /// The entries of a folder, each at its place.
    fn look(&mut self, folder: &Path) -> Vec<Entry> {
        self.known = scan(folder, &self.known);
        let remembered = Places::read(folder);
        let mut places = remembered.clone().unwrap_or_else(|| self.places.clone());
        let sources: Vec<InstrumentRef> = self.known.iter().map(|known| known.entry.source.clone()).collect();
        let assigned = places.assign(&sources);
        if !self.known.is_empty() && remembered.as_ref() != Some(&places) {
            places.write(folder);
        }
        self.places = places;
        self.known.iter().zip(assigned).map(|(known, place)| Entry { place, ..known.entry.clone() }).collect()
    }
}

/// Instrument files of a folder, by file name. A folder that cannot be read is empty.
fn scan(folder: &Path, known: &[Known]) -> Vec<Known> {
    let look = |path: PathBuf| {
        let stamp = std::fs::metadata(&path).and_then(|m| Ok((m.len(), m.modified()?))).ok();
        let as_before = known.iter().find(|k| k.path == path && k.stamp == stamp && stamp.is_some());
        let entry = as_before.map_or_else(|| read(&path), |known| known.entry.clone());
        Known { path, stamp, entry }
    };
    own::files(folder).into_iter().map(look).collect()
}

/// A file's entry; one that cannot be played says why.
fn read(path: &Path) -> Entry {
    match load_file(path) {
        Ok(instrument) => Entry {
            place: 0,
            source: InstrumentRef::file(&instrument.card.name, path, &instrument.id),
            name: instrument.card.name.clone(),
            family: instrument.card.family.clone(),
            problem: None,
        },
        Err(problem) => {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let source = InstrumentRef::file(&name, path, "");
            Entry { place: 0, name, family: String::new(), source, problem: Some(problem) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn shipped_instruments_have_their_places_for_ever() {
        let names = ["Trumpet", "French Horn", "Trombone", "Violin", "Viola", "Cello", "Flute", "Alto Flute"];
        for (place, name) in (1..).zip(names) {
            assert_eq!(name_of(place), name);
            assert_eq!(place_of(&name.to_lowercase()), Some(place));
        }
        assert_eq!(name_of(DEFAULT_PLACE), "Trumpet");
        assert_eq!((at(0), at(-5), at(10_000)), (None, None, None));
        assert!(
            SHIPPED.len() == embouchure_weights::INSTRUMENTS.len(),
            "the player's places begin at {}",
            places::FIRST
        );
        assert_eq!((name_of(100), place_of("Place 100")), ("Place 100".into(), Some(100)));
        assert_eq!((place_of("Place 0"), place_of("Place 1000"), place_of("Kazoo")), (None, None, None));
    }

    #[test]
    fn a_folder_that_cannot_remember_keeps_its_places_while_the_process_runs() {
        let folder = TestFolder::new("forgetful");
        let put = |file: &str, instrument: &str| {
            std::fs::write(folder.path(file), embouchure_weights::instrument(instrument).unwrap()).unwrap();
        };
        // Nothing can be written in its place, not even by root.
        std::fs::create_dir_all(folder.path("places.json/inside")).unwrap();
        let mut last = Scan::NONE;
        put("m.safetensors", "cello");
        let place = last.look(folder.root())[0].place;
        put("a.safetensors", "oboe");
        let places: Vec<(String, i32)> = last.look(folder.root()).into_iter().map(|e| (e.name, e.place)).collect();
        assert_eq!(places, [("Oboe".into(), place + 1), ("Cello".into(), place)]);
        assert!(last.look(&folder.path("nowhere")).is_empty() && !folder.path("nowhere").exists());
    }

    #[test]
    fn broken_files_are_listed_with_their_reason_and_changes_are_seen() {
        let folder = TestFolder::new("shelf");
        let violin = embouchure_weights::instrument("violin").unwrap();
        std::fs::write(folder.path("b violin.safetensors"), violin).unwrap();
        std::fs::write(folder.path("a half.safetensors"), &violin[..violin.len() / 2]).unwrap();
        std::fs::write(folder.path("notes.txt"), b"not an instrument").unwrap();
        let first = scan(folder.root(), &[]);
        assert_eq!(first.len(), 2);
        assert_eq!(first[0].entry.name, "a half");
        assert!(first[0].entry.problem.as_ref().unwrap().contains("truncated"));
        assert_eq!((first[1].entry.name.as_str(), &first[1].entry.problem), ("Violin", &None));
        std::fs::write(folder.path("a half.safetensors"), embouchure_weights::instrument("oboe").unwrap()).unwrap();
        std::fs::remove_file(folder.path("b violin.safetensors")).unwrap();
        let second = scan(folder.root(), &first);
        assert_eq!(second.len(), 1);
        assert_eq!((second[0].entry.name.as_str(), &second[0].entry.problem), ("Oboe", &None));
        assert!(scan(&folder.path("nowhere"), &second).is_empty());
        assert_eq!([Folder::at(folder.root()), Folder::at(&folder.path("nowhere"))], [Folder::Present, Folder::Absent]);
        let Folder::Unreadable(why) = Folder::at(&folder.path("notes.txt")) else { panic!("a file is no folder") };
        assert!(why.contains("cannot be read") && scan(&folder.path("notes.txt"), &second).is_empty());
    }
}
