//! Both networks for the CPU: kernels of its own, which come to the same bits on every processor. A stream has all the
//! room it needs, so a hop allocates and frees nothing.

pub(super) mod activation;
pub(super) mod affine;
pub(super) mod conv;
mod decoder;
mod encoder;
pub(super) mod gru;
pub(super) mod integer;

pub use decoder::Decoder;
pub use encoder::Encoder;
