//! Presets: those that come with the plugin and the player's own. Each is a small file with the values of all
//! parameters and the names of the instruments. Bypass, buffer and window are not part of a preset.

mod files;
mod preset;

pub use preset::Preset;

use crate::params::EmbouchureParams;
use parking_lot::RwLock;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// All presets. Their names are unique.
pub struct Presets {
    /// Presets that come with the plugin.
    factory: Vec<Preset>,
    /// The player's presets, in the order of file names.
    own: RwLock<Vec<Preset>>,
    /// Folder of the player's presets; it need not exist. `None`: the system has no place for it.
    folder: Option<PathBuf>,
}

impl Presets {
    /// The presets that come with the plugin; [`Presets::rescan`] adds those in `folder`.
    pub fn new(folder: Option<PathBuf>) -> Self {
        // A test checks that this file can be read.
        let factory = serde_json::from_str(include_str!("factory.json")).unwrap_or_default();
        Self { factory, own: RwLock::default(), folder }
    }

    /// All presets, those that come with the plugin first. Waits for no disk.
    pub fn all(&self) -> Vec<Preset> {
        self.factory.iter().chain(self.own.read().iter()).cloned().collect()
    }

    /// True if `now`, captured from `params`, equals the preset of its name.
    pub fn is_unchanged(&self, now: &Preset, params: &EmbouchureParams) -> bool {
        let own = self.own.read();
        let named = self.factory.iter().chain(own.iter()).find(|preset| preset.name == now.name);
        named.is_some_and(|preset| preset.equals(now, params))
    }

    /// True for the name of one of the player's presets.
    pub fn is_own(&self, name: &str) -> bool {
        self.own.read().iter().any(|preset| preset.name == name)
    }

    /// True for the name of a preset that comes with the plugin.
    pub fn is_factory(&self, name: &str) -> bool {
        self.factory.iter().any(|preset| preset.name == name)
    }

    /// Reads the player's folder, ignoring other files. Blocks.
    pub fn rescan(&self) {
        let read = |folder| self.files(folder).into_iter().map(|(_, preset)| preset).collect();
        let found = self.folder.as_deref().map_or_else(Vec::new, read);
        *self.own.write() = found;
    }

    /// Writes a preset, replacing the player's preset of the same name. Blocks.
    pub fn save(&self, preset: &Preset) -> Result<()> {
        files::save(self.needed_folder()?, preset, |name| self.is_factory(name))
    }

    /// Deletes one of the player's presets. Blocks.
    pub fn delete(&self, name: &str) -> Result<()> {
        std::fs::remove_file(self.file_of(name)?.0)
    }

    /// Renames one of the player's presets to a name that no other has. Blocks.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        if self.is_factory(to) || self.is_own(to) {
            return Err(Error::other(format!("there is a preset {to:?} already")));
        }
        let (path, preset) = self.file_of(from)?;
        self.save(&Preset { name: to.into(), ..preset })?;
        std::fs::remove_file(path)
    }

    fn needed_folder(&self) -> Result<&Path> {
        self.folder.as_deref().ok_or_else(|| Error::other("this system has no place for presets"))
    }

    fn files(&self, folder: &Path) -> Vec<(PathBuf, Preset)> {
        files::presets_in(folder, |name| self.is_factory(name))
    }

    /// One of the player's presets, read now, and its file.
    fn file_of(&self, name: &str) -> Result<(PathBuf, Preset)> {
        let mut files = self.files(self.needed_folder()?).into_iter();
        let found = files.find(|(_, preset)| preset.name == name);
        found.ok_or_else(|| Error::other(format!("there is no preset {name:?} any more")))
    }
}

#[cfg(test)]
mod tests {
    use super::preset::{EXCLUDED, FORMAT};
    use super::*;
    use crate::library::{InstrumentRef, Loaded, shelf::Shelf};
    use crate::test_folder::TestFolder;
    use crate::test_host::TestHost;
    use nice_plug::prelude::{ParamSetter, Params};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    impl Presets {
        /// Replaces the player's presets.
        pub fn set_own(&self, own: Vec<Preset>) {
            *self.own.write() = own;
        }
    }

    fn shelf() -> Shelf {
        Shelf::new(None, Arc::<Loaded>::default())
    }

    fn presets_in(folder: &Path) -> Presets {
        Presets::new(Some(folder.into()))
    }

    /// The player's presets, read now.
    fn own(presets: &Presets) -> Vec<Preset> {
        presets.rescan();
        presets.own.read().clone()
    }

    #[test]
    fn factory_presets_are_valid_and_differ() {
        let (presets, params, shelf) = (Presets::new(None).factory, EmbouchureParams::default(), shelf());
        assert!(presets.len() >= 12, "{}", presets.len());
        let ids: Vec<String> = params.param_map().into_iter().map(|(id, ..)| id).collect();
        for (i, preset) in presets.iter().enumerate() {
            assert_eq!(preset.format, FORMAT);
            assert!(preset.params.keys().all(|id| ids.contains(id)), "{}", preset.name);
            for instrument in preset.instruments.iter().flatten() {
                assert!(shelf.find(instrument).is_some(), "{} wants {instrument:?}", preset.name);
            }
            let is_like = |other: &Preset| {
                other.name == preset.name
                    || (other.params == preset.params && other.instruments[0] == preset.instruments[0])
            };
            assert!(!presets[..i].iter().any(is_like), "{}", preset.name);
            // Every value is within its parameter's range, so that it is read as it was set.
            preset.apply(&shelf, &params, &ParamSetter::new(&TestHost::default()));
            let read = Preset::capture(&preset.name, &params, preset.instruments.clone());
            for (id, value) in &preset.params {
                assert!(
                    (read.params[id] - value).abs() < 1e-3,
                    "{}: {id} {value} became {}",
                    preset.name,
                    read.params[id]
                );
            }
            assert_eq!(read.instruments, preset.instruments);
        }
    }

