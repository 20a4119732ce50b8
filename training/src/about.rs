//! What is known of a weights file before it is trained, and what came of it.

/// What whoever trains says of the file. It is written into its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Name of what is trained; of an instrument, what the player sees.
    pub name: String,
    /// Licence of the weights, as the recordings allow.
    pub licence: String,
    /// Who trains them.
    pub author: String,
    /// The recordings, with the attribution that their licences ask for.
    pub trained_on: String,
    /// Day of the training, YYYY-MM-DD.
    pub date: String,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trained {
    /// Steps taken, those before a resume included.
    pub steps: usize,
    /// As the card of the weights file says.
    pub loss: f32,
}
