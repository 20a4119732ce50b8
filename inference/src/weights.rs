//! Weights files: safetensors with a card in the metadata. Everything is checked here, once, before use.

use crate::layers::device;
use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// Why a weights file was refused. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// What was asked for.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not safetensors, or cut off.
    #[error("not a whole weights file ({0}): it may be truncated or of another kind; copy or download it again")]
    Broken(String),
    /// A safetensors file, but not of ours or of another version.
    #[error("this is a file of format {actual:?}, and {expected:?} is needed: choose a file made by this version")]
    Format {
        /// Format and version that were asked for.
        expected: &'static str,
        /// What the file says, empty if nothing.
        actual: String,
    },
    /// The card cannot be read.
    #[error("the file's card is unreadable ({0}): export it again")]
    Card(String),
    /// A tensor is not there.
    #[error("the tensor {name:?} is missing: export the file again")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor has the wrong size.
    #[error("the tensor {name:?} has shape {actual:?} where {expected:?} is needed: it belongs to another model")]
    Shape {
        /// Its name.
        name: String,
        /// What the card's sizes ask for.
        expected: Vec<usize>,
        /// What the file has.
        actual: Vec<usize>,
    },
    /// A tensor is not made of 32-bit floats.
    #[error("the tensor {name:?} holds {actual} where F32 is needed: export the file again")]
    Kind {
        /// Its name.
        name: String,
        /// What the file has.
        actual: String,
    },
    /// A weight is NaN or infinite.
    #[error("the tensor {name:?} holds a value that is not a finite number: the training failed, use an earlier file")]
    NotFinite {
        /// Its name.
        name: String,
    },
    /// The instrument listens to another encoder.
    #[error("this instrument was trained with encoder {actual}, and this program has {expected}: train it again")]
    ForeignEncoder {
        /// Encoder in use.
        expected: String,
        /// Encoder named in the file.
        actual: String,
    },
    /// The network library refused.
    #[error("the network could not be built: {0}")]
    Network(#[from] candle_core::Error),
}

/// Tensors and card of one file; names and shapes are checked as they are taken.
pub struct Weights {
    tensors: HashMap<String, Tensor>,
}

impl Weights {
    /// Reads a file that must be of `format`, and its card. Allocates.
    pub fn from_bytes<C: DeserializeOwned>(bytes: &[u8], format: &'static str) -> Result<(Self, C), LoadError> {
        let card = read_card(bytes, format)?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| LoadError::Broken(e.to_string()))?;
        let mut tensors = HashMap::new();
        for (name, view) in file.tensors() {
            tensors.insert(name.clone(), read_tensor(&name, &view)?);
        }
        Ok((Self { tensors }, card))
    }

    /// All tensors not yet taken.
    pub fn tensors(&self) -> &HashMap<String, Tensor> {
        &self.tensors
    }

    /// Takes the tensor `name`, which must have this shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let missing = || LoadError::MissingTensor { name: name.into() };
        let tensor = self.tensors.remove(name).ok_or_else(missing)?;
        if tensor.dims() != shape {
            return Err(LoadError::Shape { name: name.into(), expected: shape.into(), actual: tensor.dims().into() });
        }
        Ok(tensor)
    }
}

/// The card of a file that must be of `format`, without its tensors. Allocates.
pub fn read_card<C: DeserializeOwned>(bytes: &[u8], format: &'static str) -> Result<C, LoadError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| LoadError::Broken(e.to_string()))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let actual = metadata.get("format").cloned().unwrap_or_default();
    if actual != format {
        return Err(LoadError::Format { expected: format, actual });
    }
    let card = metadata.get("card").map(String::as_str).unwrap_or_default();
    serde_json::from_str(card).map_err(|e| LoadError::Card(e.to_string()))
}

fn read_tensor(name: &str, view: &safetensors::tensor::TensorView) -> Result<Tensor, LoadError> {
    if view.dtype() != safetensors::Dtype::F32 {
        return Err(LoadError::Kind { name: name.into(), actual: format!("{:?}", view.dtype()) });
    }
    let tensor = Tensor::from_raw_buffer(view.data(), DType::F32, view.shape(), &Device::Cpu)?;
    let finite = tensor.flatten_all()?.to_vec1::<f32>()?.iter().all(|v| v.is_finite());
    if finite { Ok(tensor.to_device(device())?) } else { Err(LoadError::NotFinite { name: name.into() }) }
}

/// Writes a weights file that [`Weights::from_bytes`] reads.
pub fn to_bytes<C: Serialize>(
    tensors: &HashMap<String, Tensor>,
    card: &C,
    format: &'static str,
) -> Result<Vec<u8>, LoadError> {
    let card = serde_json::to_string(card).map_err(|e| LoadError::Card(e.to_string()))?;
    let metadata = HashMap::from([("format".to_string(), format.to_string()), ("card".to_string(), card)]);
    let sorted: std::collections::BTreeMap<_, _> = tensors.iter().collect();
    let bytes = safetensors::serialize(sorted, Some(metadata)).map_err(|e| LoadError::Broken(e.to_string()))?;
    with_sorted_header(&bytes).ok_or_else(|| LoadError::Broken("the header was not written".into()))
}

