//! The shipped networks: streamed and whole they are the same, and they do what they are for.

use embouchure_inference::config::{HOP_SIZE, MODEL_RATE, N_Z};
use embouchure_inference::controls::SourceControls;
use embouchure_inference::engine::{HopModel, HopOutput};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::decoder::Features;
use embouchure_inference::play::follow::Follow;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::play::pipeline::{Pipeline, Slot};
use embouchure_inference::play::tuning::SnapWish;
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

fn play(pipeline: &mut Pipeline, samples: &[f32], source: &SourceControls) -> Vec<HopOutput> {
    samples.as_chunks::<HOP_SIZE>().0.iter().map(|hop| pipeline.hop(hop, source)).collect()
}

fn pipeline() -> Pipeline {
    Pipeline::new(Arc::new(encoder()), Arc::new(trumpet())).expect("enough memory").0
}

#[test]
fn the_encoder_hears_the_same_in_a_stream_and_in_a_clip() {
    let encoder = encoder();
    // The pause is longer than the encoder remembers.
    let pause = vec![0.0; 40 * HOP_SIZE];
    let clip = [tone(330.0, 60), pause, noise(20, 0.1), tone(1500.0, 40)].concat();
    let whole = encoder.forward(&clip).unwrap();
    let mut state = encoder.state().unwrap();
    for (hop, whole) in clip.as_chunks::<HOP_SIZE>().0.iter().zip(&whole) {
        let streamed = encoder.step(&mut state, hop).unwrap();
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
    let whole = trumpet.decoder().forward(&features).unwrap();
    let mut state = trumpet.decoder().state().unwrap();
    for (features, whole) in features.iter().zip(&whole) {
        let streamed = trumpet.decoder().step(&mut state, features).unwrap();
        assert!(streamed.iter().zip(whole).all(|(a, b)| (a - b).abs() < 2e-3 * (1.0 + b.abs())));
        let played = trumpet.decoder().controls(&mut state, &streamed, 440.0, &Follow::NONE);
        assert!((played.harmonic_distribution.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
}

#[test]
fn pitch_is_heard_from_bass_voice_to_high_whistle() {
    for hz in [82.4, 110.0, 220.0, 440.0, 880.0, 1760.0, 3520.0] {
        let mut pipeline = pipeline();
        let heard = play(&mut pipeline, &tone(hz, 150), &SourceControls::default());
        let settled = &heard[60..];
        let right = settled.iter().filter(|o| (1200.0 * (o.heard.f0_hz / hz).log2()).abs() < 50.0).count();
        assert!(right as f32 > 0.95 * settled.len() as f32, "{hz} Hz: {right} of {} hops", settled.len());
    }
}

#[test]
fn silence_and_hiss_are_exact_silence() {
    for quiet in [vec![0.0; 250 * HOP_SIZE], noise(250, 0.003), noise(250, 0.1)] {
        let mut pipeline = pipeline();
        let played = play(&mut pipeline, &quiet, &SourceControls::default());
        let sounding = played.iter().filter(|o| !o.controls.is_silent()).count();
        assert!(sounding <= 5, "{sounding} of 250 hops sound");
    }
}

#[test]
fn a_note_ends_in_exact_silence() {
    let mut pipeline = pipeline();
    let clip = [tone(440.0, 100), vec![0.0; 100 * HOP_SIZE]].concat();
    let played = play(&mut pipeline, &clip, &SourceControls::default());
    assert!(!played[90].controls.is_silent());
    assert!(played[160..].iter().all(|o| o.controls.is_silent()));
}

#[test]
fn a_note_sounds_the_same_after_a_pause_of_any_length() {
    let source = SourceControls { gate_follows_room: false, level_fit: false, ..SourceControls::default() };
    let after = |n_silent: usize| {
        let clip = [tone(330.0, 80), vec![0.0; n_silent * HOP_SIZE], tone(247.0, 80)].concat();
        let played = play(&mut pipeline(), &clip, &source);
        played[80 + n_silent..].iter().map(|hop| hop.controls).collect::<Vec<_>>()
    };
    // The level is a sum over 16 hops, which begins anew with each 16th: both pauses are as far from that.
    let (short, long) = (after(150), after(950));
    assert!(short[60].amplitude > 0.0);
    assert!(short == long, "instruments rest in a pause");
}

#[test]
fn octave_fit_brings_a_whistle_into_the_trumpets_range_and_transposition_moves_it_exactly() {
    let fitted = |source: SourceControls, hz: f32| play(&mut pipeline(), &tone(hz, 120), &source)[110].controls.f0_hz;
    let [low, high] = trumpet().card.statistics.f0_range_hz;
    let played = fitted(SourceControls::default(), 2100.0);
    assert!((low..=high).contains(&played), "{played}");
    let exact = SourceControls { transpose_semitones: -12.0, octave_fit: false, ..Default::default() };
    let cents = 1200.0 * (fitted(exact, 880.0) / 440.0).log2();
    assert!(cents.abs() < 25.0, "{cents} cents off");
}

#[test]
fn a_steady_tone_is_played_steadily() {
    let wishes = SourceControls { octave_fit: false, ..Default::default() };
    for hz in [110.0, 233.0, 440.0, 1500.0] {
        let played = play(&mut pipeline(), &tone(hz, 250), &wishes);
        let cents = played[100..].iter().map(|hop| 1200.0 * (hop.controls.f0_hz / hz).log2().abs());
        let worst = cents.fold(0.0, f32::max);
        assert!(worst < 1.5, "{hz} Hz: {worst} cents");
    }
}

#[test]
fn the_room_is_as_large_and_as_loud_as_wished() {
    let last = |room: f32, room_decay_s: f32| {
        play(&mut pipeline(), &tone(440.0, 20), &SourceControls { room, room_decay_s, ..Default::default() })[19]
            .controls
    };
    assert_eq!(last(0.0, 1.0).room.levels, [0.0; 3]);
    let (booth, hall) = (last(0.5, 0.25).room, last(1.0, 1.5).room);
    assert_eq!((booth.t60_s[1], hall.t60_s[1]), (0.25, 1.5));
    assert!(hall.t60_s.is_sorted_by(|low, high| low > high), "air and people take the treble first");
    assert!((0..3).all(|band| hall.levels[band] == 2.0 * booth.levels[band] && booth.levels[band] > 0.0));
}

#[test]
fn snap_and_glide_act_on_what_is_played_and_not_on_what_is_heard() {
    let as_sung = SourceControls { octave_fit: false, ..Default::default() };
    let snapped = SourceControls { snap: SnapWish { strength: 1.0, ..Default::default() }, ..as_sung };
    let cents = |hz: f32, of: f32| 1200.0 * (hz / of).log2();
    let last = play(&mut pipeline(), &tone(450.0, 120), &snapped)[110];
    assert!(cents(last.controls.f0_hz, 440.0).abs() < 0.1, "exactly on the note: {}", last.controls.f0_hz);
    assert!(cents(last.heard.f0_hz, 450.0).abs() < 20.0);

    let step = [tone(330.0, 100), tone(440.0, 100)].concat();
    let gliding = play(&mut pipeline(), &step, &SourceControls { glide_s: 0.3, ..as_sung });
    let halfway = gliding[125].controls.f0_hz;
    assert!((345.0..425.0).contains(&halfway), "{halfway} Hz 100 ms after the step");
    assert!(cents(gliding[125].heard.f0_hz, 440.0).abs() < 30.0);
}

#[test]
fn the_gate_learns_a_humming_machine_and_lets_a_louder_voice_pass() {
    let hum: Vec<f32> = tone(120.0, 7500).iter().map(|x| 0.02 * x).collect();
    let clip = [hum, tone(240.0, 100)].concat();
    let played = play(&mut pipeline(), &clip, &SourceControls::default());
    let sounding = |hops: &[HopOutput]| hops.iter().filter(|o| !o.controls.is_silent()).count();
    assert!(sounding(&played[..500]) > 300, "at first nobody can know");
    assert_eq!(sounding(&played[7000..7500]), 0);
    assert!(sounding(&played[7500..]) > 80);
    let fixed = SourceControls { gate_follows_room: false, ..Default::default() };
    assert!(sounding(&play(&mut pipeline(), &clip, &fixed)[7000..7500]) > 450);
}

#[test]
fn reset_is_new() {
    let mut used = pipeline();
    play(&mut used, &noise(50, 0.3), &SourceControls::default());
    used.reset();
    let clip = tone(500.0, 80);
    assert_eq!(
        play(&mut used, &clip, &SourceControls::default()),
        play(&mut pipeline(), &clip, &SourceControls::default())
    );
}

#[test]
fn a_new_instrument_fades_in_and_the_old_one_is_freed() {
    let old = Arc::new(trumpet());
    let (mut pipeline, slot) = Pipeline::new(Arc::new(encoder()), old.clone()).unwrap();
    let source = SourceControls::default();
    let clip = tone(440.0, 200);
    let before = play(&mut pipeline, &clip[..100 * HOP_SIZE], &source);
    slot.seat(0, Slot::A, Some(Arc::new(trumpet())));
    let after = play(&mut pipeline, &clip[100 * HOP_SIZE..], &source);
    assert_eq!(Arc::strong_count(&old), 1, "only the test still holds it");
    // The same instrument again, with an empty memory: the level may not jump from hop to hop.
    let levels: Vec<f32> = before[95..].iter().chain(&after).map(|o| o.controls.amplitude).collect();
    for pair in levels.windows(2) {
        assert!((pair[1] / pair[0]).log10().abs() < 0.15, "{pair:?}");
    }
}

#[test]
fn the_automatic_gate_opens_further_for_a_soft_source() {
    let heard_at_the_end = |usual_db: f32, gate_follows_room: bool| {
        // Three notes with rests, and one that is soft even for this source. The tone lies at -15 dBFS.
        let note = |db: f32| {
            let samples = tone(330.0, 200).into_iter().map(move |x| x * 10f32.powf((db + 15.0) / 20.0));
            samples.chain(std::iter::repeat_n(0.0, 50 * HOP_SIZE))
        };
        let samples: Vec<f32> = [usual_db, usual_db, usual_db, -66.0].into_iter().flat_map(note).collect();
        let source = SourceControls { gate_follows_room, ..SourceControls::default() };
        play(&mut pipeline(), &samples, &source)[940].heard.f0_hz
    };
    assert!((heard_at_the_end(-50.0, true) / 330.0 - 1.0).abs() < 0.02, "soft for a soft source");
    assert_eq!(heard_at_the_end(-20.0, true), 0.0, "too soft for a loud one");
    assert_eq!(heard_at_the_end(-50.0, false), 0.0, "a fixed gate stays where it is");
}
