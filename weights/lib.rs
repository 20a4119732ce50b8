//! The weights files that Embouchure ships, embedded in the binary. Each has a card beside it (`NAME.md`).
//!
//! ```
//! let (name, bytes) = embouchure_weights::INSTRUMENTS[0];
//! assert_eq!(name, embouchure_weights::DEFAULT_INSTRUMENT);
//! assert_eq!(embouchure_weights::instrument("trumpet"), Some(bytes));
//! assert_eq!(embouchure_weights::instrument("kazoo"), None);
//! ```

pub mod own;

/// The encoder. All instruments were trained with it, or with one that it was improved from and whose z it keeps.
pub const ENCODER: &[u8] = include_bytes!("encoder.safetensors");

/// Name of the instrument that plays until another one is chosen.
pub const DEFAULT_INSTRUMENT: &str = "trumpet";

/// Shipped instruments: name and content of the file, the default first. The order never changes: hosts store indices.
pub const INSTRUMENTS: &[(&str, &[u8])] = &[
    ("trumpet", include_bytes!("trumpet.safetensors")),
    ("french-horn", include_bytes!("french-horn.safetensors")),
    ("trombone", include_bytes!("trombone.safetensors")),
    ("violin", include_bytes!("violin.safetensors")),
    ("viola", include_bytes!("viola.safetensors")),
    ("cello", include_bytes!("cello.safetensors")),
    ("flute", include_bytes!("flute.safetensors")),
    ("alto-flute", include_bytes!("alto-flute.safetensors")),
    ("clarinet", include_bytes!("clarinet.safetensors")),
    ("oboe", include_bytes!("oboe.safetensors")),
    ("bassoon", include_bytes!("bassoon.safetensors")),
    ("alto-saxophone", include_bytes!("alto-saxophone.safetensors")),
    ("tenor-saxophone", include_bytes!("tenor-saxophone.safetensors")),
    ("ah", include_bytes!("ah.safetensors")),
];

/// Content of the shipped instrument called `name`; `None` if there is none.
pub fn instrument(name: &str) -> Option<&'static [u8]> {
    INSTRUMENTS.iter().find(|(n, _)| *n == name).map(|(_, bytes)| *bytes)
}
