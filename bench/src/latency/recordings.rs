//! Onsets in real recordings that no network was trained on: notes that begin after silence.

use super::Delays;
use super::probe::Host;
use super::track::{crossing, envelope};
use crate::effect::Networks;
use crate::statistics::{median, quantile};
use crate::table::{Row, number};
use anyhow::{Context, Result};
use embouchure_inference::config::FRAME_RATE;
use embouchure_training::corpus::Recording;
use embouchure_training::progress::Silent;
use embouchure_training::recordings::{audio_files, load_mono};
use rayon::prelude::*;
use std::path::Path;

const HOST: Host = Host { rate: 48_000.0, block: 64 };
/// Level below which a recording is silent, relative to its maximum: -40 dB.
const SILENT: f64 = 0.01;
/// Shortest silence before a note, s.
const SILENCE_S: f64 = 0.08;
/// Silence that is added before every recording, s; many begin with a note.
const LEAD_S: f64 = 0.3;
/// Share of the note's level at which it begins.
const BEGINS: f64 = 0.1;
/// Interval after a note's beginning in which its level is measured, s.
const LEVEL_S: (f64, f64) = (0.06, 0.25);
/// A pitch must stay right until this time, s.
const JUDGED_S: f64 = 0.2;
const ENVELOPE_S: f64 = 0.005;
/// Longest part of a file that is used, s.
const LONGEST_S: f64 = 12.0;

/// A note after silence; all times in s.
#[derive(Debug)]
struct Onset {
    /// Time of the first sample at a tenth of the note's level.
    begins: f64,
    /// Time at half the note's level.
    half: f64,
}

#[derive(Default)]
struct Found {
    delays: Delays,
    /// Delays from half the source's level to half the output's level, ms.
    half_ms: Vec<f64>,
}

/// One row for each folder, and one for all together.
pub fn measure(networks: &Networks, data: &Path) -> Result<Vec<Row>> {
    let entries = std::fs::read_dir(data.join("heldout")).context("the folder given with --data has no heldout/")?;
    let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    folders.sort();
    folders.push(data.join("source/whistle"));
    let (mut all, mut rows) = (Found::default(), Vec::new());
    for folder in &folders {
        let files = audio_files(folder)?;
        let found = files.par_iter().map(|file| onsets_of(networks, file)).collect::<Result<Vec<_>>>()?;
        let found = found.iter().fold(Found::default(), Found::and);
        rows.push(found.row(&folder.file_name().unwrap_or_default().to_string_lossy()));
        all = all.and(&found);
    }
    rows.push(all.row("all"));
    Ok(rows)
}

impl Found {
    fn and(mut self, other: &Self) -> Self {
        self.half_ms.extend(&other.half_ms);
        Self { delays: self.delays.and(&other.delays), ..self }
    }

    fn row(&self, name: &str) -> Row {
        let mut row = self.delays.onset_row(name, f64::NAN);
        row.shift_remove("at most");
        row.shift_remove("pitch, at most");
        row.insert("half to half, median ms".into(), number(median(&self.half_ms), 1));
        row.insert("half to half, p90 ms".into(), number(quantile(&self.half_ms, 0.9), 1));
        row
    }
}

fn onsets_of(networks: &Networks, file: &Path) -> Result<Found> {
    let recorded = load_mono(file, HOST.rate as u32, &Silent)?;
    let n = recorded.len().min((LONGEST_S * HOST.rate) as usize);
    let samples = [vec![0.0; (LEAD_S * HOST.rate) as usize], recorded[..n].to_vec()].concat();
    let truth = Truth(Recording::analyse(file, &Silent)?.notes());
    let take = HOST.play(networks, &samples)?;
    let mut found = Found::default();
    for onset in onsets(&samples, HOST.rate) {
        let until = onset.begins + JUDGED_S;
        if !truth.is_note(onset.half - LEAD_S, until - LEAD_S) {
            continue;
        }
        let level = take.track.level(onset.half + LEVEL_S.0, onset.half + LEVEL_S.1);
        let half = take.track.reaches(level / 2.0, onset.begins - 0.02, until);
        let settles = take.track.settles(|t| truth.hz(t - LEAD_S), onset.begins - 0.02, until);
        found.delays.onset_ms.push(1000.0 * (half - onset.begins));
        found.delays.pitch_ms.push(1000.0 * (settles - onset.begins));
        found.half_ms.push(1000.0 * (half - onset.half));
    }
    Ok(found)
}

