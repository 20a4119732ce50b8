//! Instruments that are loaded while a note sounds, and morphs between two.
#![cfg(feature = "worker")]

mod common;

use common::{encoder, instrument, model, without_room};
use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::config::MODEL_RATE;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::{HopModel, Model};
use embouchure_inference::hear::HopInput;
use embouchure_inference::play::Slot;
use embouchure_inference::settings::Settings;
use embouchure_inference::synth::render_clip;
use std::sync::Arc;

/// Hop `h` of a steady tone with eight harmonics.
fn hop(h: usize) -> [f32; HOP_SIZE] {
    std::array::from_fn(|i| {
        let turns = ((h * HOP_SIZE + i) as f64 * 392.0 / f64::from(MODEL_RATE)).fract() as f32;
        (1..=8).map(|k| 0.1 / k as f32 * (std::f32::consts::TAU * turns * k as f32).sin()).sum()
    })
}

fn play(model: &mut Model, hops: std::ops::Range<usize>, settings: &Settings) -> Vec<Controls> {
    play_counting(model, hops, settings, 0)
}

/// The same after `n_loads` instruments were requested.
fn play_counting(model: &mut Model, hops: std::ops::Range<usize>, settings: &Settings, n_loads: u32) -> Vec<Controls> {
    let hop = |h| {
        model.load(n_loads);
        model.hop(HopInput { samples: &hop(h) }, settings).controls
    };
    hops.map(hop).collect()
}

/// Largest second difference: high for a click, low for a note.
fn sharpest(samples: &[f32]) -> f32 {
    samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f32::max)
}

/// Most change of level per hop while instruments whose levels differ by up to 12 dB are swapped over eight hops.
const LARGEST_LEAP_DB: f32 = 3.0;

#[test]
fn a_thousand_swaps_during_a_note_make_no_click_and_free_all_instruments() {
    let band: Vec<_> = ["trumpet", "violin", "flute", "cello", "clarinet"].map(instrument).into();
    let settings = without_room().with(|s| s.pitch.octave_fit = false);
    let sound = |controls: &[Controls]| render_clip(controls, 48_000.0, 0.0);
    let alone = band.iter().map(|instrument| {
        let (mut playing, _) = Model::new(&encoder(), [Some(instrument.clone()), None]);
        sharpest(&sound(&play(&mut playing, 0..300, &settings)[100..]))
    });
    let sharpest_alone = alone.fold(0.0, f32::max);

    let (mut playing, loader) = Model::new(&encoder(), [Some(band[0].clone()), None]);
    let mut controls = play(&mut playing, 0..100, &settings);
    for swap in 0..1000 {
        loader.load(0, Slot::A, Some(band[(swap + 1) % band.len()].clone()));
        // Some swaps begin before the last fade has ended.
        let n_hops = [17, 3, 30, 9][swap % 4];
        controls.extend(play(&mut playing, controls.len()..controls.len() + n_hops, &settings));
    }
    let clip = sound(&controls[100..]);
    assert!(clip.iter().all(|x| x.is_finite()));
    assert!(sharpest(&clip) < 1.25 * sharpest_alone, "{} and {sharpest_alone}", sharpest(&clip));
    // A change of level within a hop is no click, but may be too large.
    let leap = |pair: &[Controls]| 20.0 * (pair[1].amplitude() / pair[0].amplitude()).log10().abs();
    let largest_db = controls[100..].windows(2).map(leap).fold(0.0, f32::max);
    assert!(largest_db < LARGEST_LEAP_DB, "{largest_db} dB from one hop to the next");
    assert!(controls[100..].iter().all(|c| (c.f0_hz() / 392.0 - 1.0).abs() < 0.01), "the pitch stays");
    controls.extend(play(&mut playing, controls.len()..controls.len() + 40, &settings));
    loader.free_retired();
    let held: Vec<usize> = band.iter().map(|i| Arc::strong_count(i) - 1).collect();
    assert_eq!(held.iter().sum::<usize>(), 1, "only the last is not freed: {held:?}");
}

/// A new instrument plays the last hops unheard, so it continues the note, and its level is matched.
#[test]
fn a_new_instrument_continues_the_note() {
    let settings = without_room().with(|s| s.pitch.octave_fit = false);
    for (first, second) in [("ah", "oboe"), ("alto-flute", "french-horn"), ("flute", "ah"), ("violin", "flute")] {
        let alone = |name: &str| play(&mut model(name, None).0, 0..110, &settings);
        let (old, new) = (alone(first), alone(second));
        let (mut swapped, loader) = model(first, None);
        play(&mut swapped, 0..100, &settings);
        loader.load(0, Slot::A, Some(instrument(second)));
        for (i, controls) in play(&mut swapped, 100..105, &settings).iter().enumerate() {
            // The old instrument fades over eight hops.
            let share = (8 - i) as f32 / 9.0;
            let expected = share * old[100 + i].amplitude() + (1.0 - share) * new[100 + i].amplitude();
            let off_db = 20.0 * (controls.amplitude() / expected).log10();
            assert!(off_db.abs() < 0.7, "{first} to {second}, hop {i}: {off_db} dB");
        }
    }
}

