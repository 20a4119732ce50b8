//! Information in z: a linear probe predicts a sound's spectrum, breath and attack from z, and from pitch and loudness.

use crate::held_out::is_held_out;
use crate::table::{self, Row, number};
use anyhow::{Context, Result};
use embouchure_inference::config::{F0_MIN_HZ, HOP_SIZE, MODEL_RATE, N_Z};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::hear::{LoudnessMeter, RumbleFilter};
use embouchure_training::encoder::{N_MEL, N_SPECTRUM, describe};
use embouchure_training::progress::Silent;
use embouchure_training::recordings::{audio_files, load_mono};
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Regularisation: added to the diagonal of the normal equations, per row of data.
const RIDGE: f64 = 1e-4;
/// Step between the hops that are used; neighbouring hops are nearly equal.
const STRIDE: usize = 5;

/// Arguments of `bench z`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder with `heldout/INSTRUMENT` and `source/KIND`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// Encoder file to measure instead of the built-in one
    #[arg(long, value_name = "FILE")]
    encoder: Option<PathBuf>,
}

/// A hop: inputs and targets of the probes.
struct Hop {
    pitch_and_loudness: [f64; 4],
    z: [f64; N_Z],
    target: Vec<f64>,
}

/// The inputs of a probe in a hop.
type Inputs = fn(&Hop) -> Vec<f64>;

/// Measures, prints the results and writes `z.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let encoder = crate::effect::encoder(arguments.encoder.as_deref())?;
    let mut files = audio_files(&arguments.data.join("heldout"))?;
    files.extend(audio_files(&arguments.data.join("source"))?.into_iter().filter(|f| is_held_out(f)));
    let hops = files.par_iter().map(|file| hear(&encoder, file)).collect::<Result<Vec<_>>>()?;
    // Every other recording trains the probe; the rest test it.
    let half = |odd: usize| -> Vec<&Hop> {
        hops.iter().enumerate().filter(|(i, _)| i % 2 == odd).flat_map(|(_, hops)| hops).collect()
    };
    let (learn, test) = (half(0), half(1));
    let probes: [(&str, Inputs); 3] = [
        ("f0, voicing, loudness", |h| h.pitch_and_loudness.to_vec()),
        ("z", |h| h.z.to_vec()),
        ("z, f0, voicing, loudness", |h| [&h.z[..], &h.pitch_and_loudness].concat()),
    ];
    let rows = probes.map(|(name, inputs)| row(name, &learn, &test, inputs));
    let rows = rows.into_iter().collect::<Result<Vec<Row>>>()?;
    table::print("Share of variance that a linear probe explains, on held-out recordings", &rows);
    table::write_json(&arguments.out.join("z.json"), &rows)
}

fn hear(encoder: &Encoder, file: &Path) -> Result<Vec<Hop>> {
    let samples = load_mono(file, MODEL_RATE, &Silent)?;
    let (mut rumble, mut loudness, mut stream) = (RumbleFilter::default(), LoudnessMeter::default(), encoder.stream());
    let mut hops = Vec::new();
    for ((i, hop), target) in samples.as_chunks::<HOP_SIZE>().0.iter().enumerate().zip(describe(&samples)) {
        let hop = rumble.hop(hop);
        let heard = stream.hop(&hop);
        let bins = heard.pitch_logits.iter().enumerate();
        let best = bins.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(bin, _)| bin);
        let f0_hz = embouchure_inference::config::bin_to_hz(best as f32);
        loudness.push(&hop);
        let octave = f64::from((f0_hz / F0_MIN_HZ).log2());
        let level = f64::from(loudness.level_db(f0_hz)) / 20.0;
        if i % STRIDE == 0 && target.sounds {
            hops.push(Hop {
                pitch_and_loudness: [octave, octave * octave, f64::from(heard.voicing), level],
                z: std::array::from_fn(|k| f64::from(heard.z[k])),
                target: target.values.iter().map(|x| f64::from(*x)).collect(),
            });
        }
    }
    Ok(hops)
}

fn row(name: &str, learn: &[&Hop], test: &[&Hop], inputs: Inputs) -> Result<Row> {
    let weights = fit(learn, inputs)?;
    let (said, true_values) = (matrix(test, |h| with_one(inputs(h))) * weights, matrix(test, |h| h.target.clone()));
    let explained = |from: usize, to: usize| {
        let (mut error, mut variance) = (0.0, 0.0);
        for column in from..to {
            let mean = true_values.column(column).mean();
            error += (said.column(column) - true_values.column(column)).norm_squared();
            variance += true_values.column(column).iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        }
        1.0 - error / variance
    };
    let mut row = Row::new();
    row.insert("probe sees".into(), name.into());
    row.insert("log-mel spectrum".into(), number(explained(0, N_MEL), 3));
    row.insert("attack".into(), number(explained(N_SPECTRUM - 1, N_SPECTRUM), 3));
    row.insert("hops".into(), test.len().into());
    Ok(row)
}

/// Ridge regression: `[inputs + 1, targets]`.
fn fit(hops: &[&Hop], inputs: Inputs) -> Result<DMatrix<f64>> {
    let (x, y) = (matrix(hops, |h| with_one(inputs(h))), matrix(hops, |h| h.target.clone()));
    let mut normal = x.transpose() * &x;
    for i in 0..normal.nrows() {
        normal[(i, i)] += RIDGE * hops.len() as f64;
    }
    let solver = normal.cholesky().context("too few recordings to fit a probe")?;
    Ok(solver.solve(&(x.transpose() * y)))
}

fn with_one(mut values: Vec<f64>) -> Vec<f64> {
    values.push(1.0);
    values
}

fn matrix(hops: &[&Hop], values: impl Fn(&Hop) -> Vec<f64>) -> DMatrix<f64> {
    let flat: Vec<f64> = hops.iter().flat_map(|h| values(h)).collect();
    DMatrix::from_row_slice(hops.len(), flat.len() / hops.len().max(1), &flat)
}
