//! Warnings about the input, with advice for the player. Each is shown while its cause lasts.

use embouchure_inference::engine::TelemetryView;

/// Frequency ratio by which a note may lie outside the instrument's range without a warning.
const TOLERANCE: f32 = 1.06;
/// Linear peak below which there is no input: -100 dBFS.
const NOTHING: f32 = 1e-5;
/// Age up to which the last hop counts as present, s: the longest block.
const NEW_S: f64 = 0.3;

/// Warnings, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The input reaches full scale again and again.
    Clipped,
    /// The input has several notes at once.
    SeveralNotes,
    /// The notes are below the gate.
    TooSoft,
    /// The app's input is silent.
    NoInput,
    /// The played note lies below the notes of the instrument's recordings.
    BelowRange,
    /// The played note lies above the notes of the instrument's recordings.
    AboveRange,
}

impl Warning {
    const ALL: [Self; 6] =
        [Self::Clipped, Self::SeveralNotes, Self::TooSoft, Self::NoInput, Self::BelowRange, Self::AboveRange];

    /// The text of the status line.
    pub fn text(self) -> &'static str {
        match self {
            Self::Clipped => "The input clips: turn it down",
            Self::SeveralNotes => "Several notes at once: play one at a time",
            Self::TooSoft => "Too soft to be played: turn the input up",
            Self::NoInput => "No input signal",
            Self::BelowRange => "Below the instrument's range",
            Self::AboveRange => "Above the instrument's range",
        }
    }

    /// Explanation and advice, shown on hover.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Clipped => {
                "The input often reaches full scale, so its peaks are cut off. Turn it down before this plugin: at the \
                 microphone's preamplifier, the sound card, or the track's effects before this one."
            }
            Self::SeveralNotes => {
                "The instrument plays one line. If several notes sound at once (chords, two voices, long reverberation), \
                 it plays any one of them, or none. Use one instance for each voice."
            }
            Self::TooSoft => {
                "Your notes are below the gate. Turn the input up, go nearer to the microphone, or turn Gate down. While \
                 Auto Gate is on, background noise raises the gate, too."
            }
            Self::NoInput => {
                "The input has been silent for some time. Check that the microphone is switched on and not muted, and \
                 choose the input on the audio page."
            }
            Self::BelowRange | Self::AboveRange => {
                "The instrument has not learned this pitch, and sounds less like itself. Transpose, or let Octave Fit \
                 move the line into the instrument's range, which is shaded behind the pitch."
            }
        }
    }

    /// Time for which the cause must last before the warning is shown, s. Causes that the engine reports have lasted
    /// already.
    fn needed_s(self) -> f64 {
        if self == Self::NoInput { 10.0 } else { 0.0 }
    }

    /// Time for which the warning stays after its cause has ended, s: long enough to read. The engine reports several
    /// notes for 0.4 s longer already.
    fn held_s(self) -> f64 {
        match self {
            Self::Clipped => 1.5,
            Self::SeveralNotes | Self::TooSoft => 0.6,
            Self::NoInput => 0.0,
            Self::BelowRange | Self::AboveRange => 0.2,
        }
    }
}

/// Input of [`Warnings::update`] in one frame of the window.
pub struct Observed<'a> {
    /// The app has a chosen input. False in a host, where an empty track is no fault.
    pub has_input: bool,
    /// Peak of the input since the last frame, linear.
    pub input_peak: f32,
    pub telemetry: &'a TelemetryView,
    /// Playable range of the sound, Hz.
    pub range_hz: Option<[f32; 2]>,
}

/// State of all warnings.
#[derive(Debug, Default)]
pub struct Warnings {
    /// Time of the last update, s.
    updated_s: f64,
    /// Hops at the last update.
    hops: u64,
    /// Clipped frames at the last update; `None` before the first one, because earlier ones cause no warning.
    clipped_frames: Option<u64>,
    /// Time of the last new hop, s.
    heard_s: f64,
    /// Times of each warning of [`Warning::ALL`]: beginning of its cause, and end of its display, s.
    lasting: [(Option<f64>, f64); Warning::ALL.len()],
}

