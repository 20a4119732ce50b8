//! Conversion between candle's tensors and the arrays of weights files.

use candle_core::{Device, Result, Tensor};
use embouchure_inference::nn::weights::{Array, Arrays};
use std::collections::HashMap;

/// The tensors as arrays of a weights file, by the same names.
pub fn arrays(tensors: &HashMap<String, Tensor>) -> Result<Arrays> {
    let array = |(name, tensor): (&String, &Tensor)| {
        Ok((name.clone(), Array { shape: tensor.dims().into(), values: tensor.flatten_all()?.to_vec1()? }))
    };
    tensors.iter().map(array).collect()
}

/// The arrays of a weights file as tensors in main memory, by the same names.
pub fn tensors(arrays: &Arrays) -> Result<HashMap<String, Tensor>> {
    let tensor = |(name, array): (&String, &Array)| {
        Ok((name.clone(), Tensor::from_slice(&array.values, array.shape.as_slice(), &Device::Cpu)?))
    };
    arrays.iter().map(tensor).collect()
}
