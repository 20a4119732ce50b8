//! Host side of the callbacks that a plugin makes.

use clack_extensions::gui::HostGui;
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_host::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Type family of the handlers below.
pub struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _shared: &Shared) {
        builder.register::<HostLatency>();
        builder.register::<HostGui>();
    }
}

/// State of the main thread's callbacks.
#[derive(Default)]
pub struct MainThread {
    pub n_latency_changes: Cell<usize>,
}

impl MainThreadHandler<'_> for MainThread {}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {
        self.n_latency_changes.set(self.n_latency_changes.get() + 1);
    }
}

/// State of the callbacks that any thread of the plugin may make.
#[derive(Default)]
pub struct Shared {
    /// Set when the plugin requests a call on the main thread; cleared by the main thread.
    pub callback_wanted: AtomicBool,
    pub restarts_wanted: AtomicUsize,
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {
        self.restarts_wanted.fetch_add(1, Ordering::AcqRel);
    }
    fn request_process(&self) {}
    fn request_callback(&self) {
        self.callback_wanted.store(true, Ordering::Release);
    }
}