impl Warnings {
    /// Updates all warnings. `now_s` is any steady clock; it may start again with a new window.
    pub fn update(&mut self, now_s: f64, seen: &Observed) {
        if now_s < self.updated_s {
            *self = Self::default();
        }
        self.updated_s = now_s;
        let Observed { telemetry, range_hz, .. } = seen;
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

    /// The most important warning to show.
    pub fn shown(&self) -> Option<Warning> {
        let mut lasting = Warning::ALL.into_iter().zip(&self.lasting);
        lasting.find_map(|(warning, (_, until_s))| (*until_s > 0.0 && self.updated_s <= *until_s).then_some(warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: Option<[f32; 2]> = Some([200.0, 1000.0]);

    /// The warning shown after each of `n` updates, 30 a second. `telemetry`: peak and telemetry of each update.
    fn shown(n: usize, has_input: bool, telemetry: impl Fn(usize) -> (f32, TelemetryView)) -> Vec<Option<Warning>> {
        let mut warnings = Warnings::default();
        let look = |i: usize| {
            let (input_peak, telemetry) = telemetry(i);
            let seen = Observed { has_input, input_peak, telemetry: &telemetry, range_hz: RANGE };
            warnings.update(1.0 + i as f64 / 30.0, &seen);
            warnings.shown()
        };
        (0..n).map(look).collect()
    }

    fn telemetry(i: usize, change: impl Fn(&mut TelemetryView)) -> TelemetryView {
        let mut telemetry = TelemetryView { hops: 8 * (i as u64 + 1), ..TelemetryView::default() };
        change(&mut telemetry);
        telemetry
    }

    #[test]
    fn each_warning_lasts_a_little_longer_than_its_cause() {
        type Change = fn(&mut TelemetryView);
        let changes: [(Warning, Change); 4] = [
            (Warning::SeveralNotes, |view| view.heard.is_several_notes = true),
            (Warning::TooSoft, |view| view.heard.is_too_soft = true),
            (Warning::BelowRange, |view| view.played_hz = 150.0),
            (Warning::AboveRange, |view| view.played_hz = 1500.0),
        ];
        for (warning, change) in changes {
            let is_there = |i: usize| (30..90).contains(&i);
            let shown = shown(300, false, |i| {
                (
                    0.1,
                    telemetry(i, |view| {
                        if is_there(i) {
                            change(view)
                        }
                    }),
                )
            });
            let lasts: Vec<usize> = (0..300).filter(|i| shown[*i] == Some(warning)).collect();
            let (first, last) = (lasts[0], lasts[lasts.len() - 1]);
            assert!(first == 30 && (94..115).contains(&last), "{warning:?} from {first} to {last}");
            assert_eq!(lasts.len(), last - first + 1, "{warning:?} without a break");
            assert!(shown.iter().all(|shown| shown.is_none_or(|shown| shown == warning)));
        }
    }

    #[test]
    fn clipping_is_shown_when_it_is_counted_and_not_for_earlier_counts() {
        let shown = shown(200, false, |i| (0.1, telemetry(i, |view| view.clipped_frames = if i < 50 { 3 } else { 4 })));
        assert_eq!(
            (shown[0], shown[49], shown[50], shown[90], shown[110]),
            (None, None, Some(Warning::Clipped), Some(Warning::Clipped), None)
        );
    }

    #[test]
    fn a_silent_input_is_shown_in_the_app_only_and_ends_at_once() {
        let view = |i: usize| (if i < 400 { 0.0 } else { 0.1 }, telemetry(i, |_| ()));
        let in_app = shown(500, true, view);
        assert_eq!([290, 310, 399, 400].map(|i: usize| in_app[i].is_some()), [false, true, true, false]);
        assert_eq!(shown(500, false, view), [None; 500]);
    }

    #[test]
    fn notes_in_range_and_old_hops_cause_no_warning() {
        for hz in [0.0, 190.0, 500.0, 1050.0] {
            assert_eq!(shown(100, false, |i| (0.99, telemetry(i, |view| view.played_hz = hz))), [None; 100], "{hz} Hz");
        }
        // After a host has stopped, the last hop stays in the telemetry.
        let stopped = shown(100, false, |i| (0.0, telemetry(i.min(30), |view| view.heard.is_several_notes = true)));
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
        let shown = shown(60, false, all);
        assert_eq!(
            [10, 30, 50].map(|i: usize| shown[i]),
            [Some(Warning::TooSoft), Some(Warning::SeveralNotes), Some(Warning::Clipped)]
        );
    }

    #[test]
    fn a_clock_that_starts_again_leaves_nothing_behind() {
        let mut warnings = Warnings::default();
        let mut look = |now_s: f64, hops: u64, is_several_notes: bool| {
            let mut telemetry = TelemetryView { hops, ..TelemetryView::default() };
            telemetry.heard.is_several_notes = is_several_notes;
            warnings
                .update(now_s, &Observed { has_input: false, input_peak: 0.1, telemetry: &telemetry, range_hz: None });
            warnings.shown()
        };
        assert_eq!(look(1000.0, 1, true), Some(Warning::SeveralNotes));
        assert_eq!(look(0.0, 2, false), None);
        assert_eq!(look(0.1, 3, true), Some(Warning::SeveralNotes));
    }
}
