//! Sounds with known f0: held-out recordings that are analysed and resynthesised, an annotated voice, whistles, glides,
//! and sounds without pitch.

mod disturb;
mod glides;
mod unpitched;

use crate::held_out::is_held_out;
use anyhow::{Context, Result};
use disturb::{add_noise, add_room};
use embouchure_inference::config::{FRAME_RATE, HOP_SIZE, MODEL_RATE};
use embouchure_training::corpus::Recording;
use embouchure_training::progress::Silent;
use embouchure_training::random::generator;
use embouchure_training::recordings::{audio_files, load_mono};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Seconds used of each folder: enough for a reliable figure, short enough for slow trackers.
const SECONDS_PER_FOLDER: f32 = 15.0;
const SEED: u64 = 20_26;
/// Half the offline analysis window, hops.
const EDGE_HOPS: usize = 4;

/// Lowest notes of instruments, Hz. Where two notes overlap, an offline analysis sometimes reports one note far below
/// both, which no instrument plays.
const LOWEST_NOTES_HZ: [(&str, f32); 12] = [
    ("bassoon", 58.3),
    ("cello", 65.4),
    ("clarinet", 138.6),
    ("flute", 246.9),
    ("flute_low", 196.0),
    ("french_horn", 61.7),
    ("oboe", 233.1),
    ("saxophone_alto", 138.6),
    ("saxophone_tenor", 103.8),
    ("trumpet", 155.6),
    ("viola", 130.8),
    ("violin", 196.0),
];
/// Ratio by which a note may be lower because of tuning and playing: a semitone.
const TUNING: f32 = 0.94;

/// A sound with its true f0.
#[derive(Clone)]
pub struct Case {
    pub set: Set,
    pub name: String,
    /// Samples at the model rate.
    pub samples: Vec<f32>,
    /// Times of the truth, s.
    pub time_s: Vec<f64>,
    /// f0 at these times, Hz; 0 = unvoiced.
    pub f0_hz: Vec<f32>,
}

/// What a sound tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Set {
    Clean,
    Snr20,
    Snr10,
    Room,
    Voice,
    Whistle,
    Glides,
    Low,
    Unpitched,
}

impl Set {
    pub const ALL: [Self; 9] = [
        Self::Clean,
        Self::Snr20,
        Self::Snr10,
        Self::Room,
        Self::Voice,
        Self::Whistle,
        Self::Glides,
        Self::Low,
        Self::Unpitched,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "a clean",
            Self::Snr20 => "a 20 dB",
            Self::Snr10 => "a 10 dB",
            Self::Room => "a room",
            Self::Voice => "b",
            Self::Whistle => "c",
            Self::Glides => "d",
            Self::Low => "d low",
            Self::Unpitched => "e",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Clean => "(a) held-out recordings, resynthesised",
            Self::Snr20 => "(a) with noise, 20 dB SNR",
            Self::Snr10 => "(a) with noise, 10 dB SNR",
            Self::Room => "(a) in a small room",
            Self::Voice => "(b) a low male voice, annotated by hand",
            Self::Whistle => "(c) whistles",
            Self::Glides => "(d) glides and vibrato, 160 Hz to 5 kHz",
            Self::Low => "(d) glides and vibrato, 40 to 160 Hz",
            Self::Unpitched => "(e) silence, breath, consonants, room noise",
        }
    }

    /// Longest constant delay that a tracker may have, s.
    pub fn allowed_delay_s(self) -> f64 {
        match self {
            Self::Clean | Self::Snr20 | Self::Snr10 | Self::Room | Self::Glides | Self::Unpitched => 0.016,
            Self::Voice => 0.020,
            Self::Whistle => 0.008,
            Self::Low => 0.030,
        }
    }
}

/// All cases, in a fixed order. `data`: folder of recordings.
pub fn all(data: &Path) -> Result<Vec<Case>> {
    let mut cases = resynthesised(data)?;
    cases.extend(disturbed(&cases));
    cases.push(annotated_voice(&data.join("source/voice_f0"))?);
    cases.extend(whistles(data)?);
    cases.extend(glides::cases());
    cases.extend(unpitched::cases(data)?);
    Ok(cases)
}

impl Case {
    /// A case with one f0 per hop, valid at the hop's end.
    fn per_hop(set: Set, name: impl Into<String>, samples: Vec<f32>, f0_hz: Vec<f32>) -> Self {
        let hop_end = |h: usize| ((h + 1) * HOP_SIZE) as f64 / MODEL_RATE as f64;
        let time_s = (0..f0_hz.len()).map(hop_end).collect();
        Self { set, name: name.into(), samples, time_s, f0_hz }
    }

