//! Weights in memory. Reading them blocks and allocates.

use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::weights::{LoadError, read_file};
use embouchure_inference::play::instrument::Instrument;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The encoder and the shipped instruments. Each is read at its first use, and then kept.
#[derive(Default)]
pub struct Loaded {
    encoder: OnceLock<Result<Arc<Encoder>, String>>,
    /// Shipped instruments by their keys in `embouchure_weights::INSTRUMENTS`.
    built_in: Mutex<BTreeMap<String, Arc<Instrument>>>,
}

impl Loaded {
    /// The encoder that all instruments use.
    pub fn encoder(&self) -> Result<Arc<Encoder>, String> {
        let read = || {
            let encoder = Encoder::from_bytes(embouchure_weights::ENCODER);
            encoder.map(Arc::new).map_err(|e| format!("the shipped encoder cannot be used: {e}"))
        };
        self.encoder.get_or_init(read).clone()
    }

    /// A shipped instrument.
    pub fn built_in(&self, name: &str) -> Result<Arc<Instrument>, String> {
        let mut built_in = self.built_in.lock();
        if let Some(instrument) = built_in.get(name) {
            return Ok(instrument.clone());
        }
        let bytes = embouchure_weights::instrument(name)
            .ok_or_else(|| format!("this version has no instrument called {name:?}: choose another one"))?;
        let instrument = Instrument::from_bytes(bytes, &*self.encoder()?)
            .map(Arc::new)
            .map_err(|e| format!("the shipped instrument {name:?} cannot be used: {e}"))?;
        built_in.insert(name.into(), instrument.clone());
        Ok(instrument)
    }

    /// Reads and checks an instrument file. Files are not kept, because they may change.
    pub fn file(&self, path: &Path) -> Result<Arc<Instrument>, String> {
        let encoder = self.encoder()?;
        // The file's name suffices if it exists, and leaves space for the reason.
        let name = path.file_name().unwrap_or(path.as_os_str()).display();
        let bytes = read_file(path).map_err(|e| match e {
            LoadError::Io { .. } => e.to_string(),
            e => format!("{name}: {e}"),
        })?;
        let instrument = Instrument::from_bytes(&bytes, &encoder).map_err(|e| format!("{name}: {e}"))?;
        Ok(Arc::new(instrument))
    }
}
