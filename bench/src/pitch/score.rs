//! Melody measures after mir_eval (Raffel et al. 2014), with the tracker's delay as a separate variable.

use super::cases::Case;

/// Largest error of a right pitch, cents.
const RIGHT_CENTS: f64 = 50.0;
/// Least error of a blip, cents: half an octave.
const BLIP_CENTS: f64 = 600.0;
/// A blip is compared with the notes within this distance, s.
const BLIP_REACH: f64 = 0.06;
const DELAY_STEP: f64 = 0.002;

/// A tracker's estimates, in order of time.
#[derive(Default)]
pub struct Track {
    /// Time at which each estimate is known (streaming) or to which it refers (offline), s.
    pub time_s: Vec<f64>,
    /// f0 in Hz, > 0; a guess where unvoiced.
    pub f0_hz: Vec<f32>,
    pub voiced: Vec<bool>,
}

/// A tracker's estimates for all cases.
pub struct Tracker {
    pub name: String,
    pub tracks: Vec<Track>,
    /// Processor time per second of audio, s.
    pub cpu_share: f64,
}

impl Track {
    /// Index of the newest estimate at `time_s`.
    fn at(&self, time_s: f64) -> Option<usize> {
        self.time_s.partition_point(|t| *t <= time_s + 1e-6).checked_sub(1)
    }
}

/// Counts over several recordings at one delay.
#[derive(Default)]
pub struct Tally {
    pub delay_s: f64,
    n_voiced: usize,
    n_right: usize,
    n_right_chroma: usize,
    n_right_voiced: usize,
    n_unvoiced: usize,
    n_alarms: usize,
    /// Absolute errors, where less than half an octave, cents.
    cents: Vec<f64>,
}

impl Tally {
    pub fn of(pairs: &[(&Case, &Track)], delay_s: f64) -> Self {
        let mut tally = Self { delay_s, ..Self::default() };
        for (case, track) in pairs {
            for (time_s, f0_hz) in case.time_s.iter().zip(&case.f0_hz) {
                let heard = track.at(time_s + delay_s);
                let voiced = heard.is_some_and(|i| track.voiced[i]);
                if *f0_hz > 0.0 {
                    let cents = heard.map_or(f64::INFINITY, |i| cents(track.f0_hz[i], *f0_hz));
                    tally.count_voiced(cents, voiced);
                } else {
                    tally.n_unvoiced += 1;
                    tally.n_alarms += usize::from(voiced);
                }
            }
        }
        tally
    }

    /// The counts at the delay up to `allowed_s` that gives the most right frames.
    pub fn best(pairs: &[(&Case, &Track)], allowed_s: f64) -> Self {
        let delays = (0..=(allowed_s / DELAY_STEP).round() as usize).map(|i| i as f64 * DELAY_STEP);
        let tallies = delays.map(|d| Self::of(pairs, d));
        tallies.reduce(|best, new| if new.n_right > best.n_right { new } else { best }).unwrap_or_default()
    }

    fn count_voiced(&mut self, cents: f64, voiced: bool) {
        let chroma = cents - 1200.0 * (cents / 1200.0).round();
        let right = cents.abs() < RIGHT_CENTS;
        self.n_voiced += 1;
        self.n_right += usize::from(right);
        self.n_right_chroma += usize::from(chroma.abs() < RIGHT_CENTS);
        self.n_right_voiced += usize::from(right && voiced);
        if cents.abs() < BLIP_CENTS {
            self.cents.push(cents.abs());
        }
    }

    pub fn rpa(&self) -> f64 {
        self.n_right as f64 / self.n_voiced as f64
    }

    pub fn rca(&self) -> f64 {
        self.n_right_chroma as f64 / self.n_voiced as f64
    }

    /// Share of the voiced frames that are reported as voiced and are right.
    pub fn rpa_voiced(&self) -> f64 {
        self.n_right_voiced as f64 / self.n_voiced as f64
    }

