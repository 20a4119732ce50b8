//! Matrix products on one thread.
//!
//! candle's own matmul asks the system for the number of processors at every call, which on Linux reads /proc/cpuinfo.

/// Matrix with strides, for [`matmul`].
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// Values in row-major order, or column-major if transposed.
    pub values: &'a [f32],
    /// Distance between rows and between columns, in values.
    pub strides: (usize, usize),
}

impl<'a> Matrix<'a> {
    /// Rows of `n_columns` values.
    pub fn rows(values: &'a [f32], n_columns: usize) -> Self {
        Self { values, strides: (n_columns, 1) }
    }

    /// The transposed matrix, without moving a value.
    pub fn transposed(self) -> Self {
        Self { strides: (self.strides.1, self.strides.0), ..self }
    }
}

/// `out = a · b`, or `out += a · b` if `accumulate`. `a`: `[m, k]`; `b`: `[k, n]`; `out`: `[m, n]`, row-major. Panics
/// if a slice is too short.
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
