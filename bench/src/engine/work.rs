//! Processor time of callback and worker, compared with another plugin's pitch network; and the callback's share of its
//! deadline.

use super::Figure;
use super::clock::thread_cpu;
use super::realtime::{Outcome, RATE, Session, melody_at, run};
use crate::effect::{Networks, plain};
use crate::statistics::{median, quantile};
use anyhow::{Context, Result, ensure};
use embouchure_inference::config::{FRAME_RATE, HOP_SIZE, MODEL_RATE};
use embouchure_inference::engine::{DriverKind, HopModel};
use embouchure_inference::hear::HopInput;
use embouchure_inference::synth::render_clip;
use std::path::Path;
use std::process::Command;

const SECONDS: f64 = 10.0;
/// Number of sessions, alternating with the other network. The median is reported, because the machine's speed changes
/// from minute to minute.
const TURNS: usize = 5;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/ddsp_vst_work.py");

fn alone(driver: DriverKind, block: usize) -> Session {
    Session { n_instances: 1, driver, block, seconds: SECONDS, n_threads: 1, busy: false }
}

/// Processor time per second of audio at blocks of 64, also as a multiple of DDSP-VST's pitch network alone.
pub fn measure(networks: &Networks, driver: DriverKind, ddsp_vst: Option<(&Path, &Path)>) -> Result<Vec<Figure>> {
    let (mut callbacks, mut workers, mut wholes, mut blocks) = (vec![], vec![], vec![], vec![]);
    let (mut tights, mut paceds, mut ratios) = (vec![], vec![], vec![]);
    let (mut own_tights, mut tight_ratios) = (vec![], vec![]);
    for _ in 0..TURNS {
        let own_tight = without_a_pause(networks, driver)?;
        own_tights.push(100.0 * own_tight);
        let outcome = run(networks, alone(driver, 64))?;
        let (callback, worker) = (outcome.callback_cpu_s.iter().sum::<f64>() / SECONDS, outcome.worker_cpu_s / SECONDS);
        callbacks.push(100.0 * callback);
        workers.push(100.0 * worker);
        wholes.push(100.0 * (callback + worker));
        blocks.extend(outcome.callback_cpu_s);
        if let Some((model, python)) = ddsp_vst {
            let [tight, paced] = ddsp_vst_work(model, python)?;
            tights.push(100.0 * tight);
            tight_ratios.push(own_tight / tight);
            paceds.push(100.0 * paced);
            ratios.push((callback + worker) / paced);
        }
    }
    let mut figures = vec![
        Figure::new("callback, % of a core", median(&callbacks), 2),
        Figure::new("worker, % of a core", median(&workers), 2),
        Figure::new("callback and worker, % of a core", median(&wholes), 2).at_most(2.5),
        Figure::new("callback and worker, % of a core, best session of five", quantile(&wholes, 0.0), 2),
        Figure::new("callback and worker, % of a core, worst session of five", quantile(&wholes, 1.0), 2),
        Figure::new("our networks and synth, % of a core, hop after hop", median(&own_tights), 2),
        Figure::new("callback, median us of processor time per block of 64", 1e6 * median(&blocks), 1),
        Figure::new("callback, p99 us of processor time per block of 64", 1e6 * quantile(&blocks, 0.99), 1),
    ];
    if ddsp_vst.is_some() {
        figures.extend([
            Figure::new("DDSP-VST's pitch network, % of a core, frame after frame", median(&tights), 2),
            Figure::new("DDSP-VST's pitch network, % of a core, 50 frames a second", median(&paceds), 2),
            Figure::new("our networks and synth / that network, both without a pause", median(&tight_ratios), 2),
            Figure::new("our whole effect / that network, both paced", median(&ratios), 2).at_most(0.8),
        ]);
    }
    Ok(figures)
}

/// Processor time per second of audio of the networks and the synth, hop after hop on one thread. So the caches stay
/// warm, as in the other network's measurement. Rings, resampling and mixing are not included.
fn without_a_pause(networks: &Networks, driver: DriverKind) -> Result<f64> {
    let mut model = networks.model_for(driver);
    let melody = melody_at(f64::from(MODEL_RATE));
    let (hops, _) = melody.as_chunks::<HOP_SIZE>();
    let settings = plain();
    let mut second = |hops: &[[f32; HOP_SIZE]]| {
        let start = thread_cpu();
        let controls: Vec<_> = hops.iter().map(|samples| model.hop(HopInput { samples }, &settings).controls).collect();
        std::hint::black_box(render_clip(&controls, RATE, 0.0));
        (thread_cpu() - start).as_secs_f64()
    };
    let seconds = hops.chunks_exact(FRAME_RATE as usize).cycle().take(SECONDS as usize);
    Ok(median(&seconds.map(&mut second).collect::<Vec<_>>()))
}

/// Processor time per second of audio: frame after frame, and with one frame every 20 ms.
fn ddsp_vst_work(model: &Path, python: &Path) -> Result<[f64; 2]> {
    let output = Command::new(python).arg(SCRIPT).arg(model).output().context("cannot run python")?;
    ensure!(output.status.success(), "{SCRIPT}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    numbers.try_into().map_err(|_| anyhow::anyhow!("{SCRIPT} printed {text}"))
}

/// Largest share of its deadline, %, at the 99.9th percentile. With the direct driver the callback computes the hops.
fn most_of_deadline(driver: DriverKind, block: usize) -> f64 {
    match (driver, block) {
        (DriverKind::Direct, 32) => 15.0,
        (DriverKind::Direct, 128..) => 5.0,
        _ => 10.0,
    }
}

/// Share of the block's duration that a callback takes.
pub fn deadlines(networks: &Networks, driver: DriverKind) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for block in [32, 64, 128, 512] {
        let Outcome { callback_s, is_realtime, late_frames, .. } = run(networks, alone(driver, block))?;
        let share = |s: f64| 100.0 * s * RATE / block as f64;
        let name = |what: &str| format!("callback, {what} % of its deadline, blocks of {block}");
        figures.push(Figure::new(name("median"), share(median(&callback_s)), 2));
        figures.push(Figure::new(name("p99"), share(quantile(&callback_s, 0.99)), 2));
        figures.push(
            Figure::new(name("p99.9"), share(quantile(&callback_s, 0.999)), 2).at_most(most_of_deadline(driver, block)),
        );
        figures.push(Figure::new(format!("late frames, blocks of {block}"), late_frames as f64, 0).at_most(0.0));
        if !is_realtime {
            eprintln!("the system does not permit audio threads of high priority: figures are worse than in a host");
        }
    }
    Ok(figures)
}
