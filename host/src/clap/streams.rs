//! Streams through which the CLAP host saves and loads states.

use crate::{ClapHost, HostError, StreamLimits};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::stream::{clap_istream, clap_ostream};
use std::ffi::c_void;

/// Contents and position of a stream.
struct Contents {
    bytes: Vec<u8>,
    n_read: usize,
    limits: StreamLimits,
}

impl ClapHost {
    /// Saves the plugin's state through a stream with limits.
    pub(super) fn state_through(&mut self, limits: StreamLimits) -> Result<Vec<u8>, HostError> {
        let mut contents = Contents { bytes: Vec::new(), n_read: 0, limits };
        let stream = clap_ostream { ctx: (&raw mut contents).cast(), write: Some(write) };
        let (plugin, state) = (self.raw(), self.state_extension()?);
        // SAFETY: plugin and stream live as long as the call.
        let is_saved = unsafe { state.save.is_some_and(|f| f(plugin, &stream)) };
        if is_saved { Ok(contents.bytes) } else { Err(refused("did not save its state")) }
    }

    /// Loads `state` through a stream with limits.
    pub(super) fn set_state_through(&mut self, state: &[u8], limits: StreamLimits) -> Result<(), HostError> {
        let mut contents = Contents { bytes: state.to_vec(), n_read: 0, limits };
        let stream = clap_istream { ctx: (&raw mut contents).cast(), read: Some(read) };
        let (plugin, extension) = (self.raw(), self.state_extension()?);
        // SAFETY: as above.
        let is_loaded = unsafe { extension.load.is_some_and(|f| f(plugin, &stream)) };
        if is_loaded { Ok(()) } else { Err(refused("did not load a state")) }
    }

    fn state_extension(&mut self) -> Result<clap_plugin_state, HostError> {
        let plugin = self.raw();
        // SAFETY: the extension with this name has this type, and lives as long as the plugin.
        let state = unsafe {
            let state = (*plugin).get_extension.map(|f| f(plugin, CLAP_EXT_STATE.as_ptr()));
            state.and_then(|state| state.cast::<clap_plugin_state>().as_ref())
        };
        state.copied().ok_or(HostError::Missing("state".into()))
    }
}

fn refused(what: &'static str) -> HostError {
    HostError::Refused { what, reason: "it gave false".into() }
}

unsafe extern "C" fn write(stream: *const clap_ostream, buffer: *const c_void, size: u64) -> i64 {
    // SAFETY: the contents live as long as the stream, and the buffer has the size that the plugin gives.
    unsafe {
        let contents = &mut *(*stream).ctx.cast::<Contents>();
        let Some(n) = contents.limits.n_bytes(contents.bytes.len(), size as usize) else { return -1 };
        contents.bytes.extend(std::slice::from_raw_parts(buffer.cast::<u8>(), n));
        n as i64
    }
}

unsafe extern "C" fn read(stream: *const clap_istream, buffer: *mut c_void, size: u64) -> i64 {
    // SAFETY: as above; the plugin's buffer has room for `size` bytes.
    unsafe {
        let contents = &mut *(*stream).ctx.cast::<Contents>();
        let Some(n) = contents.limits.n_bytes(contents.n_read, size as usize) else { return -1 };
        let rest = &contents.bytes[contents.n_read..];
        let n = n.min(rest.len());
        buffer.cast::<u8>().copy_from_nonoverlapping(rest.as_ptr(), n);
        contents.n_read += n;
        n as i64
    }
}
