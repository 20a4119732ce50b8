//! Both networks with kernels for the CPU, which give the same bits on every processor. A stream owns all its buffers,
//! so a hop allocates and frees nothing.

pub(super) mod activation;
pub(super) mod affine;
pub(super) mod conv;
mod decoder;
mod encoder;
pub(super) mod gru;
pub(super) mod integer;

pub use decoder::Decoder;
pub use encoder::Encoder;
