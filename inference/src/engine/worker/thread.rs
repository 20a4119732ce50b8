//! What the worker asks of the operating system and the processor for its own thread.

use crate::config::{HOP_SIZE, MODEL_RATE};
use audio_thread_priority::promote_current_thread_to_real_time;

/// Asks that the calling thread be run before ordinary ones, which otherwise make it late: `SCHED_FIFO` at a priority
/// below that of usual audio threads on Linux, the time-constraint policy on macOS, the multimedia class scheduler on
/// Windows. False if the system refuses, as Linux does without a limit for `rtprio`; then nothing has changed.
///
/// On Linux the thread asks for itself. Asking the desktop's service for it would put a limit on the whole process, and
/// end a host whose own threads run longer.
pub(super) fn raise_priority() -> bool {
    promote_current_thread_to_real_time(HOP_SIZE as u32, MODEL_RATE).is_ok()
}

/// From here on the calling thread computes with 0 in place of subnormal numbers, which cost a hundred times as much:
/// filters would reach them soon after the input falls silent.
pub fn flush_subnormals() {
    #[cfg(target_arch = "x86_64")]
    {
        let mut control = 0_u32;
        // Flush results to zero, take operands as zero.
        const FLUSH: u32 = 1 << 15 | 1 << 6;
        // SAFETY: changes this thread's rounding of tiny numbers only, which no code here relies on.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &mut control, options(nostack));
            control |= FLUSH;
            std::arch::asm!("ldmxcsr [{}]", in(reg) &control, options(nostack, readonly));
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        const FLUSH: u64 = 1 << 24;
        // SAFETY: as above.
        unsafe {
            let mut control: u64;
            std::arch::asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack));
            control |= FLUSH;
            std::arch::asm!("msr fpcr, {}", in(reg) control, options(nomem, nostack));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn subnormals_are_zero_on_the_thread_that_asks() {
        let halved = || black_box(black_box(f32::MIN_POSITIVE) * black_box(0.5));
        let flushed = std::thread::spawn(move || {
            flush_subnormals();
            halved()
        });
        assert_eq!(flushed.join().unwrap(), 0.0);
        assert!(halved() > 0.0, "and on no other");
    }
}
