//! The shared library in a VST3 bundle, and its classes.

use super::{accepted, text};
use crate::HostError;
use libloading::{Library, Symbol};
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use vst3::ComPtr;
use vst3::Steinberg::{IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactoryTrait, PClassInfo2, TUID};

/// A class as its factory describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vst3Class {
    /// Unique identifier.
    pub id: TUID,
    /// Category; `Audio Module Class` for effects.
    pub category: String,
    /// Name shown to the user.
    pub name: String,
    /// Version, as in the plugin's Cargo.toml.
    pub version: String,
    /// Subcategories separated by `|`, such as `Fx|Pitch Shift`.
    pub subcategories: String,
}

/// The classes of the bundle at `path`.
pub fn vst3_classes(path: &Path) -> Result<Vec<Vst3Class>, HostError> {
    Module::load(path)?.classes()
}

/// A loaded library. As in hosts, all instances share it, and the last one unloads it.
pub(super) struct Module {
    path: PathBuf,
    /// `Some` until the drop, which releases it before the library.
    factory: Option<ComPtr<IPluginFactory2>>,
    library: Library,
}

static LOADED: Mutex<Vec<Weak<Module>>> = Mutex::new(Vec::new());

impl Module {
    pub(super) fn load(bundle: &Path) -> Result<Arc<Self>, HostError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.iter().filter_map(Weak::upgrade).find(|module| module.path == bundle) {
            return Ok(module);
        }
        let module = Arc::new(Self::open(bundle)?);
        loaded.retain(|module| module.strong_count() > 0);
        loaded.push(Arc::downgrade(&module));
        Ok(module)
    }

    fn open(bundle: &Path) -> Result<Self, HostError> {
        let failed = |reason: String| HostError::Load { path: bundle.display().to_string(), reason };
        // SAFETY: loading runs the file's initialisers. We load only our own plugin.
        let library = unsafe { Library::new(binary(bundle)) }.map_err(|e| failed(e.to_string()))?;
        // SAFETY: the signatures are VST3's.
        let factory = unsafe {
            if !call_if_there(&library, ENTRY) {
                return Err(failed(format!("{} says no", String::from_utf8_lossy(ENTRY))));
            }
            let get: Symbol<unsafe extern "system" fn() -> *mut c_void> =
                library.get(b"GetPluginFactory\0").map_err(|e| failed(e.to_string()))?;
            ComPtr::from_raw(get().cast::<IPluginFactory>())
        };
        let factory = factory.and_then(|factory| factory.cast()).ok_or_else(|| failed("it has no factory".into()))?;
        Ok(Self { path: bundle.into(), factory: Some(factory), library })
    }

    fn factory(&self) -> &ComPtr<IPluginFactory2> {
        self.factory.as_ref().expect("only drop takes it")
    }

    pub(super) fn classes(&self) -> Result<Vec<Vst3Class>, HostError> {
        let factory = self.factory();
        // SAFETY: the factory fills the structure.
        let info = |index| unsafe {
            let mut info: PClassInfo2 = std::mem::zeroed();
            accepted(factory.getClassInfo2(index, &mut info), "does not describe a class")?;
            Ok(info)
        };
        let class = |info: PClassInfo2| Vst3Class {
            id: info.cid,
            category: chars(&info.category),
            name: chars(&info.name),
            version: chars(&info.version),
            subcategories: chars(&info.subCategories),
        };
        // SAFETY: no pointers.
        (0..unsafe { factory.countClasses() }).map(|index| info(index).map(class)).collect()
    }

    /// Creates an object of the class `id` and returns its interface `I`.
    pub(super) fn instance<I: vst3::Interface>(&self, id: &TUID) -> Result<ComPtr<I>, HostError> {
        let mut object = std::ptr::null_mut();
        // SAFETY: both identifiers are 16 bytes; the object has the requested interface.
        unsafe {
            let result = self.factory().createInstance(id.as_ptr().cast(), I::IID.as_ptr().cast(), &mut object);
            accepted(result, "is not made")?;
            ComPtr::from_raw(object.cast::<I>()).ok_or(HostError::Missing("object".into()))
        }
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.factory = None;
        // SAFETY: the signature is VST3's; nothing of the library is in use any more.
        unsafe { call_if_there(&self.library, EXIT) };
    }
}

#[cfg(target_os = "linux")]
const ENTRY: &[u8] = b"ModuleEntry\0";
#[cfg(target_os = "linux")]
const EXIT: &[u8] = b"ModuleExit\0";
#[cfg(target_os = "macos")]
const ENTRY: &[u8] = b"bundleEntry\0";
#[cfg(target_os = "macos")]
const EXIT: &[u8] = b"bundleExit\0";
#[cfg(windows)]
const ENTRY: &[u8] = b"InitDll\0";
#[cfg(windows)]
const EXIT: &[u8] = b"ExitDll\0";

/// Calls the library's entry or exit function. Only Windows libraries may lack them. The argument, which only the
/// entries on Linux and macOS have, is a handle to the library; our plugin needs none.
unsafe fn call_if_there(library: &Library, name: &[u8]) -> bool {
    type Function = unsafe extern "C" fn(*mut c_void) -> bool;
    // SAFETY: the caller guarantees the function's signature.
    unsafe { library.get::<Function>(name).map_or(cfg!(windows), |f| f(std::ptr::null_mut())) }
}

/// Path of the library in the bundle.
fn binary(bundle: &Path) -> PathBuf {
    let name = bundle.file_stem().unwrap_or_default();
    let contents = bundle.join("Contents");
    if cfg!(target_os = "macos") {
        contents.join("MacOS").join(name)
    } else {
        let (system, extension) = if cfg!(windows) { ("win", "vst3") } else { ("linux", "so") };
        let folder = format!("{}-{system}", std::env::consts::ARCH);
        contents.join(folder).join(name).with_extension(extension)
    }
}

fn chars(units: &[vst3::Steinberg::char8]) -> String {
    text(units.iter().map(|&unit| u16::from(unit as u8)))
}
