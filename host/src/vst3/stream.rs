//! A byte stream in memory, read and written by the plugin.

use crate::StreamLimits;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};
use vst3::Class;
use vst3::Steinberg::IBStream_::IStreamSeekMode_::{kIBSeekCur, kIBSeekEnd, kIBSeekSet};
use vst3::Steinberg::{IBStream, IBStreamTrait, int32, int64, kInvalidArgument, kResultFalse, kResultOk, tresult};

/// The stream. Writing extends it.
pub(super) struct Stream(Mutex<Position>);

struct Position {
    bytes: Vec<u8>,
    at: usize,
    limits: StreamLimits,
}

impl Stream {
    pub(super) fn new(bytes: Vec<u8>, limits: StreamLimits) -> Self {
        Self(Mutex::new(Position { bytes, at: 0, limits }))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.locked(|position| position.bytes.clone())
    }

    fn locked<T>(&self, f: impl FnOnce(&mut Position) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, buffer: *mut c_void, n_bytes: int32, n_read: *mut int32) -> tresult {
        self.locked(|position| {
            let Some(n) = position.limits.n_bytes(position.at, n_bytes.max(0) as usize) else { return kResultFalse };
            let rest = &position.bytes[position.at.min(position.bytes.len())..];
            let n = n.min(rest.len());
            // SAFETY: the plugin's buffer has room for the requested bytes.
            unsafe {
                buffer.cast::<u8>().copy_from_nonoverlapping(rest.as_ptr(), n);
                if !n_read.is_null() {
                    *n_read = n as int32;
                }
            }
            position.at += n;
            kResultOk
        })
    }

    unsafe fn write(&self, buffer: *mut c_void, n_bytes: int32, n_written: *mut int32) -> tresult {
        self.locked(|position| {
            let Some(n) = position.limits.n_bytes(position.at, n_bytes.max(0) as usize) else { return kResultFalse };
            let end = position.at + n;
            position.bytes.resize(end.max(position.bytes.len()), 0);
            // SAFETY: the plugin's buffer has the announced size.
            unsafe {
                position.bytes[position.at..end].as_mut_ptr().copy_from_nonoverlapping(buffer.cast(), n);
                if !n_written.is_null() {
                    *n_written = n as int32;
                }
            }
            position.at = end;
            kResultOk
        })
    }

    unsafe fn seek(&self, offset: int64, mode: int32, result: *mut int64) -> tresult {
        self.locked(|position| {
            let starts =
                [(kIBSeekSet, 0), (kIBSeekCur, position.at as int64), (kIBSeekEnd, position.bytes.len() as int64)];
            let Some((_, from)) = starts.into_iter().find(|(name, _)| *name as int32 == mode) else {
                return kInvalidArgument;
            };
            let Ok(at) = usize::try_from(from + offset) else { return kInvalidArgument };
            position.at = at;
            // SAFETY: the pointer is valid or null.
            unsafe {
                if !result.is_null() {
                    *result = at as int64;
                }
            }
            kResultOk
        })
    }

    unsafe fn tell(&self, at: *mut int64) -> tresult {
        // SAFETY: as above.
        self.locked(|position| unsafe { *at = position.at as int64 });
        kResultOk
    }
}
