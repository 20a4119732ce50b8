//! Faults of a recording: clipping, a low level, a long reverberation.

use super::FRAME_RATE;
use anyhow::{Result, ensure};
use embouchure_inference::math::db::gain_to_db;

/// Least peak, dBFS. Softer recordings have more of the microphone than of the instrument.
const LEAST_PEAK_DB: f32 = -54.0;
/// This many equal neighbouring samples are clipped if they are near the peak: above the second value, as a share of
/// it.
const CLIPPED_RUN: usize = 4;
const TOP: f32 = 0.98;
/// Largest share of clipped samples.
const MOST_CLIPPED: f32 = 5e-4;
/// The fall of a note after its end is timed between these levels below its loudest, dB.
const FALL_DB: (f32, f32) = (5.0, 25.0);
/// Hops before the earliest end of a note, and hops after an end in which the fall must be over.
const NOTE_HOPS: usize = 20;
const LONGEST_FALL_HOPS: usize = 500;

/// Errors if the recording is clipped or too quiet. `samples`: as in the file.
pub fn check_level(samples: &[f32]) -> Result<()> {
    let peak = samples.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let peak_db = gain_to_db(peak.max(1e-10));
    ensure!(peak_db > LEAST_PEAK_DB, "too quiet: its loudest moment is at {peak_db:.0} dBFS; record it louder");
    let share = n_clipped(samples, peak) as f32 / samples.len() as f32;
    ensure!(share < MOST_CLIPPED, "clipped: {:.1} % of it is cut off at the top; record it softer", 100.0 * share);
    Ok(())
}

/// Number of samples in flat runs near the peak.
fn n_clipped(samples: &[f32], peak: f32) -> usize {
    let is_flat = |pair: &[f32]| pair[0].abs() > TOP * peak && (pair[0] - pair[1]).abs() < 1e-6 * peak;
    let (mut n, mut run) = (0, 1);
    for pair in samples.windows(2) {
        if is_flat(pair) {
            run += 1;
            continue;
        }
        n += if run >= CLIPPED_RUN { run } else { 0 };
        run = 1;
    }
    if run >= CLIPPED_RUN { n + run } else { n }
}

/// Time in which the sound falls by 60 dB after a note, s: the instrument's release and the room's reverberation. It is
/// the median of the notes that end within the recording; `None` if none does. `level_db` and `pitched`: per hop.
pub fn decay_s(level_db: &[f32], pitched: &[bool]) -> Option<f32> {
    let ends = (NOTE_HOPS..pitched.len()).filter(|t| pitched[t - 1] && !pitched[*t]);
    let mut decays: Vec<f32> = ends.filter_map(|end| fall_s(level_db, end)).collect();
    decays.sort_by(f32::total_cmp);
    (!decays.is_empty()).then(|| decays[decays.len() / 2])
}

/// As [`decay_s`], for the note that ends at about hop `end`; `None` if it does not fall far enough.
fn fall_s(level_db: &[f32], end: usize) -> Option<f32> {
    // The level of the note is its loudest for a while before the end, because the tracker follows a fading note for
    // long.
    let from = end.saturating_sub(LONGEST_FALL_HOPS / 4);
    let top = (from..end).max_by(|a, b| level_db[*a].total_cmp(&level_db[*b]))?;
    let below =
        |db: f32| (top..level_db.len().min(end + LONGEST_FALL_HOPS)).find(|t| level_db[*t] < level_db[top] - db);
    let hops = below(FALL_DB.1)? - below(FALL_DB.0)?;
    Some(hops as f32 / FRAME_RATE as f32 * 60.0 / (FALL_DB.1 - FALL_DB.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(amplitude: f32) -> Vec<f32> {
        (0..48_000).map(|i| amplitude * (i as f32 * 0.03).sin()).collect()
    }

    #[test]
    fn quiet_and_clipped_recordings_are_refused() {
        assert!(check_level(&sine(0.1)).is_ok());
        assert!(check_level(&sine(1.0)).is_ok(), "loud is not clipped");
        let message = |samples: &[f32]| check_level(samples).expect_err("refused").to_string();
        assert!(message(&sine(0.001)).contains("too quiet"));
        let clipped: Vec<f32> = sine(1.2).iter().map(|x| x.clamp(-1.0, 1.0)).collect();
        assert!(message(&clipped).contains("clipped"), "{}", message(&clipped));
    }

    #[test]
    fn a_long_room_is_told_from_a_short_one() {
        let note = |fall_db_per_hop: f32| -> (Vec<f32>, Vec<bool>) {
            let level = |t: usize| if t < 200 { -20.0 } else { -20.0 - fall_db_per_hop * (t - 200) as f32 };
            ((0..800).map(level).collect(), (0..800).map(|t| t < 210).collect())
        };
        let decay = |fall: f32| {
            let (level, pitched) = note(fall);
            decay_s(&level, &pitched).expect("it ends")
        };
        assert!((decay(1.2) - 0.2).abs() < 0.03, "{}", decay(1.2));
        assert!((decay(0.12) - 2.0).abs() < 0.1, "{}", decay(0.12));
        assert_eq!(decay_s(&[-20.0; 300], &[true; 300]), None);
    }
}
