//! Tests of the whole editor without a window. They find its controls by their labels, click and type.

use super::*;
use crate::tasks::Background;
use crate::test_folder::TestFolder;
use crate::test_host::TestHost;
use crate::test_library::shipped;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::Telemetry;
use embouchure_inference::hear::Heard;
use nice_plug::prelude::Params;

/// An editor at a size, in points.
fn harness<'a>(width: f32, height: f32) -> Harness<'a, App> {
    let library = shipped();
    let params = Arc::new(EmbouchureParams::new(&library));
    let instruments = Arc::new(Instruments::new(library.clone(), params.clone()));
    instruments.update(0);
    let background = instruments.clone();
    let work = move |task: Task| {
        // Other tasks would touch the user's own folders.
        if let Task::UpdateInstruments(n_loads) = task {
            background.update(n_loads);
        }
    };
    let tasks = Tasks::new(Arc::new(Background::spawn()), work, |message| panic!("{message}")).at_once();
    let (shared, notifier) = (Arc::default(), RepaintNotifier::new());
    let mut app = App::new(Wiring { library, params, instruments, shared, notifier, tasks, audio: None });
    app.host = Some(GuiContext::new(Arc::new(TestHost::default())));
    let mut harness =
        Harness::builder().with_size([width, height]).build_ui_state(|ui, app: &mut App| app.show(ui), app);
    harness.run_steps(3);
    harness
}

