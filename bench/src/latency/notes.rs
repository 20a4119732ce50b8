//! Recognition time beyond the reported latency, measured with onsets and steps of synthetic notes.

use super::Delays;
use super::probe::{Host, Take};
use crate::effect::Networks;
use crate::sounds::{Segment, Timbre, render};
use crate::table::Row;
use anyhow::Result;
use rayon::prelude::*;

const HOST: Host = Host { rate: 48_000.0, block: 64 };
const PITCHES_HZ: [f64; 14] =
    [55.0, 82.0, 110.0, 165.0, 220.0, 330.0, 440.0, 660.0, 880.0, 1320.0, 1500.0, 2000.0, 3000.0, 4000.0];
/// Steps go up a fourth, unless that is above the tracker's range.
const STEP: f64 = 4.0 / 3.0;
const HIGHEST_HZ: f64 = 4900.0;
const NOTE_S: f64 = 0.4;
const PAUSE_S: f64 = 0.3;
/// Phrases of each timbre. One more is played first and does not count: the engine learns its level from it.
const PHRASES: usize = 4;

/// For each pitch one row of onsets and one of steps up from it.
pub fn measure(networks: &Networks) -> Result<[Vec<Row>; 2]> {
    let per_pitch = |hz: &f64| -> Result<[Delays; 2]> {
        let takes = Timbre::ALL.par_iter().map(|timbre| phrases(networks, *timbre, *hz)).collect::<Result<Vec<_>>>()?;
        let all = |of: fn(&[Delays; 2]) -> &Delays| takes.iter().map(of).fold(Delays::default(), Delays::and);
        Ok([all(|[onsets, _]| onsets), all(|[_, steps]| steps)])
    };
    let found: Vec<[Delays; 2]> = PITCHES_HZ.iter().map(per_pitch).collect::<Result<_>>()?;
    let onsets = PITCHES_HZ.iter().zip(&found).map(|(hz, [onsets, _])| onsets.onset_row(&format!("{hz} Hz"), *hz));
    let can_step = |(hz, _): &(&f64, _)| **hz * STEP < HIGHEST_HZ;
    let steps = PITCHES_HZ.iter().zip(&found).filter(can_step);
    let steps = steps.map(|(hz, [_, steps])| steps.step_row(&name_step(*hz), *hz));
    Ok([onsets.collect(), steps.collect()])
}

fn name_step(hz: f64) -> String {
    format!("{hz} to {:.0} Hz", hz * STEP)
}

/// Plays a note, a tied step up and a pause, repeatedly, each at a different position within a hop.
fn phrases(networks: &Networks, timbre: Timbre, hz: f64) -> Result<[Delays; 2]> {
    let mut segments = Vec::new();
    for phrase in 0..=PHRASES {
        let uneven_s = 0.001 * phrase as f64 + 0.000_37;
        let parts = [(0.0, PAUSE_S + uneven_s), (hz, NOTE_S), (hz * STEP, NOTE_S + uneven_s)];
        segments.extend(parts.map(|(hz, seconds)| Segment { hz, seconds }));
    }
    segments.push(Segment { hz: 0.0, seconds: 0.1 });
    let melody = render(timbre, &segments, HOST.rate, hz as u64);
    let take = HOST.play(networks, &melody.samples)?;
    let mut delays = [Delays::default(), Delays::default()];
    for phrase in 1..=PHRASES {
        let [onset_s, step_s, end_s] = [1, 2, 3].map(|i| melody.starts[3 * phrase + i] as f64 / HOST.rate);
        note(&take, [onset_s, step_s], hz, &mut delays[0]);
        // The last 50 ms fade out.
        let settles = take.track.settles(|_| hz * STEP, step_s, end_s - 0.05);
        delays[1].pitch_ms.push(1000.0 * (settles - step_s));
    }
    Ok(delays)
}

fn note(take: &Take, [onset_s, end_s]: [f64; 2], hz: f64, delays: &mut Delays) {
    let level = take.track.level(onset_s + 0.15, end_s);
    delays.onset_ms.push(1000.0 * (take.track.reaches(level / 2.0, onset_s - 0.02, end_s) - onset_s));
    delays.pitch_ms.push(1000.0 * (take.track.settles(|_| hz, onset_s - 0.02, end_s) - onset_s));
}
