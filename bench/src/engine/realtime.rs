//! Calls instances in realtime as a host does: block by block, on threads of high priority.

use super::clock::{become_realtime, process_cpu, stay_on_core, thread_cpu};
use crate::effect::{Effect, Networks};
use crate::sounds::{Segment, Timbre, render};
use anyhow::{Result, anyhow};
use embouchure_inference::engine::{DriverKind, EngineConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub const RATE: f64 = 48_000.0;
/// Not counted: caches and the scheduler settle first.
const WARM_UP_S: f64 = 0.5;

/// Settings of a run.
#[derive(Clone, Copy)]
pub struct Session {
    pub n_instances: usize,
    pub driver: DriverKind,
    /// Samples per callback.
    pub block: usize,
    /// Counted duration, s.
    pub seconds: f64,
    /// Threads over which the host distributes the instances.
    pub n_threads: usize,
    /// Keeps core 0 busy with another thread at normal priority.
    pub busy: bool,
}

/// Results over the counted duration.
#[derive(Default)]
pub struct Outcome {
    /// Wall time of every callback, s.
    pub callback_s: Vec<f64>,
    /// Processor time of every callback, s.
    pub callback_cpu_s: Vec<f64>,
    /// Processor time of all workers, s.
    pub worker_cpu_s: f64,
    pub late_frames: u64,
    pub lost_samples: u64,
    /// Rounds of callbacks that ended after the next round was due.
    pub n_overruns: u64,
    /// True if the system permitted high priority.
    pub is_realtime: bool,
}

/// Runs the session. All instances play the same melody, each from a different position.
pub fn run(networks: &Networks, session: Session) -> Result<Outcome> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if session.busy {
            scope.spawn(|| spin(&stop));
        }
        let outcome = run_hosts(networks, session);
        stop.store(true, Relaxed);
        outcome
    })
}

fn run_hosts(networks: &Networks, session: Session) -> Result<Outcome> {
    let n_threads = session.n_threads.min(session.n_instances);
    let share = |t: usize| (t..session.n_instances).step_by(n_threads);
    let melody: Arc<[f32]> = melody().into();
    let instance = |i| Instance::new(networks, session, melody.clone(), i);
    let hosts = (0..n_threads).map(|t| share(t).map(instance).collect());
    let hosts: Vec<Vec<Instance>> = hosts.collect::<Result<_>>()?;
    let start = Instant::now() + Duration::from_millis(20);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let spawned: Vec<_> =
            hosts.into_iter().map(|mut instances| scope.spawn(move || host(&mut instances, session, start))).collect();
        let joined = spawned.into_iter().map(|host| host.join().map_err(|_| anyhow!("a host's thread died")));
        joined.collect::<Result<_>>()
    })?;
    Ok(outcomes.into_iter().reduce(Outcome::and).unwrap_or_default())
}

impl Outcome {
    fn and(mut self, mut other: Self) -> Self {
        self.callback_s.append(&mut other.callback_s);
        self.callback_cpu_s.append(&mut other.callback_cpu_s);
        Self {
            worker_cpu_s: self.worker_cpu_s + other.worker_cpu_s,
            late_frames: self.late_frames + other.late_frames,
            lost_samples: self.lost_samples + other.lost_samples,
            n_overruns: self.n_overruns + other.n_overruns,
            is_realtime: self.is_realtime && other.is_realtime,
            ..self
        }
    }
}

/// One instance on a stereo track.
struct Instance {
    effect: Effect,
    melody: Arc<[f32]>,
    /// Next sample of the melody.
    position: usize,
    left: Vec<f32>,
    right: Vec<f32>,
}

impl Instance {
    fn new(networks: &Networks, session: Session, melody: Arc<[f32]>, index: usize) -> Result<Self> {
        let Session { block, driver, .. } = session;
        let config = EngineConfig { host_rate: RATE, max_block: block, offline: false, driver };
        let effect = Effect::new(config, networks.model_for(driver), 1.0)?;
        let (left, right) = (vec![0.0; block], vec![0.0; block]);
        // The positions differ by no whole number of notes.
        let position = index * 61_733 % melody.len();
        Ok(Self { effect, melody, position, left, right })
    }

    fn call(&mut self) {
        for (left, right) in self.left.iter_mut().zip(&mut self.right) {
            *left = self.melody[self.position];
            *right = *left;
            self.position = (self.position + 1) % self.melody.len();
        }
        self.effect.process(&mut [&mut self.left, &mut self.right]);
    }

    /// Late frames and lost samples so far.
    fn faults(&self) -> [u64; 2] {
        let view = self.effect.engine.telemetry().view();
        [view.late_frames, view.lost_samples]
    }
}

/// Four seconds of sung notes and pauses.
pub fn melody() -> Vec<f32> {
    melody_at(RATE)
}

/// The same at another rate.
pub fn melody_at(rate: f64) -> Vec<f32> {
    let notes = [220.0, 0.0, 247.0, 294.0, 0.0, 330.0, 262.0, 196.0, 0.0, 165.0];
    render(Timbre::Vowel, &notes.map(|hz| Segment { hz, seconds: 0.4 }), rate, 0).samples
}

/// One thread of the host.
fn host(instances: &mut [Instance], session: Session, start: Instant) -> Outcome {
    let mut outcome = Outcome { is_realtime: become_realtime(), ..Outcome::default() };
    let period = session.block as f64 / RATE;
    let n_warm_up = (WARM_UP_S / period) as u32;
    let n_rounds = n_warm_up + (session.seconds / period) as u32;
    let mut before = [0; 2];
    let mut cpu = Cpu::now();
    let due = |round: u32| start + Duration::from_secs_f64(f64::from(round) * period);
    for round in 0..n_rounds {
        if round == n_warm_up {
            (before, cpu) = (faults(instances), Cpu::now());
        }
        std::thread::sleep(due(round).saturating_duration_since(Instant::now()));
        for instance in instances.iter_mut() {
            let reading = thread_cpu();
            let (cpu, wall) = (thread_cpu(), Instant::now());
            instance.call();
            if round >= n_warm_up {
                outcome.callback_s.push(wall.elapsed().as_secs_f64());
                // Subtract the cost of reading this clock: it is a system call that the callback itself does not make.
                outcome.callback_cpu_s.push((thread_cpu() - cpu).saturating_sub(cpu - reading).as_secs_f64());
            }
        }
        outcome.n_overruns += u64::from(round >= n_warm_up && Instant::now() > due(round + 1));
    }
    outcome.worker_cpu_s = cpu.others_since();
    let after = faults(instances);
    (outcome.late_frames, outcome.lost_samples) = (after[0] - before[0], after[1] - before[1]);
    outcome
}

fn faults(instances: &[Instance]) -> [u64; 2] {
    instances.iter().map(Instance::faults).fold([0; 2], |sum, f| [sum[0] + f[0], sum[1] + f[1]])
}

/// Processor time at a moment.
struct Cpu {
    process: Duration,
    thread: Duration,
}

impl Cpu {
    fn now() -> Self {
        Self { process: process_cpu(), thread: thread_cpu() }
    }

    /// Processor time of all other threads since then. These are the workers, if the host has no other threads.
    fn others_since(&self) -> f64 {
        let now = Self::now();
        (now.process - self.process).saturating_sub(now.thread - self.thread).as_secs_f64()
    }
}

fn spin(stop: &AtomicBool) {
    stay_on_core(0);
    let mut x = 1u64;
    while !stop.load(Relaxed) {
        x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}
