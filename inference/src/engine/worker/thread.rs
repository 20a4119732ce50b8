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
