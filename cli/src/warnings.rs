//! Warnings about a recording with advice. The plugin's window shows the same kinds.

use crate::f0_track::Hop;

/// Smaller shares are ignored: notes that overlap once, a soft end.
const LEAST_SEVERAL: f64 = 0.02;
const LEAST_SOFT: f64 = 0.05;

/// One line for each kind of problem. `heard`: every hop of the recording; `clipped_frames`: the number of clipped
/// ones. Allocates.
pub fn lines(heard: &[Hop], clipped_frames: u64) -> Vec<String> {
    let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
    let count = |is_meant: fn(&Hop) -> bool| heard.iter().filter(|hop| is_meant(hop)).count();
    let n_sounding = count(|hop| hop.f0_hz > 0.0 || hop.is_several_notes);
    let several = share(count(|hop| hop.is_several_notes), n_sounding);
    let soft = share(count(|hop| hop.is_too_soft), heard.len());
    let clipped = share(clipped_frames as usize, heard.len()).min(1.0);
    let mut lines = Vec::new();
    if clipped > 0.0 {
        lines.push(format!("clipped in {} of the time: record it with less gain", percent(clipped)));
    }
    if several > LEAST_SEVERAL {
        let percent = percent(several);
        lines.push(format!(
            "several notes at once in {percent} of the time that was heard: give it one voice at a time"
        ));
    }
    if soft > LEAST_SOFT {
        lines.push(format!(
            "too soft to be played in {} of the time: lower --gate, with --fixed-gate where the room is loud",
            percent(soft)
        ));
    }
    lines
}

fn percent(share: f64) -> String {
    if share < 0.01 { "less than 1 %".into() } else { format!("{:.0} %", 100.0 * share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_refer_to_sounding_hops_and_small_ones_are_ignored() {
        let note = Hop { f0_hz: 220.0, ..Hop::default() };
        let chord = Hop { is_several_notes: true, ..Hop::default() };
        let soft = Hop { is_too_soft: true, ..Hop::default() };
        let clip = |n_chords: usize, n_soft: usize| {
            [vec![note; 100 - n_chords], vec![chord; n_chords], vec![soft; n_soft], vec![Hop::default(); 100 - n_soft]]
                .concat()
        };
        assert!(lines(&clip(2, 10), 0).is_empty());
        assert!(lines(&[], 0).is_empty());
        let said = lines(&clip(34, 50), 1);
        assert_eq!(said.len(), 3);
        for (line, begin) in said.iter().zip([
            "clipped in less than 1 % of the time:",
            "several notes at once in 34 % of the time that was heard:",
            "too soft to be played in 25 % of the time:",
        ]) {
            assert!(line.starts_with(begin), "{line}");
        }
    }
}
