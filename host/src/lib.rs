//! Small hosts for CLAP and VST3, for tests and measurements. They load a plugin from its file and play a clip through
//! it in blocks, as a realtime host does.
//!
//! All calls go through the C interface of the built file. [`Host`] is the interface of both hosts. It can also make
//! calls that a correct host would not make.
//!
//! ```no_run
//! use embouchure_host::{ClapHost, Host, Session};
//!
//! # fn main() -> Result<(), embouchure_host::HostError> {
//! let mut host = ClapHost::load("target/bundled/Embouchure.clap".as_ref())?;
//! host.set_parameter("Dry/Wet", 1.0)?;
//! let input = vec![vec![0.0; 48_000]; host.layout().n_inputs];
//! let played = host.play(&input, Session { rate: 48_000.0, block: 128, max_block: 128 })?;
//! println!("latency: {} samples", played.latency_samples);
//! # Ok(())
//! # }
//! ```

mod block;
mod clap;
mod hooks;
mod host;
mod play;
#[cfg(target_os = "linux")]
mod screen;
mod state;
mod stream_limits;
mod vst3;

pub use block::{Block, Change, Channels, Flaw, Outcome};
pub use clap::{ClapAudio, ClapHost};
pub use hooks::{Action, Hooks, NoHooks};
pub use host::{Audio, Host};
pub use play::{Played, Session};
#[cfg(target_os = "linux")]
pub use screen::{HostWindow, ScreenError, VirtualScreen};
pub use state::{StateError, with_session, with_session_in_json};
pub use stream_limits::StreamLimits;
pub use vst3::{ProcessMode, Vst3Audio, Vst3Class, Vst3Host, vst3_classes};

/// The plugin's description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Name shown to the user.
    pub name: String,
    /// Version, as in the plugin's Cargo.toml.
    pub version: String,
}

/// A parameter as the host sees it. Values are in CLAP's range, which for the plugin framework in use is 0 to 1, or 0
/// to the number of steps. VST3 divides them by the largest value.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Identifier in events.
    pub id: u32,
    /// Name shown to the user.
    pub name: String,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value of a new instance.
    pub default: f64,
}

/// Channel counts of a port configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Channels of the main input.
    pub n_inputs: usize,
    /// Channels of the main output.
    pub n_outputs: usize,
}

/// A failed call between host and plugin.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The file is not a shared library or has no plugin entry.
    #[error("cannot load {path}: {reason}")]
    Load {
        /// Path of the file.
        path: String,
        /// The loader's message.
        reason: String,
    },
    /// The file loads but contains no plugin.
    #[error("{0} contains no plugin")]
    NoPlugin(String),
    /// The plugin refused a call.
    #[error("the plugin {what}: {reason}")]
    Refused {
        /// What the plugin did, such as "refused a render mode".
        what: &'static str,
        /// The plugin's error.
        reason: String,
    },
    /// The plugin lacks a feature that Embouchure must have.
    #[error("the plugin has no {0}")]
    Missing(String),
}
