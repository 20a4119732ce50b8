//! Whole but very short training runs on synthesised recordings.

use candle_core::Device;
use embouchure_audio_file::{Audio, write_wav};
use embouchure_inference::config::MODEL_RATE;
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::{Adjustments, Card, Instrument, Run};
use embouchure_training::about::About;
use embouchure_training::corpus::Corpus;
use embouchure_training::encoder::{EncoderTraining, Improve};
use embouchure_training::instrument::{InstrumentTraining, Recipe, Study};
use embouchure_training::progress::Silent;
use embouchure_training::recordings::audio_files;
use std::path::{Path, PathBuf};

/// A folder with three notes, and one in `heldout`, removed at the end.
struct Recordings(PathBuf);

impl Recordings {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("embouchure-{name}-{}", std::process::id()));
        for hz in [220.0, 330.0, 440.0] {
            let channels = vec![note(hz, 44_100)];
            write_wav(&folder.join(format!("train/{hz}.wav")), &Audio { channels, rate: 44_100 }).unwrap();
        }
        write_wav(&folder.join("heldout/x.wav"), &Audio { channels: vec![note(500.0, 44_100)], rate: 44_100 }).unwrap();
        Self(folder)
    }

    fn files(&self) -> Vec<PathBuf> {
        audio_files(&self.0.join("train")).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Recordings {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A fading tone with eight harmonics, two seconds.
fn note(hz: f32, rate: u32) -> Vec<f32> {
    let sample = |i: u32| {
        let t = i as f32 / rate as f32;
        let fade = (t * 50.0).min(1.0) * (-t).exp() * 0.2;
        (1..=8).map(|k| fade / k as f32 * (std::f32::consts::TAU * hz * k as f32 * t).sin()).sum()
    };
    (0..2 * rate).map(sample).collect()
}

fn shipped_encoder() -> Encoder {
    Encoder::from_bytes(embouchure_weights::ENCODER).unwrap()
}

fn about(name: &str) -> About {
    About {
        name: name.into(),
        licence: "CC0".into(),
        author: "nobody".into(),
        trained_on: "sines".into(),
        date: "2000-01-01".into(),
    }
}

/// A training of a small instrument on the recordings.
fn job(recordings: &Recordings, out: &str, steps: (usize, usize)) -> InstrumentTraining {
    let study = Study {
        files: recordings.files(),
        encoder: shipped_encoder(),
        player: None,
        recipe: Recipe::USUAL,
        width: 32,
        device: Device::Cpu,
        seed: 3,
    };
    InstrumentTraining {
        study,
        steps,
        about: about("Test"),
        family: "test".into(),
        adjustments: Adjustments::default(),
        checkpoint: recordings.path(&format!("{out}.checkpoint")),
        out: recordings.path(out),
    }
}

/// Trains an instrument and returns the content of its file.
fn instrument(recordings: &Recordings, out: &str, steps: (usize, usize)) -> Vec<u8> {
    let trained = embouchure_training::instrument::train(job(recordings, out, steps), &Silent).unwrap();
    assert_eq!(trained.steps, steps.0 + steps.1);
    let bytes = std::fs::read(recordings.path(out)).unwrap();
    assert_eq!(Card::of(&bytes).unwrap().run, Run { loss: trained.loss, date: "2000-01-01".into() });
    bytes
}

fn load(bytes: &[u8]) -> Instrument {
    Instrument::from_bytes(bytes, &shipped_encoder()).expect("what was trained can be played")
}

#[test]
fn held_out_recordings_are_left_out() {
    let recordings = Recordings::new("heldout");
    let files = recordings.files();
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|f| f.parent().and_then(Path::file_name).unwrap() == "train"));
}

