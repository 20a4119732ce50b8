//! The frame around a view on Linux, with or without an event loop for the plugin's descriptors and timers.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use vst3::Steinberg::Linux::{
    FileDescriptor, IEventHandler, IEventHandlerTrait, IRunLoop, IRunLoopTrait, ITimerHandler, ITimerHandlerTrait,
    TimerInterval,
};
use vst3::Steinberg::{
    IPlugFrame, IPlugFrameTrait, IPlugView, IPlugViewTrait, ViewRect, kInvalidArgument, kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComRef};

/// A frame that offers an event loop.
#[derive(Default)]
pub(super) struct FrameWithLoop(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    descriptors: Vec<(ComPtr<IEventHandler>, FileDescriptor)>,
    timers: Vec<Timer>,
}

struct Timer {
    handler: ComPtr<ITimerHandler>,
    interval: Duration,
    due: Instant,
}

impl FrameWithLoop {
    /// Runs one iteration: calls the handlers that are due. No lock is held during the calls, because a handler may
    /// register others.
    pub(super) fn turn(&self) {
        for (handler, descriptor) in self.locked(|watched| watched.descriptors.clone()) {
            let is_watched =
                self.locked(|watched| watched.descriptors.iter().any(|(h, _)| h.as_ptr() == handler.as_ptr()));
            if is_watched && is_readable(descriptor) {
                // SAFETY: the reference held here keeps the handler alive.
                unsafe { handler.onFDIsSet(descriptor) };
            }
        }
        let now = Instant::now();
        let due = self.locked(|watched| {
            let due = watched.timers.iter_mut().filter(|timer| timer.due <= now);
            due.map(|timer| {
                timer.due = now + timer.interval;
                timer.handler.clone()
            })
            .collect::<Vec<_>>()
        });
        // SAFETY: as above.
        due.iter().for_each(|handler| unsafe { handler.onTimer() });
    }

    /// Number of registered descriptors and timers.
    pub(super) fn n_watched(&self) -> usize {
        self.locked(|watched| watched.descriptors.len() + watched.timers.len())
    }

    fn locked<T>(&self, f: impl FnOnce(&mut Watched) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_readable(descriptor: FileDescriptor) -> bool {
    let mut asked = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure, which outlives the call.
    unsafe { libc::poll(&mut asked, 1, 0) == 1 && asked.revents & libc::POLLIN != 0 }
}

impl Class for FrameWithLoop {
    type Interfaces = (IPlugFrame, IRunLoop);
}

impl IPlugFrameTrait for FrameWithLoop {
    unsafe fn resizeView(&self, view: *mut IPlugView, size: *mut ViewRect) -> tresult {
        // SAFETY: the plugin hands over its own view.
        unsafe { resize(view, size) }
    }
}

impl IRunLoopTrait for FrameWithLoop {
    unsafe fn registerEventHandler(&self, handler: *mut IEventHandler, fd: FileDescriptor) -> tresult {
        // SAFETY: the plugin hands over its own handler.
        let Some(handler) = (unsafe { ComRef::from_raw(handler) }) else { return kInvalidArgument };
        self.locked(|watched| watched.descriptors.push((handler.to_com_ptr(), fd)));
        kResultOk
    }

    unsafe fn unregisterEventHandler(&self, handler: *mut IEventHandler) -> tresult {
        // Dropped after the lock is released: this may be the last reference.
        let gone = self.locked(|watched| {
            let place = watched.descriptors.iter().position(|(h, _)| h.as_ptr() == handler);
            place.map(|place| watched.descriptors.remove(place))
        });
        if gone.is_none() { kInvalidArgument } else { kResultOk }
    }

    unsafe fn registerTimer(&self, handler: *mut ITimerHandler, milliseconds: TimerInterval) -> tresult {
        // SAFETY: the plugin hands over its own handler.
        let Some(handler) = (unsafe { ComRef::from_raw(handler) }) else { return kInvalidArgument };
        let interval = Duration::from_millis(milliseconds);
        let timer = Timer { handler: handler.to_com_ptr(), interval, due: Instant::now() + interval };
        self.locked(|watched| watched.timers.push(timer));
        kResultOk
    }

    unsafe fn unregisterTimer(&self, handler: *mut ITimerHandler) -> tresult {
        let gone = self.locked(|watched| {
            let place = watched.timers.iter().position(|timer| timer.handler.as_ptr() == handler);
            place.map(|place| watched.timers.remove(place))
        });
        if gone.is_none() { kInvalidArgument } else { kResultOk }
    }
}

/// A frame without an event loop.
pub(super) struct BareFrame;

impl Class for BareFrame {
    type Interfaces = (IPlugFrame,);
}

impl IPlugFrameTrait for BareFrame {
    unsafe fn resizeView(&self, view: *mut IPlugView, size: *mut ViewRect) -> tresult {
        // SAFETY: the plugin hands over its own view.
        unsafe { resize(view, size) }
    }
}

/// Grants every size: the window is as large as the screen.
unsafe fn resize(view: *mut IPlugView, size: *mut ViewRect) -> tresult {
    // SAFETY: the caller guarantees the pointers.
    unsafe { ComRef::from_raw(view).map_or(kInvalidArgument, |view| view.onSize(size)) }
}
