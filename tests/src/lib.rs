//! Shared by the tests of this package: the built plugin, input signals, and a host with a realtime clock.

mod built;
mod isolated;
mod timbre;
mod tune;

pub use built::{ActivePlugin, Built};
pub use isolated::{is_isolated, isolated, isolated_runs, isolated_with, n_runs};
pub use timbre::{hear_instrument_change, tone};
pub use tune::{Following, ROUND_S, tune};

use embouchure_host::{Action, Hooks};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Variable with a folder of bundles to test instead of those built with the tests.
const BUNDLED: &str = "EMBOUCHURE_BUNDLED";

/// Path of the bundled CLAP file in the running test's target folder, or in the folder that the variable
/// `EMBOUCHURE_BUNDLED` names.
///
/// # Panics
/// If the file does not exist.
pub fn bundled_clap() -> PathBuf {
    bundled("Embouchure.clap")
}

/// Path of the VST3 bundle, in the same folder.
///
/// # Panics
/// If the bundle does not exist.
pub fn bundled_vst3() -> PathBuf {
    bundled("Embouchure.vst3")
}

fn bundled(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os(BUNDLED) {
        return Path::new(&folder).join(name);
    }
    let test = std::env::current_exe().expect("a test has a path");
    test.ancestors().map(|folder| folder.join("bundled").join(name)).find(|path| path.exists()).unwrap_or_else(|| {
        let target = test.ancestors().nth(3).unwrap_or(Path::new("target"));
        panic!("no bundled/{name} in {}: run `cargo xtask test`, which builds it", target.display())
    })
}

/// Seeded noise. All samples differ, so that a shift by one sample is detected.
pub fn noise(n_channels: usize, n_samples: usize) -> Vec<Vec<f32>> {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    (0..n_channels).map(|_| (0..n_samples).map(|_| random.random_range(-0.5..0.5)).collect()).collect()
}

/// A tone with a glide, a swell and pauses, so that every part of the effect is active.
pub fn phrase(rate: f64) -> Vec<f32> {
    let mut phase = 0.0;
    (0..(1.5 * rate) as usize)
        .map(|i| {
            let time = i as f64 / rate;
            let f0_hz = 500.0 * (0.7 * time + 0.02 * (TAU * 5.0 * time).sin()).exp2();
            phase += TAU * f0_hz / rate;
            let level = if (0.6..0.7).contains(&time) { 0.0 } else { 0.3 * (TAU * 0.8 * time).sin().abs() };
            (level * (phase.sin() + 0.2 * (2.0 * phase).sin())) as f32
        })
        .collect()
}

/// Index and size of the largest difference.
pub fn worst(a: &[f32], b: &[f32]) -> (usize, f32) {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs()).enumerate();
    differences.max_by(|x, y| x.1.total_cmp(&y.1)).unwrap_or((0, 0.0))
}

/// Delay that a paced host can make up for: the buffer of its sound card.
const BUFFERED: Duration = Duration::from_millis(40);

/// A host whose sound card sets the pace.
pub struct Paced {
    /// Real speed of playback, samples per second. Less than the session's rate is a slower clock.
    pub samples_per_second: f64,
    /// If set, blocks have random lengths up to the usual one.
    pub cuts: Option<ChaCha8Rng>,
    /// Resets and suspensions of the host, each with the sample from which on it happens.
    pub actions: Vec<(usize, Action)>,
    started: Option<Instant>,
}

impl Paced {
    /// A host whose clock is `slowness` times slower than `rate`.
    pub fn new(rate: f64, slowness: f64) -> Self {
        Self { samples_per_second: rate / slowness, cuts: None, actions: Vec::new(), started: None }
    }

    /// With blocks of random lengths.
    pub fn cut(self, seed: u64) -> Self {
        Self { cuts: Some(ChaCha8Rng::seed_from_u64(seed)), ..self }
    }
}

impl Hooks for Paced {
    fn block(&mut self, usual: usize) -> usize {
        self.cuts.as_mut().map_or(usual, |random| random.random_range(1..=usual))
    }

    fn action(&mut self, n_done: usize) -> Action {
        match self.actions.first() {
            Some((at, _)) if *at <= n_done => self.actions.remove(0).1,
            _ => Action::Play,
        }
    }

    fn after(&mut self, n_done: usize) -> ControlFlow<()> {
        let due = Duration::from_secs_f64(n_done as f64 / self.samples_per_second);
        let started = self.started.get_or_insert_with(Instant::now);
        let elapsed = started.elapsed();
        // A delay beyond the sound card's buffer is a dropout: the clock restarts, and the lost time is not made up
        // for.
        *started += elapsed.saturating_sub(due + BUFFERED);
        std::thread::sleep(due.saturating_sub(elapsed));
        ControlFlow::Continue(())
    }
}