#[test]
fn an_instrument_learns_and_the_same_seed_gives_the_same_file() {
    let recordings = Recordings::new("instrument");
    let (first, again) = (instrument(&recordings, "a", (2, 1)), instrument(&recordings, "b", (2, 1)));
    assert!(first == again, "two trainings differ");
    let card = &load(&first).card;
    assert!(
        (210.0..230.0).contains(&card.statistics.f0_range_hz[0])
            && (430.0..450.0).contains(&card.statistics.f0_range_hz[1])
    );

    let (untrained, trained) = (instrument(&recordings, "c", (1, 0)), instrument(&recordings, "d", (200, 0)));
    let (before, after) = (load(&untrained).card.run.loss, load(&trained).card.run.loss);
    assert!(after < 0.8 * before, "{after} after {before}");
}

#[test]
fn a_finished_training_is_not_repeated() {
    let recordings = Recordings::new("resume");
    let first = instrument(&recordings, "a", (2, 0));
    let checkpoint = std::fs::read(recordings.path("a.checkpoint")).unwrap();
    assert!(instrument(&recordings, "a", (2, 0)) == first, "taken up at its end");
    assert!(std::fs::read(recordings.path("a.checkpoint")).unwrap() == checkpoint, "nothing was trained");
    std::fs::write(recordings.path("a.checkpoint"), &checkpoint[..100]).unwrap();
    let damaged = job(&recordings, "a", (2, 0));
    let message = format!("{:#}", embouchure_training::instrument::train(damaged, &Silent).unwrap_err());
    assert!(message.contains("delete it to start anew"), "{message}");
    assert!(std::fs::read(recordings.path("a")).unwrap() == first, "the file that was there stays");
}

/// Trains an encoder for two steps on the recordings.
fn train_encoder(name: &str, improve: Option<Improve>) -> Encoder {
    let recordings = Recordings::new(name);
    let corpus = Corpus::analyse(&recordings.files(), &Silent).unwrap();
    assert!((0.09..0.11).contains(&corpus.minutes()));
    let (out, checkpoint) = (recordings.path("encoder.safetensors"), recordings.path("encoder.checkpoint"));
    let job = EncoderTraining {
        corpus,
        steps: 2,
        device: Device::Cpu,
        seed: 1,
        checkpoint,
        out: out.clone(),
        improve,
        about: about(name),
    };
    embouchure_training::encoder::train(job, &Silent).unwrap();
    Encoder::from_bytes(&std::fs::read(out).unwrap()).unwrap()
}

#[test]
fn an_encoder_is_trained_and_loads() {
    let encoder = train_encoder("encoder", None);
    assert_eq!(encoder.card.steps, 2);
    assert!(encoder.card.loss > 5.0, "nothing can be learned in two steps: {}", encoder.card.loss);
    assert!(encoder.card.keeps_z_of.is_empty());
}

#[test]
fn an_improved_encoder_goes_on_and_keeps_its_z_and_instruments() {
    let shipped = shipped_encoder();
    let better = train_encoder("better", Some(Improve::from_bytes(embouchure_weights::ENCODER).unwrap()));
    assert_eq!(better.card.steps, shipped.card.steps + 2);
    assert!(better.card.loss < 4.0, "it knew what to hear: {}", better.card.loss);
    assert!(better.id != shipped.id && better.card.keeps_z_of.ends_with(std::slice::from_ref(&shipped.id)));
    for (name, bytes) in embouchure_weights::INSTRUMENTS {
        assert!(Instrument::from_bytes(bytes, &better).is_ok(), "{name}");
    }
    let clip = note(330.0, MODEL_RATE);
    let z = |encoder: &Encoder| encoder.forward(&clip).into_iter().flat_map(|e| e.z).collect::<Vec<f32>>();
    let (kept, z) = (z(&shipped), z(&better));
    let square = |x: f32| x * x;
    let moved: f32 = kept.iter().zip(&z).map(|(a, b)| square(a - b)).sum();
    let size: f32 = kept.iter().copied().map(square).sum();
    assert!(moved > 0.0 && moved < 0.01 * size, "{moved} of {size}");
}
