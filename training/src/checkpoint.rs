//! Saves a running training, and resumes it.

use crate::arrays::{arrays, tensors};
use crate::optimizer::Optimizer;
use crate::params::Params;
use anyhow::{Context, Result};
use candle_core::Tensor;
use embouchure_inference::nn::weights::{Weights, read_file, to_bytes};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

const FORMAT: &str = "embouchure-checkpoint/1";

/// Progress of a training.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// Steps taken.
    pub step: usize,
    /// Mean loss of the steps between the last two reports.
    pub loss: f32,
    /// Lowest held-out loss, and its step.
    #[serde(default)]
    pub best: Option<(f32, usize)>,
}

/// Parameters with the lowest held-out loss, by name; empty until there is one.
pub type Best = HashMap<String, Tensor>;

/// Prefix of the names of [`Best`] in the file.
const BEST: &str = "best.";

/// Writes parameters, the best so far, moments and position. If the program is killed meanwhile, the old file stays
/// whole.
pub fn save(path: &Path, params: &Params, best: &Best, optimizer: &Optimizer, position: Position) -> Result<()> {
    let mut tensors = params.tensors("\0")?;
    tensors.extend(optimizer.tensors()?);
    tensors.extend(best.iter().map(|(name, tensor)| (format!("{BEST}{name}"), tensor.clone())));
    write_atomically(path, &to_bytes(&arrays(&tensors)?, &position, FORMAT)?)
}

/// Restores the checkpoint at `path`. Starts at step 0 if there is none. Errors if it belongs to another network.
pub fn resume(path: &Path, params: &Params, best: &mut Best, optimizer: &mut Optimizer) -> Result<Position> {
    if !path.exists() {
        return Ok(Position::default());
    }
    let (weights, position) = read_file(path)
        .and_then(|bytes| Weights::from_bytes::<Position>(&bytes, FORMAT))
        .with_context(|| format!("cannot resume {}; delete it to start anew", path.display()))?;
    let tensors = tensors(weights.arrays())?;
    params.restore(&tensors)?;
    best.extend(tensors.iter().filter_map(|(name, t)| Some((name.strip_prefix(BEST)?.to_string(), t.clone()))));
    optimizer.restore(params, &tensors, position.step)?;
    Ok(position)
}

/// Writes a file beside `path`, then renames it, so that `path` is never half written. Makes the folder.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let beside = path.with_extension("part");
    std::fs::write(&beside, bytes).with_context(|| format!("cannot write {}", beside.display()))?;
    std::fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}
