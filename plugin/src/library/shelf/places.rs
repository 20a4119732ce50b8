//! The shelf's place of each file in the player's folder. A file keeps its place whatever is added later, because hosts
//! store places and not names. A small file in the folder stores the places.

use super::{InstrumentRef, N_PLACES};
use crate::whole_file;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Lowest place of a file. The places below are the shipped instruments'; further shipped ones would get the highest
/// places.
pub const FIRST: i32 = 15;
/// Name of the file in the player's folder.
const FILE: &str = "places.json";

/// The files that have, or had, a place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Places {
    by_place: BTreeMap<i32, Known>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    /// File name, without the folder.
    file: String,
    /// Content id.
    id: String,
}

impl Places {
    /// Reads the places of a folder; `None` if there are none, or they are damaged.
    pub fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read(folder.join(FILE)).ok()?;
        let mut places: Self = serde_json::from_slice(&text).ok()?;
        places.by_place.retain(|place, _| (FIRST..=N_PLACES).contains(place));
        Some(places)
    }

    /// Writes the places to the folder. If that fails, they are lost when the process ends; projects still find the
    /// files that they played.
    pub fn write(&self, folder: &Path) {
        if let Ok(text) = serde_json::to_vec_pretty(self) {
            let _ = whole_file::write(&folder.join(FILE), &text);
        }
    }

    /// The place of each file; 0 if it has none: it cannot be read and is not known, or all places are taken.
    ///
    /// A known file keeps its place. It is recognised by content and name; else by content, because it may have been
    /// renamed; else by name, because it may have been trained anew. A new file gets the lowest place that was never
    /// taken, or else the place of a file that is gone.
    pub fn assign(&mut self, files: &[InstrumentRef]) -> Vec<i32> {
        let mut places = vec![0; files.len()];
        let mut taken = BTreeSet::new();
        let rules: [fn(&Known, &Known) -> bool; 3] = [
            |known, file| known.file == file.file && (known.id == file.id || file.id.is_empty()),
            |known, file| known.id == file.id,
            |known, file| known.file == file.file,
        ];
        let files: Vec<Option<Known>> = files.iter().map(Known::of).collect();
        for rule in rules {
            for (place, file) in places.iter_mut().zip(&files).filter(|(place, _)| **place == 0) {
                let Some(file) = file else { continue };
                let found = self.by_place.iter().find(|(at, known)| !taken.contains(*at) && rule(known, file));
                if let Some((at, _)) = found {
                    *place = *at;
                    taken.insert(*at);
                }
            }
        }
        for (place, file) in places.iter_mut().zip(files) {
            let Some(file) = file.filter(|file| *place != 0 || !file.id.is_empty()) else { continue };
            if *place == 0 {
                let is_new = |at: &i32| !self.by_place.contains_key(at);
                let free = (FIRST..=N_PLACES).find(is_new).or((FIRST..=N_PLACES).find(|at| !taken.contains(at)));
                *place = free.unwrap_or(0);
                taken.insert(*place);
            }
            if *place != 0 && !file.id.is_empty() {
                self.by_place.insert(*place, file);
            }
        }
        places
    }
}

impl Known {
    fn of(source: &InstrumentRef) -> Option<Self> {
        let InstrumentRef::File { path, id, .. } = source else { return None };
        Some(Self { file: path.file_name()?.to_string_lossy().into_owned(), id: id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    fn files(files: &[(&str, &str)]) -> Vec<InstrumentRef> {
        files.iter().map(|(file, id)| InstrumentRef::file("", &Path::new("/there").join(file), id)).collect()
    }

    #[test]
    fn a_file_keeps_its_place_whatever_comes_or_goes() {
        let mut places = Places::default();
        assert_eq!(places.assign(&files(&[("b", "1"), ("d", "2")])), [15, 16], "by name at first");
        assert_eq!(places.assign(&files(&[("a", "3"), ("b", "1"), ("c", "4"), ("d", "2")])), [17, 15, 18, 16]);
        assert_eq!(places.assign(&files(&[("z", "1")])), [15], "renamed");
        assert_eq!(places.assign(&files(&[("d", "5"), ("z", "1")])), [16, 15], "trained anew");
        assert_eq!(places.assign(&files(&[("c", "4")])), [18], "back again");
        assert_eq!(places.assign(&files(&[("c", ""), ("e", "")])), [18, 0], "damaged, and never known");
        assert_eq!(places.assign(&files(&[("c", "4"), ("copy", "4")])), [18, 19], "a copy is another file");
    }

    #[test]
    fn names_that_are_swapped_do_not_swap_the_sound() {
        let mut places = Places::default();
        places.assign(&files(&[("a", "1"), ("b", "2")]));
        assert_eq!(places.assign(&files(&[("a", "2"), ("b", "1")])), [16, 15]);
    }

    #[test]
    fn when_all_places_are_taken_those_of_absent_files_are_used() {
        let names: Vec<String> = (0..200).map(|i| format!("{i:03}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let mut places = Places::default();
        let all = places.assign(&files(&many));
        assert_eq!(all.iter().filter(|place| **place != 0).count() as i32, N_PLACES - FIRST + 1);
        assert_eq!(places.assign(&files(&[("001", "001"), ("new", "new")])), [16, 15]);
    }

    #[test]
    fn places_are_stored_in_the_folder_and_garbage_is_ignored() {
        let folder = TestFolder::new("places");
        assert_eq!(Places::read(folder.root()), None);
        let mut places = Places::default();
        places.assign(&files(&[("b", "1")]));
        places.write(folder.root());
        let mut again = Places::read(folder.root()).unwrap();
        assert_eq!(again.assign(&files(&[("a", "2"), ("b", "1")])), [16, 15]);
        std::fs::write(folder.path(FILE), br#"{"by_place": {"3": {"file": "x", "id": "y"}}}"#).unwrap();
        assert_eq!(Places::read(folder.root()), Some(Places::default()), "a shipped instrument's place");
        std::fs::write(folder.path(FILE), b"{garbage").unwrap();
        assert_eq!(Places::read(folder.root()), None);
        places.write(&folder.path("nowhere"));
    }
}
