//! No sound card: processes silence in real time, so that the window can be tried.

use super::io::{AudioSession, Fault, FaultKind, StreamStatus, Streams};
use super::player::PlayerSlot;
use embouchure_plugin::audio::{AudioSettings, Backend};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

struct Silence {
    slot: PlayerSlot,
    status: Arc<StreamStatus>,
    block: usize,
    rate: u32,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A session with the settings' rate and block.
pub fn open(settings: &AudioSettings) -> AudioSession {
    let (slot, status) = (PlayerSlot::new(), Arc::new(StreamStatus::default()));
    let (rate, block) = (settings.rate, settings.block);
    let silence = Silence {
        slot: slot.clone(),
        status: status.clone(),
        block: block as usize,
        rate,
        is_over: Arc::default(),
        thread: None,
    };
    AudioSession {
        backend: Backend::Dummy,
        slot,
        rate,
        block,
        playing: format!("No sound, {rate} Hz, blocks of {block} samples"),
        notes: Vec::new(),
        input_problem: None,
        n_channels: 0,
        status,
        feed: None,
        streams: Box::new(silence),
    }
}

impl Streams for Silence {
    fn start(&mut self) -> Result<(), Fault> {
        let (slot, status, is_over) = (self.slot.clone(), self.status.clone(), self.is_over.clone());
        let (block, rate) = (self.block, f64::from(self.rate));
        let play = move || {
            let (mut left, mut right) = (vec![0.0; block], vec![0.0; block]);
            let (start, mut n_done) = (Instant::now(), 0.0);
            while !is_over.load(Relaxed) {
                left.fill(0.0);
                right.fill(0.0);
                slot.play(&mut left, &mut right);
                status.played(block);
                n_done += block as f64;
                let due = Duration::from_secs_f64(n_done / rate);
                std::thread::sleep(due.saturating_sub(start.elapsed()));
            }
        };
        let thread = std::thread::Builder::new().name("silence".into()).spawn(play);
        self.thread = Some(thread.map_err(|e| Fault::new(FaultKind::Refused, e.to_string()))?);
        Ok(())
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