    pub fn median_cents(&self) -> f64 {
        let mut cents = self.cents.clone();
        cents.sort_by(f64::total_cmp);
        cents.get(cents.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub fn false_alarms(&self) -> f64 {
        self.n_alarms as f64 / self.n_unvoiced as f64
    }
}

/// Blips per minute: runs of more than one hop that are reported as voiced, half an octave or more from every note
/// nearby.
pub fn blips_per_minute(pairs: &[(&Case, &Track)]) -> f64 {
    let (mut n_blips, mut seconds) = (0, 0.0);
    for (case, track) in pairs {
        let wrong = |i: usize| track.voiced[i] && is_far_off(case, track.time_s[i], track.f0_hz[i]);
        let wrong: Vec<bool> = (0..track.time_s.len()).map(wrong).collect();
        n_blips += wrong.chunk_by(|a, b| a == b).filter(|run| run[0] && run.len() > 1).count();
        seconds += case.time_s.last().copied().unwrap_or(0.0);
    }
    n_blips as f64 * 60.0 / seconds
}

fn is_far_off(case: &Case, time_s: f64, f0_hz: f32) -> bool {
    let from = case.time_s.partition_point(|t| *t < time_s - BLIP_REACH);
    let to = case.time_s.partition_point(|t| *t <= time_s + BLIP_REACH);
    let notes = || case.f0_hz[from..to].iter().filter(|f| **f > 0.0);
    notes().next().is_some() && notes().all(|f| cents(f0_hz, *f).abs() > BLIP_CENTS)
}

fn cents(heard_hz: f32, true_hz: f32) -> f64 {
    if heard_hz > 0.0 { 1200.0 * (heard_hz as f64 / true_hz as f64).log2() } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::super::cases::Set;
    use super::*;
    use embouchure_inference::config::HOP_S;

    fn case(f0_hz: &[f32]) -> Case {
        let time_s = (0..f0_hz.len()).map(|i| (i + 1) as f64 * HOP_S).collect();
        Case { set: Set::Whistle, name: String::new(), samples: vec![], time_s, f0_hz: f0_hz.to_vec() }
    }

    fn track(f0_hz: &[f32], voiced: &[bool]) -> Track {
        Track { time_s: case(f0_hz).time_s, f0_hz: f0_hz.to_vec(), voiced: voiced.to_vec() }
    }

    #[test]
    fn a_late_tracker_is_right_at_its_delay() {
        let truth: Vec<f32> = (0..100).map(|i| if i < 50 { 220.0 } else { 330.0 }).collect();
        let late: Vec<f32> = (0..100).map(|i| if i < 53 { 220.0 } else { 330.0 }).collect();
        let (case, track) = (case(&truth), track(&late, &[true; 100]));
        let pairs = [(&case, &track)];
        assert_eq!(Tally::of(&pairs, 0.0).rpa(), 0.97);
        let best = Tally::best(&pairs, 0.02);
        assert_eq!((best.rpa(), best.delay_s), (1.0, 0.012));
    }

    #[test]
    fn octaves_count_for_chroma_and_as_blips() {
        let heard = [220.0, 440.0, 440.0, 220.0, 440.0, 220.0];
        let (case, track) = (case(&[220.0; 6]), track(&heard, &[true, true, true, true, true, false]));
        let pairs = [(&case, &track)];
        let tally = Tally::of(&pairs, 0.0);
        assert_eq!((tally.rpa(), tally.rca(), tally.n_right_voiced), (0.5, 1.0, 2));
        let n_blips = blips_per_minute(&pairs) * 0.024 / 60.0;
        assert!((n_blips - 1.0).abs() < 1e-6, "two hops are a blip, one is none: {n_blips}");
    }

    #[test]
    fn alarms_are_counted_where_nothing_sounds() {
        let (case, track) = (case(&[0.0, 0.0, 0.0, 0.0]), track(&[100.0; 4], &[true, false, false, false]));
        assert_eq!(Tally::of(&[(&case, &track)], 0.0).false_alarms(), 0.25);
    }
}
