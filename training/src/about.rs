//! Facts for the card of a weights file, and the result of its training.

/// Facts about a weights file that the user of the training gives. They are written into its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Name of the network; for an instrument, the name that the player sees.
    pub name: String,
    /// Licence of the weights, as the recordings allow.
    pub licence: String,
    /// Author of the weights.
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
    /// Loss on the card of the weights file: the lowest held-out loss, or the mean of the last steps.
    pub loss: f32,
}
