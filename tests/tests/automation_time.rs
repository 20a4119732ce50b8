//! An automated change acts on its input sample: it is heard with that sample, after the latency. Tested with the real
//! networks, in both formats.

use embouchure_host::{Change, Session};
use embouchure_tests::{ActivePlugin, Built};
use std::f64::consts::TAU;

/// Settings under which every tested parameter has an effect, as shares of the parameters' ranges: a second instrument,
/// tuning, and some of the source's timbre.
const COMMON_SETTINGS: [(&str, f64); 6] =
    [("Instrument B", 7.0 / 127.0), ("Morph", 0.3), ("Snap", 0.5), ("Follow", 0.3), ("Dry/Wet", 0.9), ("Output", 0.5)];
/// Parameters that act on the rendered sound.
const SOUND_PARAMETERS: [(&str, f64); 5] =
    [("Dry/Wet", 0.4), ("Output", 0.9), ("Bypass", 1.0), ("Brightness", 0.8), ("Width", 1.0)];
/// Parameters that act on the analysis. Attack, Glide and Auto Gate are left out, because they need a new note or time
/// to be heard.
const ANALYSIS_PARAMETERS: [(&str, f64); 14] = [
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

/// A low voice, a few cents off every scale, with some breath noise.
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
/// Times of the changes, s: long after the voice began, at different positions within block and hop.
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

    /// Changes the parameter `name` to a share of its range at an input sample. Returns the left channel and the
    /// latency.
    fn play<H: Built>(&self, step: Option<(usize, &str, f64)>) -> (Vec<f32>, usize) {
        let mut host = H::built_offline();
        let mut change = |name: &str, share: f64, at: usize| {
            let parameter = host.parameter_called(name).unwrap();
            let value = parameter.min + share * (parameter.max - parameter.min);
            Change { at: (at % self.session.block) as i64, id: parameter.id, value }
        };
        let common = COMMON_SETTINGS.map(|(name, share)| change(name, share, 0));
        let step = step.map(|(at, name, share)| (at, change(name, share, at)));
        let mut plugin = ActivePlugin::new(host, self.session);
        let latency = plugin.host.latency();
        let (mut output, mut start) = (Vec::new(), 0);
        for block in self.input.chunks(self.session.block) {
            let mut changes = if start == 0 { common.to_vec() } else { vec![] };
            let is_now = |at: usize| (start..start + block.len()).contains(&at);
            changes.extend(step.filter(|(at, _)| is_now(*at)).map(|(_, change)| change));
            let (outcome, channels) = plugin.block(block, &changes);
            assert!(outcome.is_ok);
            output.extend(&channels[0]);
            start += block.len();
        }
        plugin.stop();
        (output, latency)
    }

    /// For each parameter, the samples from the due time of its change to the first difference in the output. Negative
    /// values are early.
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

fn sound_parameters_act_on_their_sample<H: Built>(_name: &str) {
    for session in SESSIONS {
        Bounce::new(session).lateness::<H>(&SOUND_PARAMETERS, |name, lateness| {
            // The first samples of a ramp may round to the same values.
            assert!((0..=8).contains(&lateness), "{name}, {session:?}: {lateness}");
        });
    }
}

fn analysis_parameters_act_within_a_hop<H: Built>(_name: &str) {
    for session in SESSIONS {
        let hop = (0.004 * session.0) as i64 + 1;
        Bounce::new(session).lateness::<H>(&ANALYSIS_PARAMETERS, |name, lateness| {
            assert!((-hop..=0).contains(&lateness), "{name}, {session:?}: {lateness}");
        });
    }
}

embouchure_tests::in_both_formats!(sound_parameters_act_on_their_sample, analysis_parameters_act_within_a_hop);
