//! Reading instruments: each shipped one and the encoder once per process. Blocks and allocates.

use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::weights::{LoadError, read_file};
use embouchure_inference::play::instrument::Instrument;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Reads and checks an instrument file.
pub fn load_file(path: &Path) -> Result<Arc<Instrument>, String> {
    let encoder = encoder()?;
    // The name is enough where there is a file, and leaves room for the reason.
    let name = path.file_name().unwrap_or(path.as_os_str()).display();
    let bytes = read_file(path).map_err(|e| match e {
        LoadError::Io { .. } => e.to_string(),
        e => format!("{name}: {e}"),
    })?;
    let instrument = Instrument::from_bytes(&bytes, &encoder).map_err(|e| format!("{name}: {e}"))?;
    Ok(Arc::new(instrument))
}

/// A shipped instrument, read once per process.
pub fn built_in(name: &str) -> Result<Arc<Instrument>, String> {
    static LOADED: Mutex<BTreeMap<String, Arc<Instrument>>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock();
    if let Some(instrument) = loaded.get(name) {
        return Ok(instrument.clone());
    }
    let bytes = embouchure_weights::instrument(name)
        .ok_or_else(|| format!("this version has no instrument called {name:?}: choose another one"))?;
    let instrument = Instrument::from_bytes(bytes, &*encoder()?)
        .map(Arc::new)
        .map_err(|e| format!("the shipped instrument {name:?} cannot be used: {e}"))?;
    loaded.insert(name.into(), instrument.clone());
    Ok(instrument)
}

/// The encoder, read once per process.
pub fn encoder() -> Result<Arc<Encoder>, String> {
    static LOADED: OnceLock<Result<Arc<Encoder>, String>> = OnceLock::new();
    LOADED
        .get_or_init(|| {
            let encoder = Encoder::from_bytes(embouchure_weights::ENCODER);
            encoder.map(Arc::new).map_err(|e| format!("the shipped encoder cannot be used: {e}"))
        })
        .clone()
}