fn click(harness: &mut Harness<App>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

fn name(harness: &Harness<App>, slot: Slot) -> String {
    harness.state().wiring.instruments.playing(slot).name().to_owned()
}

#[test]
fn every_parameter_has_its_control() {
    let harness = harness(900.0, 600.0);
    for (id, param, _) in harness.state().wiring.params.param_map() {
        // SAFETY: the harness holds the parameters.
        let name = unsafe { param.name().to_owned() };
        let n = harness.query_all_by_label(&name).count();
        assert!(id.starts_with("instrument_") || n == 1, "{n} controls for {name}");
    }
}

#[test]
fn instruments_are_stepped_through_and_found_by_typing() {
    let mut harness = harness(900.0, 600.0);
    assert_eq!(name(&harness, Slot::A), "Trumpet");
    let next: Vec<_> = harness.get_all_by_label("›").collect();
    // The buttons of presets, A and B, from the top.
    assert_eq!(next.len(), 3);
    next[1].click();
    drop(next);
    harness.run_steps(4);
    assert_eq!(name(&harness, Slot::A), "French Horn");
    assert_eq!(harness.state().wiring.params.instruments.a.value(), 2);

    harness.get_all_by_label("Choose…").nth(1).unwrap().click();
    harness.run_steps(4);
    assert!(harness.query_by_label("Bassoon").is_some(), "the whole shelf");
    harness.state_mut().search = "obo".into();
    harness.run_steps(3);
    assert!(harness.query_by_label("Bassoon").is_none());
    click(&mut harness, "Oboe");
    assert_eq!((name(&harness, Slot::A), name(&harness, Slot::B)), ("French Horn".into(), "Oboe".into()));
    assert!(harness.query_by_label("Oboe").is_none(), "the list has closed");

    harness.get_all_by_label("Choose…").nth(1).unwrap().click();
    harness.run_steps(4);
    click(&mut harness, "None");
    assert_eq!(name(&harness, Slot::B), "");
}

#[test]
fn presets_are_loaded_marked_when_changed_and_compared() {
    let mut harness = harness(900.0, 600.0);
    harness.get_all_by_label("›").next().unwrap().click();
    harness.run_steps(4);
    let first = harness.state().wiring.library.presets.all()[0].name.clone();
    assert_eq!(harness.state().wiring.params.session.get().preset, first);
    assert!(harness.query_by_label(&first).is_some());
    // Sound 2 begins as a copy of sound 1. A change of it does not change sound 1.
    click(&mut harness, "Sound 1 · 2");
    let params = harness.state().wiring.params.clone();
    let room = params.sound.room.value();
    set_once(&harness.state().host.clone().unwrap().param_setter(), &params.sound.room, 0.9);
    harness.run_steps(3);
    assert!(harness.query_by_label(&format!("{first} *")).is_some(), "it is no longer as it was loaded");
    click(&mut harness, "Sound 2 · 1");
    assert_eq!(params.sound.room.value(), room);
    click(&mut harness, "Sound 1 · 2");
    assert!((params.sound.room.value() - 0.9).abs() < 1e-6);
}

#[test]
fn the_editor_applies_automation_except_in_an_offline_render() {
    let mut harness = harness(900.0, 600.0);
    let set = |harness: &mut Harness<App>, place: i32| {
        let params = harness.state().wiring.params.clone();
        set_once(&harness.state().host.clone().unwrap().param_setter(), &params.instruments.a, place);
        harness.run_steps(3);
    };
    set(&mut harness, 4);
    assert_eq!(name(&harness, Slot::A), "Violin", "the editor applies it while the host does not process");
    let (host_rate, latency_samples, buffer, max_block) = (48_000.0, 450, BufferChoice::Auto, 64);
    let bounce = crate::shared::Running {
        is_offline: true,
        host_rate,
        latency_samples,
        buffer,
        engine: EngineChoice::Worker,
        max_block,
    };
    harness.state().wiring.shared.activated(bounce, None);
    set(&mut harness, 7);
    assert_eq!(name(&harness, Slot::A), "Violin", "an open window does not change an offline render");
}

#[test]
fn the_theme_is_the_sessions() {
    let mut harness = harness(900.0, 600.0);
    click(&mut harness, "Light");
    assert_eq!(
        (harness.state().theme, harness.state().wiring.params.session.get().theme),
        (Theme::Light, Theme::Light)
    );
    harness.state().wiring.params.session.edit(|session| session.theme = Theme::Dark);
    harness.run_steps(2);
    assert_eq!(harness.state().theme, Theme::Dark);
}

#[test]
fn a_missing_file_is_named_and_can_be_located() {
    let mut harness = harness(900.0, 600.0);
    let wiring = &harness.state().wiring;
    let path = std::path::Path::new("/nowhere/kazoo.safetensors");
    wiring
        .params
        .session
        .edit(|session| session.instruments[0] = Some(InstrumentRef::file("Kazoo", path, "0123456789abcdef")));
    wiring.instruments.update(0);
    harness.run_steps(3);
    assert!(harness.query_by_label("Locate…").is_some());
    assert_eq!(name(&harness, Slot::A), "Trumpet");
}

#[test]
fn a_window_that_shows_an_instrument_does_not_keep_its_weights() {
    let mut harness = harness(900.0, 600.0);
    let folder = TestFolder::new("kept weights");
    let path = folder.path("oboe.safetensors");
    std::fs::write(&path, embouchure_weights::instrument("oboe").unwrap()).unwrap();
    let instruments = harness.state().wiring.instruments.clone();
    instruments.open_file(Slot::A, &path);
    harness.run_steps(3);
    let weights = Arc::downgrade(instruments.playing(Slot::A).instrument().unwrap());
    std::fs::write(&path, embouchure_weights::instrument("cello").unwrap()).unwrap();
    instruments.open_file(Slot::A, &path);
    assert!(weights.upgrade().is_none(), "no frame was shown since");
}

#[test]
fn no_size_is_too_small_or_too_large() {
    for (width, height) in [(1.0, 1.0), (60.0, 400.0), (9000.0, 60.0), (2700.0, 1800.0)] {
        harness(width, height).run_steps(3);
    }
}

#[test]
fn a_preset_is_neither_replaced_nor_deleted_without_a_question() {
    let mut harness = harness(900.0, 600.0);
    let mine = Preset { name: "Mine".into(), ..harness.state().captured() };
    harness.state().wiring.library.presets.set_own(vec![mine]);
    harness.state().wiring.params.session.edit(|session| session.preset = "Mine".into());
    click(&mut harness, "Save as…");
    assert_eq!(harness.state().preset_name, "Mine");
    click(&mut harness, "Save");
    assert_eq!(harness.state().preset_question, Some(preset_menu::Question::Replace));
    click(&mut harness, "Cancel");
    click(&mut harness, "Delete…");
    assert_eq!(harness.state().preset_question, Some(preset_menu::Question::Delete));
    click(&mut harness, "Delete");
    assert_eq!(harness.state().wiring.params.session.get().preset, "", "it is gone");
    click(&mut harness, "Save as…");
    let factory = harness.state().wiring.library.presets.all()[0].name.clone();
    harness.state_mut().preset_name = factory;
    harness.run_steps(3);
    assert!(harness.query_by_label("Save").is_none(), "what comes with the plugin stays");
}

#[test]
fn the_list_of_instruments_takes_the_keyboard() {
    let mut harness = harness(900.0, 600.0);
    let search = |harness: &mut Harness<App>, text: &str| {
        harness.get_all_by_label("Choose…").next().unwrap().click();
        harness.run_steps(4);
        harness.input_mut().events.push(egui::Event::Text(text.into()));
        harness.run_steps(4);
    };
    search(&mut harness, "sax");
    for key in [egui::Key::ArrowDown, egui::Key::Enter] {
        harness.key_press(key);
        harness.run_steps(4);
    }
    assert_eq!(name(&harness, Slot::A), "Tenor Saxophone");
    search(&mut harness, "kazoo");
    assert!(harness.query_by_label_contains("No instrument or family has \"kazoo\" in its name").is_some());
    harness.key_press(egui::Key::Enter);
    harness.run_steps(4);
    assert_eq!(name(&harness, Slot::A), "Tenor Saxophone");
}

#[test]
fn an_invalid_value_is_explained() {
    let mut harness = harness(900.0, 600.0);
    click(&mut harness, "Brightness 0.0 dB/oct");
    harness.input_mut().events.push(egui::Event::Text("loud".into()));
    harness.run_steps(3);
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
    let said = rejected::message(&harness.ctx).unwrap();
    assert_eq!(said, "\"loud\" is not a value of Brightness, which goes from -12.0 dB/oct to +12.0 dB/oct");
    assert!(harness.query_by_label(&said).is_some(), "it is shown");
}

/// The message after `text` is typed for a parameter whose control shows `shown`.
fn said_to(shown: &str, text: &str) -> Option<String> {
    let mut harness = harness(900.0, 600.0);
    click(&mut harness, shown);
    harness.input_mut().events.push(egui::Event::Text(text.into()));
    harness.run_steps(3);
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
    rejected::message(&harness.ctx)
}

#[test]
fn a_value_beyond_the_range_is_clamped_with_a_message() {
    let said = said_to("Output 0.0 dB", "30").unwrap();
    assert_eq!(said, "Output goes from -24.0 dB to +12.0 dB: 30 was set to +12.0 dB");
    assert!(said_to("Transpose 0 st", "-40 st").unwrap().contains("-40 st was set to -36 st"));
    assert!(said_to("Dry/Wet 100 %", "-5").unwrap().contains("-5 was set to 0 %"));
    assert!(said_to("Glide Off", "3 s").unwrap().contains("3 s was set to 2000 ms"));
    for (shown, text) in [
        ("Output 0.0 dB", "12"),
        ("Output 0.0 dB", "-24,0"),
        ("Output 0.0 dB", "3,5"),
        ("Transpose 0 st", "+36"),
        ("Dry/Wet 100 %", "0"),
        ("Dry/Wet 100 %", "100 %"),
        ("Glide Off", "2 s"),
        ("Glide Off", "off"),
        ("Gate -60.0 dB", "-90"),
    ] {
        assert_eq!(said_to(shown, text), None, "{text} for {shown}");
    }
}

#[test]
fn without_a_file_dialog_the_path_is_typed() {
    let mut harness = harness(900.0, 600.0);
    harness.state().dialog.ask_for_path(Slot::A);
    harness.run_steps(4);
    assert!(harness.query_by_label_contains("no file dialog").is_some());
    harness.state_mut().typed_path = "horn.safetensors".into();
    click(&mut harness, "Open");
    assert!(harness.query_by_label_contains("part of a path").is_some(), "the reason is shown, and the field stays");
    harness.state_mut().typed_path = "/nowhere/horn.safetensors".into();
    click(&mut harness, "Open");
    assert!(harness.query_by_label_contains("no file dialog").is_none());
    // The field can be opened at any time, because a system without a dialog may take long to return.
    harness.get_all_by_label("Choose…").next().unwrap().click();
    harness.run_steps(4);
    click(&mut harness, "Type a path…");
    assert!(harness.query_by_label_contains("no file dialog").is_some());
}

/// Announces a running engine to the editor; returns its telemetry.
fn start_engine(harness: &Harness<App>) -> Arc<Telemetry> {
    let telemetry = Arc::<Telemetry>::default();
    let (host_rate, latency_samples, buffer, max_block) = (48_000.0, 450, BufferChoice::Auto, 64);
    let running = crate::shared::Running {
        is_offline: false,
        host_rate,
        latency_samples,
        buffer,
        engine: EngineChoice::Worker,
        max_block,
    };
    harness.state().wiring.shared.activated(running, Some(telemetry.clone()));
    telemetry
}

/// Shows frames for `seconds` while the engine publishes hops that `change` alters.
fn hear(harness: &mut Harness<App>, telemetry: &Telemetry, seconds: f32, change: impl Fn(&mut Heard)) {
    let mut heard = Heard::SILENCE;
    change(&mut heard);
    let frame_s = harness.input().predicted_dt;
    for _ in 0..(seconds / frame_s).ceil() as usize {
        telemetry.publish(&HopOutput { heard, ..HopOutput::of(Controls::SILENT) }, 0.0);
        harness.step();
    }
}

#[test]
fn a_fault_of_the_input_is_shown_while_it_lasts() {
    let mut harness = harness(900.0, 600.0);
    let telemetry = start_engine(&harness);
    let is_said = |harness: &Harness<App>, text: &str| harness.query_by_label_contains(text).is_some();
    let warnings = ["Several notes at once", "Too soft to be played", "The input clips"];
    hear(&mut harness, &telemetry, 1.0, |_| ());
    assert!(!warnings.iter().any(|text| is_said(&harness, text)));
    let latency = harness.get_by_label_contains("late frames").rect();

    hear(&mut harness, &telemetry, 0.2, |heard| heard.is_several_notes = true);
    assert!(is_said(&harness, warnings[0]));
    assert_eq!(harness.get_by_label_contains("late frames").rect(), latency, "nothing moves");
    hear(&mut harness, &telemetry, 1.0, |_| ());
    assert!(!is_said(&harness, warnings[0]));

    hear(&mut harness, &telemetry, 0.2, |heard| heard.is_too_soft = true);
    assert!(is_said(&harness, warnings[1]));
    hear(&mut harness, &telemetry, 1.0, |_| ());
    assert!(!is_said(&harness, warnings[1]));

    telemetry.count_clipped_frame();
    hear(&mut harness, &telemetry, 0.2, |heard| heard.is_several_notes = true);
    assert!(is_said(&harness, warnings[2]) && !is_said(&harness, warnings[0]), "the more important one");
    hear(&mut harness, &telemetry, 2.0, |_| ());
    assert!(!warnings.iter().any(|text| is_said(&harness, text)));
}

#[test]
fn a_warning_gives_advice_on_hover() {
    let mut harness = harness(900.0, 600.0);
    let telemetry = start_engine(&harness);
    hear(&mut harness, &telemetry, 0.2, |heard| heard.is_several_notes = true);
    harness.get_by_label_contains("Several notes at once").hover();
    hear(&mut harness, &telemetry, 2.0, |heard| heard.is_several_notes = true);
    assert!(harness.query_by_label_contains("The instrument plays one line").is_some());
}

#[test]
fn late_frames_are_counted_from_0_for_a_new_engine() {
    let mut harness = harness(900.0, 600.0);
    harness.state_mut().late_seen = 3;
    harness.run_steps(2);
    assert_eq!(harness.state().late_seen, 0, "an engine that counts from 0 is another one");
    assert!(harness.query_by_label_contains("late frames 0").is_some());
}