/// The file with the keys of its JSON header in order, so that the same weights give the same bytes and so the same
/// content id; the library writes metadata in random order.
fn with_sorted_header(file: &[u8]) -> Option<Vec<u8>> {
    let (len, rest) = file.split_first_chunk::<8>()?;
    let (header, data) = rest.split_at_checked(u64::from_le_bytes(*len) as usize)?;
    let mut header: serde_json::Value = serde_json::from_slice(header).ok()?;
    header.sort_all_objects();
    let mut header = serde_json::to_vec(&header).ok()?;
    // The format wants the data aligned, and spaces in between.
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat())
}

/// Content hash that names a file: the first 16 hexadecimal digits of its SHA-256.
pub fn content_id(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// Beginning of the formats of all our files.
const OURS: &str = "embouchure-";
/// Far more than any of our files has: what claims more is damaged, or somebody else's.
const MAX_HEADER_LEN: u64 = 4 << 20;
const MAX_FILE_LEN: u64 = 256 << 20;

/// Reads a whole file. One that is not ours is refused by its header, before the rest of it is read, however long.
pub fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let io = |source| LoadError::Io { path: path.display().to_string(), source };
    let mut file = std::fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    (&mut file).take(8).read_to_end(&mut bytes).map_err(io)?;
    let Some(header_len) = bytes.first_chunk::<8>().map(|len| u64::from_le_bytes(*len)) else { return Ok(bytes) };
    if header_len > MAX_HEADER_LEN {
        return Err(LoadError::Broken(format!("its header claims {header_len} bytes")));
    }
    (&mut file).take(header_len).read_to_end(&mut bytes).map_err(io)?;
    check_is_ours(&bytes[8..])?;
    let room = MAX_FILE_LEN - bytes.len() as u64;
    if file.take(room + 1).read_to_end(&mut bytes).map_err(io)? as u64 > room {
        return Err(LoadError::Broken(format!("it is longer than {} MiB", MAX_FILE_LEN >> 20)));
    }
    Ok(bytes)
}

/// Refuses what says that it is something else. A header that cannot be read is left to whoever checks the whole file.
fn check_is_ours(header: &[u8]) -> Result<(), LoadError> {
    let Ok(header) = serde_json::from_slice::<serde_json::Value>(header) else { return Ok(()) };
    let actual = header["__metadata__"]["format"].as_str().unwrap_or_default();
    if actual.starts_with(OURS) { Ok(()) } else { Err(LoadError::Format { expected: OURS, actual: actual.into() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_file_is_refused_by_its_header_however_long() {
        let path = std::env::temp_dir().join(format!("embouchure-foreign-{}", std::process::id()));
        let read = |header: &str, len: u64| {
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend(header.as_bytes());
            std::fs::write(&path, &bytes).unwrap();
            // Sparse: it takes no room on the disk, and would take all memory.
            std::fs::File::options().write(true).open(&path).unwrap().set_len(len.max(bytes.len() as u64)).unwrap();
            let result = read_file(&path);
            std::fs::remove_file(&path).unwrap();
            result
        };
        let foreign = r#"{"__metadata__":{"format":"pt"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        assert!(matches!(read(foreign, 9 << 30), Err(LoadError::Format { actual, .. }) if actual == "pt"));
        assert!(matches!(read("{}", 9 << 30), Err(LoadError::Format { actual, .. }) if actual.is_empty()));
        let ours = r#"{"__metadata__":{"format":"embouchure-instrument/1"}}"#;
        assert!(matches!(read(ours, 9 << 30), Err(LoadError::Broken(why)) if why.contains("256 MiB")));
        assert_eq!(read(ours, 100).unwrap().len(), 100);
        std::fs::write(&path, [0xff; 8]).unwrap();
        assert!(matches!(read_file(&path), Err(LoadError::Broken(why)) if why.contains("claims")));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_same_weights_give_the_same_bytes() -> Result<(), LoadError> {
        let tensors = |_| -> Result<Vec<u8>, LoadError> {
            let names = ["b", "a", "c", "e", "d"];
            let tensor = |n: &str| Ok((n.to_string(), Tensor::new(&[n.len() as f32, 2.0], &Device::Cpu)?));
            to_bytes(&names.into_iter().map(tensor).collect::<Result<_, LoadError>>()?, &"a card", "test/1")
        };
        let files = (0..20).map(tensors).collect::<Result<Vec<_>, _>>()?;
        assert!(files.iter().all(|f| *f == files[0]));
        let (mut weights, card) = Weights::from_bytes::<String>(&files[0], "test/1")?;
        assert_eq!(card, "a card");
        assert_eq!(weights.take("c", &[2])?.to_vec1::<f32>()?, [1.0, 2.0]);
        Ok(())
    }
}
