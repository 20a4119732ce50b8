//! The built plugin in hosts that do what they should not, or what few do: it must never take the host down. Each test runs
//! in a process of its own; the variable `EMBOUCHURE_RUNS` says how often those run that only sometimes go wrong (200 is
//! the full form), and `EMBOUCHURE_BUNDLED` names a folder with other bundles than those just built.

mod channels;
#[cfg(target_os = "linux")]
mod editor;
mod events;
mod latency;
mod modes;
mod pauses;
mod removal;
mod states;
mod values;

use embouchure_host::Session;

const RATE: f64 = 48_000.0;
/// Blocks of a performance.
const LIVE: Session = Session { rate: RATE, block: 128, max_block: 128 };
