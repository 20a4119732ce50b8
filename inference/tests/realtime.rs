//! The audio callback neither allocates nor frees, and no thread computes with subnormal numbers.

mod common;

use common::*;
use embouchure_inference::chain::Chain;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::engine::{Change, DriverKind, HopModel, Io};
use embouchure_inference::hear::HopInput;
use embouchure_inference::hear::{HopLevels, Microphone, Pitch, Polyphony, TooSoftDetector};
use embouchure_inference::nn::Backend;
use embouchure_inference::play::{LoadedInstrument, Player, Slot};
use embouchure_inference::settings::Settings;
use embouchure_inference::synth::{HopShape, RampTo, Synth};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

thread_local! {
    /// Allocations and frees on this thread while `Some`.
    static COUNT: Cell<Option<usize>> = const { Cell::new(None) };
}

struct Counting;

fn count() {
    // Fails only while the thread ends, where nothing is counted.
    let _ = COUNT.try_with(|c| c.set(c.get().map(|n| n + 1)));
}

// SAFETY: forwards to the system's allocator; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and frees of this thread in `f`.
fn counted(f: impl FnOnce()) -> usize {
    COUNT.set(Some(0));
    f();
    COUNT.replace(None).unwrap_or(0)
}

#[test]
fn the_counter_can_fire() {
    let mut kept = None;
    assert_eq!(counted(|| kept = Some(vec![1u8; 100])), 1);
    assert_eq!(counted(|| kept = None), 1);
    assert!(kept.is_none());
    assert_eq!(counted(|| ()), 0);
}

#[test]
fn process_and_reset_neither_allocate_nor_free() {
    for host_rate in [44_100.0, 48_000.0, 96_000.0] {
        let mut engine = engine(host_rate, 511, false);
        let input = phrases(host_rate, 0.7);
        let (mut left, mut right) = (input.clone(), input.clone());
        let mut start = 0;
        let mut n_loud = 0;
        for (i, n) in [1, 7, 64, 511, 0, 600].iter().cycle().enumerate() {
            if start + n > input.len() {
                break;
            }
            let (left, right) = (&mut left[start..start + n], &mut right[start..start + n]);
            let settings = without_room().with(|s| {
                (s.mix.wet, s.mix.gain_db, s.mix.bypass) = (0.6, -1.0, i % 7 == 6);
                (s.sound.brightness_db, s.sound.width) = (3.0, (i % 5) as f32 / 4.0);
                s.sound.room = i as f32 % 3.0 / 2.0;
            });
            let changes = [Change { at: n / 3, settings: settings.with(|s| s.sound.brightness_db = -3.0) }];
            let io = Io { channels: &mut [left, right], n_inputs: 2, is_piece: false };
            let count = counted(|| engine.process(io, &settings, &changes));
            assert_eq!(count, 0, "block {i} of {n} at {host_rate} Hz");
            n_loud += usize::from(left[..].iter().any(|x| x.abs() > 0.05));
            // Some frames are in time, others late.
            if i % 3 != 0 {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            if i % 150 == 149 {
                assert_eq!(counted(|| engine.reset()), 0);
            }
            start += n;
        }
        assert!(n_loud > 10, "something was rendered");
        assert!(engine.telemetry().view().heard.note_hz() > 0.0, "the worker ran");
    }
}

#[test]
fn detectors_of_input_faults_neither_allocate_nor_free() {
    let (mut polyphony, mut too_soft) = (Polyphony::default(), TooSoftDetector::default());
    let note = |hz: f32, i: usize| {
        let turns = hz * i as f32 / MODEL_RATE as f32;
        (1..=8).map(|k| 0.1 * (std::f32::consts::TAU * (turns * k as f32).fract()).sin() / k as f32).sum::<f32>()
    };
    let heard = Pitch { f0_hz: 261.63, certainty: 0.9, lower: 0.0 };
    let levels = HopLevels { hop_db: -62.0, threshold_db: -50.0, noise_floor_db: -75.0 };
    let (mut n_several, mut n_soft) = (0, 0);
    for hop in 0..500 {
        let at = |i: usize| hop * HOP_SIZE + i;
        let chord: [f32; HOP_SIZE] =
            std::array::from_fn(|i| [261.63, 329.63, 392.0].map(|hz| note(hz, at(i))).iter().sum());
        let count = counted(|| {
            n_several += usize::from(polyphony.hop(&chord, heard, true));
            n_soft += usize::from(too_soft.hop(heard, false, levels));
        });
        assert_eq!(count, 0, "hop {hop}");
    }
    assert!(n_several > 300 && n_soft > 300, "{n_several} and {n_soft} hops");
    // The detector in the callback.
    let mut engine = engine(48_000.0, 512, false);
    let mut clipped = [1.0; 512];
    assert_eq!(counted(|| play_block(&mut engine, &mut [&mut clipped], 1, &without_room())), 0);
    assert_eq!(engine.telemetry().view().clipped_frames, 3, "of 192 samples each");
}

/// Halves the smallest normal number.
struct Halving(Arc<AtomicI64>);

impl HopModel for Halving {
    fn reset(&mut self) {}
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let half = black_box(black_box(f32::MIN_POSITIVE) * black_box(0.5));
        self.0.store(half.to_bits().into(), SeqCst);
        FakeModel::default().hop(input, settings)
    }
}