#[test]
fn the_ends_of_a_morph_are_its_instruments() {
    let at = |morph: f32| {
        let (mut playing, _) = model("trumpet", Some("violin"));
        play(
            &mut playing,
            0..150,
            &without_room().with(|s| {
                s.sound.morph = morph;
                s.pitch.octave_fit = false;
                s.sound.match_level = false;
            }),
        )
    };
    let alone = |name: &str| {
        let (mut playing, _) = model(name, None);
        play(
            &mut playing,
            0..150,
            &without_room().with(|s| {
                s.pitch.octave_fit = false;
                s.sound.match_level = false;
            }),
        )
    };
    let (trumpet, violin) = (alone("trumpet"), alone("violin"));
    assert_eq!(at(0.0), trumpet);
    assert_eq!(at(1.0), violin);
    let between = at(0.5);
    let middle = (trumpet[120].amplitude() * violin[120].amplitude()).sqrt();
    assert!((between[120].amplitude() / middle - 1.0).abs() < 0.01);
    assert_ne!(between[120].harmonic_amplitudes(), trumpet[120].harmonic_amplitudes());
}

#[test]
fn the_second_voice_fades_in_and_out() {
    let settings = without_room().with(|s| {
        s.sound.morph = 1.0;
        s.pitch.octave_fit = false;
    });
    let (mut playing, loader) = model("trumpet", None);
    let mut controls = play(&mut playing, 0..100, &settings);
    let (mut alone, _) = Model::new(&encoder(), [Some(instrument("trumpet")), None]);
    assert_eq!(controls, play(&mut alone, 0..100, &settings), "an empty voice changes nothing");
    loader.load(0, Slot::B, Some(instrument("flute")));
    controls.extend(play(&mut playing, 100..200, &settings));
    loader.load(0, Slot::B, None);
    controls.extend(play(&mut playing, 200..300, &settings));
    assert_eq!(controls[299], play(&mut alone, 100..300, &settings)[199], "the first voice alone again");
    let largest =
        controls[60..].windows(2).map(|c| (c[1].amplitude() / c[0].amplitude()).log10().abs()).fold(0.0, f32::max);
    assert!(largest < 0.15, "{largest}");
}

#[test]
fn after_a_reset_a_pending_instrument_plays_at_once() {
    let settings = without_room();
    let (mut used, loader) = model("trumpet", None);
    play(&mut used, 0..50, &settings);
    loader.load(0, Slot::A, Some(instrument("violin")));
    used.reset();
    let (mut new, _) = model("violin", None);
    assert_eq!(play(&mut used, 0..50, &settings), play(&mut new, 0..50, &settings));
}

/// Played pitches, Hz.
fn pitches(controls: &[Controls]) -> Vec<f32> {
    controls.iter().map(|controls| controls.f0_hz()).collect()
}

#[test]
fn after_a_swap_or_a_morph_the_octave_is_that_of_the_instrument_alone() {
    let settings = without_room();
    for name in ["oboe", "cello", "flute", "violin"] {
        let alone = pitches(&play(&mut model(name, None).0, 0..400, &settings));
        let trumpet = pitches(&play(&mut model("trumpet", None).0, 0..200, &settings));
        let (mut swapped, loader) = model("trumpet", None);
        play(&mut swapped, 0..200, &settings);
        loader.load(0, Slot::A, Some(instrument(name)));
        let after = pitches(&play(&mut swapped, 200..400, &settings));
        assert_eq!(after[16..], alone[216..], "{name}");
        assert!((after[3] / trumpet[199] - 1.0).abs() < 0.01, "the old instrument keeps its octave: {name}");

        let (mut morphed, _) = model("trumpet", Some(name));
        play(&mut morphed, 0..200, &settings);
        let after = pitches(&play(&mut morphed, 200..400, &settings.with(|s| s.sound.morph = 1.0)));
        assert_eq!(after, alone[200..], "morphed to {name}");
    }
    let octave = |name| pitches(&play(&mut model(name, None).0, 0..200, &settings))[199];
    assert!(octave("oboe") > 1.5 * octave("trumpet"), "the octaves of the instruments differ");
}

#[test]
fn a_swap_happens_at_its_sample() {
    let swapped = |sent_after: usize| {
        let (mut playing, loader) = model("trumpet", None);
        let mut controls = play_counting(&mut playing, 0..sent_after, &without_room(), 0);
        loader.load(1, Slot::A, Some(instrument("violin")));
        controls.extend(play_counting(&mut playing, sent_after..60, &without_room(), 0));
        controls.extend(play_counting(&mut playing, 60..150, &without_room(), 1));
        controls
    };
    let (early, late) = (swapped(10), swapped(60));
    assert_eq!(early, late);
    assert_ne!(late, play_counting(&mut model("trumpet", None).0, 0..150, &without_room(), 1));
}

#[test]
fn the_card_of_an_instrument_may_raise_its_breath() {
    let played = |breath_db| {
        let mut instrument = Arc::into_inner(instrument("trumpet")).expect("the only reference");
        instrument.card.adjustments.breath_db = breath_db;
        let (mut playing, _) = Model::new(&encoder(), [Some(Arc::new(instrument)), None]);
        let settings = without_room().with(|s| s.sound.match_level = false);
        play(&mut playing, 0..100, &settings).pop().unwrap()
    };
    let (plain, breathy) = (played(0.0), played(6.0));
    let louder = |(a, b): (&f32, &f32)| (b / a - 10f32.powf(0.3)).abs() < 1e-3;
    assert!(plain.noise_magnitudes().iter().zip(breathy.noise_magnitudes()).all(louder));
    assert_eq!(breathy.with_noise(*plain.noise_magnitudes()), plain);
}
