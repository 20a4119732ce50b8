//! What the audio thread and the worker exchange: chunks of input one way, control frames the other.

use crate::controls::{Controls, SourceControls};
use crossbeam::queue::ArrayQueue;
use std::sync::atomic::{AtomicBool, AtomicU32};

/// Most samples in one chunk.
pub(super) const CHUNK_SIZE: usize = 64;
/// Chunks on their way before input is lost: 2.7 s of blocks of 64 at 48 kHz, 43 ms of blocks of 1.
const CHUNKS_IN_FLIGHT: usize = 2048;

/// A piece of input; chunks of one epoch follow each other unless the worker was too slow.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    pub epoch: u32,
    /// Host sample of `samples[0]`, counted from the reset.
    pub start: u64,
    pub len: usize,
    pub samples: [f32; CHUNK_SIZE],
    pub source: SourceControls,
}

/// The answer to one hop. Its place in time follows from `hop` alone, see [`HopClock`](super::timing::HopClock).
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub epoch: u32,
    /// Counted from the reset.
    pub hop: u64,
    pub controls: Controls,
}

pub(super) struct Link {
    /// Audio thread to worker.
    pub chunks: ArrayQueue<Chunk>,
    /// Worker to audio thread.
    pub frames: ArrayQueue<Frame>,
    /// Raised by the audio thread at each reset; what carries another one is out of date.
    pub epoch: AtomicU32,
    /// The worker is to end.
    pub stop: AtomicBool,
    /// The worker still answers; false after a panic in the model.
    pub alive: AtomicBool,
}

impl Link {
    /// Allocates. `n_frames`: frames that can be under way between the worker and their place in the output.
    pub fn new(max_block: usize, n_frames: usize) -> Self {
        Self {
            chunks: ArrayQueue::new(CHUNKS_IN_FLIGHT + 4 * max_block.div_ceil(CHUNK_SIZE)),
            frames: ArrayQueue::new(n_frames),
            epoch: AtomicU32::new(0),
            stop: AtomicBool::new(false),
            alive: AtomicBool::new(true),
        }
    }
}
