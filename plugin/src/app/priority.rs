//! Priority of the threads that play.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Above that of the engine's worker, which feeds these threads, and below what servers of sound take.
#[cfg(target_os = "linux")]
const PRIORITY: libc::c_int = 20;

/// What came of asking for realtime priority.
#[derive(Debug, Default)]
pub struct Priority(AtomicU8);

impl Priority {
    const RAISED: u8 = 1;
    const REFUSED: u8 = 2;

    /// Asks that the calling thread be run before ordinary ones. A system call: once for each thread, in its first callback,
    /// because a library makes the thread. macOS and Windows give such threads their priority by themselves.
    pub fn raise(&self) {
        let came = if raise() { Self::RAISED } else { Self::REFUSED };
        self.0.fetch_max(came, Relaxed);
    }

    /// True if the system refused it for a thread.
    pub fn is_refused(&self) -> bool {
        self.0.load(Relaxed) == Self::REFUSED
    }
}

/// Threads and processes that such a thread starts do not inherit its priority: `SCHED_RESET_ON_FORK` of the kernel.
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
