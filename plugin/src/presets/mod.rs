//! Presets: those that come with the plugin and the player's own, each a small file with the values of all parameters and
//! the names of the instruments. What belongs to the room and the desk (bypass, buffer, window) is not in them.

use crate::params::EmbouchureParams;
use crate::shelf::{self, InstrumentRef};
use crate::whole_file;
use embouchure_inference::play::Slot;
use embouchure_weights::own;
use nice_plug::prelude::{ParamPtr, ParamSetter, Params};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const FORMAT: &str = "embouchure-preset/1";
/// Parameters that presets leave alone: the instruments have names instead.
const LEFT_ALONE: [&str; 3] = ["bypass", "instrument_a", "instrument_b"];

/// One sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// `embouchure-preset/1`.
    pub format: String,
    /// Shown to the player.
    pub name: String,
    /// What A plays.
    pub instrument: InstrumentRef,
    /// What B plays.
    #[serde(default)]
    pub second: Option<InstrumentRef>,
    /// Plain values by id; what is not named has its default.
    pub params: BTreeMap<String, f32>,
}

impl Preset {
    /// The sound as it is.
    pub fn capture(name: &str, params: &EmbouchureParams, playing: [Option<InstrumentRef>; 2]) -> Self {
        let session = params.session.get();
        let [first, second] = playing;
        let value = |(id, param, _): (String, ParamPtr, String)| {
            // SAFETY: the parameters are borrowed for as long as this takes.
            let value = unsafe { param.unmodulated_plain_value() };
            (!LEFT_ALONE.contains(&id.as_str())).then_some((id, value))
        };
        Self {
            format: FORMAT.into(),
            name: name.into(),
            instrument: first.unwrap_or(session.instrument),
            second,
            params: params.param_map().into_iter().filter_map(value).collect(),
        }
    }

    /// Sets everything as the preset has it, each parameter in a gesture of its own. What the session names is loaded by
    /// whoever follows it.
    pub fn apply(&self, params: &EmbouchureParams, setter: &ParamSetter) {
        let places = [Some(&self.instrument), self.second.as_ref()].map(|i| i.and_then(shelf::find).unwrap_or(0));
        params.session.edit(|session| {
            session.choose(Slot::A, Some(self.instrument.clone()), places[0]);
            session.choose(Slot::B, self.second.clone(), places[1]);
            session.preset = self.name.clone();
        });
        for (id, param, _) in params.param_map() {
            // SAFETY: the parameters are borrowed for as long as this takes, and the framework checks that they are its own.
            unsafe {
                let plain = match id.as_str() {
                    "instrument_a" => places[0] as f32,
                    "instrument_b" => places[1] as f32,
                    "bypass" => continue,
                    id => match self.params.get(id) {
                        Some(value) if value.is_finite() => *value,
                        _ => param.default_plain_value(),
                    },
                };
                setter.raw_context.raw_begin_set_parameter(param);
                setter.raw_context.raw_set_parameter_normalized(param, param.preview_normalized(plain));
                setter.raw_context.raw_end_set_parameter(param);
            }
        }
    }

    /// True if `now`, which names every parameter, is what this preset sets.
    fn is_as(&self, now: &Self, params: &EmbouchureParams) -> bool {
        let is_same = |a: Option<&InstrumentRef>, b: Option<&InstrumentRef>| match (a, b) {
            (Some(a), Some(b)) => a.is_same(b),
            (a, b) => a == b,
        };
        let is_set = |(id, param, _): (String, ParamPtr, String)| {
            // SAFETY: the parameters are borrowed for as long as this takes.
            let default = unsafe { param.default_plain_value() };
            let set = self.params.get(&id).filter(|value| value.is_finite()).unwrap_or(&default);
            now.params.get(&id).is_none_or(|now| (now - set).abs() < 1e-3)
        };
        is_same(Some(&self.instrument), Some(&now.instrument))
            && is_same(self.second.as_ref(), now.second.as_ref())
            && params.param_map().into_iter().all(is_set)
    }
}

/// The presets that come with the plugin.
static FACTORY: LazyLock<Vec<Preset>> =
    // Checked by a test.
    LazyLock::new(|| serde_json::from_str(include_str!("factory.json")).unwrap_or_default());

/// The player's, by file name.
static OWN: RwLock<Vec<Preset>> = RwLock::new(Vec::new());

/// All presets, those that come with the plugin first. Waits for no disk; [`rescan`] does.
pub fn all() -> Vec<Preset> {
    FACTORY.iter().cloned().chain(OWN.read().iter().cloned()).collect()
}

/// True if `now`, which was captured from `params`, is as the preset of its name.
pub fn is_unchanged(now: &Preset, params: &EmbouchureParams) -> bool {
    let own = OWN.read();
    FACTORY.iter().chain(own.iter()).find(|preset| preset.name == now.name).is_some_and(|p| p.is_as(now, params))
}

