//! Host side of the callbacks that a plugin makes.

use std::ffi::c_void;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vst3::Class;
use vst3::Steinberg::Vst::{
    IComponentHandler, IComponentHandlerTrait, IHostApplication, IHostApplicationTrait, ParamID, ParamValue, String128,
};
use vst3::Steinberg::{TUID, int32, kNotImplemented, kResultOk, tresult};

/// Tells the plugin the host's name.
pub(super) struct Application;

impl Class for Application {
    type Interfaces = (IHostApplication,);
}

impl IHostApplicationTrait for Application {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        let mut units = [0; 128];
        units.iter_mut().zip("Embouchure test host".encode_utf16()).for_each(|(unit, c)| *unit = c);
        // SAFETY: the plugin provides memory for a name.
        unsafe { name.write(units) };
        kResultOk
    }

    unsafe fn createInstance(&self, _cid: *mut TUID, _iid: *mut TUID, _obj: *mut *mut c_void) -> tresult {
        kNotImplemented
    }
}

/// Records the plugin's requests.
#[derive(Default)]
pub(super) struct Handler {
    /// Flags of each restart request.
    pub(super) restarts: Mutex<Vec<i32>>,
    /// Number of values that the plugin changed by itself.
    pub(super) n_edits: AtomicUsize,
}

impl Class for Handler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn performEdit(&self, _id: ParamID, _value: ParamValue) -> tresult {
        self.n_edits.fetch_add(1, Ordering::Relaxed);
        kResultOk
    }

    unsafe fn endEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn restartComponent(&self, flags: int32) -> tresult {
        self.restarts.lock().map_or_else(|e| e.into_inner().push(flags), |mut restarts| restarts.push(flags));
        kResultOk
    }
}
