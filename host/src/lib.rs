//! Small hosts for CLAP and VST3: they load a plugin from its file and play a clip through it in realtime-sized blocks.
//!
//! They trust the plugin no more than a host does: everything goes through the C interface of the built file. What they
//! share is [`Host`]; it also makes calls that a well-mannered host would not make.

mod block;
mod clap;
mod conductor;
mod flow;
mod host;
mod play;
#[cfg(target_os = "linux")]
mod screen;
mod state;
mod vst3;

pub use block::{Block, Change, Channels, Flaw, Outcome};
pub use clap::{ClapAudio, ClapHost};
pub use conductor::{Act, AsFastAsItGoes, Conductor};
pub use flow::Flow;
pub use host::{Audio, Host};
pub use play::{Played, Session};
#[cfg(target_os = "linux")]
pub use screen::{HostWindow, ScreenError, VirtualScreen};
pub use state::{StateError, with_session, with_session_in_json};
pub use vst3::{ProcessMode, Vst3Audio, Vst3Class, Vst3Host, vst3_classes};

/// What the plugin says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Shown to the player.
    pub name: String,
    /// As in the plugin's Cargo.toml.
    pub version: String,
}

/// A parameter as the host sees it. Values are as CLAP carries them: those of this framework begin at 0, and end at 1 or at
/// the number of steps. VST3 carries them divided by the largest.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Given with every event.
    pub id: u32,
    /// Shown to the player.
    pub name: String,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value of a new instance.
    pub default: f64,
}

/// Channels of one of the plugin's port configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Channels of the main input.
    pub n_inputs: usize,
    /// Channels of the main output.
    pub n_outputs: usize,
}

/// What went wrong between host and plugin.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The file is no shared library, or has no CLAP entry.
    #[error("cannot load {path}: {reason}")]
    Load {
        /// The file.
        path: String,
        /// As the loader says it.
        reason: String,
    },
    /// The file loads but makes no plugin.
    #[error("{0} contains no plugin")]
    NoPlugin(String),
    /// A call that every host makes was refused.
    #[error("the plugin {what}: {reason}")]
    Refused {
        /// The call.
        what: &'static str,
        /// As the plugin says it.
        reason: String,
    },
    /// The plugin lacks something that Embouchure must have.
    #[error("the plugin has no {0}")]
    Missing(String),
}
