//! The font of all diagrams.

use anyhow::{Result, anyhow};
use plotters::style::{FontStyle, register_font};

/// Name of the font.
pub const FONT: &str = "hack";

/// Registers the font with the drawing library. May be called repeatedly.
pub fn register() -> Result<()> {
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::HACK_REGULAR)
        .map_err(|_| anyhow!("the font {FONT} cannot be used"))
}
