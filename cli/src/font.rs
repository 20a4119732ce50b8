//! The font of all pictures.

use anyhow::{Result, anyhow};
use plotters::style::{FontStyle, register_font};

/// Its name.
pub const FONT: &str = "hack";

/// Makes it known to the drawing library; any number of times.
pub fn register() -> Result<()> {
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::HACK_REGULAR)
        .map_err(|_| anyhow!("the font {FONT} cannot be used"))
}
