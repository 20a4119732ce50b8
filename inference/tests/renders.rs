//! The whole effect, sample by sample, as it always was: hashes of renders.
//!
//! A change of structure changes none of them. A change of the sound changes `renders/hashes.txt`, with a line of reason in
//! `renders/reasons.md`. `EMBOUCHURE_RENDERS=FOLDER` writes the renders there (32-bit floats, channels one after the other)
//! and the new list, to be heard, measured and copied.

mod common;
#[path = "renders/sources.rs"]
mod sources;

use common::{encoder_by, instrument_for, random_cuts};
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::controls::SourceControls;
use embouchure_inference::engine::{BlockParams, Engine, EngineConfig};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::Backend;
use embouchure_inference::play::pipeline::{Listener, Pipeline, Slot};
use embouchure_inference::play::tuning::{Key, Scale, SnapWish};
use sha2::{Digest, Sha256};
use sources::SOURCES;
use std::fmt::Write;
use std::sync::Arc;

const INSTRUMENTS: [&str; 4] = ["trumpet", "violin", "flute", "cello"];
/// Lengths of blocks where nothing else is said.
const LONGEST: usize = 512;

/// One render.
#[derive(Clone, Copy)]
struct Take {
    name: &'static str,
    source: &'static str,
    instruments: [Option<&'static str>; 2],
    host_rate: f64,
    n_channels: usize,
    /// Seed of the lengths of the blocks, and the longest.
    cuts: (u64, usize),
    /// What is set at a share of the clip, 0 to 1.
    set: fn(f32) -> Set,
    /// What comes in at half of the clip.
    swap: Option<(Slot, &'static str)>,
    /// Play the clip's first half, and reset, before it is played.
    is_reset: bool,
}

/// Everything that can be set.
struct Set {
    mix: f32,
    brightness_db: f32,
    width: f32,
    gain_db: f32,
    source: SourceControls,
}

/// 20 ms in a straight line, as the plugin's parameters go.
struct Ramp {
    value: f32,
    target: f32,
    step: f32,
    n_left: u32,
}

impl Ramp {
    fn new(value: f32) -> Self {
        Self { value, target: value, step: 0.0, n_left: 0 }
    }

    fn fill(&mut self, target: f32, n: usize, rate: f64) -> Vec<f32> {
        if target != self.target {
            self.n_left = (rate as f32 * 20.0 / 1000.0).round() as u32;
            self.step = (target - self.value) / self.n_left as f32;
            self.target = target;
        }
        let next = |_| {
            self.n_left = self.n_left.saturating_sub(1);
            self.value = if self.n_left == 0 { self.target } else { self.value + self.step };
            self.value
        };
        (0..n).map(next).collect()
    }
}

const PLAIN: Take = Take {
    name: "",
    source: "voice",
    instruments: [Some("trumpet"), None],
    host_rate: 48_000.0,
    n_channels: 1,
    cuts: (1, LONGEST),
    set: |_| wet(SourceControls::default()),
    swap: None,
    is_reset: false,
};

fn wet(source: SourceControls) -> Set {
    Set { mix: 1.0, brightness_db: 0.0, width: 0.0, gain_db: 0.0, source }
}

fn default() -> SourceControls {
    SourceControls::default()
}

/// One feature each.
const FEATURES: [Take; 22] = [
    Take { name: "swap", swap: Some((Slot::A, "violin")), ..PLAIN },
    Take {
        name: "swap of b",
        instruments: [Some("trumpet"), Some("flute")],
        set: |_| wet(SourceControls { morph: 0.6, ..default() }),
        swap: Some((Slot::B, "cello")),
        ..PLAIN
    },
    Take {
        name: "morph",
        instruments: [Some("trumpet"), Some("violin")],
        set: |t| wet(SourceControls { morph: t, ..default() }),
        ..PLAIN
    },
    Take {
        name: "morph, own level",
        instruments: [Some("flute"), Some("cello")],
        set: |t| wet(SourceControls { morph: t, match_level: false, ..default() }),
        ..PLAIN
    },
    Take { name: "follow", set: |_| wet(SourceControls { follow: 1.0, ..default() }), ..PLAIN },
    Take { name: "follow, swept", set: |t| wet(SourceControls { follow: t, ..default() }), ..PLAIN },
    Take { name: "room", set: |_| wet(SourceControls { room: 0.7, ..default() }), ..PLAIN },
    Take { name: "room, swept", set: |t| wet(SourceControls { room: t, room_decay_s: 0.2 + t, ..default() }), ..PLAIN },
    Take {
        name: "width",
        n_channels: 2,
        set: |t| Set { width: t, ..wet(SourceControls { room: 0.7, ..default() }) },
        ..PLAIN
    },
    Take {
        name: "gate",
        source: "soft",
        set: |_| wet(SourceControls { gate_db: -40.0, gate_follows_room: false, ..default() }),
        ..PLAIN
    },
    Take {
        name: "gate off",
        source: "soft",
        set: |_| wet(SourceControls { gate_db: -300.0, gate_follows_room: false, ..default() }),
        ..PLAIN
    },
    Take {
        name: "automation",
        n_channels: 2,
        set: |t| Set {
            mix: (2.0 * t).min(1.0),
            brightness_db: if t < 0.3 { 0.0 } else { 9.0 * (t - 0.5) },
            width: if t < 0.6 { 0.3 } else { 1.0 - t },
            gain_db: -6.0 * t,
            source: SourceControls { room: 0.5, ..default() },
        },
        ..PLAIN
    },
    Take {
        name: "pitch",
        set: |t| {
            let snap = SnapWish { strength: 0.8, key: Key(2), scale: Scale::Minor };
            let transpose_semitones = if t < 0.5 { 0.0 } else { -7.3 };
            wet(SourceControls { transpose_semitones, snap, glide_s: 0.08, ..default() })
        },
        ..PLAIN
    },
    Take {
        name: "as sung",
        source: "bass",
        set: |_| wet(SourceControls { octave_fit: false, level_fit: false, match_level: false, ..default() }),
        ..PLAIN
    },
    Take { name: "own level", set: |t| wet(SourceControls { match_level: t < 0.4, ..default() }), ..PLAIN },
    Take {
        name: "attack, dynamics, breath",
        set: |t| wet(SourceControls { attack_s: 0.1, dynamics: 1.6, breath_db: 20.0 * t - 5.0, ..default() }),
        ..PLAIN
    },
    Take { name: "44.1 kHz", host_rate: 44_100.0, ..PLAIN },
    Take { name: "96 kHz", host_rate: 96_000.0, ..PLAIN },
    Take { name: "16 kHz", host_rate: 16_000.0, ..PLAIN },
    Take { name: "blocks of 1 to 97", cuts: (2, 97), ..PLAIN },
    Take { name: "blocks of up to 5000", cuts: (3, 5000), ..PLAIN },
    Take { name: "reset", is_reset: true, ..PLAIN },
];

impl Take {
    fn input(&self) -> Vec<f32> {
        let (_, make) = SOURCES.iter().find(|(name, _)| *name == self.source).expect("a source of that name");
        make(self.host_rate)
    }

    /// The channels of the output, one after the other.
    fn play(&self, encoder: &Arc<Encoder>) -> Vec<f32> {
        let instrument = |name| instrument_for(encoder, name);
        let [first, second] = self.instruments.map(|name| name.map(instrument));
        let first = first.expect("an instrument");
        let (pipeline, slot) = Pipeline::with_second(encoder.clone(), first, second);
        let swap = self.swap.map(|(to, name)| (to, instrument(name)));
        let (_, longest) = self.cuts;
        let config = EngineConfig { host_rate: self.host_rate, max_block: longest.min(LONGEST), offline: true };
        let mut engine = Engine::prepare(config, Box::new(pipeline)).expect("a usable rate");
        let input = self.input();
        if self.is_reset {
            self.play_through(&mut engine, &input[..input.len() / 2]);
            engine.reset();
        }
        if let Some((to, new)) = swap {
            slot.seat(1, to, Some(new));
        }
        self.play_through(&mut engine, &input)
    }

    fn play_through(&self, engine: &mut Engine, input: &[f32]) -> Vec<f32> {
        let mut out = vec![input.to_vec(); self.n_channels];
        let (seed, longest) = self.cuts;
        let begin = (self.set)(0.0);
        let mut ramps = [begin.mix, begin.brightness_db, begin.width, begin.gain_db].map(Ramp::new);
        let mut start = 0;
        for n in random_cuts(seed, input.len(), longest) {
            self.play_block(engine, &mut out, start..start + n, &mut ramps);
            start += n;
        }
        out.concat()
    }

    /// A hand moves ten times in the clip.
    fn play_block(
        &self,
        engine: &mut Engine,
        out: &mut [Vec<f32>],
        block: std::ops::Range<usize>,
        ramps: &mut [Ramp; 4],
    ) {
        let share = block.start as f32 / out[0].len() as f32;
        let set = (self.set)((10.0 * share).floor() / 10.0);
        let source = SourceControls { n_swaps: u32::from(share >= 0.5), ..set.source };
        let targets = [set.mix, set.brightness_db, set.width, set.gain_db];
        let mut targets = ramps.iter_mut().zip(targets);
        let mut next = || {
            let (ramp, target) = targets.next().expect("four");
            ramp.fill(target, block.len(), self.host_rate)
        };
        let (mix, brightness_db, width, gain_db) = (next(), next(), next(), next());
        let output_gain: Vec<f32> = gain_db.iter().map(|db| 10f32.powf(db * 0.05)).collect();
        let params = BlockParams {
            mix: &mix,
            brightness_db: &brightness_db,
            width: &width,
            output_gain: &output_gain,
            is_piece: false,
            source,
        };
        let mut channels: Vec<&mut [f32]> = out.iter_mut().map(|channel| &mut channel[block.clone()]).collect();
        engine.process(&mut channels, 1, &params);
    }
}

/// All renders: every source on every instrument, and each feature.
fn takes() -> Vec<(String, Take)> {
    let mut takes = Vec::new();
    for (source, _) in SOURCES {
        for name in INSTRUMENTS {
            takes.push((format!("{source} on {name}"), Take { source, instruments: [Some(name), None], ..PLAIN }));
        }
    }
    takes.extend(FEATURES.map(|take| (take.name.to_owned(), take)));
    takes
}

/// Pitch, candidate, voicing and loudness of each hop at the model rate.
fn heard(encoder: &Encoder, samples: &[f32]) -> Vec<f32> {
    let mut listener = Listener::new(encoder);
    let mut hop = |samples: &[f32; HOP_SIZE]| {
        let heard = listener.hop(samples, &default());
        [heard.f0_hz, heard.candidate_hz, heard.voicing, heard.loudness_db]
    };
    samples.as_chunks().0.iter().flat_map(&mut hop).collect()
}

fn hash(samples: &[f32]) -> String {
    let mut hasher = Sha256::new();
    samples.iter().for_each(|x| hasher.update(x.to_bits().to_le_bytes()));
    hasher.finalize()[..8].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn every_render_is_what_it_was() {
    check(Backend::default());
}

/// By the kernels alone.
#[test]
#[cfg(feature = "candle")]
fn every_render_is_the_same_without_candle() {
    check(Backend::Cpu);
}

fn check(backend: Backend) {
    let encoder = &encoder_by(backend);
    let expected = include_str!("renders/hashes.txt");
    let folder = std::env::var_os("EMBOUCHURE_RENDERS").map(std::path::PathBuf::from);
    let mut list = String::new();
    for (source, make) in SOURCES {
        let _ = writeln!(list, "{} {source} as heard", hash(&heard(encoder, &make(f64::from(MODEL_RATE)))));
    }
    for (name, take) in takes() {
        let out = take.play(encoder);
        assert!(out.iter().all(|x| x.is_finite()), "{name}");
        let _ = writeln!(list, "{} {name}", hash(&out));
        if let Some(folder) = &folder {
            let bytes: Vec<u8> = out.iter().flat_map(|x| x.to_le_bytes()).collect();
            std::fs::write(folder.join(format!("{name}.f32")), bytes).expect("the folder takes files");
        }
    }
    if let Some(folder) = &folder {
        std::fs::write(folder.join("hashes.txt"), &list).expect("the folder takes files");
    }
    let changed: Vec<_> = list.lines().zip(expected.lines()).filter(|(now, then)| now != then).collect();
    assert!(changed.is_empty() && list.lines().count() == expected.lines().count(), "changed: {changed:#?}");
}
