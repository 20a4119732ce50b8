//! Whatever a host automates acts on the input sample that it came with: it is heard after the latency, as that sample is.
//! With the real networks, in both formats.

use embouchure_host::{Change, Session};
use embouchure_tests::{Built, Stage};
use std::f64::consts::TAU;

/// Something for everything to act on, as shares of each range: a second instrument, tuning, a source's own timbre.
const GROUND: [(&str, f64); 6] =
    [("Instrument B", 7.0 / 127.0), ("Morph", 0.3), ("Snap", 0.5), ("Follow", 0.3), ("Dry/Wet", 0.9), ("Output", 0.5)];
/// What shapes the sound itself, and where it goes.
const OF_THE_SOUND: [(&str, f64); 5] =
    [("Dry/Wet", 0.4), ("Output", 0.9), ("Bypass", 1.0), ("Brightness", 0.8), ("Width", 1.0)];
/// What acts on the analysis. Left out is what needs a new note to be heard, or time: Attack, Glide, Auto Gate.
const OF_THE_ANALYSIS: [(&str, f64); 14] = [
    ("Instrument A", 3.0 / 127.0),
    ("Instrument B", 9.0 / 127.0),
    ("Transpose", 0.6),
    ("Fine", 0.9),
    ("Octave Fit", 0.0),
    ("Breath", 0.9),
    ("Dynamics", 0.1),
    ("Follow", 1.0),
    ("Morph", 0.9),
    ("Snap", 1.0),
    ("Scale", 0.5),
    ("Level Fit", 0.0),
    ("Gate", 1.0),
    ("Room", 1.0),
];

/// A low voice: a few cents off every scale, some breath in it.
fn voice(rate: f64, n: usize) -> Vec<f32> {
    let mut noise = 1u32;
    let sample = |i: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let breath = f64::from(noise >> 8) / f64::from(1 << 24) - 0.5;
        let turns = i as f64 * 124.0 / rate;
        let tone: f64 = (1..=12).map(|k| 0.05 / f64::from(k) * (TAU * turns * f64::from(k)).sin()).sum();
        (tone + 0.004 * breath) as f32
    };
    (0..n).map(sample).collect()
}

/// Rates and blocks of the bounces.
const SESSIONS: [(f64, usize); 3] = [(44_100.0, 64), (48_000.0, 2048), (96_000.0, 512)];
/// When the steps are made, s: while the voice has long been heard, at different places in block and hop.
const STEPS_S: [f64; 2] = [0.61, 0.6318];

/// A bounce of the voice.
struct Bounce {
    session: Session,
    input: Vec<f32>,
}

impl Bounce {
    fn new((rate, block): (f64, usize)) -> Self {
        Self { session: Session { rate, block, max_block: block }, input: voice(rate, (0.85 * rate) as usize) }
    }

    /// The left channel if the parameter `name` goes to a share of its range with an input sample; and the latency.
    fn play<H: Built>(&self, step: Option<(usize, &str, f64)>) -> (Vec<f32>, usize) {
        let mut host = H::built_offline();
        let mut change = |name: &str, share: f64, at: usize| {
            let parameter = host.parameter_called(name).unwrap();
            let value = parameter.min + share * (parameter.max - parameter.min);
            Change { at: (at % self.session.block) as i64, id: parameter.id, value }
        };
        let ground = GROUND.map(|(name, share)| change(name, share, 0));
        let step = step.map(|(at, name, share)| (at, change(name, share, at)));
        let mut stage = Stage::new(host, self.session);
        let latency = stage.host.latency();
        let (mut output, mut start) = (Vec::new(), 0);
        for block in self.input.chunks(self.session.block) {
            let mut changes = if start == 0 { ground.to_vec() } else { vec![] };
            let is_now = |at: usize| (start..start + block.len()).contains(&at);
            changes.extend(step.filter(|(at, _)| is_now(*at)).map(|(_, change)| change));
            let (outcome, channels) = stage.block(block, &changes);
            assert!(outcome.is_ok);
            output.extend(&channels[0]);
            start += block.len();
        }
        stage.leave();
        (output, latency)
    }

    /// Samples from where each parameter's step is due to where it is first heard; below 0 it is early.
    fn lateness<H: Built>(&self, parameters: &[(&'static str, f64)], mut check: impl FnMut(&str, i64)) {
        let (unchanged, latency) = self.play::<H>(None);
        for (i, (name, share)) in parameters.iter().enumerate() {
            let at = (STEPS_S[i % STEPS_S.len()] * self.session.rate) as usize + 17 * i;
            let (changed, _) = self.play::<H>(Some((at, name, *share)));
            let first = changed.iter().zip(&unchanged).position(|(a, b)| a != b);
            let first = first.unwrap_or_else(|| panic!("{name} changes nothing"));
            let lateness = first as i64 - (at + latency) as i64;
            println!("{} Hz, blocks of {}, {name}: {lateness}", self.session.rate, self.session.block);
            check(name, lateness);
        }
    }
}

fn what_shapes_the_sound_acts_on_its_sample<H: Built>(_name: &str) {
    for session in SESSIONS {
        Bounce::new(session).lateness::<H>(&OF_THE_SOUND, |name, lateness| {
            // A ramp's first samples may come to the same numbers.
            assert!((0..=8).contains(&lateness), "{name}, {session:?}: {lateness}");
        });
    }
}

fn what_acts_on_the_analysis_is_within_a_hop<H: Built>(_name: &str) {
    for session in SESSIONS {
        let hop = (0.004 * session.0) as i64 + 1;
        Bounce::new(session).lateness::<H>(&OF_THE_ANALYSIS, |name, lateness| {
            assert!((-hop..=0).contains(&lateness), "{name}, {session:?}: {lateness}");
        });
    }
}

embouchure_tests::in_both_formats!(what_shapes_the_sound_acts_on_its_sample, what_acts_on_the_analysis_is_within_a_hop);
