//! Where instruments come from: those that are shipped, and files.

use anyhow::{Context, Result, bail};
use embouchure_inference::encoder::Encoder;
use embouchure_inference::weights::read_file;
use std::borrow::Cow;
use std::path::Path;

/// The encoder that is built in, to which the shipped instruments listen. Allocates.
pub fn encoder() -> Result<Encoder> {
    Encoder::from_bytes(embouchure_weights::ENCODER).context("the encoder of this program")
}

/// Content of the shipped instrument called `wanted`, or else of the file of that name. Allocates.
pub fn load(wanted: &str) -> Result<Cow<'static, [u8]>> {
    if let Some(bytes) = embouchure_weights::instrument(&wanted.to_lowercase()) {
        return Ok(Cow::Borrowed(bytes));
    }
    if !Path::new(wanted).exists() {
        bail!("there is no instrument and no file called {wanted:?}; the instruments are: {}", names());
    }
    Ok(Cow::Owned(read_file(Path::new(wanted))?))
}

/// Names of the shipped instruments, for a message. Allocates.
pub fn names() -> String {
    embouchure_weights::INSTRUMENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
