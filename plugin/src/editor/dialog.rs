//! The system's file dialog, on a thread of its own: it may stay open for minutes, and the window must go on.

use crate::instruments::Instruments;
use crate::shelf::ENDING;
use embouchure_inference::pipeline::Slot;
use nice_plug_egui::RepaintNotifier;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// At most one dialog.
#[derive(Default)]
pub struct OpenDialog {
    is_open: Arc<AtomicBool>,
}

impl OpenDialog {
    /// True until the player has chosen or cancelled, and the file is loaded.
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Asks for an instrument file and plays it in `slot`.
    pub fn open(&self, slot: Slot, instruments: &Arc<Instruments>, notifier: &RepaintNotifier) {
        if self.is_open.swap(true, Ordering::AcqRel) {
            return;
        }
        let (is_open, notifier) = (IsOpen(self.is_open.clone()), notifier.clone());
        let reports = instruments.clone();
        let instruments = instruments.clone();
        let thread = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            let dialog = rfd::FileDialog::new().set_title("Open instrument").add_filter("Instruments", &[ENDING]);
            if let Some(path) = dialog.pick_file() {
                instruments.open_file(slot, &path);
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
