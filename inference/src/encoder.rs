//! stub
/// Immutable encoder weights.
pub struct Encoder {
    /// Content id of the file.
    pub id: String,
}
impl Encoder {
    /// Reads an encoder file. Allocates.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::weights::LoadError> {
        Ok(Self { id: crate::weights::content_id(bytes) })
    }
}
