//! The system's file dialog, on a thread of its own: it may stay open for minutes, and the window must go on.

use crate::instruments::Instruments;
use embouchure_inference::play::Slot;
use embouchure_weights::own::ENDING;
use nice_plug_egui::RepaintNotifier;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A dialog that ends sooner was never seen: the system has none, and the library that asks for it says so nowhere.
const TOO_SOON: Duration = Duration::from_millis(400);

/// At most one dialog.
#[derive(Default)]
pub struct OpenDialog {
    is_open: Arc<AtomicBool>,
    /// For which slot a path is to be typed: no dialog could be shown, or the player wants it so.
    wanted: Arc<Mutex<Option<Slot>>>,
}

impl OpenDialog {
    /// True until the player has chosen or cancelled, and the file is loaded.
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// The slot for which a file is wanted without a dialog.
    pub fn wanted_without(&self) -> Option<Slot> {
        *self.wanted.lock()
    }

    /// A file is wanted without a dialog: a system that has none may take minutes to say so.
    pub fn do_without(&self, slot: Slot) {
        *self.wanted.lock() = Some(slot);
    }

    /// No file is wanted any more.
    pub fn forget(&self) {
        *self.wanted.lock() = None;
    }

    /// Asks for an instrument file and plays it in `slot`.
    pub fn open(&self, slot: Slot, instruments: &Arc<Instruments>, notifier: &RepaintNotifier) {
        if self.is_open.swap(true, Ordering::AcqRel) {
            return;
        }
        let (is_open, notifier) = (IsOpen(self.is_open.clone()), notifier.clone());
        let (reports, wanted) = (instruments.clone(), self.wanted.clone());
        let instruments = instruments.clone();
        let thread = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            let dialog = rfd::FileDialog::new().set_title("Open instrument").add_filter("Instruments", &[ENDING]);
            let start = Instant::now();
            match dialog.pick_file() {
                Some(path) => instruments.open_file(slot, &path),
                None if start.elapsed() < TOO_SOON => *wanted.lock() = Some(slot),
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

/// Lowers the flag even if the dialog panics or its thread never starts.
struct IsOpen(Arc<AtomicBool>);

impl Drop for IsOpen {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