/// True for the name of one of the player's.
pub fn is_own(name: &str) -> bool {
    OWN.read().iter().any(|preset| preset.name == name)
}

/// True for the name of one that comes with the plugin.
pub fn is_factory(name: &str) -> bool {
    FACTORY.iter().any(|preset| preset.name == name)
}

/// Puts presets in the place of the player's.
#[cfg(test)]
pub fn pretend(own: Vec<Preset>) {
    *OWN.write() = own;
}

/// Looks into the player's folder; files that are no presets are left out.
pub fn rescan() {
    let found = folder().map_or_else(Vec::new, |folder| read_folder(&folder));
    *OWN.write() = found;
}

/// Writes a preset under its name, in place of one of the player's that has it already.
pub fn save(preset: &Preset) -> Result<()> {
    save_in(&needed_folder()?, preset)
}

/// Deletes one of the player's.
pub fn delete(name: &str) -> Result<()> {
    std::fs::remove_file(existing_file(&needed_folder()?, name)?)
}

/// Gives one of the player's another name, which no other has.
pub fn rename(from: &str, to: &str) -> Result<()> {
    if is_factory(to) || is_own(to) {
        return Err(Error::other(format!("there is a preset {to:?} already")));
    }
    rename_in(&needed_folder()?, from, to)
}

fn needed_folder() -> Result<PathBuf> {
    folder().ok_or_else(|| Error::other("this system has no place for presets"))
}

/// Where the player's presets are; it need not exist.
fn folder() -> Option<PathBuf> {
    Some(own::system_folders()?.data_dir().join("Presets"))
}

fn read_folder(folder: &Path) -> Vec<Preset> {
    presets_in(folder).into_iter().map(|(_, preset)| preset).collect()
}

/// The presets of a folder, by file name; what is none is left out. Each has a name of its own: one that has the name of
/// another, or of one that comes with the plugin, gets a number.
fn presets_in(folder: &Path) -> Vec<(PathBuf, Preset)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|f| f.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let read = |path: PathBuf| {
        let mut preset: Preset = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        // One of before there was such a thing sounds as it did.
        preset.params.entry("match_level".into()).or_insert(0.0);
        (preset.format == FORMAT).then_some((path, preset))
    };
    let mut found: Vec<(PathBuf, Preset)> = Vec::new();
    for (path, mut preset) in files.into_iter().filter_map(read) {
        let is_taken = |name: &str| is_factory(name) || found.iter().any(|(_, preset)| preset.name == name);
        preset.name = free_name(&preset.name, is_taken);
        found.push((path, preset));
    }
    found
}

/// The name, with a number if it is taken.
fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = |n: usize| if n == 1 { name.to_owned() } else { format!("{name} ({n})") };
    (1..).map(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    presets_in(folder).into_iter().find(|(_, preset)| preset.name == name).map(|(path, _)| path)
}

fn existing_file(folder: &Path, name: &str) -> Result<PathBuf> {
    file_of(folder, name).ok_or_else(|| Error::other(format!("there is no preset {name:?} any more")))
}

fn save_in(folder: &Path, preset: &Preset) -> Result<()> {
    let path = file_of(folder, &preset.name).unwrap_or_else(|| free_file(folder, &preset.name));
    let text = serde_json::to_vec_pretty(preset).map_err(Error::other)?;
    whole_file::write(&path, &text)
}

/// A file for a name that has none. Different names may come to the same letters.
fn free_file(folder: &Path, name: &str) -> PathBuf {
    // What a file system may take for something else.
    let safe: String = name.chars().map(|c| if c.is_alphanumeric() || " -_".contains(c) { c } else { '_' }).collect();
    let numbered = |n: usize| folder.join(if n == 1 { format!("{safe}.json") } else { format!("{safe} {n}.json") });
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}

