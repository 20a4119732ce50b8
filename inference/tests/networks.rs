//! The shipped networks: streams equal clips, and the sound is as intended.
#![cfg(feature = "worker")]

mod common;

use common::without_room;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE, N_Z};
use embouchure_inference::engine::{HopModel, Model};
use embouchure_inference::hear::HopInput;
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::Slot;
use embouchure_inference::play::decoder::Features;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::settings::{Settings, SnapSettings};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

fn encoder() -> Encoder {
    Encoder::from_bytes(embouchure_weights::ENCODER).expect("the shipped encoder loads")
}

fn trumpet() -> Instrument {
    Instrument::from_bytes(embouchure_weights::INSTRUMENTS[0].1, &encoder()).expect("the shipped trumpet loads")
}

/// A tone with up to five harmonics, below Nyquist, that swells, at the model rate.
fn tone(hz: f32, n_hops: usize) -> Vec<f32> {
    let n = n_hops * HOP_SIZE;
    let sample = |i: usize| {
        let phase = (i as f64 * hz as f64 / MODEL_RATE as f64).fract() as f32 * std::f32::consts::TAU;
        let swell = (i as f32 / 1600.0).min(1.0) * 0.2;
        let audible = (1..=5).take_while(|k| *k as f32 * hz < 7000.0);
        audible.map(|k| swell / k as f32 * (k as f32 * phase).sin()).sum()
    };
    (0..n).map(sample).collect()
}

fn noise(n_hops: usize, level: f32) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    (0..n_hops * HOP_SIZE).map(|_| level * rng.random_range(-1.0..1.0)).collect()
}

fn play(model: &mut Model, samples: &[f32], settings: &Settings) -> Vec<HopOutput> {
    model.load(0);
    samples.as_chunks::<HOP_SIZE>().0.iter().map(|samples| model.hop(HopInput { samples }, settings)).collect()
}

fn model() -> Model {
    Model::new(&encoder(), [Some(Arc::new(trumpet())), None]).0
}

#[test]
fn the_encoder_hears_the_same_in_a_stream_and_in_a_clip() {
    let encoder = encoder();
    // The pause is longer than the encoder's receptive field.
    let pause = vec![0.0; 40 * HOP_SIZE];
    let clip = [tone(330.0, 60), pause, noise(20, 0.1), tone(1500.0, 40)].concat();
    let whole = encoder.forward(&clip);
    let mut stream = encoder.stream();
    for (hop, whole) in clip.as_chunks::<HOP_SIZE>().0.iter().zip(&whole) {
        let streamed = stream.hop(hop);
        assert!((streamed.voicing - whole.voicing).abs() < 1e-3);
        let pairs = streamed.pitch_logits.iter().zip(&whole.pitch_logits).chain(streamed.z.iter().zip(&whole.z));
        for (a, b) in pairs {
            assert!((a - b).abs() < 2e-3 * (1.0 + b.abs()), "{a} and {b}");
        }
    }
}

#[test]
fn the_decoder_plays_the_same_in_a_stream_and_in_a_clip() {
    let trumpet = trumpet();
    let features: Vec<_> = (0..200)
        .map(|t| {
            let z = [(t as f32 * 0.1).sin(); N_Z];
            let (f0_hz, loudness_db) = (300.0 + t as f32, -50.0 + 0.2 * t as f32);
            Features { f0_hz, loudness_db, voicing: 0.9, z: &z }.scaled(&trumpet.card.statistics)
        })
        .collect();
    let whole = trumpet.decoder().forward(&features);
    let mut stream = trumpet.decoder().stream();
    for (features, whole) in features.iter().zip(&whole) {
        let streamed = stream.hop(features);
        assert!(streamed.iter().zip(whole).all(|(a, b)| (a - b).abs() < 2e-3 * (1.0 + b.abs())));
    }
}

#[test]
fn pitch_is_heard_from_bass_voice_to_high_whistle() {
    for hz in [82.4, 110.0, 220.0, 440.0, 880.0, 1760.0, 3520.0] {
        let mut playing = model();
        let heard = play(&mut playing, &tone(hz, 150), &without_room());
        let settled = &heard[60..];
        let right = settled.iter().filter(|o| (1200.0 * (o.heard.note_hz() / hz).log2()).abs() < 50.0).count();
        assert!(right as f32 > 0.95 * settled.len() as f32, "{hz} Hz: {right} of {} hops", settled.len());
    }
}

