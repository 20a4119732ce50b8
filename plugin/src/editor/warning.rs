//! What is wrong with the input, and what the player can do: said while it lasts.

use embouchure_inference::engine::TelemetryView;

/// Outside its range by more than this, the instrument was never heard.
const TOLERANCE: f32 = 1.06;
/// Input whose peaks are below this, linear, is none: -100 dBFS.
const NOTHING: f32 = 1e-5;
/// Hops that came no longer ago than this say what is heard now, s: the longest block.
const NEW_S: f64 = 0.3;

/// The most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The input reaches full scale again and again.
    Clipped,
    /// A chord, or two voices.
    SeveralNotes,
    /// Notes are heard, but the gate keeps them out.
    TooSoft,
    /// The app's input is silent.
    NoInput,
    /// What is played is beyond what the instrument was heard to play.
    BelowRange,
    AboveRange,
}

impl Warning {
    const ALL: [Self; 6] =
        [Self::Clipped, Self::SeveralNotes, Self::TooSoft, Self::NoInput, Self::BelowRange, Self::AboveRange];

    /// What is wrong.
    pub fn text(self) -> &'static str {
        match self {
            Self::Clipped => "The input is clipped: turn it down",
            Self::SeveralNotes => "Several notes at once: play one at a time",
            Self::TooSoft => "Too soft to be played: turn the input up",
            Self::NoInput => "Nothing comes in",
            Self::BelowRange => "Below the instrument's range",
            Self::AboveRange => "Above the instrument's range",
        }
    }

    /// What that means, and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Clipped => {
                "The input reaches full scale again and again, so its peaks are cut off. Turn it down before it comes \
                 here: at the microphone's preamplifier, the sound card, or the track's effects before this one."
            }
            Self::SeveralNotes => {
                "The instrument plays one line. Where several notes sound at once, as in chords, two voices or a room \
                 that rings for long, it follows any of them, or none. Give each voice an instance of its own."
            }
            Self::TooSoft => {
                "Notes are heard, but they are softer than the gate lets in. Turn the input up, go nearer to the \
                 microphone, or turn Gate down. While Auto Gate is on, a loud room raises the gate, too."
            }
            Self::NoInput => {
                "The input has been silent for some time. Look whether the microphone is switched on and not muted, and \
                 choose the input on the Audio page."
            }
            Self::BelowRange | Self::AboveRange => {
                "The instrument was never heard at this pitch, and sounds less like itself. Transpose, or let Octave \
                 Fit move the line into its range, which is shaded behind the pitch."
            }
        }
    }

    /// Time that it must be seen before it is said, s. What the engine says has lasted already.
    fn needed_s(self) -> f64 {
        if self == Self::NoInput { 10.0 } else { 0.0 }
    }

    /// Time that it stays when it is over, s: long enough to be read. Several notes have lasted 0.4 s longer already.
    fn held_s(self) -> f64 {
        match self {
            Self::Clipped => 1.5,
            Self::SeveralNotes | Self::TooSoft => 0.6,
            Self::NoInput => 0.0,
            Self::BelowRange | Self::AboveRange => 0.2,
        }
    }
}

/// What there is to see in one frame of the window.
pub struct Seen<'a> {
    /// The app has an input that should bring something: in a host, an empty track is no fault.
    pub has_input: bool,
    /// Since the last frame, linear.
    pub input_peak: f32,
    pub telemetry: &'a TelemetryView,
    /// Where what is heard can play, Hz.
    pub range_hz: Option<[f32; 2]>,
}

/// What lasts, and for how long.
#[derive(Debug, Default)]
pub struct Warnings {
    looked_s: f64,
    /// Of the last look. What was counted before the first one is no news.
    hops: u64,
    clipped_frames: Option<u64>,
    /// When hops came last.
    heard_s: f64,
    /// For each of them, since when it is seen, and until when it is said.
    lasting: [(Option<f64>, f64); Warning::ALL.len()],
}

impl Warnings {
    /// Looks; `now_s` is any steady clock, which may start again with a new window.
    pub fn look(&mut self, now_s: f64, seen: &Seen) {
        if now_s < self.looked_s {
            *self = Self::default();
        }
        self.looked_s = now_s;
        let Seen { telemetry, range_hz, .. } = seen;
        if telemetry.hops != self.hops {
            self.heard_s = now_s;
        }
        // A new engine counts from 0.
        let is_clipped = self.clipped_frames.is_some_and(|before| telemetry.clipped_frames > before);
        (self.hops, self.clipped_frames) = (telemetry.hops, Some(telemetry.clipped_frames));
        let is_heard = telemetry.hops > 0 && now_s - self.heard_s < NEW_S;
        let range_hz = range_hz.filter(|_| telemetry.played_hz > 0.0);
        for (warning, (since_s, until_s)) in Warning::ALL.into_iter().zip(&mut self.lasting) {
            let is_seen = is_heard
                && match warning {
                    Warning::Clipped => is_clipped,
                    Warning::SeveralNotes => telemetry.heard.is_several_notes,
                    Warning::TooSoft => telemetry.heard.is_too_soft,
                    Warning::NoInput => seen.has_input && seen.input_peak < NOTHING,
                    Warning::BelowRange => range_hz.is_some_and(|[low, _]| telemetry.played_hz < low / TOLERANCE),
                    Warning::AboveRange => range_hz.is_some_and(|[_, high]| telemetry.played_hz > high * TOLERANCE),
                };
            *since_s = is_seen.then(|| since_s.unwrap_or(now_s));
            if since_s.is_some_and(|since_s| now_s - since_s >= warning.needed_s()) {
                *until_s = now_s + warning.held_s();
            } else if warning.held_s() == 0.0 {
                *until_s = 0.0;
            }
        }
    }

