//! Weights files: safetensors with a card in the metadata. Everything is checked here, once, before use.

use crate::nn::device;
use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
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
    /// A safetensors file of another program.
    #[error("this is a file of another program{}: choose one that Embouchure made", named(.actual))]
    Foreign {
        /// What the file says that it is, empty if nothing.
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

/// Beginning of all formats of ours.
const OURS: &str = "embouchure-";
/// Bytes of a header, and of a file, at most: a checkpoint of the widest instrument has 30 MB.
const MOST_HEADER: u64 = 16 << 20;
const MOST: u64 = 1 << 30;

/// Reads a whole file, if its header says that it is one of ours, and of a size that can be. What is not is refused
/// before it is read: models of other programs have gigabytes.
pub fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let io = |source| LoadError::Io { path: path.display().to_string(), source };
    let mut file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let mut bytes = Vec::new();
    let mut read = |up_to: u64, bytes: &mut Vec<u8>| -> Result<(), LoadError> {
        let missing = up_to.saturating_sub(bytes.len() as u64);
        file.by_ref().take(missing).read_to_end(bytes).map_err(io)?;
        Ok(())
    };
    read(8, &mut bytes)?;
    let header_len = bytes.first_chunk().map_or(0, |len| u64::from_le_bytes(*len));
    if header_len > MOST_HEADER {
        return Err(LoadError::Broken("it has no header".into()));
    }
    read(8 + header_len, &mut bytes)?;
    let len = 8 + header_len + data_len(bytes.get(8..).unwrap_or_default())?;
    if len > MOST || (metadata.is_file() && metadata.len() != len) {
        let actual = metadata.len();
        return Err(LoadError::Broken(format!("it has {actual} bytes where its header tells of {len}")));
    }
    read(len, &mut bytes)?;
    Ok(bytes)
}

/// Bytes behind a header that is one of ours.
fn data_len(header: &[u8]) -> Result<u64, LoadError> {
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| LoadError::Broken(e.to_string()))?;
    let format = header.get("__metadata__").and_then(|m| m.get("format")).and_then(|f| f.as_str()).unwrap_or_default();
    if !format.starts_with(OURS) {
        return Err(LoadError::Foreign { actual: format.into() });
    }
    let ends = header.values().filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64());
    Ok(ends.max().unwrap_or(0).min(u64::MAX / 2))
}

/// For a message.
fn named(format: &str) -> String {
    if format.is_empty() { String::new() } else { format!(" ({format:?})") }
}

#[cfg(test)]
mod tests {
    use super::*;

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