#[test]
fn silence_and_hiss_are_exact_silence() {
    for quiet in [vec![0.0; 250 * HOP_SIZE], noise(250, 0.003), noise(250, 0.1)] {
        let mut playing = model();
        let played = play(&mut playing, &quiet, &without_room());
        let sounding = played.iter().filter(|o| !o.controls.is_silent()).count();
        assert!(sounding <= 5, "{sounding} of 250 hops sound");
    }
}

#[test]
fn a_note_ends_in_exact_silence() {
    let mut playing = model();
    let clip = [tone(440.0, 100), vec![0.0; 100 * HOP_SIZE]].concat();
    let played = play(&mut playing, &clip, &without_room());
    assert!(!played[90].controls.is_silent());
    assert!(played[160..].iter().all(|o| o.controls.is_silent()));
}

#[test]
fn a_note_sounds_the_same_after_a_pause_of_any_length() {
    let source = without_room().with(|s| {
        s.source.gate_follows_room = false;
        s.source.level_fit = false;
    });
    let after = |n_silent: usize| {
        let clip = [tone(330.0, 80), vec![0.0; n_silent * HOP_SIZE], tone(247.0, 80)].concat();
        let played = play(&mut model(), &clip, &source);
        played[80 + n_silent..].iter().map(|hop| hop.controls).collect::<Vec<_>>()
    };
    // The sum over 16 hops of the level depends on the position in a ring of 16: both pauses differ by a multiple of
    // that.
    let (short, long) = (after(150), after(950));
    assert!(short[60].amplitude() > 0.0);
    assert!(short == long, "instruments are reset in a pause");
}

#[test]
fn octave_fit_moves_a_whistle_into_the_trumpets_range_and_transposition_is_exact() {
    let fitted = |source: Settings, hz: f32| play(&mut model(), &tone(hz, 120), &source)[110].controls.f0_hz();
    let [low, high] = trumpet().card.statistics.f0_range_hz;
    let played = fitted(without_room(), 2100.0);
    assert!((low..=high).contains(&played), "{played}");
    let exact = without_room().with(|s| {
        s.pitch.transpose_semitones = -12.0;
        s.pitch.octave_fit = false;
    });
    let cents = 1200.0 * (fitted(exact, 880.0) / 440.0).log2();
    assert!(cents.abs() < 25.0, "{cents} cents off");
}

#[test]
fn a_steady_tone_is_played_steadily() {
    let settings = without_room().with(|s| s.pitch.octave_fit = false);
    for hz in [110.0, 233.0, 440.0, 1500.0] {
        let played = play(&mut model(), &tone(hz, 250), &settings);
        let cents = played[100..].iter().map(|hop| 1200.0 * (hop.controls.f0_hz() / hz).log2().abs());
        let worst = cents.fold(0.0, f32::max);
        assert!(worst < 1.5, "{hz} Hz: {worst} cents");
    }
}

#[test]
fn the_room_has_the_decay_and_level_of_the_settings() {
    let room = |room: f32, room_decay_s: f32| {
        Settings::default().with(|s| (s.sound.room, s.sound.room_decay_s) = (room, room_decay_s)).room()
    };
    assert_eq!(room(0.0, 1.0).levels, [0.0; 3]);
    let (booth, hall) = (room(0.5, 0.25), room(1.0, 1.5));
    assert_eq!((booth.t60_s[1], hall.t60_s[1]), (0.25, 1.5));
    assert!(hall.t60_s.is_sorted_by(|low, high| low > high), "air and people absorb high frequencies most");
    assert!((0..3).all(|band| hall.levels[band] == 2.0 * booth.levels[band] && booth.levels[band] > 0.0));
}