fn rename_in(folder: &Path, from: &str, to: &str) -> Result<()> {
    let found = presets_in(folder).into_iter().find(|(_, preset)| preset.name == from);
    let (path, preset) = found.ok_or_else(|| Error::other(format!("there is no preset {from:?} any more")))?;
    save_in(folder, &Preset { name: to.into(), ..preset })?;
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;
    use crate::test_host::TestHost;

    #[test]
    fn the_factorys_presets_name_what_there_is_and_differ() {
        let (presets, params) = (&*FACTORY, EmbouchureParams::default());
        assert!(presets.len() >= 12, "{}", presets.len());
        let ids: Vec<String> = params.param_map().into_iter().map(|(id, ..)| id).collect();
        for (i, preset) in presets.iter().enumerate() {
            assert_eq!(preset.format, FORMAT);
            assert!(preset.params.keys().all(|id| ids.contains(id)), "{}", preset.name);
            for instrument in [Some(&preset.instrument), preset.second.as_ref()].into_iter().flatten() {
                assert!(shelf::find(instrument).is_some(), "{} wants {instrument:?}", preset.name);
            }
            let is_like = |other: &Preset| {
                other.name == preset.name || (other.params == preset.params && other.instrument == preset.instrument)
            };
            assert!(!presets[..i].iter().any(is_like), "{}", preset.name);
            // Every value is within its parameter's range: what is set is what is read.
            preset.apply(&params, &ParamSetter::new(&TestHost::default()));
            let playing = [Some(preset.instrument.clone()), preset.second.clone()];
            let read = Preset::capture(&preset.name, &params, playing);
            for (id, value) in &preset.params {
                assert!(
                    (read.params[id] - value).abs() < 1e-3,
                    "{}: {id} {value} became {}",
                    preset.name,
                    read.params[id]
                );
            }
            assert_eq!((&read.instrument, &read.second), (&preset.instrument, &preset.second));
        }
    }

    #[test]
    fn what_is_saved_comes_back_and_garbage_is_left_out() {
        let (folder, params) = (TestFolder::new("presets"), EmbouchureParams::default());
        let mut preset = Preset::capture("My / sound: 1", &params, [None, Some(InstrumentRef::built_in("oboe"))]);
        preset.params.insert("room".into(), 0.25);
        save_in(&folder.path("new"), &preset).unwrap();
        std::fs::write(folder.path("new/garbage.json"), b"{").unwrap();
        std::fs::write(
            folder.path("new/other.json"),
            br#"{"format": "x", "name": "", "instrument": {"kind": "builtin", "name": "oboe"}, "params": {}}"#,
        )
        .unwrap();
        assert_eq!(read_folder(&folder.path("new")), [preset.clone()]);
        preset.apply(&params, &ParamSetter::new(&TestHost::default()));
        assert!((params.room.value() - 0.25).abs() < 1e-6);
        assert_eq!(params.instrument_b.value(), shelf::place_of("Oboe").unwrap());
        assert_eq!(params.session.get().preset, "My / sound: 1");
        let now = |playing| Preset::capture("", &params, playing);
        let oboe = Some(InstrumentRef::built_in("oboe"));
        assert!(preset.is_as(&now([None, oboe.clone()]), &params));
        assert!(!preset.is_as(&now([None, None]), &params), "B counts");
        assert!(!preset.is_as(&now([oboe.clone(), oboe.clone()]), &params), "A counts");
        let sparse = Preset { params: BTreeMap::from([("room".into(), 0.25)]), ..preset };
        assert!(sparse.is_as(&now([None, oboe.clone()]), &params));
        let mut changed = now([None, oboe]);
        changed.params.insert("transpose".into(), 3.0);
        assert!(!sparse.is_as(&changed, &params), "what a preset does not name is at its default");
    }

    #[test]
    fn a_name_has_one_preset_and_is_saved_renamed_and_deleted() {
        let (folder, params) = (TestFolder::new("names"), EmbouchureParams::default());
        let root = folder.root();
        let preset = |name: &str| Preset::capture(name, &params, [None, None]);
        let names = || read_folder(root).into_iter().map(|preset| preset.name).collect::<Vec<_>>();
        for name in ["a/b", "a:b", "a/b"] {
            save_in(root, &preset(name)).unwrap();
        }
        assert_eq!(names(), ["a:b", "a/b"], "two names, though both are a_b to the disk");
        rename_in(root, "a/b", "c").unwrap();
        assert_eq!(names(), ["a:b", "c"]);
        assert!(rename_in(root, "a/b", "d").unwrap_err().to_string().contains("a/b"));
        // By hand, the player may have copied a file.
        std::fs::copy(root.join("c.json"), root.join("copy.json")).unwrap();
        assert_eq!(names(), ["a:b", "c", "c (2)"]);
        std::fs::remove_file(existing_file(root, "c (2)").unwrap()).unwrap();
        assert_eq!(names(), ["a:b", "c"], "the other one stays");
        // Earlier versions let a preset have the name of one that comes with the plugin.
        let factory = FACTORY[0].name.clone();
        std::fs::write(root.join("e.json"), serde_json::to_vec(&preset(&factory)).unwrap()).unwrap();
        assert_eq!(names()[2], format!("{factory} (2)"));
        save_in(root, &preset(&names()[2])).unwrap();
        assert_eq!(names().len(), 3, "it can be saved again");
    }

    #[test]
    fn a_preset_leaves_the_desk_alone() {
        let params = EmbouchureParams::default();
        let ids: Vec<String> = Preset::capture("", &params, [None, None]).params.into_keys().collect();
        assert!(!ids.iter().any(|id| LEFT_ALONE.contains(&id.as_str())));
        assert_eq!(ids.len() + LEFT_ALONE.len(), params.param_map().len());
    }
}
