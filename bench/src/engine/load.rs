//! Time from loading to the first processed block.

use super::Figure;
use super::realtime::{RATE, melody};
use crate::effect::{Effect, Networks};
use anyhow::Result;
use embouchure_host::{ClapHost, Host, Session};
use embouchure_inference::engine::{DriverKind, EngineConfig};
use std::path::Path;
use std::time::Instant;

const BLOCK: usize = 64;

/// Measures the built plugin in a host, twice: for the second instance the weights are already loaded. Without a plugin
/// it measures the engine alone.
pub fn measure(plugin: &Path) -> Result<Vec<Figure>> {
    if !plugin.exists() {
        eprintln!("no {}: `cargo xtask bundle` makes it; the engine alone is measured", plugin.display());
        return Ok(vec![Figure::new("engine alone: weights to first block, ms", engine()?, 1)]);
    }
    let first = clap(plugin)?;
    let second = clap(plugin)?;
    Ok(vec![
        Figure::new("plugin in a CLAP host: load to first block, ms", first, 1).at_most(150.0),
        Figure::new("the same for a second instance, ms", second, 1),
    ])
}

/// Loads, activates and processes; subtracts the time of all blocks but the first. Offline, so that the first block
/// takes until its sound is there. The host's thread ends within a millisecond of its last block.
fn clap(plugin: &Path) -> Result<f64> {
    let start = Instant::now();
    let mut host = ClapHost::load(plugin)?;
    host.set_offline(true)?;
    let clip = vec![melody()[..BLOCK].to_vec(); host.layout().n_inputs];
    let played = host.play(&clip, Session { rate: RATE, block: BLOCK, max_block: BLOCK })?;
    let seconds = start.elapsed().as_secs_f64() - played.callback_seconds[1..].iter().sum::<f64>();
    Ok(1000.0 * seconds)
}

fn engine() -> Result<f64> {
    let start = Instant::now();
    let config = EngineConfig { host_rate: RATE, max_block: BLOCK, offline: true, driver: DriverKind::default() };
    let mut effect = Effect::new(config, Networks::built_in()?.model(), 1.0)?;
    effect.process(&mut [&mut [0.1; BLOCK], &mut [0.1; BLOCK]]);
    Ok(1000.0 * start.elapsed().as_secs_f64())
}
