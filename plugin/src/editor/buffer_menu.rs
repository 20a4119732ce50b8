//! The menu for what the latency depends on: the engine, and the longest block that it covers.

use super::area::Area;
use super::theme::{BODY, Canvas, SMALL};
use super::{App, button};
use crate::buffer::BufferChoice;
use crate::engine_choice::EngineChoice;
use crate::shared::Running;
use egui::{Button, Popup, RichText, TextWrapMode, Ui};
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContext;

/// Draws a button in `area` with the present choice on it, and its menu: the engine, each with its latency, and the
/// block for the worker. It is disabled in the app, where the audio page sets the block.
pub fn show(app: &App, ui: &mut Ui, canvas: &Canvas, area: Area, host: &GuiContext) {
    let session = app.wiring.params.session.get();
    let (chosen, engine) = (session.buffer, session.engine);
    let running = app.wiring.shared.running();
    let max_block = running.filter(|running| running.buffer == chosen).map(|running| running.max_block);
    let is_enabled = host.plugin_api() != PluginApi::Standalone;
    let anchor = button::show_small(ui, canvas, area, &label(engine, chosen, max_block), is_enabled);
    let row = |ui: &mut Ui, text: String, is_chosen: bool| {
        let text = RichText::new(text).font(canvas.font(if is_chosen { BODY } else { SMALL }));
        ui.add(Button::selectable(is_chosen, text).wrap_mode(TextWrapMode::Extend)).clicked()
    };
    Popup::menu(&anchor).show(|ui| {
        for choice in EngineChoice::ALL {
            if row(ui, engine_text(*choice, running), *choice == engine) {
                app.choose_engine(host, *choice);
            }
        }
        if engine == EngineChoice::Worker {
            ui.separator();
            for choice in BufferChoice::ALL {
                if row(ui, format!("Buffer: {}", choice.label()), choice == chosen) {
                    app.choose_buffer(host, choice);
                }
            }
        }
    });
}

/// The engine and the latency that it gives; for an engine that does not run, with the block of the running one.
fn engine_text(choice: EngineChoice, running: Option<Running>) -> String {
    let Some(running) = running else { return format!("Engine: {}", choice.label()) };
    let host_rate = f64::from(running.host_rate);
    let n = match choice == running.engine {
        true => running.latency_samples as usize,
        false => choice.latency_samples(host_rate, running.max_block as usize),
    };
    format!("Engine: {}, {:.1} ms", choice.label(), 1000.0 * n as f64 / host_rate)
}

/// The choice. For the worker that is the longest block, and what it results in, if that differs.
fn label(engine: EngineChoice, chosen: BufferChoice, max_block: Option<u32>) -> String {
    match (engine, max_block) {
        (EngineChoice::Direct, _) => "Engine: Direct".into(),
        (_, Some(max_block)) if chosen != BufferChoice::Samples(max_block) => {
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
        assert_eq!(label(EngineChoice::Worker, BufferChoice::Auto, Some(64)), "Buffer: auto (64)");
        assert_eq!(label(EngineChoice::Worker, BufferChoice::Samples(64), Some(64)), "Buffer: 64");
        assert_eq!(label(EngineChoice::Worker, BufferChoice::Samples(2048), Some(512)), "Buffer: 2048 (512)");
        assert_eq!(label(EngineChoice::Worker, BufferChoice::Host, None), "Buffer: host maximum");
    }

    #[test]
    fn each_engine_says_its_latency() {
        assert_eq!(label(EngineChoice::Direct, BufferChoice::Auto, Some(64)), "Engine: Direct");
        let running = Running {
            is_offline: false,
            host_rate: 48_000.0,
            latency_samples: 898,
            buffer: BufferChoice::Auto,
            engine: EngineChoice::Worker,
            max_block: 512,
        };
        let texts = [EngineChoice::Worker, EngineChoice::Direct].map(|choice| engine_text(choice, Some(running)));
        assert_eq!(texts, ["Engine: Worker, 18.7 ms", "Engine: Direct, 4.8 ms"]);
        assert_eq!(engine_text(EngineChoice::Direct, None), "Engine: Direct");
    }
}
