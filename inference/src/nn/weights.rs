//! Weights files: safetensors with a card in the metadata. Everything is checked here, once, before use.

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, View};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reason why a weights file was refused. Each message says what the user can do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Path of the file.
        path: String,
        /// Error of the system.
        source: std::io::Error,
    },
    /// Not a safetensors file, or a truncated one.
    #[error("not a whole weights file ({0}): it may be truncated or of another kind; copy or download it again")]
    Broken(String),
    /// A safetensors file of another format or version.
    #[error("this is a file of format {actual:?}, and {expected:?} is needed: choose a file made by this version")]
    Format {
        /// Format and version that are needed.
        expected: &'static str,
        /// Format and version in the file; empty without one.
        actual: String,
    },
    /// A safetensors file of another program.
    #[error("this is a file of another program{}: choose one that Embouchure made", named(.actual))]
    Foreign {
        /// Format in the file; empty without one.
        actual: String,
    },
    /// The card cannot be read.
    #[error("the file's card is unreadable ({0}): export it again")]
    Card(String),
    /// A tensor is missing.
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
        /// Shape that the sizes in the card require.
        expected: Vec<usize>,
        /// Shape in the file.
        actual: Vec<usize>,
    },
    /// A tensor is not made of 32-bit floats.
    #[error("the tensor {name:?} holds {actual} where F32 is needed: export the file again")]
    Kind {
        /// Its name.
        name: String,
        /// Type in the file.
        actual: String,
    },
    /// A weight is NaN or infinite.
    #[error("the tensor {name:?} holds a value that is not a finite number: the training failed, use an earlier file")]
    NotFinite {
        /// Its name.
        name: String,
    },
    /// The instrument was trained with another encoder.
    #[error("this instrument was trained with encoder {actual}, and this program has {expected}: train it again")]
    ForeignEncoder {
        /// Encoder in use.
        expected: String,
        /// Encoder named in the file.
        actual: String,
    },
    /// The network library failed to build the network.
    #[error("the network could not be built: {0}")]
    Network(String),
}

/// The values of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of each dimension.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// Tensors by name.
pub type Arrays = BTreeMap<String, Array>;

/// Tensors of one file. Names and shapes are checked when a tensor is taken.
pub struct Weights {
    arrays: Arrays,
}

impl Weights {
    /// Reads the tensors and the card of a file, which must be of `format`. Allocates.
    pub fn from_bytes<C: DeserializeOwned>(bytes: &[u8], format: &'static str) -> Result<(Self, C), LoadError> {
        let card = read_card(bytes, format)?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| LoadError::Broken(e.to_string()))?;
        let mut arrays = Arrays::new();
        for (name, view) in file.tensors() {
            arrays.insert(name.clone(), read_array(&name, &view)?);
        }
        Ok((Self { arrays }, card))
    }

    /// All tensors that are not taken yet.
    pub fn arrays(&self) -> &Arrays {
        &self.arrays
    }

    /// Takes the values of the tensor `name`, row-major. Its shape must be `shape`.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let missing = || LoadError::MissingTensor { name: name.into() };
        let array = self.arrays.remove(name).ok_or_else(missing)?;
        if array.shape != shape {
            return Err(LoadError::Shape { name: name.into(), expected: shape.into(), actual: array.shape });
        }
        Ok(array.values)
    }
}

/// Reads only the card of a file, which must be of `format`. Allocates.
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

fn read_array(name: &str, view: &TensorView) -> Result<Array, LoadError> {
    if view.dtype() != Dtype::F32 {
        return Err(LoadError::Kind { name: name.into(), actual: format!("{:?}", view.dtype()) });
    }
    let (values, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let finite = values.iter().all(|v| v.is_finite());
    if finite {
        Ok(Array { shape: view.shape().into(), values })
    } else {
        Err(LoadError::NotFinite { name: name.into() })
    }
}

impl View for &Array {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        size_of_val(&self.values[..])
    }
}

