//! Realtime priority of the callbacks' threads.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Priority of the callbacks: above the engine's worker, below sound servers.
#[cfg(target_os = "linux")]
const PRIORITY: libc::c_int = 20;

/// Result of the requests for realtime priority.
#[derive(Debug, Default)]
pub struct Priority(AtomicU8);

impl Priority {
    const RAISED: u8 = 1;
    const REFUSED: u8 = 2;

    /// Requests realtime priority for the calling thread. A system call. Call it once for each thread, in its first
    /// callback, because a library makes the thread. macOS and Windows raise such threads themselves.
    pub fn raise(&self) {
        let result = if raise() { Self::RAISED } else { Self::REFUSED };
        self.0.fetch_max(result, Relaxed);
    }

    /// True if the system refused it for any thread.
    pub fn is_refused(&self) -> bool {
        self.0.load(Relaxed) == Self::REFUSED
    }
}

/// The kernel's `SCHED_RESET_ON_FORK`: threads and processes started by such a thread do not inherit its priority.
#[cfg(target_os = "linux")]
const RESET_ON_FORK: libc::c_int = 0x4000_0000;

#[cfg(target_os = "linux")]
fn raise() -> bool {
    let wanted = libc::sched_param { sched_priority: PRIORITY };
    let policy = libc::SCHED_FIFO | RESET_ON_FORK;
    // SAFETY: the calling thread lives, and the parameters are read only.
    unsafe { libc::pthread_setschedparam(libc::pthread_self(), policy, &wanted) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn raise() -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_runs_at_the_priority_that_the_system_grants() {
        let (is_refused, policy) = std::thread::spawn(|| {
            let priority = Priority::default();
            priority.raise();
            // SAFETY: asks about the calling thread.
            (priority.is_refused(), unsafe { libc::sched_getscheduler(0) })
        })
        .join()
        .unwrap();
        assert_eq!(is_refused, policy & !RESET_ON_FORK != libc::SCHED_FIFO);
    }
}
