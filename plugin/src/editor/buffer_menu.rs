//! The menu for the longest block that the latency covers.

use super::area::Area;
use super::theme::{BODY, Canvas, SMALL};
use super::{App, button};
use crate::buffer::BufferChoice;
use egui::{Button, Popup, RichText, TextWrapMode, Ui};
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContext;

/// Draws a button in `area` with the present choice on it, and its menu. It is disabled in the app, where the audio
/// page sets the block.
pub fn show(app: &App, ui: &mut Ui, canvas: &Canvas, area: Area, host: &GuiContext) {
    let chosen = app.wiring.params.session.get().buffer;
    let max_block =
        app.wiring.shared.running().filter(|running| running.buffer == chosen).map(|running| running.max_block);
    let is_enabled = host.plugin_api() != PluginApi::Standalone;
    let anchor = button::show_small(ui, canvas, area, &label(chosen, max_block), is_enabled);
    Popup::menu(&anchor).show(|ui| {
        for choice in BufferChoice::ALL {
            let label = RichText::new(choice.label()).font(canvas.font(if choice == chosen { BODY } else { SMALL }));
            if ui.add(Button::selectable(choice == chosen, label).wrap_mode(TextWrapMode::Extend)).clicked() {
                app.choose_buffer(host, choice);
            }
        }
    });
}

/// The choice, and the longest block that it results in, if that differs.
fn label(chosen: BufferChoice, max_block: Option<u32>) -> String {
    match max_block {
        Some(max_block) if chosen != BufferChoice::Samples(max_block) => {
            format!("Buffer: {} ({max_block})", chosen.label())
        }
        _ => format!("Buffer: {}", chosen.label()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_shows_the_longest_block_in_use() {
        assert_eq!(label(BufferChoice::Auto, Some(64)), "Buffer: auto (64)");
        assert_eq!(label(BufferChoice::Samples(64), Some(64)), "Buffer: 64");
        assert_eq!(label(BufferChoice::Samples(2048), Some(512)), "Buffer: 2048 (512)");
        assert_eq!(label(BufferChoice::Host, None), "Buffer: host maximum");
    }
}
