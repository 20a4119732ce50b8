//! Instruments that come and go while a note sounds, and two of them as one.

mod common;

use common::{encoder, instrument};
use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::config::MODEL_RATE;
use embouchure_inference::controls::{Controls, SourceControls};
use embouchure_inference::engine::HopModel;
use embouchure_inference::play::pipeline::{InstrumentSlot, Pipeline, Slot};
use embouchure_inference::synth::render_clip;
use std::sync::Arc;

fn pipeline(first: &str, second: Option<&str>) -> (Pipeline, InstrumentSlot) {
    Pipeline::with_second(encoder(), instrument(first), second.map(instrument)).expect("enough memory")
}

/// Hop `h` of a sawtooth-like tone that has sounded since ever.
fn hop(h: usize) -> [f32; HOP_SIZE] {
    std::array::from_fn(|i| {
        let turns = ((h * HOP_SIZE + i) as f64 * 392.0 / f64::from(MODEL_RATE)).fract() as f32;
        (1..=8).map(|k| 0.1 / k as f32 * (std::f32::consts::TAU * turns * k as f32).sin()).sum()
    })
}

fn play(pipeline: &mut Pipeline, hops: std::ops::Range<usize>, wishes: &SourceControls) -> Vec<Controls> {
    hops.map(|h| pipeline.hop(&hop(h), wishes).controls).collect()
}

/// Largest second difference, which a click raises and a note does not.
fn sharpest(samples: &[f32]) -> f32 {
    samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f32::max)
}

/// From hop to hop, while instruments whose levels differ by up to 12 dB are swapped over eight hops.
const LARGEST_LEAP_DB: f32 = 3.0;

#[test]
fn a_thousand_swaps_under_a_note_make_no_click_and_leave_nothing_behind() {
    let band: Vec<_> = ["trumpet", "violin", "flute", "cello", "clarinet"].map(instrument).into();
    let wishes = SourceControls { octave_fit: false, ..Default::default() };
    let sound = |controls: &[Controls]| render_clip(controls, 48_000.0, 0.0);
    let alone = band.iter().map(|instrument| {
        let (mut pipeline, _) = Pipeline::new(encoder(), instrument.clone()).unwrap();
        sharpest(&sound(&play(&mut pipeline, 0..300, &wishes)[100..]))
    });
    let sharpest_alone = alone.fold(0.0, f32::max);

    let (mut pipeline, slot) = Pipeline::new(encoder(), band[0].clone()).unwrap();
    let mut controls = play(&mut pipeline, 0..100, &wishes);
    for swap in 0..1000 {
        slot.seat(0, Slot::A, Some(band[(swap + 1) % band.len()].clone()));
        // Some come before the last one has faded in.
        let n_hops = [17, 3, 30, 9][swap % 4];
        controls.extend(play(&mut pipeline, controls.len()..controls.len() + n_hops, &wishes));
    }
    let clip = sound(&controls[100..]);
    assert!(clip.iter().all(|x| x.is_finite()));
    assert!(sharpest(&clip) < 1.25 * sharpest_alone, "{} and {sharpest_alone}", sharpest(&clip));
    // A leap of level within a hop is no click, but it is a leap.
    let leap = |pair: &[Controls]| 20.0 * (pair[1].amplitude / pair[0].amplitude).log10().abs();
    let largest_db = controls[100..].windows(2).map(leap).fold(0.0, f32::max);
    assert!(largest_db < LARGEST_LEAP_DB, "{largest_db} dB from one hop to the next");
    assert!(controls[100..].iter().all(|c| (c.f0_hz / 392.0 - 1.0).abs() < 0.01), "the pitch goes on");
    controls.extend(play(&mut pipeline, controls.len()..controls.len() + 40, &wishes));
    let held: Vec<usize> = band.iter().map(|i| Arc::strong_count(i) - 1).collect();
    assert_eq!(held.iter().sum::<usize>(), 1, "only the last is still held: {held:?}");
}

/// It has played the last hops already, unheard. So it does not begin anew, and its level is matched.
#[test]
fn an_instrument_that_comes_in_is_in_the_middle_of_the_note() {
    let wishes = SourceControls { octave_fit: false, ..Default::default() };
    for (first, second) in [("ah", "oboe"), ("alto-flute", "french-horn"), ("flute", "ah"), ("violin", "flute")] {
        let alone = |name: &str| play(&mut pipeline(name, None).0, 0..110, &wishes);
        let (old, new) = (alone(first), alone(second));
        let (mut swapped, slot) = pipeline(first, None);
        play(&mut swapped, 0..100, &wishes);
        slot.seat(0, Slot::A, Some(instrument(second)));
        for (i, controls) in play(&mut swapped, 100..105, &wishes).iter().enumerate() {
            // The old one fades over eight hops.
            let share = (8 - i) as f32 / 9.0;
            let expected = share * old[100 + i].amplitude + (1.0 - share) * new[100 + i].amplitude;
            let off_db = 20.0 * (controls.amplitude / expected).log10();
            assert!(off_db.abs() < 0.7, "{first} to {second}, hop {i}: {off_db} dB");
        }
    }
}

