//! The weights files that Embouchure ships, embedded in the binary. Each has a card beside it (`NAME.md`).

/// The encoder that all instruments were trained with.
pub const ENCODER: &[u8] = include_bytes!("encoder.safetensors");

/// The instrument that plays until another one is chosen.
pub const DEFAULT_INSTRUMENT: &str = "trumpet";

/// Shipped instruments: name and file content.
pub const INSTRUMENTS: &[(&str, &[u8])] = &[("trumpet", include_bytes!("trumpet.safetensors"))];

/// Content of the shipped instrument called `name`.
pub fn instrument(name: &str) -> Option<&'static [u8]> {
    INSTRUMENTS.iter().find(|(n, _)| *n == name).map(|(_, bytes)| *bytes)
}
