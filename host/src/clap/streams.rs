//! The CLAP host's streams for states.

use crate::{ClapHost, Flow, HostError};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::stream::{clap_istream, clap_ostream};
use std::ffi::c_void;

/// What a stream is about.
struct Passage {
    bytes: Vec<u8>,
    n_read: usize,
    flow: Flow,
}

impl ClapHost {
    /// The plugin's state, as far as it passes.
    pub(super) fn state_through(&mut self, flow: Flow) -> Result<Vec<u8>, HostError> {
        let mut passage = Passage { bytes: Vec::new(), n_read: 0, flow };
        let stream = clap_ostream { ctx: (&raw mut passage).cast(), write: Some(write) };
        let (plugin, state) = (self.raw(), self.state_extension()?);
        // SAFETY: plugin and stream live as long as the call.
        let is_saved = unsafe { state.save.is_some_and(|f| f(plugin, &stream)) };
        if is_saved { Ok(passage.bytes) } else { Err(refused("did not save its state")) }
    }

    /// Hands over `state`, as far as it passes.
    pub(super) fn set_state_through(&mut self, state: &[u8], flow: Flow) -> Result<(), HostError> {
        let mut passage = Passage { bytes: state.to_vec(), n_read: 0, flow };
        let stream = clap_istream { ctx: (&raw mut passage).cast(), read: Some(read) };
        let (plugin, extension) = (self.raw(), self.state_extension()?);
        // SAFETY: as above.
        let is_loaded = unsafe { extension.load.is_some_and(|f| f(plugin, &stream)) };
        if is_loaded { Ok(()) } else { Err(refused("did not load a state")) }
    }

    fn state_extension(&mut self) -> Result<clap_plugin_state, HostError> {
        let plugin = self.raw();
        // SAFETY: what has the extension's name is the extension, and lives as long as the plugin.
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
    // SAFETY: the passage lives as long as the stream, and the plugin hands over as much as it says.
    unsafe {
        let passage = &mut *(*stream).ctx.cast::<Passage>();
        let Some(n) = passage.flow.pass(passage.bytes.len(), size as usize) else { return -1 };
        passage.bytes.extend(std::slice::from_raw_parts(buffer.cast::<u8>(), n));
        n as i64
    }
}

unsafe extern "C" fn read(stream: *const clap_istream, buffer: *mut c_void, size: u64) -> i64 {
    // SAFETY: as above; the plugin has room for as much as it asks for.
    unsafe {
        let passage = &mut *(*stream).ctx.cast::<Passage>();
        let Some(n) = passage.flow.pass(passage.n_read, size as usize) else { return -1 };
        let rest = &passage.bytes[passage.n_read..];
        let n = n.min(rest.len());
        buffer.cast::<u8>().copy_from_nonoverlapping(rest.as_ptr(), n);
        passage.n_read += n;
        n as i64
    }
}