/// Writes a weights file that [`Weights::from_bytes`] reads.
pub fn to_bytes<C: Serialize>(arrays: &Arrays, card: &C, format: &'static str) -> Result<Vec<u8>, LoadError> {
    let card = serde_json::to_string(card).map_err(|e| LoadError::Card(e.to_string()))?;
    let metadata = HashMap::from([("format".to_string(), format.to_string()), ("card".to_string(), card)]);
    let bytes = safetensors::serialize(arrays, Some(metadata)).map_err(|e| LoadError::Broken(e.to_string()))?;
    with_sorted_header(&bytes).ok_or_else(|| LoadError::Broken("the header was not written".into()))
}

/// The file with sorted keys in its JSON header, so that the same weights give the same bytes and the same content id:
/// the library writes metadata in random order.
fn with_sorted_header(file: &[u8]) -> Option<Vec<u8>> {
    let (len, rest) = file.split_first_chunk::<8>()?;
    let (header, data) = rest.split_at_checked(u64::from_le_bytes(*len) as usize)?;
    let mut header: serde_json::Value = serde_json::from_slice(header).ok()?;
    header.sort_all_objects();
    let mut header = serde_json::to_vec(&header).ok()?;
    // The format requires aligned data and spaces as padding.
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat())
}

/// Content id of a file: the first 16 hexadecimal digits of its SHA-256.
pub fn content_id(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// Prefix of all formats of this program.
const FORMAT_PREFIX: &str = "embouchure-";
/// Largest header and largest file, bytes: a checkpoint of the widest instrument has 30 MB.
const MAX_HEADER: u64 = 16 << 20;
const MAX_FILE: u64 = 1 << 30;

/// Reads a whole file. A file of another program or with an impossible size is refused after its header, because models
/// of other programs have gigabytes.
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
    if header_len > MAX_HEADER {
        return Err(LoadError::Broken("it has no header".into()));
    }
    read(8 + header_len, &mut bytes)?;
    let len = 8 + header_len + data_len(bytes.get(8..).unwrap_or_default())?;
    if len > MAX_FILE || (metadata.is_file() && metadata.len() != len) {
        let actual = metadata.len();
        return Err(LoadError::Broken(format!("it has {actual} bytes where its header tells of {len}")));
    }
    read(len, &mut bytes)?;
    Ok(bytes)
}

/// Bytes of data after `header`, which must have a format of this program.
fn data_len(header: &[u8]) -> Result<u64, LoadError> {
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| LoadError::Broken(e.to_string()))?;
    let format = header.get("__metadata__").and_then(|m| m.get("format")).and_then(|f| f.as_str()).unwrap_or_default();
    if !format.starts_with(FORMAT_PREFIX) {
        return Err(LoadError::Foreign { actual: format.into() });
    }
    let ends = header.values().filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64());
    Ok(ends.max().unwrap_or(0).min(u64::MAX / 2))
}

/// The format in brackets for a message; empty without one.
fn named(format: &str) -> String {
    if format.is_empty() { String::new() } else { format!(" ({format:?})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_weights_give_the_same_bytes() -> Result<(), LoadError> {
        let file = |_| {
            let names = ["b", "a", "c", "e", "d"];
            let array = |n: &str| (n.to_string(), Array { shape: vec![1, 2], values: vec![n.len() as f32, 2.0] });
            to_bytes(&names.into_iter().map(array).collect(), &"a card", "test/1")
        };
        let files = (0..20).map(file).collect::<Result<Vec<_>, _>>()?;
        assert!(files.iter().all(|f| *f == files[0]));
        let (mut weights, card) = Weights::from_bytes::<String>(&files[0], "test/1")?;
        assert_eq!(card, "a card");
        assert_eq!(weights.arrays().len(), 5);
        assert_eq!(weights.take("c", &[1, 2])?, [1.0, 2.0]);
        Ok(())
    }
}
