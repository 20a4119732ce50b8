//! Report on recordings of an instrument before a training: their range, their gaps, and advice.

use super::performance::{TARGET_HOP, TARGET_RATE, check_one_note, check_pitched, load};
use crate::analysis::{FRAME_RATE, decay_s, track_pitch};
use crate::progress::{Progress, Stage};
use crate::recordings::examine_all;
use anyhow::{Result, ensure};
use embouchure_audio_file::resample;
use embouchure_inference::config::MODEL_RATE;
use embouchure_inference::hear::LoudnessMeter;
use embouchure_inference::math::db::power_to_db;
use embouchure_inference::note::{Note, hz_to_midi, midi_to_hz};
use std::path::{Path, PathBuf};

/// Advice is given below these: minutes with a pitch, octaves, dB between soft and loud.
const LEAST_MINUTES: f32 = 3.0;
const LEAST_OCTAVES: f32 = 1.5;
const LEAST_SPAN_DB: f32 = 12.0;
/// A gap has at least this many semitones with less than this sound each, seconds.
const GAP: usize = 3;
const LEAST_SECONDS: f32 = 0.5;
/// A room that rings longer is heard in the trained instrument, seconds.
const LONGEST_DECAY_S: f32 = 1.2;

/// One recording that can be used.
pub struct Examined {
    /// Its file.
    pub path: PathBuf,
    /// Length without long silences.
    pub seconds: f32,
    /// Pitch, Hz, and A-weighted loudness, dB, of every pitched hop.
    pub pitched: Vec<(f32, f32)>,
    /// Time in which its notes fade by 60 dB, seconds; `None` if no note ends.
    pub decay_s: Option<f32>,
}

/// Report on a set of recordings.
pub struct Report {
    /// Usable recordings, in the order of the files.
    pub used: Vec<Examined>,
    /// The others, each with the reason.
    pub rejected: Vec<(PathBuf, String)>,
}

impl Report {
    /// Examines every file, on all cores.
    pub fn of(files: &[PathBuf], progress: &dyn Progress) -> Self {
        let (mut used, mut rejected) = (Vec::new(), Vec::new());
        let examined = examine_all(Stage::Examining, files, progress, |path| examine(path, progress));
        for (path, result) in files.iter().zip(examined) {
            match result {
                Ok(examined) => used.push(examined),
                Err(error) => rejected.push((path.clone(), format!("{error:#}"))),
            }
        }
        Self { used, rejected }
    }