    /// Removes the truth near the ends of notes, where an analysis with windows of 25 ms is unreliable.
    fn drop_edges(&mut self) {
        let sounds: Vec<bool> = self.f0_hz.iter().map(|f| *f > 0.0).collect();
        let n = sounds.len();
        let sure: Vec<bool> = (0..n)
            .map(|h| sounds[h.saturating_sub(EDGE_HOPS)..(h + EDGE_HOPS + 1).min(n)].iter().all(|s| *s == sounds[h]))
            .collect();
        let mut kept = sure.iter();
        self.time_s.retain(|_| *kept.next().unwrap_or(&false));
        let mut kept = sure.iter();
        self.f0_hz.retain(|_| *kept.next().unwrap_or(&false));
    }
}

fn resynthesised(data: &Path) -> Result<Vec<Case>> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(data.join("heldout"))
        .context("the folder given with --data has no heldout/")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    folders.sort();
    folders.extend(["source/voice", "source/voice_vowels", "source/whistle"].map(|f| data.join(f)));
    let per_folder = folders.par_iter().map(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().to_string();
        let mut seconds = 0.0;
        let mut cases = Vec::new();
        for file in audio_files(folder)?.iter().filter(|f| is_held_out(f)) {
            if seconds < SECONDS_PER_FOLDER {
                let case = resynthesise(file, &name, SECONDS_PER_FOLDER - seconds)?;
                seconds += case.samples.len() as f32 / MODEL_RATE as f32;
                cases.push(case);
            }
        }
        Ok(cases)
    });
    Ok(per_folder.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Resynthesises at most `seconds` of a recording from its own pitch and harmonics, with 0.2 s of silence on either
/// side.
fn resynthesise(file: &Path, folder: &str, seconds: f32) -> Result<Case> {
    let mut recording = Recording::analyse(file, &Silent)?;
    let lowest = LOWEST_NOTES_HZ.iter().find(|(instrument, _)| *instrument == folder);
    recording.drop_below(lowest.map_or(0.0, |(_, hz)| TUNING * hz));
    let n_hops = recording.n_hops().min((seconds * FRAME_RATE) as usize);
    let clip = recording.render(0, n_hops, 1.0, &mut generator(SEED, 0));
    let around = |inside: Vec<f32>, n: usize| [vec![0.0; n], inside, vec![0.0; n]].concat();
    let name = format!("{folder}/{}", file.file_stem().unwrap_or_default().to_string_lossy());
    Ok(Case::per_hop(Set::Clean, name, around(clip.sum(), 50 * HOP_SIZE), around(clip.f0_hz, 50)))
}

fn disturbed(clean: &[Case]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (set, snr_db) in [(Set::Snr20, 20.0), (Set::Snr10, 10.0)] {
        for (i, case) in clean.iter().enumerate() {
            let mut case = Case { set, ..case.clone() };
            add_noise(&mut case, snr_db, &mut generator(SEED, i as u64));
            cases.push(case);
        }
    }
    for (i, case) in clean.iter().enumerate() {
        let mut case = Case { set: Set::Room, ..case.clone() };
        add_room(&mut case, &mut generator(SEED, i as u64));
        cases.push(case);
    }
    cases
}

/// The voice recording with its manual annotation.
fn annotated_voice(folder: &Path) -> Result<Case> {
    let file = audio_files(folder)?.into_iter().next().context("no recording in source/voice_f0")?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_string();
    let table = std::fs::read_to_string(folder.join(format!("{stem}_f0.csv")))?;
    let parse = |line: &str| -> Option<(f64, f32)> {
        let (time_s, f0_hz) = line.split_once(',')?;
        Some((time_s.trim().parse().ok()?, f0_hz.trim().parse().ok()?))
    };
    let (time_s, f0_hz) = table.lines().filter_map(parse).unzip();
    Ok(Case { set: Set::Voice, name: stem, samples: load_mono(&file, MODEL_RATE, &Silent)?, time_s, f0_hz })
}

/// All whistles as recorded. The truth is an offline analysis of the whole file.
fn whistles(data: &Path) -> Result<Vec<Case>> {
    let files = audio_files(&data.join("source/whistle"))?;
    let case = |file: &PathBuf| {
        let samples = load_mono(file, MODEL_RATE, &Silent)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().to_string();
        let mut case = Case::per_hop(Set::Whistle, name, samples, Recording::analyse(file, &Silent)?.notes());
        case.drop_edges();
        Ok(case)
    };
    files.par_iter().map(case).collect()
}
