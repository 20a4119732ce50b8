//! Learns the encoder and the instruments.

pub mod analysis;
mod arrays;
pub mod checkpoint;
pub mod corpus;
mod device;
pub mod encoder;
pub mod evaluation;
pub mod instrument;
pub mod ops;
pub mod optimizer;
pub mod params;
pub mod random;
pub mod recordings;
pub mod run;

pub use device::DeviceKind;
