//! Memory of further instances, and its growth over time.

use super::Figure;
use super::clock::resident_bytes;
use super::realtime::{RATE, melody};
use crate::effect::{Effect, Networks};
use anyhow::Result;
use embouchure_inference::engine::{DriverKind, EngineConfig};

const MIB: f64 = 1024.0 * 1024.0;
const BLOCK: usize = 64;
const FURTHER: usize = 8;
/// Growth that may be due to the allocator, MiB.
const STEADY_MIB: f64 = 1.0;
/// After this much audio all buffers have reached their size, s.
const SETTLED_S: f64 = 30.0;

/// Memory of each instance after the first, when all have played.
pub fn per_instance(networks: &Networks) -> Result<Vec<Figure>> {
    let melody = melody();
    let before = resident_bytes()?;
    let mut instances = vec![play_first(networks, &melody)?];
    let one = resident_bytes()?;
    for _ in 0..FURTHER {
        instances.push(play_first(networks, &melody)?);
    }
    let further = (resident_bytes()? - one) / FURTHER as f64;
    Ok(vec![
        Figure::new("memory of the first instance, MiB", (one - before) / MIB, 2),
        Figure::new("memory of each further instance, MiB", further / MIB, 2).at_most(20.0),
    ])
}

/// Makes an instance and plays it for two seconds.
fn play_first(networks: &Networks, melody: &[f32]) -> Result<Effect> {
    let mut effect = offline(networks)?;
    play(&mut effect, melody, 2.0);
    Ok(effect)
}

fn offline(networks: &Networks) -> Result<Effect> {
    Effect::new(
        EngineConfig { host_rate: RATE, max_block: BLOCK, offline: true, driver: DriverKind::default() },
        networks.model(),
        1.0,
    )
}

/// Plays `seconds` of the melody, repeated, on a stereo track.
fn play(effect: &mut Effect, melody: &[f32], seconds: f64) {
    let n_blocks = (seconds * RATE) as usize / BLOCK;
    for block in melody.as_chunks::<BLOCK>().0.iter().cycle().take(n_blocks) {
        let (mut left, mut right) = (*block, *block);
        effect.process(&mut [&mut left, &mut right]);
    }
}

/// Plays one instance faster than realtime. Returns the memory at the end minus the memory after [`SETTLED_S`].
pub fn growth(networks: &Networks, seconds: f64) -> Result<Vec<Figure>> {
    let melody = melody();
    let mut effect = offline(networks)?;
    play(&mut effect, &melody, SETTLED_S);
    let settled = resident_bytes()?;
    play(&mut effect, &melody, seconds - SETTLED_S);
    let growth = (resident_bytes()? - settled) / MIB;
    let name = format!("growth of memory over {:.0} min of audio, MiB", seconds / 60.0);
    Ok(vec![Figure::new(name, growth, 2).at_most(STEADY_MIB)])
}
