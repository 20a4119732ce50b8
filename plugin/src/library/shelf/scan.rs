//! Scans the player's folder.

use super::places::Places;
use super::{Entry, InstrumentRef, Loaded};
use embouchure_weights::own;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// State of the player's folder.
#[derive(Clone, Debug, PartialEq)]
pub enum Folder {
    /// It does not exist, and can be created.
    Absent,
    /// It exists.
    Present,
    /// It exists but cannot be read, with the reason.
    Unreadable(String),
}

impl Folder {
    /// The state of a folder. Blocks.
    pub fn at(path: &Path) -> Self {
        match std::fs::read_dir(path) {
            Ok(_) => Self::Present,
            Err(e) if e.kind() == ErrorKind::NotFound => Self::Absent,
            Err(e) => {
                Self::Unreadable(format!("it cannot be read ({e}): check that it is a folder, and its permissions"))
            }
        }
    }
}

/// A file that was read.
struct Known {
    path: PathBuf,
    /// Size and time of change when it was read.
    stamp: Option<(u64, SystemTime)>,
    entry: Entry,
}

/// Results of the last scan.
#[derive(Default)]
pub struct Scan {
    known: Vec<Known>,
    /// A copy of the places, in case the folder cannot store them.
    places: Places,
}

impl Scan {
    /// Scans a folder; returns its entries, each with its place.
    pub fn run(&mut self, folder: &Path, loaded: &Loaded) -> Vec<Entry> {
        self.known = scan(folder, &self.known, loaded);
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

/// Instrument files of a folder, in the order of their names. A folder that cannot be read is empty.
fn scan(folder: &Path, known: &[Known], loaded: &Loaded) -> Vec<Known> {
    let look = |path: PathBuf| {
        let stamp = std::fs::metadata(&path).and_then(|m| Ok((m.len(), m.modified()?))).ok();
        let as_before = known.iter().find(|k| k.path == path && k.stamp == stamp && stamp.is_some());
        let entry = as_before.map_or_else(|| read(&path, loaded), |known| known.entry.clone());
        Known { path, stamp, entry }
    };
    own::files(folder).into_iter().map(look).collect()
}

/// A file's entry; with the reason if it cannot be played.
fn read(path: &Path, loaded: &Loaded) -> Entry {
    match loaded.file(path) {
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
    fn places_that_cannot_be_stored_are_kept_while_the_process_runs() {
        let folder = TestFolder::new("forgetful");
        let put = |file: &str, instrument: &str| {
            std::fs::write(folder.path(file), embouchure_weights::instrument(instrument).unwrap()).unwrap();
        };
        // A folder of that name prevents writing the file, even for root.
        std::fs::create_dir_all(folder.path("places.json/inside")).unwrap();
        let (mut last, loaded) = (Scan::default(), Loaded::default());
        put("m.safetensors", "cello");
        let place = last.run(folder.root(), &loaded)[0].place;
        put("a.safetensors", "oboe");
        let places: Vec<(String, i32)> =
            last.run(folder.root(), &loaded).into_iter().map(|e| (e.name, e.place)).collect();
        assert_eq!(places, [("Oboe".into(), place + 1), ("Cello".into(), place)]);
        assert!(last.run(&folder.path("nowhere"), &loaded).is_empty() && !folder.path("nowhere").exists());
    }

    #[test]
    fn broken_files_are_listed_with_their_reason_and_changes_are_seen() {
        let (folder, loaded) = (TestFolder::new("shelf"), Loaded::default());
        let violin = embouchure_weights::instrument("violin").unwrap();
        std::fs::write(folder.path("b violin.safetensors"), violin).unwrap();
        std::fs::write(folder.path("a half.safetensors"), &violin[..violin.len() / 2]).unwrap();
        std::fs::write(folder.path("notes.txt"), b"not an instrument").unwrap();
        let first = scan(folder.root(), &[], &loaded);
        assert_eq!(first.len(), 2);
        assert_eq!(first[0].entry.name, "a half");
        assert!(first[0].entry.problem.as_ref().unwrap().contains("truncated"));
        assert_eq!((first[1].entry.name.as_str(), &first[1].entry.problem), ("Violin", &None));
        std::fs::write(folder.path("a half.safetensors"), embouchure_weights::instrument("oboe").unwrap()).unwrap();
        std::fs::remove_file(folder.path("b violin.safetensors")).unwrap();
        let second = scan(folder.root(), &first, &loaded);
        assert_eq!(second.len(), 1);
        assert_eq!((second[0].entry.name.as_str(), &second[0].entry.problem), ("Oboe", &None));
        assert!(scan(&folder.path("nowhere"), &second, &loaded).is_empty());
        assert_eq!([Folder::at(folder.root()), Folder::at(&folder.path("nowhere"))], [Folder::Present, Folder::Absent]);
        let Folder::Unreadable(why) = Folder::at(&folder.path("notes.txt")) else { panic!("a file is no folder") };
        assert!(why.contains("cannot be read") && scan(&folder.path("notes.txt"), &second, &loaded).is_empty());
    }
}
