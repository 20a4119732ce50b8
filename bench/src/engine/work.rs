//! Processor time of callback and worker, beside another plugin's pitch network; and the callback's deadline.

use super::Figure;
use super::realtime::{Outcome, RATE, Session, run};
use crate::effect::Networks;
use crate::statistics::{median, quantile};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

const SECONDS: f64 = 10.0;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/ddsp_vst_work.py");

fn alone(block: usize) -> Session {
    Session { n_instances: 1, block, seconds: SECONDS, n_threads: 1, busy: false }
}

/// Work per second of audio at blocks of 64, and as a multiple of DDSP-VST's pitch network alone.
pub fn measure(networks: &Networks, ddsp_vst: Option<(&Path, &Path)>) -> Result<Vec<Figure>> {
    let outcome = run(networks, alone(64))?;
    let callback = outcome.callback_cpu_s.iter().sum::<f64>() / SECONDS;
    let worker = outcome.worker_cpu_s / SECONDS;
    let us = |share| 1e6 * quantile(&outcome.callback_cpu_s, share);
    let mut figures = vec![
        Figure::new("callback, % of a core", 100.0 * callback, 2),
        Figure::new("worker, % of a core", 100.0 * worker, 2),
        Figure::new("callback and worker, % of a core", 100.0 * (callback + worker), 2).at_most(2.5),
        Figure::new("callback, median us of processor time per block of 64", us(0.5), 1),
        Figure::new("callback, p99 us of processor time per block of 64", us(0.99), 1),
    ];
    if let Some((model, python)) = ddsp_vst {
        let [tight, paced] = ddsp_vst_work(model, python)?;
        figures.push(Figure::new("DDSP-VST's pitch network, % of a core, frame after frame", 100.0 * tight, 2));
        figures.push(Figure::new("DDSP-VST's pitch network, % of a core, 50 frames a second", 100.0 * paced, 2));
        let ratio = (callback + worker) / tight;
        figures.push(Figure::new("our whole effect / that network, frame after frame", ratio, 2));
        let ratio = (callback + worker) / paced;
        figures.push(Figure::new("our whole effect / that network, both paced", ratio, 2).at_most(0.8));
    }
    Ok(figures)
}

/// Seconds of processor time per second of audio: frame after frame, and one every 20 ms.
fn ddsp_vst_work(model: &Path, python: &Path) -> Result<[f64; 2]> {
    let output = Command::new(python).arg(SCRIPT).arg(model).output().context("cannot run python")?;
    ensure!(output.status.success(), "{SCRIPT}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    numbers.try_into().map_err(|_| anyhow::anyhow!("{SCRIPT} printed {text}"))
}

/// How much of its time a callback takes.
pub fn deadlines(networks: &Networks) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for block in [32, 64, 512] {
        let Outcome { callback_s, is_realtime, late_frames, .. } = run(networks, alone(block))?;
        let share = |s: f64| 100.0 * s * RATE / block as f64;
        let name = |what: &str| format!("callback, {what} % of its deadline, blocks of {block}");
        figures.push(Figure::new(name("median"), share(median(&callback_s)), 2));
        figures.push(Figure::new(name("p99.9"), share(quantile(&callback_s, 0.999)), 2).at_most(10.0));
        figures.push(Figure::new(format!("late frames, blocks of {block}"), late_frames as f64, 0).at_most(0.0));
        if !is_realtime {
            eprintln!("the system does not permit audio threads of high priority: figures are worse than in a host");
        }
    }
    Ok(figures)
}
