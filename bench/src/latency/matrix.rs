//! Compares the reported latency with the measured one at common rates and block sizes.

use super::probe::{Host, Take};
use super::track::{crossing, envelope};
use crate::effect::Networks;
use crate::sounds::{Segment, Timbre, render};
use crate::statistics::median;
use crate::table::{Row, number};
use anyhow::Result;
use rayon::prelude::*;

const RATES: [f64; 5] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0];
const BLOCKS: [usize; 8] = [16, 32, 64, 128, 441, 512, 1024, 2048];
const NOTE_HZ: f64 = 440.0;
const STEP_HZ: f64 = 587.33;
const NOTE_S: f64 = 0.3;
/// Notes and steps per measurement, each at a different position within a hop.
const PHRASES: usize = 4;

/// One row for each rate and block size.
pub fn measure(networks: &Networks) -> Result<Vec<Row>> {
    let hosts = RATES.iter().flat_map(|rate| BLOCKS.map(|block| Host { rate: *rate, block }));
    hosts.collect::<Vec<_>>().into_par_iter().map(|host| row(networks, host)).collect()
}

fn row(networks: &Networks, host: Host) -> Result<Row> {
    let phrase = |i| [(0.0, 0.25 + 0.001 * f64::from(i)), (NOTE_HZ, NOTE_S), (STEP_HZ, NOTE_S)];
    let segments: Vec<Segment> =
        (0..PHRASES as u32).flat_map(phrase).chain([(0.0, 0.1)]).map(|(hz, seconds)| Segment { hz, seconds }).collect();
    let melody = render(Timbre::Saw, &segments, host.rate, 1);
    let take = host.play(networks, &melody.samples)?;
    let phrases = (0..PHRASES).map(|i| Phrase::measure(&take, &melody.starts[3 * i + 1..], host.rate));
    let phrases: Vec<Phrase> = phrases.collect();
    let middle = |of: fn(&Phrase) -> f64| number(median(&phrases.iter().map(of).collect::<Vec<_>>()), 1);
    let latency = host.latency_samples()?;

    let mut row = Row::new();
    let mut add = |name: &str, value| row.insert(name.into(), value);
    add("rate, Hz", (host.rate as u32).into());
    add("block", host.block.into());
    add("latency, samples", latency.into());
    add("latency, ms", number(1000.0 * latency as f64 / host.rate, 2));
    add("dry error, samples", host.dry_error(networks)?.into());
    add("onset, ms", middle(|p| p.onset_ms));
    add("onset in the audio, ms", middle(|p| p.audible_ms));
    add("pitch, ms", middle(|p| p.settled_ms));
    add("pitch after a step, ms", middle(|p| p.stepped_ms));
    Ok(row)
}

/// Delays beyond the reported latency.
struct Phrase {
    onset_ms: f64,
    audible_ms: f64,
    settled_ms: f64,
    stepped_ms: f64,
}

impl Phrase {
    /// `starts`: samples at which the note, the step and the following segment begin.
    fn measure(take: &Take, starts: &[usize], rate: f64) -> Self {
        let [onset_s, step_s, end_s] = [0, 1, 2].map(|i| starts[i] as f64 / rate);
        let level = take.track.level(onset_s + 0.1, step_s);
        let ms = |at_s: f64, from_s: f64| 1000.0 * (at_s - from_s);
        Self {
            onset_ms: ms(take.track.reaches(level / 2.0, onset_s - 0.02, step_s), onset_s),
            audible_ms: ms(onset_in_audio(take, [starts[0], starts[1]], rate), onset_s),
            settled_ms: ms(take.track.settles(|_| NOTE_HZ, onset_s - 0.02, step_s), onset_s),
            // The last 50 ms fade out.
            stepped_ms: ms(take.track.settles(|_| STEP_HZ, step_s, end_s - 0.05), step_s),
        }
    }
}

/// Time at which the audio reaches half the note's level, s. The envelope is centred and covers one period. A rise
/// takes a hop, which is longer, so the error is at most 0.1 ms.
fn onset_in_audio(take: &Take, [onset, step]: [usize; 2], rate: f64) -> f64 {
    let period = (rate / NOTE_HZ).round() as usize;
    let from = onset - (0.02 * rate) as usize;
    let envelope = envelope(&take.sound[from..step], period);
    let settled = onset - from + (0.1 * rate) as usize;
    let level = median(&envelope[settled..step - from - period]);
    let time_s: Vec<f64> = (from..step).map(|i| i as f64 / rate).collect();
    crossing(&time_s, &envelope, level / 2.0)
}
