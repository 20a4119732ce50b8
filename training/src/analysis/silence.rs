//! Shortens long silences, which teach nothing more than short ones.

use super::FRAME_RATE;
use embouchure_inference::math::db::db_to_power;

/// Hops this far below the loud ones are silent, dB.
const SILENT_DB: f32 = 60.0;
/// Hops that are kept of a silence: at its beginning, where notes fade, and at its end.
const KEPT: (usize, usize) = (100, 25);

/// `samples` with long silences shortened. `hop`: samples per hop.
pub fn cut_silence(samples: &[f32], hop: usize) -> Vec<f32> {
    let powers: Vec<f32> = samples.chunks(hop).map(|c| c.iter().map(|x| x * x).sum::<f32>() / c.len() as f32).collect();
    let mut sorted = powers.clone();
    sorted.sort_by(f32::total_cmp);
    let Some(loud) = sorted.get(sorted.len() * 95 / 100) else { return Vec::new() };
    let limit = loud * db_to_power(-SILENT_DB);
    let mut kept = Vec::with_capacity(samples.len());
    let mut start = 0;
    while start < powers.len() {
        let is_silent = powers[start] <= limit;
        let end = (start..powers.len()).find(|t| (powers[*t] <= limit) != is_silent).unwrap_or(powers.len());
        let piece = |from: usize, to: usize| &samples[from * hop..(to * hop).min(samples.len())];
        match is_silent && end - start > KEPT.0 + KEPT.1 + FRAME_RATE / 4 {
            true => {
                kept.extend_from_slice(piece(start, start + KEPT.0));
                kept.extend_from_slice(piece(end - KEPT.1, end));
            }
            false => kept.extend_from_slice(piece(start, end)),
        }
        start = end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_silences_are_shortened_and_no_sound_is_lost() {
        const HOP: usize = 192;
        let second = |amplitude: f32| vec![amplitude; 250 * HOP];
        let sound = [second(0.5), second(1e-5), second(1e-5), second(1e-5), second(0.5)].concat();
        let cut = cut_silence(&sound, HOP);
        assert_eq!(cut.len(), (500 + KEPT.0 + KEPT.1) * HOP);
        assert_eq!(cut.iter().filter(|x| **x == 0.5).count(), 500 * HOP);
        let short = [second(0.5), vec![0.0; 100 * HOP], second(0.5)].concat();
        assert_eq!(cut_silence(&short, HOP), short);
        assert!(cut_silence(&[], HOP).is_empty());
    }
}
