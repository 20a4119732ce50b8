//! Host side of the callbacks that a plugin may make.

use clack_extensions::gui::HostGui;
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_host::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Names the types below.
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

/// What the main thread was told.
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

/// What any thread of the plugin may ask for.
#[derive(Default)]
pub struct Shared {
    /// Set by any thread of the plugin that wants a call on the main thread; cleared by the main thread.
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