#[test]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn the_model_runs_without_subnormals() {
    let half = Arc::new(AtomicI64::new(-1));
    let mut engine = engine_with(48_000.0, 512, true, Halving(half.clone()));
    play(&mut engine, &[0.1; 2048], &even_cuts(2048, 512), WET);
    assert_eq!(half.load(SeqCst), 0);
}

/// The whole chain: analysis, both voices while an instrument is swapped, morph, and the synth with its room.
#[test]
fn a_hop_of_the_whole_chain_neither_allocates_nor_frees() {
    let encoder = encoder_by(Backend::Cpu);
    let loaded = |name| Some(Box::new(LoadedInstrument::new(instrument_for(&encoder, name))));
    let player = Player::new([loaded("trumpet"), loaded("violin")]);
    let mut chain = Chain::new(Microphone::new(&encoder), player);
    let mut synth = Synth::new(48_000.0);
    let input = phrases(MODEL_RATE.into(), 2.0);
    let (mut loudest, mut n_retired) = (0.0f32, 0);
    for (i, samples) in input.as_chunks::<HOP_SIZE>().0.iter().enumerate() {
        let settings = Settings::default().with(|s| {
            (s.sound.morph, s.sound.follow) = (i as f32 % 50.0 / 50.0, if i % 100 < 50 { 0.0 } else { 0.7 });
            (s.sound.attack_s, s.pitch.snap.strength, s.pitch.glide_s) = (0.05, 0.5, 0.1);
        });
        let mut new = (i % 60 == 30).then(|| loaded(["flute", "cello"][i / 60 % 2]));
        let (mut out, mut old) = ([0.0; 192], Vec::with_capacity(8));
        let count = counted(|| {
            if let Some(new) = new.take() {
                old.extend(chain.load(Slot::A, new));
            }
            let HopOutput { controls, .. } = chain.hop(HopInput { samples }, &settings);
            old.extend(chain.take_retired());
            let shape = HopShape { width: RampTo::over_hop(0.5), room: settings.room(), ..HopShape::PLAIN };
            synth.render_shaped(&controls, shape, &mut out);
        });
        assert_eq!(count, 0, "hop {i}");
        if i % 110 == 109 {
            assert_eq!(counted(|| if i % 220 == 109 { chain.reset() } else { chain.rest() }), 0);
        }
        n_retired += old.len();
        loudest = out.iter().fold(loudest, |loudest, x| loudest.max(x.abs()));
    }
    assert!(loudest > 0.01 && n_retired >= 6, "{loudest}, {n_retired} swaps");
}

/// The engine that computes its hops in the callback, while instruments are swapped.
#[test]
fn nor_does_a_callback_that_computes_the_hops_itself() {
    let (model, loader) = model_for(DriverKind::Direct, "trumpet", Some("violin"));
    let mut engine = engine_driven(DriverKind::Direct, 48_000.0, 64, false, model);
    let mut samples = phrases(48_000.0, 2.0);
    for (i, block) in samples.chunks_mut(300).enumerate() {
        if i % 20 == 10 {
            let slot = Slot::ALL[i / 20 % 2];
            loader.load(engine.expect_load(), slot, Some(instrument(["flute", "cello", "oboe"][i / 20 % 3])));
        }
        let settings = Settings::default().with(|s| s.sound.morph = i as f32 % 40.0 / 40.0);
        let count = counted(|| play_block(&mut engine, &mut [block], 1, &settings));
        assert_eq!(count, 0, "block {i}");
        if i % 60 == 59 {
            assert_eq!(counted(|| engine.reset()), 0);
        }
    }
    assert!(rms(&samples) > 0.001);
}
