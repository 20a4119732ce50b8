//! Chooses and analyses the recordings: copies, players, and the held-out share.

use super::Study;
use super::performance::{Copies, Performance};
use crate::progress::{Event, Progress};
use crate::recordings::analyse_all;
use anyhow::{Context, Result, ensure};
use embouchure_audio_file::read;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Copies of each recording at other speeds: (seconds of all recordings below which this holds, copies). Without copies
/// the decoder learned each note of 45 trumpet recordings by heart: held-out loss 0.76 without, 0.45 with two of each
/// (docs/tried.md).
const COPIES: [(f32, usize); 2] = [(360.0, 2), (900.0, 1)];
/// Seconds of recordings that are used at most. More would not fit into a small computer's memory and teaches little.
const MOST_SECONDS: f32 = 2400.0;
/// Recordings are held out from this number on.
const LEAST_FILES: usize = 10;

/// Analysed recordings.
pub struct Material {
    /// Recordings to train on, and their copies.
    pub performances: Vec<Performance>,
    /// Held-out recordings.
    pub held_out: Vec<Performance>,
    /// Index of the chosen player, from 0.
    pub player: usize,
    /// Number of players.
    pub n_players: usize,
}

impl Material {
    /// Analyses all recordings. Errors if none can be used, or the player is unknown.
    pub fn gather(study: &Study, progress: &dyn Progress) -> Result<Self> {
        let players: BTreeSet<String> = study.files.iter().map(|file| player_of(file)).collect();
        let named = |name: &String| players.iter().position(|p| p == name).with_context(|| no_player(name, &players));
        let chosen = study.player.as_ref().map(named).transpose()?;
        let files: Vec<(usize, PathBuf)> = study.files.iter().cloned().enumerate().collect();
        let (held_out, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(i, _)| is_held_out(*i, &study.files));
        let analyse = |files: Vec<(usize, PathBuf)>, copies: Copies| -> Result<Vec<Performance>> {
            let files: Vec<PathBuf> = files.into_iter().map(|(_, file)| file).collect();
            let player = |path: &Path| players.iter().position(|p| *p == player_of(path)).unwrap_or(0);
            let analyse = |path: &Path| Performance::of(path, player(path), copies, &study.encoder, progress);
            Ok(analyse_all(&files, progress, analyse)?.into_iter().flatten().collect())
        };
        let copies = copies(&study.files, progress);
        let performances = analyse(files, copies)?;
        ensure!(!performances.is_empty(), "there is nothing to learn from");
        let held_out = analyse(held_out, Copies { number: 0, ..copies })?;
        let player = chosen.unwrap_or_else(|| longest_recorded(&performances, players.len()));
        Ok(Self { performances, held_out, player, n_players: players.len() })
    }
}

/// True for every tenth recording, if there are enough. The held-out ones decide when the training ends.
fn is_held_out(index: usize, files: &[PathBuf]) -> bool {
    files.len() >= LEAST_FILES && index % 10 == 5
}

/// Number of copies and share to use, by the length of all recordings.
fn copies(files: &[PathBuf], progress: &dyn Progress) -> Copies {
    let seconds = |path: &PathBuf| read(path).map_or(0.0, |a| a.channels[0].len() as f32 / a.rate as f32);
    let seconds: f32 = files.iter().map(seconds).sum();
    let number = COPIES.iter().find(|(limit, _)| seconds < *limit).map_or(0, |(_, number)| *number);
    let share = (MOST_SECONDS / seconds).min(1.0);
    if share < 1.0 {
        let used = format!("{:.0} of {:.0} minutes are used", MOST_SECONDS / 60.0, seconds / 60.0);
        progress.tell(Event::Fact(&used));
    }
    Copies { number, share }
}

/// Player of a recording: the part of its file name before "__"; empty without one.
fn player_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split_once("__").map_or(String::new(), |(player, _)| player.into())
}

fn no_player(name: &str, players: &BTreeSet<String>) -> String {
    let known: Vec<_> = players.iter().filter(|p| !p.is_empty()).map(String::as_str).collect();
    format!("no recording is named {name}__…; players are: {}", known.join(", "))
}

/// Index of the player with the longest recordings.
fn longest_recorded(performances: &[Performance], n_players: usize) -> usize {
    let hops =
        |player: &usize| performances.iter().filter(|p| p.player == *player).map(Performance::len).sum::<usize>();
    (0..n_players).max_by_key(hops).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_are_named_before_two_underscores() {
        assert_eq!(player_of(Path::new("a/anna__c4_soft.wav")), "anna");
        assert_eq!(player_of(Path::new("anna__x/c4_soft.wav")), "");
    }

    #[test]
    fn a_tenth_is_held_out_if_there_are_ten() {
        let files = |n: usize| vec![PathBuf::new(); n];
        let held = |n: usize| (0..n).filter(|i| is_held_out(*i, &files(n))).count();
        assert_eq!((held(9), held(10), held(40)), (0, 1, 4));
    }
}
