//! Presets: those that come with the plugin and the player's own, each a small file with the values of all parameters and
//! the names of the instruments. What belongs to the room and the desk (bypass, buffer, window) is not in them.

use crate::params::EmbouchureParams;
use crate::shelf::{self, InstrumentRef};
use embouchure_inference::pipeline::Slot;
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

    /// True if nothing was changed since the preset was loaded.
    fn is_as(&self, other: &Self) -> bool {
        let near = |(id, value): (&String, &f32)| other.params.get(id).is_some_and(|o| (o - value).abs() < 1e-3);
        self.instrument.is_same(&other.instrument) && self.params.iter().all(near)
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

/// True if `now` is as the preset of its name.
pub fn is_unchanged(now: &Preset) -> bool {
    FACTORY.iter().chain(OWN.read().iter()).find(|preset| preset.name == now.name).is_some_and(|p| p.is_as(now))
}

/// True for the name of one that comes with the plugin.
pub fn is_factory(name: &str) -> bool {
    FACTORY.iter().any(|preset| preset.name == name)
}

/// Looks into the player's folder; files that are no presets are left out.
pub fn rescan() {
    let found = folder().map_or_else(Vec::new, |folder| read_folder(&folder));
    *OWN.write() = found;
}

/// Writes a preset under its name, in place of one that has it already.
pub fn save(preset: &Preset) -> Result<()> {
    let folder = folder().ok_or_else(|| Error::other("this system has no place for presets"))?;
    save_in(&folder, preset)
}

/// Where the player's presets are; it need not exist.
fn folder() -> Option<PathBuf> {
    Some(shelf::system_folders()?.data_dir().join("Presets"))
}

fn read_folder(folder: &Path) -> Vec<Preset> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|f| f.path()).collect();
    files.sort();
    let read = |path: PathBuf| serde_json::from_slice::<Preset>(&std::fs::read(path).ok()?).ok();
    files.into_iter().filter_map(read).filter(|preset| preset.format == FORMAT).collect()
}

fn save_in(folder: &Path, preset: &Preset) -> Result<()> {
    // What a file system may take for something else.
    let safe: String =
        preset.name.chars().map(|c| if c.is_alphanumeric() || " -_".contains(c) { c } else { '_' }).collect();
    std::fs::create_dir_all(folder)?;
    let text = serde_json::to_vec_pretty(preset).map_err(Error::other)?;
    // Renamed when whole: a full disk must not cost the preset that was there.
    let (new, path) = (folder.join(format!("{safe}.new")), folder.join(format!("{safe}.json")));
    std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &path))
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
        assert!(Preset::capture("", &params, [None, None]).is_as(&preset));
    }

    #[test]
    fn a_preset_leaves_the_desk_alone() {
        let params = EmbouchureParams::default();
        let ids: Vec<String> = Preset::capture("", &params, [None, None]).params.into_keys().collect();
        assert!(!ids.iter().any(|id| LEFT_ALONE.contains(&id.as_str())));
        assert_eq!(ids.len() + LEFT_ALONE.len(), params.param_map().len());
    }
}
