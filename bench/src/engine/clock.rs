//! Time and memory as the operating system reports them, and thread priorities. Linux.

use anyhow::{Context, Result};
use std::time::Duration;

/// Priority of an audio thread, close to what PipeWire and JACK set.
const PRIORITY: i32 = 60;

/// Processor time of this thread.
pub fn thread_cpu() -> Duration {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Processor time of the whole process.
pub fn process_cpu() -> Duration {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec; both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Gives this thread the priority of an audio thread. Returns false if the system does not permit it.
pub fn become_realtime() -> bool {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: 0 is this thread; `parameters` outlives the call.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameters) == 0 }
}

/// Pins this thread to one core. Returns false if that core is not available.
pub fn stay_on_core(core: usize) -> bool {
    // SAFETY: an all-zero set is an empty set; `core` is checked; 0 is this thread.
    unsafe {
        let mut cores: libc::cpu_set_t = std::mem::zeroed();
        if core >= libc::CPU_SETSIZE as usize {
            return false;
        }
        libc::CPU_SET(core, &mut cores);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &cores) == 0
    }
}

/// Resident memory of this process, bytes.
pub fn resident_bytes() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").context("no /proc")?;
    let line = text.lines().find(|line| line.starts_with("Rss:")).context("no Rss")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(1024.0 * kib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_count_work_and_not_sleep() {
        let (thread, process) = (thread_cpu(), process_cpu());
        std::thread::sleep(Duration::from_millis(50));
        assert!(thread_cpu() - thread < Duration::from_millis(20));
        let mut x = 1u64;
        while thread_cpu() - thread < Duration::from_millis(60) {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        assert!(process_cpu() - process >= Duration::from_millis(59));
    }

    #[test]
    fn memory_that_is_used_is_seen() {
        let before = resident_bytes().unwrap();
        let block = std::hint::black_box(vec![1u8; 32 << 20]);
        let grown = resident_bytes().unwrap() - before;
        assert!(grown > 30e6, "{grown} bytes for {}", block.len());
    }
}
