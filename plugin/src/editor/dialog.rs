//! The system's file dialog. It runs on a thread of its own, because it may stay open for minutes.

use crate::instruments::Instruments;
use embouchure_inference::play::Slot;
use embouchure_weights::own::ENDING;
use nice_plug_egui::RepaintNotifier;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Shortest time that a real dialog is open. One that ends sooner was never shown: the system has none, which the
/// library does not report.
const TOO_SOON: Duration = Duration::from_millis(400);

/// State of the dialog. At most one is open.
#[derive(Default)]
pub struct OpenDialog {
    is_open: Arc<AtomicBool>,
    /// Slot for which the player types a path: no dialog could be shown, or the player prefers that.
    path_slot: Arc<Mutex<Option<Slot>>>,
}

impl OpenDialog {
    /// True until the player has cancelled, or has chosen and the file is loaded.
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// The slot for which the player types a path.
    pub fn path_slot(&self) -> Option<Slot> {
        *self.path_slot.lock()
    }

    /// Asks for a typed path instead of a dialog. A system without a dialog may take minutes to return.
    pub fn ask_for_path(&self, slot: Slot) {
        *self.path_slot.lock() = Some(slot);
    }

    /// Stops asking for a path.
    pub fn stop_asking(&self) {
        *self.path_slot.lock() = None;
    }

    /// Opens the dialog for an instrument file, and plays the chosen file in `slot`.
    pub fn open(&self, slot: Slot, instruments: &Arc<Instruments>, notifier: &RepaintNotifier) {
        if self.is_open.swap(true, Ordering::AcqRel) {
            return;
        }
        let (is_open, notifier) = (IsOpen(self.is_open.clone()), notifier.clone());
        let (reports, path_slot) = (instruments.clone(), self.path_slot.clone());
        let instruments = instruments.clone();
        let thread = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            let dialog = rfd::FileDialog::new().set_title("Open instrument").add_filter("Instruments", &[ENDING]);
            let start = Instant::now();
            match dialog.pick_file() {
                Some(path) => instruments.open_file(slot, &path),
                None if start.elapsed() < TOO_SOON => *path_slot.lock() = Some(slot),
                None => {}
            }
            drop(is_open);
            notifier.request_repaint();
        });
        if let Err(e) = thread {
            reports.report(format!("could not open the file dialog: {e}"));
        }
    }
}

/// Clears the flag when dropped, even if the dialog panics or its thread does not start.
struct IsOpen(Arc<AtomicBool>);

impl Drop for IsOpen {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