#[test]
fn a_morph_ends_in_its_instruments() {
    let at = |morph: f32| {
        let (mut pipeline, _) = pipeline("trumpet", Some("violin"));
        play(
            &mut pipeline,
            0..150,
            &SourceControls { morph, octave_fit: false, match_level: false, ..Default::default() },
        )
    };
    let alone = |name: &str| {
        let (mut pipeline, _) = pipeline(name, None);
        play(&mut pipeline, 0..150, &SourceControls { octave_fit: false, match_level: false, ..Default::default() })
    };
    let (trumpet, violin) = (alone("trumpet"), alone("violin"));
    assert_eq!(at(0.0), trumpet);
    assert_eq!(at(1.0), violin);
    let between = at(0.5);
    let middle = (trumpet[120].amplitude * violin[120].amplitude).sqrt();
    assert!((between[120].amplitude / middle - 1.0).abs() < 0.01);
    assert_ne!(between[120].harmonic_distribution, trumpet[120].harmonic_distribution);
}

#[test]
fn the_second_chair_fades_in_and_out() {
    let wishes = SourceControls { morph: 1.0, octave_fit: false, ..Default::default() };
    let (mut pipeline, slot) = pipeline("trumpet", None);
    let mut controls = play(&mut pipeline, 0..100, &wishes);
    let (mut alone, _) = Pipeline::new(encoder(), instrument("trumpet")).unwrap();
    assert_eq!(controls, play(&mut alone, 0..100, &wishes), "an empty chair goes along");
    slot.seat(0, Slot::B, Some(instrument("flute")));
    controls.extend(play(&mut pipeline, 100..200, &wishes));
    slot.seat(0, Slot::B, None);
    controls.extend(play(&mut pipeline, 200..300, &wishes));
    assert_eq!(controls[299], play(&mut alone, 100..300, &wishes)[199], "and is left again");
    let largest =
        controls[60..].windows(2).map(|c| (c[1].amplitude / c[0].amplitude).log10().abs()).fold(0.0, f32::max);
    assert!(largest < 0.15, "{largest}");
}

#[test]
fn what_a_reset_finds_waiting_plays_at_once() {
    let wishes = SourceControls::default();
    let (mut used, slot) = pipeline("trumpet", None);
    play(&mut used, 0..50, &wishes);
    slot.seat(0, Slot::A, Some(instrument("violin")));
    used.reset();
    let (mut new, _) = pipeline("violin", None);
    assert_eq!(play(&mut used, 0..50, &wishes), play(&mut new, 0..50, &wishes));
}

/// Pitches that are played.
fn pitches(controls: &[Controls]) -> Vec<f32> {
    controls.iter().map(|controls| controls.f0_hz).collect()
}

#[test]
fn after_a_swap_or_a_morph_the_octave_is_that_of_the_instrument_alone() {
    let wishes = SourceControls::default();
    for name in ["oboe", "cello", "flute", "violin"] {
        let alone = pitches(&play(&mut pipeline(name, None).0, 0..400, &wishes));
        let trumpet = pitches(&play(&mut pipeline("trumpet", None).0, 0..200, &wishes));
        let (mut swapped, slot) = pipeline("trumpet", None);
        play(&mut swapped, 0..200, &wishes);
        slot.seat(0, Slot::A, Some(instrument(name)));
        let after = pitches(&play(&mut swapped, 200..400, &wishes));
        assert_eq!(after[16..], alone[216..], "{name}");
        assert!((after[3] / trumpet[199] - 1.0).abs() < 0.01, "who leaves stays in the octave: {name}");

        let (mut morphed, _) = pipeline("trumpet", Some(name));
        play(&mut morphed, 0..200, &wishes);
        let after = pitches(&play(&mut morphed, 200..400, &SourceControls { morph: 1.0, ..wishes }));
        assert_eq!(after, alone[200..], "morphed to {name}");
    }
    let octave = |name| pitches(&play(&mut pipeline(name, None).0, 0..200, &wishes))[199];
    assert!(octave("oboe") > 1.5 * octave("trumpet"), "this voice tells the instruments apart");
}

#[test]
fn a_swap_waits_for_its_place() {
    let count = |n_swaps| SourceControls { n_swaps, ..Default::default() };
    let swapped = |sent_after: usize| {
        let (mut pipeline, slot) = pipeline("trumpet", None);
        let mut controls = play(&mut pipeline, 0..sent_after, &count(0));
        slot.seat(1, Slot::A, Some(instrument("violin")));
        controls.extend(play(&mut pipeline, sent_after..60, &count(0)));
        controls.extend(play(&mut pipeline, 60..150, &count(1)));
        controls
    };
    let (early, late) = (swapped(10), swapped(60));
    assert_eq!(early, late);
    assert_ne!(late, play(&mut pipeline("trumpet", None).0, 0..150, &count(1)));
}

#[test]
fn an_instrument_may_want_more_breath_than_it_learned() {
    let played = |breath_db| {
        let mut instrument = Arc::into_inner(instrument("trumpet")).expect("nobody else has it");
        instrument.card.adjustments.breath_db = breath_db;
        let (mut pipeline, _) = Pipeline::new(encoder(), Arc::new(instrument)).unwrap();
        let wishes = SourceControls { match_level: false, ..Default::default() };
        play(&mut pipeline, 0..100, &wishes).pop().unwrap()
    };
    let (plain, breathy) = (played(0.0), played(6.0));
    let louder = |(a, b): (f32, f32)| (b / a - 10f32.powf(0.3)).abs() < 1e-3;
    assert!(plain.noise_magnitudes.into_iter().zip(breathy.noise_magnitudes).all(louder));
    assert_eq!(Controls { noise_magnitudes: plain.noise_magnitudes, ..breathy }, plain);
}