    #[test]
    fn saved_presets_are_read_back_and_garbage_is_ignored() {
        let (folder, params, shelf) = (TestFolder::new("presets"), EmbouchureParams::default(), shelf());
        let presets = presets_in(&folder.path("new"));
        let mut preset = Preset::capture("My / sound: 1", &params, [None, Some(InstrumentRef::built_in("oboe"))]);
        preset.params.insert("room".into(), 0.25);
        presets.save(&preset).unwrap();
        std::fs::write(folder.path("new/garbage.json"), b"{").unwrap();
        std::fs::write(
            folder.path("new/other.json"),
            br#"{"format": "x", "name": "", "instrument": {"kind": "builtin", "name": "oboe"}, "params": {}}"#,
        )
        .unwrap();
        std::fs::write(
            folder.path("new/no instrument.json"),
            br#"{"format": "embouchure-preset/1", "name": "", "params": {}}"#,
        )
        .unwrap();
        assert_eq!(own(&presets), [preset.clone()]);
        preset.apply(&shelf, &params, &ParamSetter::new(&TestHost::default()));
        assert!((params.sound.room.value() - 0.25).abs() < 1e-6);
        assert_eq!(params.instruments.b.value(), shelf.place_of("Oboe").unwrap());
        assert_eq!(params.session.get().preset, "My / sound: 1");
        let now = |playing| Preset::capture("", &params, playing);
        let oboe = Some(InstrumentRef::built_in("oboe"));
        assert!(preset.equals(&now([None, oboe.clone()]), &params));
        assert!(!preset.equals(&now([None, None]), &params), "B counts");
        assert!(!preset.equals(&now([oboe.clone(), oboe.clone()]), &params), "A counts");
        let sparse = Preset { params: BTreeMap::from([("room".into(), 0.25)]), ..preset };
        assert!(sparse.equals(&now([None, oboe.clone()]), &params));
        let mut changed = now([None, oboe]);
        changed.params.insert("transpose".into(), 3.0);
        assert!(!sparse.equals(&changed, &params), "what a preset does not name is at its default");
    }

    #[test]
    fn a_name_has_one_preset_and_is_saved_renamed_and_deleted() {
        let (folder, params) = (TestFolder::new("names"), EmbouchureParams::default());
        let (root, presets) = (folder.root(), presets_in(folder.root()));
        let preset = |name: &str| Preset::capture(name, &params, [None, None]);
        let names = || own(&presets).into_iter().map(|preset| preset.name).collect::<Vec<_>>();
        for name in ["a/b", "a:b", "a/b"] {
            presets.save(&preset(name)).unwrap();
        }
        assert_eq!(names(), ["a:b", "a/b"], "two names, though both are a_b to the disk");
        presets.rename("a/b", "c").unwrap();
        assert_eq!(names(), ["a:b", "c"]);
        assert!(presets.rename("a/b", "d").unwrap_err().to_string().contains("a/b"));
        // The player may copy a file in a file manager.
        std::fs::copy(root.join("c.json"), root.join("copy.json")).unwrap();
        assert_eq!(names(), ["a:b", "c", "c (2)"]);
        presets.delete("c (2)").unwrap();
        assert_eq!(names(), ["a:b", "c"], "the other one stays");
        // Earlier versions let a preset have the name of one that comes with the plugin.
        let factory = presets.factory[0].name.clone();
        std::fs::write(root.join("e.json"), serde_json::to_vec(&preset(&factory)).unwrap()).unwrap();
        assert_eq!(names()[2], format!("{factory} (2)"));
        presets.save(&preset(&names()[2])).unwrap();
        assert_eq!(names().len(), 3, "it can be saved again");
    }

    #[test]
    fn a_preset_does_not_contain_bypass_and_instrument_places() {
        let params = EmbouchureParams::default();
        let ids: Vec<String> = Preset::capture("", &params, [None, None]).params.into_keys().collect();
        assert!(!ids.iter().any(|id| EXCLUDED.contains(&id.as_str())));
        assert_eq!(ids.len() + EXCLUDED.len(), params.param_map().len());
    }

    #[test]
    fn earlier_versions_presets_load_and_load_this_versions() {
        let folder = TestFolder::new("earlier presets");
        let text = r#"{
  "format": "embouchure-preset/1",
  "name": "Duet",
  "instrument": {
    "kind": "builtin",
    "name": "cello"
  },
  "second": {
    "kind": "builtin",
    "name": "oboe"
  },
  "params": {
    "match_level": 1.0,
    "room": 0.25
  }
}"#;
        std::fs::write(folder.path("duet.json"), text).unwrap();
        let presets = presets_in(folder.root());
        let duet = own(&presets).remove(0);
        assert_eq!(duet.instruments, ["cello", "oboe"].map(|name| Some(InstrumentRef::built_in(name))));
        presets.save(&duet).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path("duet.json")).unwrap(), text, "as it was written");
        // A preset of a version without a second instrument.
        let alone = text.replace("second", "third");
        std::fs::write(folder.path("duet.json"), alone).unwrap();
        assert_eq!(own(&presets)[0].instruments, [Some(InstrumentRef::built_in("cello")), None]);
    }
}
