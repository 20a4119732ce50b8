//! Embouchure's engine: one melody in, another instrument out.
//!
//! # The flow
//!
//! ```text
//! input, 16 kHz ─► hear ─► Heard ─► play ─► Controls ─► synth ─► middle and side, host rate
//!                 encoder           two voices          harmonics, noise,
//!                 pitch, loudness   (decoder each),     one room
//!                 gate, noise       fit, tuning, morph
//! ```
//!
//! - [`hear`] turns a hop of 64 samples (4 ms) into [`hear::Heard`]: pitch, loudness, latent timbre z, and whether it
//!   is a note. Its [`hear::Source`] is a microphone; anything else that can say what is to be played once a hop can be
//!   one.
//! - [`play`] fits what is heard to two instruments, lets their decoders play, and blends both into
//!   [`controls::Controls`].
//! - [`synth`] renders the controls at the host's rate.
//! - [`chain`] is source and player together: a function of one hop. It knows no thread, no clock and no file, and
//!   allocates nothing once it is made.
//! - [`engine`] puts the chain into a host's time: blocks of any length, hops, latency, dry path, mix. One driver runs
//!   the chain on a worker thread (feature `worker`), the other one in the audio callback.
//! - [`nn`] runs the two networks: by kernels of its own, or by candle (feature `candle`), on a GPU, too.
//! - [`settings`] is everything that a player sets.
//!
//! The crate knows no plugin framework, no GUI and no training. Threads are drawn in ARCHITECTURE.md at the top of the
//! repository.
//!
//! # A hop by hand
//!
//! ```
//! use embouchure_inference::chain::Chain;
//! use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
//! use embouchure_inference::hear::{HopInput, Microphone, encoder::Encoder};
//! use embouchure_inference::play::{LoadedInstrument, Player, instrument::Instrument};
//! use embouchure_inference::settings::Settings;
//! use embouchure_inference::synth::render_clip;
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), embouchure_inference::nn::weights::LoadError> {
//! let encoder = Encoder::from_bytes(embouchure_weights::ENCODER)?;
//! let trumpet = Instrument::from_bytes(embouchure_weights::INSTRUMENTS[0].1, &encoder)?;
//! let voices = [Some(Box::new(LoadedInstrument::new(Arc::new(trumpet)))), None];
//! let mut chain = Chain::new(Microphone::new(&encoder), Player::new(voices));
//!
//! // 0.4 s of a whistle at 880 Hz.
//! let whistle = |i: usize| 0.2 * (std::f32::consts::TAU * 880.0 * i as f32 / MODEL_RATE as f32).sin();
//! let settings = Settings::default().with(|s| s.pitch.octave_fit = false);
//! let mut controls = Vec::new();
//! for hop in 0..100 {
//!     let samples = std::array::from_fn(|i| whistle(hop * HOP_SIZE + i));
//!     controls.push(chain.hop(HopInput { samples: &samples }, &settings).controls);
//! }
//! let sound = render_clip(&controls, 48_000.0, 0.0);
//!
//! let last = controls.last().expect("a hundred hops");
//! assert!((last.f0_hz() - 880.0).abs() < 1.0 && last.amplitude() > 0.0);
//! assert!(sound.iter().any(|x| x.abs() > 0.01));
//! # Ok(())
//! # }
//! ```

mod biquad;
pub mod chain;
pub mod config;
pub mod controls;
pub mod engine;
pub mod hear;
pub mod k_weight;
pub mod math;
pub mod nn;
pub mod note;
pub mod play;
pub mod scale;
pub mod settings;
pub mod synth;
