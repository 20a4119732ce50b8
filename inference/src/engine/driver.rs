//! The drivers: worker thread or callback. Both give the same bits; only the latency differs.

use super::direct::DirectDriver;
use super::hops::{Frame, Setting};
#[cfg(feature = "worker")]
use super::worker::WorkerDriver;

/// Where the model runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriverKind {
    /// On a thread of its own: the callback never computes a hop, and the latency has room for the longest block.
    #[cfg(feature = "worker")]
    #[default]
    Worker,
    /// In the callback: no thread, nothing late, and a latency of one hop and half of the resampler at any block size.
    #[cfg_attr(not(feature = "worker"), default)]
    Direct,
}

pub(super) enum Driver {
    #[cfg(feature = "worker")]
    Worker(Box<WorkerDriver>),
    Direct(Box<DirectDriver>),
}

impl Driver {
    /// Forgets the past. Realtime-safe.
    pub fn reset(&mut self) {
        match self {
            #[cfg(feature = "worker")]
            Self::Worker(driver) => driver.reset(),
            Self::Direct(driver) => driver.reset(),
        }
    }

    /// A block of `n` samples came. `is_piece`: it goes on with the block before.
    pub fn begin_block(&mut self, n: usize, is_piece: bool) {
        match self {
            #[cfg(feature = "worker")]
            Self::Worker(driver) => driver.begin_block(n, is_piece),
            Self::Direct(_) => _ = (n, is_piece),
        }
    }

    /// All samples of the block were sent.
    pub fn end_block(&mut self) {
        match self {
            #[cfg(feature = "worker")]
            Self::Worker(driver) => driver.end_block(),
            Self::Direct(_) => (),
        }
    }

    /// Sends samples, of which the first belongs to host sample `position`.
    pub fn send(&mut self, position: u64, setting: Setting, samples: &[f32]) {
        match self {
            #[cfg(feature = "worker")]
            Self::Worker(driver) => driver.send(position, setting, samples),
            Self::Direct(driver) => {
                let _ = position;
                driver.send(setting, samples)
            }
        }
    }

    /// Frame of hop `hop`, if it is there.
    pub fn frame(&mut self, hop: u64) -> Option<Frame> {
        match self {
            #[cfg(feature = "worker")]
            Self::Worker(driver) => driver.frame(hop),
            Self::Direct(driver) => driver.frame(hop),
        }
    }

    /// Hop that is rendered next: earlier ones need not be sent any more.
    pub fn set_next_hop(&mut self, hop: u64) {
        match self {
            #[cfg(feature = "worker")]
            Self::Worker(driver) => driver.set_next_hop(hop),
            Self::Direct(_) => _ = hop,
        }
    }
}
