//! Subnormal numbers: filters would reach them soon after the input falls silent.

/// From here on the calling thread computes with 0 in place of subnormal numbers, which cost a hundred times as much.
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
