//! The app's audio page: choice of devices, rate and block, input level, test tone, and the state of the sound.

use super::area::Area;
use super::theme::{BODY, Canvas, SMALL};
use super::{App, button};
use crate::audio::{AudioSettings, AudioView, Backend, DeviceChoice, DeviceName, SharedAudio};
use egui::{ComboBox, Grid, Modal, ProgressBar, RichText, ScrollArea, Ui};

/// Draws the button that opens the page.
pub fn button(app: &mut App, ui: &mut Ui, canvas: &Canvas, area: Area) {
    let response = button::show_small(ui, canvas, area, "Audio…", true);
    if response.on_hover_text("Inputs, outputs, sample rate, test tone").clicked() {
        app.is_audio_page = true;
    }
}

/// The message about the sound for the status line.
pub fn message(audio: &SharedAudio) -> Option<String> {
    audio.view().problems.into_iter().next().or_else(|| audio.notice())
}

/// Draws the page while it is open.
pub fn show(app: &mut App, ui: &Ui, canvas: &Canvas) {
    let Some(audio) = app.wiring.audio.clone() else { return };
    audio.set_page_open(app.is_audio_page);
    if !app.is_audio_page {
        return;
    }
    let (before, view) = (audio.wanted(), audio.view());
    let mut wanted = before.clone();
    let level_db = app.input.level_db();
    let modal = Modal::new(ui.scope_id().with("audio page")).show(ui.ctx(), |ui| {
        ui.set_width(canvas.px(560.0));
        ui.set_max_height(canvas.px(520.0));
        ui.label(RichText::new("Audio").font(canvas.font(20.0)));
        ScrollArea::vertical().show(ui, |ui| {
            choices(ui, canvas, &mut wanted, &view);
            level(ui, canvas, level_db);
            report(ui, canvas, &view);
        });
        ui.horizontal(|ui| {
            if ui.add_enabled(view.is_playing, egui::Button::new("Test tone")).clicked() {
                audio.play_tone();
            }
            ui.button("Close").clicked()
        })
        .inner
    });
    if wanted != before {
        audio.set_wanted(wanted);
    }
    if modal.inner || modal.should_close() {
        app.is_audio_page = false;
        audio.set_notice(None);
    }
}

fn choices(ui: &mut Ui, canvas: &Canvas, wanted: &mut AudioSettings, view: &AudioView) {
    Grid::new("audio choices").num_columns(2).spacing([canvas.px(12.0), canvas.px(8.0)]).show(ui, |ui| {
        row(ui, canvas, "Audio system", |ui| {
            let ways = Backend::of_this_system().iter().map(|backend| (*backend, backend.label().to_owned()));
            choose(ui, canvas, "way", &mut wanted.backend, ways.collect());
        });
        row(ui, canvas, "Input", |ui| {
            let list = devices(&view.devices.inputs, &wanted.input, true);
            choose(ui, canvas, "input", &mut wanted.input, list);
        });
        row(ui, canvas, "Channel", |ui| {
            let n = view.n_channels.max(wanted.channel);
            let name = |n: u16| if n == 0 { "First two".to_owned() } else { format!("Only {n}") };
            choose(ui, canvas, "channel", &mut wanted.channel, (0..=n).map(|n| (n, name(n))).collect());
        });
        row(ui, canvas, "Output", |ui| {
            let list = devices(&view.devices.outputs, &wanted.output, false);
            choose(ui, canvas, "output", &mut wanted.output, list);
        });
        row(ui, canvas, "Sample rate", |ui| {
            numbers(ui, canvas, "rate", &mut wanted.rate, &AudioSettings::RATES, "Hz");
        });
        row(ui, canvas, "Block", |ui| {
            numbers(ui, canvas, "block", &mut wanted.block, &AudioSettings::BLOCKS, "samples");
        });
        row(ui, canvas, "Safety", |ui| {
            numbers(ui, canvas, "safety", &mut wanted.safety_ms, &AudioSettings::SAFETIES_MS, "ms");
        });
    });
}