/// Finds all notes that begin after silence.
fn onsets(samples: &[f32], rate: f64) -> Vec<Onset> {
    let envelope = envelope(samples, (ENVELOPE_S * rate) as usize);
    let silent = SILENT * envelope.iter().copied().fold(0.0, f64::max);
    let at = |s: f64| (s * rate) as usize;
    let mut onsets = Vec::new();
    let mut silent_for = 0;
    for i in 0..envelope.len().saturating_sub(at(LEVEL_S.1)) {
        if envelope[i] <= silent {
            silent_for += 1;
            continue;
        }
        if silent_for >= at(SILENCE_S) {
            let level = median(&envelope[i + at(LEVEL_S.0)..i + at(LEVEL_S.1)]);
            let time_s: Vec<f64> = (i..i + at(LEVEL_S.1)).map(|j| j as f64 / rate).collect();
            // The peak of a sine is above its RMS level.
            let peaks: Vec<f64> = samples[i..].iter().map(|x| f64::from(x.abs()) / 2f64.sqrt()).collect();
            let begins = time_s.iter().zip(&peaks).find(|(_, peak)| **peak >= BEGINS * level).map(|(t, _)| *t);
            let half = crossing(&time_s, &envelope[i..], level / 2.0);
            onsets.extend(begins.map(|begins| Onset { begins, half }));
        }
        silent_for = 0;
    }
    onsets
}

/// Pitch by offline analysis, Hz per hop; 0 = none.
struct Truth(Vec<f32>);

impl Truth {
    fn hop(&self, time_s: f64) -> usize {
        ((time_s * f64::from(FRAME_RATE)).round() as usize).saturating_sub(1).min(self.0.len().saturating_sub(1))
    }

    /// The pitch at a time, or else the next one, or else the last one.
    fn hz(&self, time_s: f64) -> f64 {
        let (before, after) = self.0.split_at(self.hop(time_s));
        let sounds = |f: &&f32| **f > 0.0;
        after.iter().find(sounds).or(before.iter().rfind(sounds)).map_or(f64::NAN, |f| f64::from(*f))
    }

    /// True if there is a pitch nearly all the time from shortly after `from_s` on.
    fn is_note(&self, from_s: f64, to_s: f64) -> bool {
        let hops = &self.0[self.hop(from_s + 0.03)..=self.hop(to_s)];
        hops.len() > 20 && hops.iter().filter(|f| **f > 0.0).count() * 10 >= 9 * hops.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sounds::{Segment, Timbre, render};

    #[test]
    fn onsets_are_found_where_notes_begin() {
        let rate = 48_000.0;
        let parts = [(0.0, 0.3), (220.0, 0.4), (330.0, 0.4), (0.0, 0.2), (500.0, 0.5), (0.0, 0.05), (500.0, 0.4)];
        let melody = render(Timbre::Saw, &parts.map(|(hz, seconds)| Segment { hz, seconds }), rate, 3);
        let onsets = onsets(&melody.samples, rate);
        assert_eq!(onsets.len(), 2, "a tied note and one after a short pause are none: {onsets:?}");
        for (onset, segment) in onsets.iter().zip([1, 4]) {
            let start = melody.starts[segment] as f64 / rate;
            assert!((0.0..0.002).contains(&(onset.begins - start)), "{onset:?}, {start}");
            assert!((-0.002..0.002).contains(&(onset.half - start)), "{onset:?}, {start}");
        }
    }

    #[test]
    fn slow_onsets_reach_half_their_level_later() {
        let samples: Vec<f32> = (0..48_000)
            .map(|i| {
                let t = i as f32 / 48_000.0;
                ((t - 0.3) / 0.05).clamp(0.0, 1.0) * (std::f32::consts::TAU * 1000.0 * t).sin()
            })
            .collect();
        let onsets = onsets(&samples, 48_000.0);
        assert!((onsets[0].begins - 0.305).abs() < 0.002, "{onsets:?}");
        assert!((onsets[0].half - 0.325).abs() < 0.001, "{onsets:?}");
    }

    #[test]
    fn the_true_pitch_is_extended_at_the_edges() {
        let truth = Truth(vec![0.0, 0.0, 440.0, 450.0, 0.0]);
        assert_eq!([0.0, 0.012, 0.016, 0.02, 9.0].map(|t| truth.hz(t)), [440.0, 440.0, 450.0, 450.0, 450.0]);
    }
}
