//! Bytes in memory as a plugin reads and writes them.

use crate::Flow;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};
use vst3::Class;
use vst3::Steinberg::IBStream_::IStreamSeekMode_::{kIBSeekCur, kIBSeekEnd, kIBSeekSet};
use vst3::Steinberg::{IBStream, IBStreamTrait, int32, int64, kInvalidArgument, kResultFalse, kResultOk, tresult};

/// A stream that grows where it is written.
pub(super) struct Stream(Mutex<Position>);

struct Position {
    bytes: Vec<u8>,
    at: usize,
    flow: Flow,
}

impl Stream {
    pub(super) fn new(bytes: Vec<u8>, flow: Flow) -> Self {
        Self(Mutex::new(Position { bytes, at: 0, flow }))
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
            let Some(n) = position.flow.pass(position.at, n_bytes.max(0) as usize) else { return kResultFalse };
            let rest = &position.bytes[position.at.min(position.bytes.len())..];
            let n = n.min(rest.len());
            // SAFETY: the plugin has room for as much as it asks for.
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
            let Some(n) = position.flow.pass(position.at, n_bytes.max(0) as usize) else { return kResultFalse };
            let end = position.at + n;
            position.bytes.resize(end.max(position.bytes.len()), 0);
            // SAFETY: the plugin hands over as much as it says.
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
            // SAFETY: the plugin hands over room for a number, or nothing.
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