fn row(ui: &mut Ui, canvas: &Canvas, title: &str, show: impl FnOnce(&mut Ui)) {
    ui.label(RichText::new(title).font(canvas.font(BODY)));
    show(ui);
    ui.end_row();
}

fn choose<T: PartialEq>(ui: &mut Ui, canvas: &Canvas, id: &str, wanted: &mut T, list: Vec<(T, String)>) {
    let shown = list.iter().find(|(value, _)| value == wanted).map(|(_, name)| name.clone()).unwrap_or_default();
    ComboBox::from_id_salt(id).width(canvas.px(420.0)).selected_text(shown).truncate().show_ui(ui, |ui| {
        for (value, name) in list {
            if ui.selectable_label(value == *wanted, name).clicked() {
                *wanted = value;
            }
        }
    });
}

fn numbers(ui: &mut Ui, canvas: &Canvas, id: &str, wanted: &mut u32, offered: &[u32], unit: &str) {
    let mut list = offered.to_vec();
    if !list.contains(wanted) {
        list.push(*wanted);
        list.sort();
    }
    choose(ui, canvas, id, wanted, list.into_iter().map(|n| (n, format!("{n} {unit}"))).collect());
}

/// The devices to choose from, and the chosen one even if it is missing now.
fn devices(there: &[DeviceName], chosen: &DeviceChoice, may_be_none: bool) -> Vec<(DeviceChoice, String)> {
    let mut list = vec![(DeviceChoice::System, "System default".to_owned())];
    if may_be_none {
        list.push((DeviceChoice::Nothing, "None".to_owned()));
    }
    list.extend(there.iter().map(|device| (DeviceChoice::Named(device.id.clone()), device.name.clone())));
    if let DeviceChoice::Named(name) = chosen
        && !list.iter().any(|(choice, _)| choice == chosen)
    {
        list.push((chosen.clone(), format!("{name} (as named)")));
    }
    list
}

fn level(ui: &mut Ui, canvas: &Canvas, level_db: f32) {
    let share = ((level_db + 60.0) / 60.0).clamp(0.0, 1.0);
    let text = if level_db <= -60.0 { "no signal".to_owned() } else { format!("{level_db:.0} dB") };
    ui.horizontal(|ui| {
        ui.label(RichText::new("Input level").font(canvas.font(BODY)));
        ui.add(ProgressBar::new(share).desired_width(canvas.px(420.0)).text(text));
    });
}

/// Draws the state of the sound: problems, devices in use, differences from the choice, latency, fault counts.
fn report(ui: &mut Ui, canvas: &Canvas, view: &AudioView) {
    let mut say = |text: &str, is_alarm: bool| {
        let colour = if is_alarm { canvas.colours.alarm } else { canvas.colours.dim };
        ui.label(RichText::new(text).font(canvas.font(SMALL)).color(colour));
    };
    view.problems.iter().for_each(|problem| say(problem, true));
    if !view.playing.is_empty() {
        say(&format!("Playing: {}", view.playing), false);
    }
    view.notes.iter().for_each(|note| say(note, false));
    if let Some(latency) = view.latency {
        let parts = [latency.input_ms, latency.feed_ms, latency.engine_ms, latency.output_ms];
        let [input, feed, engine, output] = parts.map(|ms| format!("{ms:.1}"));
        let total = latency.total_ms();
        say(
            &format!("Latency {total:.1} ms: input {input}, clock buffer {feed}, Embouchure {engine}, output {output}"),
            false,
        );
    }
    let counts = view.counts;
    if counts != Default::default() {
        let text = format!(
            "Gaps {}, slips between input and output {}, errors {}, restarts {}",
            counts.gaps, counts.slips, counts.errors, counts.restarts
        );
        say(&text, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_stays_on_the_list() {
        let there = [DeviceName { id: "a".into(), name: "Card A".into() }];
        let gone = DeviceChoice::Named("b".into());
        let names: Vec<String> = devices(&there, &gone, true).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["System default", "None", "Card A", "b (as named)"]);
        assert_eq!(devices(&there, &DeviceChoice::System, false).len(), 2);
    }
}
