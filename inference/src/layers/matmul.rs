//! Matrix products on one thread.
//!
//! candle's own matmul asks the system for the number of processors at every call, which on Linux reads /proc/cpuinfo:
//! half of the worker's time went there. It also spreads large products over threads, which a plugin must not do.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

/// `x · weight_t + bias`. `x`: `[rows, in]`, contiguous; `weight_t`: `[in, out]`; `bias`: `[out]`.
pub fn affine(x: &Tensor, weight_t: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.apply_op3_no_bwd(weight_t, bias, &Affine)
    } else {
        x.matmul(weight_t)?.broadcast_add(bias)
    }
}

struct Affine;

impl CustomOp3 for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, n_in) = x_layout.shape().dims2()?;
        let bias = slice(b, b_layout)?;
        let n_out = bias.len();
        let mut out = bias.repeat(rows);
        let (x, w) = (Matrix::rows(slice(x, x_layout)?, n_in), Matrix::rows(slice(w, w_layout)?, n_out));
        matmul((rows, n_out, n_in), &mut out, true, x, w);
        Ok((CpuStorage::F32(out), (rows, n_out).into()))
    }
}

/// The values of a contiguous argument of a custom operation.
pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("argument must be contiguous"),
    }
}

/// Row-major matrix with a transposition flag, for [`matmul`].
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// Row-major, or column-major if transposed.
    pub values: &'a [f32],
    /// Distance between rows and between columns, in values.
    pub strides: (usize, usize),
}

impl<'a> Matrix<'a> {
    /// Rows of `n_columns` values.
    pub fn rows(values: &'a [f32], n_columns: usize) -> Self {
        Self { values, strides: (n_columns, 1) }
    }

    /// Rows and columns exchanged, without moving a value.
    pub fn transposed(self) -> Self {
        Self { strides: (self.strides.1, self.strides.0), ..self }
    }
}

/// `out = a · b` (added to `out` if `accumulate`), with `a` `[m, k]`, `b` `[k, n]`, `out` `[m, n]` row-major.
pub fn matmul((m, n, k): (usize, usize, usize), out: &mut [f32], accumulate: bool, a: Matrix, b: Matrix) {
    assert!(out.len() >= m * n);
    assert!(m == 0 || k == 0 || a.values.len() > (m - 1) * a.strides.0 + (k - 1) * a.strides.1);
    assert!(n == 0 || k == 0 || b.values.len() > (k - 1) * b.strides.0 + (n - 1) * b.strides.1);
    // SAFETY: the asserts above keep every index inside the three slices.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.values.as_ptr(),
            a.strides.1 as isize,
            a.strides.0 as isize,
            b.values.as_ptr(),
            b.strides.1 as isize,
            b.strides.0 as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    #[test]
    fn affine_equals_the_plain_operations() -> Result<()> {
        let x = Tensor::arange(0f32, 21.0, &Device::Cpu)?.reshape((3, 7))?;
        let w = (Tensor::arange(0f32, 35.0, &Device::Cpu)?.reshape((7, 5))? * 0.1)?;
        let b = Tensor::arange(0f32, 5.0, &Device::Cpu)?;
        let plain = x.matmul(&w)?.broadcast_add(&b)?;
        let worst = (affine(&x, &w, &b)? - plain)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(worst < 1e-4, "{worst}");
        Ok(())
    }
}
