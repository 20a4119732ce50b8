//! A small VST3 host with the same interface as the CLAP host. All calls go through the C interface of the built file.

mod audio;
mod changes;
#[cfg(target_os = "linux")]
mod editor;
mod handler;
mod instance;
mod module;
mod parameters;
mod queries;
#[cfg(target_os = "linux")]
mod run_loop;
mod state;
mod stream;

pub use audio::Vst3Audio;
pub use instance::{ProcessMode, Vst3Host};
pub use module::{Vst3Class, vst3_classes};

use crate::HostError;
use vst3::Steinberg::{kResultOk, tresult};

/// Turns a refusal into an error.
fn accepted(result: tresult, what: &'static str) -> Result<(), HostError> {
    if result == kResultOk { Ok(()) } else { Err(HostError::Refused { what, reason: format!("result {result}") }) }
}

/// Decodes UTF-16 text of a fixed length, which ends at the first zero.
fn text(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units.take_while(|&unit| unit != 0)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
