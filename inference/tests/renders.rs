//! The whole effect to the bit: hashes of renders.
//!
//! A change of structure changes none of them. A change of the sound changes `renders/hashes.txt`, with a line of
//! reason in `renders/reasons.md`. `EMBOUCHURE_RENDERS=FOLDER` writes the renders to a folder (32-bit floats, channels
//! one after the other), and the new list of hashes.
#![cfg(feature = "worker")]

mod common;
#[path = "renders/sources.rs"]
mod sources;

use common::{encoder_by, instrument_for, random_cuts, without_room};
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::engine::{DriverKind, Engine, EngineConfig, Io, Model};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::hear::{HopInput, Microphone, Source};
use embouchure_inference::nn::Backend;
use embouchure_inference::play::Slot;
use embouchure_inference::scale::{Key, Scale};
use embouchure_inference::settings::{Settings, SnapSettings};
use sha2::{Digest, Sha256};
use sources::SOURCES;
use std::fmt::Write;

const INSTRUMENTS: [&str; 4] = ["trumpet", "violin", "flute", "cello"];
/// Longest block, unless a take has its own.
const LONGEST: usize = 512;

/// One render.
#[derive(Clone, Copy)]
struct Take {
    name: &'static str,
    source: &'static str,
    instruments: [Option<&'static str>; 2],
    host_rate: f64,
    n_channels: usize,
    /// Seed of the block lengths, and the longest.
    cuts: (u64, usize),
    /// Settings at a position in the clip, 0 to 1.
    set: fn(f32) -> Settings,
    /// Instrument that is loaded in the middle of the clip.
    swap: Option<(Slot, &'static str)>,
    /// Before the clip, its first half is played, and the engine reset.
    is_reset: bool,
}

const PLAIN: Take = Take {
    name: "",
    source: "voice",
    instruments: [Some("trumpet"), None],
    host_rate: 48_000.0,
    n_channels: 1,
    cuts: (1, LONGEST),
    set: |_| without_room(),
    swap: None,
    is_reset: false,
};

/// One take per feature.
const FEATURES: [Take; 22] = [
    Take { name: "swap", swap: Some((Slot::A, "violin")), ..PLAIN },
    Take {
        name: "swap of b",
        instruments: [Some("trumpet"), Some("flute")],
        set: |_| without_room().with(|s| s.sound.morph = 0.6),
        swap: Some((Slot::B, "cello")),
        ..PLAIN
    },
    Take {
        name: "morph",
        instruments: [Some("trumpet"), Some("violin")],
        set: |t| without_room().with(|s| s.sound.morph = t),
        ..PLAIN
    },
    Take {
        name: "morph, own level",
        instruments: [Some("flute"), Some("cello")],
        set: |t| {
            without_room().with(|s| {
                s.sound.morph = t;
                s.sound.match_level = false;
            })
        },
        ..PLAIN
    },
    Take { name: "follow", set: |_| without_room().with(|s| s.sound.follow = 1.0), ..PLAIN },
    Take { name: "follow, swept", set: |t| without_room().with(|s| s.sound.follow = t), ..PLAIN },
    Take { name: "room", set: |_| without_room().with(|s| s.sound.room = 0.7), ..PLAIN },
    Take {
        name: "room, swept",
        set: |t| {
            without_room().with(|s| {
                s.sound.room = t;
                s.sound.room_decay_s = 0.2 + t;
            })
        },
        ..PLAIN
    },
    Take {
        name: "width",
        n_channels: 2,
        set: |t| without_room().with(|s| (s.sound.width, s.sound.room) = (t, 0.7)),
        ..PLAIN
    },
    Take {
        name: "gate",
        source: "soft",
        set: |_| {
            without_room().with(|s| {
                s.source.gate_db = -40.0;
                s.source.gate_follows_room = false;
            })
        },
        ..PLAIN
    },
    Take {
        name: "gate off",
        source: "soft",
        set: |_| {
            without_room().with(|s| {
                s.source.gate_db = -300.0;
                s.source.gate_follows_room = false;
            })
        },
        ..PLAIN
    },
    Take {
        name: "automation",
        n_channels: 2,
        set: |t| {
            without_room().with(|s| {
                s.mix.wet = (2.0 * t).min(1.0);
                s.mix.gain_db = -6.0 * t;
                s.sound.brightness_db = if t < 0.3 { 0.0 } else { 9.0 * (t - 0.5) };
                s.sound.width = if t < 0.6 { 0.3 } else { 1.0 - t };
                s.sound.room = 0.5;
            })
        },
        ..PLAIN
    },
    Take {
        name: "pitch",
        set: |t| {
            let snap = SnapSettings { strength: 0.8, key: Key(2), scale: Scale::Minor };
            let transpose_semitones = if t < 0.5 { 0.0 } else { -7.3 };
            without_room().with(|s| {
                s.pitch.transpose_semitones = transpose_semitones;
                s.pitch.snap = snap;
                s.pitch.glide_s = 0.08;
            })
        },
        ..PLAIN
    },
    Take {
        name: "as sung",
        source: "bass",
        set: |_| {
            without_room().with(|s| {
                s.pitch.octave_fit = false;
                s.source.level_fit = false;
                s.sound.match_level = false;
            })
        },
        ..PLAIN
    },
    Take { name: "own level", set: |t| without_room().with(|s| s.sound.match_level = t < 0.4), ..PLAIN },
    Take {
        name: "attack, dynamics, breath",
        set: |t| {
            without_room().with(|s| {
                s.sound.attack_s = 0.1;
                s.sound.dynamics = 1.6;
                s.sound.breath_db = 20.0 * t - 5.0;
            })
        },
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
    fn play(&self, encoder: &Encoder) -> Vec<f32> {
        let instrument = |name| instrument_for(encoder, name);
        let (model, loader) = Model::new(encoder, self.instruments.map(|name| name.map(instrument)));
        let swap = self.swap.map(|(to, name)| (to, instrument(name)));
        let (_, longest) = self.cuts;
        let config = EngineConfig {
            host_rate: self.host_rate,
            max_block: longest.min(LONGEST),
            offline: true,
            driver: DriverKind::default(),
        };
        let mut engine = Engine::prepare(config, Box::new(model)).expect("a usable rate");
        let input = self.input();
        if self.is_reset {
            self.play_through(&mut engine, &input[..input.len() / 2]);
            engine.reset();
        }
        if let Some((to, new)) = swap {
            loader.load(1, to, Some(new));
        }
        self.play_through(&mut engine, &input)
    }

    fn play_through(&self, engine: &mut Engine, input: &[f32]) -> Vec<f32> {
        let mut out = vec![input.to_vec(); self.n_channels];
        let (seed, longest) = self.cuts;
        let (mut start, mut has_asked) = (0, false);
        for n in random_cuts(seed, input.len(), longest) {
            let share = start as f32 / input.len() as f32;
            if share >= 0.5 && !std::mem::replace(&mut has_asked, true) {
                engine.expect_load();
            }
            // Settings change ten times in the clip.
            let settings = (self.set)((10.0 * share).floor() / 10.0);
            let channels = &mut out.iter_mut().map(|channel| &mut channel[start..start + n]).collect::<Vec<_>>()[..];
            engine.process(Io { channels, n_inputs: 1, is_piece: false }, &settings, &[]);
            start += n;
        }
        out.concat()
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

/// Pitch of the note, most likely pitch, its certainty and loudness of each hop.
fn heard(encoder: &Encoder, samples: &[f32]) -> Vec<f32> {
    let mut microphone = Microphone::new(encoder);
    let mut hop = |samples: &[f32; HOP_SIZE]| {
        let heard = microphone.hop(HopInput { samples }, &without_room());
        [heard.note_hz(), heard.pitch.f0_hz, heard.pitch.certainty, heard.loudness_db]
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
fn every_render_has_its_hash() {
    check(Backend::default());
}

/// With the CPU's kernels alone.
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
