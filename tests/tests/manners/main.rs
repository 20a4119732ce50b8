//! The built plugin in hosts that break the rules, or do what few hosts do: it must never crash the host. Each test
//! runs in a separate process. The variable `EMBOUCHURE_RUNS` sets the number of runs of tests that fail only sometimes
//! (200 is the full form); `EMBOUCHURE_BUNDLED` names a folder with bundles to test instead of those just built.

mod calls;
mod channels;
#[cfg(target_os = "linux")]
mod editor;
mod events;
mod latency;
mod modes;
mod pauses;
mod removal;
mod states;
mod streams;
mod values;

use embouchure_host::Session;

const RATE: f64 = 48_000.0;
/// Session of a live performance.
const LIVE: Session = Session { rate: RATE, block: 128, max_block: 128 };
