//! Learns the encoder and the instruments.

pub mod about;
pub mod analysis;
mod arrays;
pub mod checkpoint;
pub mod corpus;
mod device;
pub mod encoder;
pub mod evaluation;
pub mod instrument;
mod mel;
pub mod ops;
pub mod optimizer;
pub mod params;
pub mod progress;
pub mod random;
pub mod recordings;
pub mod run;

pub use device::DeviceKind;