    /// Pitch, Hz, and A-weighted loudness, dB, of every pitched hop.
    pub fn pitched(&self) -> impl Iterator<Item = (f32, f32)> + '_ {
        self.used.iter().flat_map(|examined| examined.pitched.iter().copied())
    }

    /// Minutes with a pitch.
    pub fn minutes(&self) -> f32 {
        self.pitched().count() as f32 / FRAME_RATE as f32 / 60.0
    }

    /// 5th and 95th percentile of the pitch, Hz, and of the loudness, dB; `None` without a pitched hop.
    pub fn ranges(&self) -> Option<[[f32; 2]; 2]> {
        let range = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            let at = |percent: usize| values.get((values.len().max(1) - 1) * percent / 100).copied();
            Some([at(5)?, at(95)?])
        };
        Some([range(self.pitched().map(|p| p.0).collect())?, range(self.pitched().map(|p| p.1).collect())?])
    }

    /// Sentences on what to record more of, or in another way; empty if nothing is missing.
    pub fn advice(&self) -> Vec<String> {
        let Some([[low, high], [softest, loudest]]) = self.ranges() else {
            return vec!["nothing can be used: record single notes and lines of one instrument alone".into()];
        };
        let mut advice = Vec::new();
        if self.minutes() < LEAST_MINUTES {
            advice.push(format!("only {:.1} minutes have a pitch: five or more sound better", self.minutes()));
        }
        if (high / low).log2() < LEAST_OCTAVES {
            advice.push(format!("most of it is {}: play higher and lower, too", Note::range(low, high)));
        }
        if loudest - softest < LEAST_SPAN_DB {
            let span = loudest - softest;
            advice
                .push(format!("soft and loud differ by only {span:.0} dB: play softer and louder, within notes, too"));
        }
        advice.extend(
            self.gaps()
                .into_iter()
                .map(|[low, high]| format!("there is hardly a note from {}", Note::range(low, high))),
        );
        if let Some(decay_s) = self.decay_s().filter(|s| *s > LONGEST_DECAY_S) {
            advice.push(format!("notes ring on for {decay_s:.1} s: if that is the room, record in a drier one"));
        }
        advice
    }

    /// Median of the recordings' decay times, seconds; `None` if there is none.
    pub fn decay_s(&self) -> Option<f32> {
        let mut all: Vec<f32> = self.used.iter().filter_map(|examined| examined.decay_s).collect();
        all.sort_by(f32::total_cmp);
        all.get(all.len() / 2).copied()
    }

    /// Seconds of sound at each MIDI note.
    fn seconds_by_note(&self) -> [f32; 128] {
        let mut seconds = [0.0; 128];
        for (hz, _) in self.pitched() {
            let note = hz_to_midi(hz).round().clamp(0.0, 127.0);
            seconds[note as usize] += 1.0 / FRAME_RATE as f32;
        }
        seconds
    }

    /// Ranges of notes between the lowest and the highest that hardly sound: lowest and highest of each, Hz.
    fn gaps(&self) -> Vec<[f32; 2]> {
        let seconds = self.seconds_by_note();
        let is_played = |note: &usize| seconds[*note] >= LEAST_SECONDS;
        let played: Vec<usize> = (0..128).filter(is_played).collect();
        let hz = |note: usize| midi_to_hz(note as f32);
        let gap = |pair: &[usize]| (pair[1] - pair[0] > GAP).then(|| [hz(pair[0] + 1), hz(pair[1] - 1)]);
        played.windows(2).filter_map(gap).collect()
    }
}

fn examine(path: &Path, progress: &dyn Progress) -> Result<Examined> {
    let audio = load(path, progress)?;
    let n_hops = audio.len() / TARGET_HOP;
    ensure!(n_hops > 0, "shorter than a hundredth of a second");
    let f0_hz: Vec<f32> = track_pitch(&audio, TARGET_RATE).iter().map(|p| p.f0_hz).collect();
    let pitched: Vec<bool> = f0_hz.iter().map(|f| *f > 0.0).collect();
    check_pitched(&pitched)?;
    check_one_note(&audio, &f0_hz)?;
    let loudness_db = LoudnessMeter::clip(&resample(&audio, TARGET_RATE, MODEL_RATE), &f0_hz);
    let level = |hop: &[f32]| power_to_db((hop.iter().map(|x| x * x).sum::<f32>() / hop.len() as f32).max(1e-12));
    let level_db: Vec<f32> = audio.chunks_exact(TARGET_HOP).map(level).collect();
    let hops = f0_hz.iter().zip(&loudness_db).filter(|(f, _)| **f > 0.0);
    Ok(Examined {
        path: path.to_path_buf(),
        seconds: audio.len() as f32 / TARGET_RATE as f32,
        pitched: hops.map(|(f, l)| (*f, *l)).collect(),
        decay_s: decay_s(&level_db, &pitched),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(pitched: Vec<(f32, f32)>) -> Report {
        let examined = Examined { path: PathBuf::new(), seconds: 1.0, pitched, decay_s: Some(0.2) };
        Report { used: vec![examined], rejected: vec![] }
    }

    #[test]
    fn advice_names_the_gaps() {
        assert!(report(vec![]).advice()[0].contains("nothing can be used"));
        let few = report((0..1000).map(|_| (440.0, -20.0)).collect()).advice();
        assert_eq!(few.len(), 3, "{few:?}");
        // Five minutes over two octaves and 20 dB, without the notes from C5 to F5.
        let note = |i: usize| 60 + i % 25;
        let pitched = (0..75_000).filter(|i| !(72..78).contains(&note(*i)));
        let hop = |i: usize| (440.0 * ((note(i) as f32 - 69.0) / 12.0).exp2(), -10.0 - (i % 21) as f32);
        let much = report(pitched.map(hop).collect()).advice();
        assert_eq!(much, ["there is hardly a note from C5 to F5"]);
    }
}