#[test]
fn snap_and_glide_act_on_the_played_pitch_and_not_on_the_heard_pitch() {
    let as_sung = without_room().with(|s| s.pitch.octave_fit = false);
    let snapped = as_sung.with(|s| s.pitch.snap = SnapSettings { strength: 1.0, ..Default::default() });
    let cents = |hz: f32, of: f32| 1200.0 * (hz / of).log2();
    let last = play(&mut model(), &tone(450.0, 120), &snapped)[110];
    assert!(cents(last.controls.f0_hz(), 440.0).abs() < 0.1, "exactly on the note: {}", last.controls.f0_hz());
    assert!(cents(last.heard.note_hz(), 450.0).abs() < 20.0);

    let step = [tone(330.0, 100), tone(440.0, 100)].concat();
    let gliding = play(&mut model(), &step, &as_sung.with(|s| s.pitch.glide_s = 0.3));
    let halfway = gliding[125].controls.f0_hz();
    assert!((345.0..425.0).contains(&halfway), "{halfway} Hz 100 ms after the step");
    assert!(cents(gliding[125].heard.note_hz(), 440.0).abs() < 30.0);
}

#[test]
fn the_gate_learns_the_tone_of_a_machine_and_passes_a_louder_voice() {
    let hum: Vec<f32> = tone(120.0, 7500).iter().map(|x| 0.02 * x).collect();
    let clip = [hum, tone(240.0, 100)].concat();
    let played = play(&mut model(), &clip, &without_room());
    let sounding = |hops: &[HopOutput]| hops.iter().filter(|o| !o.controls.is_silent()).count();
    assert!(sounding(&played[..500]) > 300, "at first the hum is taken for a note");
    assert_eq!(sounding(&played[7000..7500]), 0);
    assert!(sounding(&played[7500..]) > 80);
    let fixed = without_room().with(|s| s.source.gate_follows_room = false);
    assert!(sounding(&play(&mut model(), &clip, &fixed)[7000..7500]) > 450);
}

#[test]
fn reset_is_new() {
    let mut used = model();
    play(&mut used, &noise(50, 0.3), &without_room());
    used.reset();
    let clip = tone(500.0, 80);
    assert_eq!(play(&mut used, &clip, &without_room()), play(&mut model(), &clip, &without_room()));
}

#[test]
fn a_new_instrument_fades_in_and_the_old_one_is_freed() {
    let old = Arc::new(trumpet());
    let (mut playing, loader) = Model::new(&encoder(), [Some(old.clone()), None]);
    let source = without_room();
    let clip = tone(440.0, 200);
    let before = play(&mut playing, &clip[..100 * HOP_SIZE], &source);
    loader.load(0, Slot::A, Some(Arc::new(trumpet())));
    let after = play(&mut playing, &clip[100 * HOP_SIZE..], &source);
    loader.free_retired();
    assert_eq!(Arc::strong_count(&old), 1, "only the test still holds it");
    // The same instrument with a new state: the level must not jump from hop to hop.
    let levels: Vec<f32> = before[95..].iter().chain(&after).map(|o| o.controls.amplitude()).collect();
    for pair in levels.windows(2) {
        assert!((pair[1] / pair[0]).log10().abs() < 0.15, "{pair:?}");
    }
}

#[test]
fn the_automatic_gate_has_a_lower_threshold_for_a_soft_source() {
    let heard_at_the_end = |usual_db: f32, gate_follows_room: bool| {
        // Three notes with rests, then one that is softer. The tone is at -15 dBFS.
        let note = |db: f32| {
            let samples = tone(330.0, 200).into_iter().map(move |x| x * 10f32.powf((db + 15.0) / 20.0));
            samples.chain(std::iter::repeat_n(0.0, 50 * HOP_SIZE))
        };
        let samples: Vec<f32> = [usual_db, usual_db, usual_db, -66.0].into_iter().flat_map(note).collect();
        let source = without_room().with(|s| s.source.gate_follows_room = gate_follows_room);
        play(&mut model(), &samples, &source)[940].heard.note_hz()
    };
    assert!((heard_at_the_end(-50.0, true) / 330.0 - 1.0).abs() < 0.02, "a soft note of a soft source is heard");
    assert_eq!(heard_at_the_end(-20.0, true), 0.0, "a soft note of a loud source is not");
    assert_eq!(heard_at_the_end(-50.0, false), 0.0, "a fixed gate does not change");
}