    /// The most important of what lasts.
    pub fn said(&self) -> Option<Warning> {
        let mut lasting = Warning::ALL.into_iter().zip(&self.lasting);
        lasting.find_map(|(warning, (_, until_s))| (*until_s > 0.0 && self.looked_s <= *until_s).then_some(warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: Option<[f32; 2]> = Some([200.0, 1000.0]);

    /// What is said, look by look, 30 a second. `telemetry`: of each look; hops go on unless it stands still.
    fn said(n: usize, has_input: bool, telemetry: impl Fn(usize) -> (f32, TelemetryView)) -> Vec<Option<Warning>> {
        let mut warnings = Warnings::default();
        let look = |i: usize| {
            let (input_peak, telemetry) = telemetry(i);
            let seen = Seen { has_input, input_peak, telemetry: &telemetry, range_hz: RANGE };
            warnings.look(1.0 + i as f64 / 30.0, &seen);
            warnings.said()
        };
        (0..n).map(look).collect()
    }

    fn telemetry(i: usize, change: impl Fn(&mut TelemetryView)) -> TelemetryView {
        let mut telemetry = TelemetryView { hops: 8 * (i as u64 + 1), ..TelemetryView::default() };
        change(&mut telemetry);
        telemetry
    }

    #[test]
    fn each_is_said_while_it_lasts_and_a_little_longer() {
        type Change = fn(&mut TelemetryView);
        let changes: [(Warning, Change); 4] = [
            (Warning::SeveralNotes, |view| view.heard.is_several_notes = true),
            (Warning::TooSoft, |view| view.heard.is_too_soft = true),
            (Warning::BelowRange, |view| view.played_hz = 150.0),
            (Warning::AboveRange, |view| view.played_hz = 1500.0),
        ];
        for (warning, change) in changes {
            let is_there = |i: usize| (30..90).contains(&i);
            let said = said(300, false, |i| {
                (
                    0.1,
                    telemetry(i, |view| {
                        if is_there(i) {
                            change(view)
                        }
                    }),
                )
            });
            let lasts: Vec<usize> = (0..300).filter(|i| said[*i] == Some(warning)).collect();
            let (first, last) = (lasts[0], lasts[lasts.len() - 1]);
            assert!(first == 30 && (94..115).contains(&last), "{warning:?} from {first} to {last}");
            assert_eq!(lasts.len(), last - first + 1, "{warning:?} without a break");
            assert!(said.iter().all(|said| said.is_none_or(|said| said == warning)));
        }
    }

    #[test]
    fn clipping_is_said_when_it_was_counted_and_not_for_what_was_before() {
        let said = said(200, false, |i| (0.1, telemetry(i, |view| view.clipped_frames = if i < 50 { 3 } else { 4 })));
        assert_eq!(
            (said[0], said[49], said[50], said[90], said[110]),
            (None, None, Some(Warning::Clipped), Some(Warning::Clipped), None)
        );
    }

    #[test]
    fn nothing_comes_in_is_said_in_the_app_alone_and_ends_at_once() {
        let view = |i: usize| (if i < 400 { 0.0 } else { 0.1 }, telemetry(i, |_| ()));
        let in_app = said(500, true, view);
        assert_eq!([290, 310, 399, 400].map(|i: usize| in_app[i].is_some()), [false, true, true, false]);
        assert_eq!(said(500, false, view), [None; 500]);
    }

    #[test]
    fn what_is_right_or_no_longer_heard_is_not_said() {
        for hz in [0.0, 190.0, 500.0, 1050.0] {
            assert_eq!(said(100, false, |i| (0.99, telemetry(i, |view| view.played_hz = hz))), [None; 100], "{hz} Hz");
        }
        // A host that has stopped, or an engine that is gone: the last hop stays in the telemetry.
        let stopped = said(100, false, |i| (0.0, telemetry(i.min(30), |view| view.heard.is_several_notes = true)));
        assert_eq!((stopped[30], stopped[70]), (Some(Warning::SeveralNotes), None));
    }

    #[test]
    fn the_most_important_comes_first() {
        let all = |i: usize| {
            let change = |view: &mut TelemetryView| {
                (view.heard.is_too_soft, view.played_hz) = (true, 1500.0);
                view.heard.is_several_notes = i >= 20;
                view.clipped_frames = if i >= 40 { i as u64 } else { 0 };
            };
            (0.1, telemetry(i, change))
        };
        let said = said(60, false, all);
        assert_eq!(
            [10, 30, 50].map(|i: usize| said[i]),
            [Some(Warning::TooSoft), Some(Warning::SeveralNotes), Some(Warning::Clipped)]
        );
    }

    #[test]
    fn a_clock_that_starts_again_leaves_nothing_behind() {
        let mut warnings = Warnings::default();
        let mut look = |now_s: f64, hops: u64, is_several_notes: bool| {
            let mut telemetry = TelemetryView { hops, ..TelemetryView::default() };
            telemetry.heard.is_several_notes = is_several_notes;
            warnings.look(now_s, &Seen { has_input: false, input_peak: 0.1, telemetry: &telemetry, range_hz: None });
            warnings.said()
        };
        assert_eq!(look(1000.0, 1, true), Some(Warning::SeveralNotes));
        assert_eq!(look(0.0, 2, false), None);
        assert_eq!(look(0.1, 3, true), Some(Warning::SeveralNotes));
    }
}
