//! The editor inside a host window on X11. It answers what embedders ask, and leaves the keys that it does not use to
//! the host. The host puts a frame around the editor; the frame itself listens to no events.
#![cfg(target_os = "linux")]

use embouchure_host::{ClapHost, Host, HostWindow, VirtualScreen, Vst3Host};
use embouchure_tests::{bundled_clap, bundled_vst3, isolated_with};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Key codes of the screen's keyboard.
const SPACE: u8 = 65;
const ESCAPE: u8 = 9;
const Z: u8 = 52;
const UP: u8 = 111;
const HOME: u8 = 110;
const SHIFT: u8 = 50;
/// A key that the editor does not use.
const F5: u8 = 71;

/// Positions of Brightness's value and of the button with the presets, in a window of 900 by 600.
const VALUE: (i32, i32) = (136, 420);
const PRESETS: (i32, i32) = (394, 26);
const NOWHERE: (i32, i32) = (623, 440);

const TIMEOUT: Duration = Duration::from_secs(30);

/// A host with an open editor.
struct OpenEditor<H> {
    host: H,
    window: HostWindow,
    frame: HostWindow,
}

/// In a separate process: the name of its screen. Elsewhere starts that process and returns `None`.
fn isolated_screen(test: &str) -> Option<String> {
    // The screen must exist until the other process has ended.
    let screen = std::env::var_os("EMBOUCHURE_ISOLATED").is_none().then(|| VirtualScreen::start().unwrap());
    let display = screen.as_ref().map_or("", VirtualScreen::display);
    isolated_with(test, 1, &[("DISPLAY", display)]).then(|| std::env::var("DISPLAY").unwrap())
}

/// Runs `act` in a separate process with an open editor.
fn on_a_screen<H: Host>(test: &str, bundle: fn() -> PathBuf, act: impl FnOnce(&mut OpenEditor<H>)) {
    let Some(display) = isolated_screen(test) else { return };
    let window = HostWindow::open(&display).unwrap();
    window.listen_to_keys().unwrap();
    let frame = HostWindow::open_inside(&display, &window).unwrap();
    let mut host = H::load(&bundle()).unwrap();
    host.open_editor(&frame).unwrap();
    let mut editor = OpenEditor { host, window, frame };
    point_at(NOWHERE);
    act(&mut editor);
    editor.host.close_editor().unwrap();
}

fn xdotool(arguments: &[&str]) {
    assert!(Command::new("xdotool").args(arguments).status().unwrap().success(), "{arguments:?}");
}

fn point_at((x, y): (i32, i32)) {
    xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
}

fn click((x, y): (i32, i32)) {
    xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
    // Usually long enough to draw the result.
    std::thread::sleep(Duration::from_millis(300));
}

fn tapped(key: u8) -> Vec<(u8, bool)> {
    vec![(key, true), (key, false)]
}

impl<H: Host> OpenEditor<H> {
    /// The keys that reach the host while `act` types. `act` must leave no text field open, so that F5, typed
    /// afterwards, reaches the host and marks the end.
    fn reaches_host(&self, act: impl Fn()) -> Vec<(u8, bool)> {
        self.window.take_keys();
        act();
        let (start, mut keys) = (Instant::now(), Vec::new());
        while !keys.ends_with(&tapped(F5)) {
            assert!(start.elapsed() < TIMEOUT, "F5 does not reach the host; {keys:?} did");
            xdotool(&["key", "F5"]);
            std::thread::sleep(Duration::from_millis(100));
            keys.extend(self.window.take_keys());
        }
        keys.retain(|(key, _)| ![F5, SHIFT].contains(key));
        keys
    }

    /// Repeats `act` until exactly `expected` reaches the host. One attempt may not be enough: earlier input takes
    /// effect only when the window is drawn.
    fn until_host_gets(&self, expected: &[(u8, bool)], act: impl Fn()) {
        let start = Instant::now();
        loop {
            let keys = self.reaches_host(&act);
            if keys == expected {
                return;
            }
            assert!(start.elapsed() < TIMEOUT, "{keys:?} reach the host, not {expected:?}");
        }
    }
}

fn press(key: &str) -> impl Fn() {
    move || xdotool(&["key", key])
}

/// Checked as soon as the editor is open.
fn answers_embedders<H: Host>(editor: &mut OpenEditor<H>) {
    let version_and_mapped = Some(vec![0, 1]);
    assert_eq!(editor.frame.xembed_info().unwrap(), version_and_mapped);
}

#[test]
fn clap_answers_embedders() {
    on_a_screen("clap_answers_embedders", bundled_clap, answers_embedders::<ClapHost>);
}

#[test]
fn vst3_answers_embedders() {
    on_a_screen("vst3_answers_embedders", bundled_vst3, answers_embedders::<Vst3Host>);
}

#[test]
fn a_vst3_plugin_creates_the_atoms_that_embedders_need() {
    let Some(display) = isolated_screen("a_vst3_plugin_creates_the_atoms_that_embedders_need") else { return };
    let window = HostWindow::open(&display).unwrap();
    let is_known = || ["_XEMBED", "_XEMBED_INFO"].map(|name| window.is_known(name).unwrap());
    assert_eq!(is_known(), [false; 2]);
    let mut host = Vst3Host::load(&bundled_vst3()).unwrap();
    let (width, height) = host.editor_size().unwrap();
    assert!(width > 0 && height > 0);
    assert_eq!(is_known(), [true; 2], "before there is a window");
}

#[test]
fn unused_keys_reach_the_host() {
    on_a_screen::<ClapHost>("unused_keys_reach_the_host", bundled_clap, |editor| {
        editor.reaches_host(|| {});
        for (name, key) in [("space", SPACE), ("z", Z), ("Up", UP), ("Escape", ESCAPE), ("Home", HOME)] {
            assert_eq!(editor.reaches_host(press(name)), tapped(key), "{name}");
        }
        let command = editor.reaches_host(press("ctrl+z"));
        assert!(command.contains(&(Z, true)) && command.contains(&(Z, false)), "{command:?}");
        let sent = editor.reaches_host(|| editor.frame.send_key(Z).unwrap());
        assert_eq!(sent, [], "what the host has sent is not sent back");
    });
}

#[test]
fn a_control_with_the_focus_takes_its_keys_and_no_others() {
    on_a_screen::<ClapHost>("a_control_with_the_focus_takes_its_keys_and_no_others", bundled_clap, |editor| {
        editor.reaches_host(|| {});
        assert_eq!(editor.reaches_host(press("Tab")), [], "it leads to the first control");
        editor.until_host_gets(&[], press("Up"));
        for key in ["Home", "Tab", "shift+Tab"] {
            assert_eq!(editor.reaches_host(press(key)), [], "{key}");
        }
        for (name, key) in [("space", SPACE), ("z", Z)] {
            assert_eq!(editor.reaches_host(press(name)), tapped(key), "{name}");
        }
        for command in ["ctrl+Up", "alt+Up"] {
            let keys = editor.reaches_host(press(command));
            assert!(keys.contains(&(UP, true)) && keys.contains(&(UP, false)), "{command}: {keys:?}");
        }
        assert_eq!(editor.reaches_host(press("Escape")), [], "it takes the focus away");
        editor.until_host_gets(&tapped(UP), press("Up"));
    });
}

#[test]
fn a_text_field_takes_all_keys_from_press_to_release() {
    on_a_screen::<ClapHost>("a_text_field_takes_all_keys_from_press_to_release", bundled_clap, |editor| {
        editor.reaches_host(|| {});
        editor.until_host_gets(&[], || {
            click(VALUE);
            xdotool(&["key", "space", "z", "Up", "Home", "1"]);
            // Escape closes the field.
            xdotool(&["keydown", "Escape"]);
        });
        assert_eq!(editor.reaches_host(|| xdotool(&["keyup", "Escape"])), [], "it was pressed in the field");

        editor.until_host_gets(&tapped(Z), || {
            xdotool(&["keydown", "z"]);
            click(VALUE);
            xdotool(&["keyup", "z"]);
            xdotool(&["key", "z", "Escape"]);
        });
    });
}

#[test]
fn escape_closes_a_list_and_does_not_reach_the_host() {
    on_a_screen::<ClapHost>("escape_closes_a_list_and_does_not_reach_the_host", bundled_clap, |editor| {
        editor.until_host_gets(&[], || {
            click(PRESETS);
            press("Escape")();
        });
        editor.until_host_gets(&tapped(ESCAPE), press("Escape"));
    });
}

#[test]
fn unused_keys_are_returned_to_a_vst3_host() {
    on_a_screen::<Vst3Host>("unused_keys_are_returned_to_a_vst3_host", bundled_vst3, |editor| {
        let (no_letter, alone, with_all) = (0, 0, 0xf);
        for number in [-1, 0, 1, 128, 200, i16::MAX, i16::MIN].into_iter().chain(1..=80) {
            for modifiers in [alone, with_all, -1] {
                assert!(!editor.host.takes_key(no_letter, number, modifiers).unwrap(), "{number} with {modifiers}");
            }
        }
        for letter in [u16::from(b' '), u16::from(b'z'), u16::MAX] {
            assert!(!editor.host.takes_key(letter, 0, alone).unwrap(), "{letter}");
        }
    });
}

fn click_on_hidden_window<H: Host>(editor: &mut OpenEditor<H>) {
    editor.reaches_host(|| {});
    editor.frame.hide().unwrap();
    editor.frame.send_click().unwrap();
    std::thread::sleep(Duration::from_millis(300));
}

#[test]
fn a_click_on_a_hidden_window_ends_no_clap_host() {
    on_a_screen("a_click_on_a_hidden_window_ends_no_clap_host", bundled_clap, click_on_hidden_window::<ClapHost>);
}

#[test]
fn a_click_on_a_hidden_window_ends_no_vst3_host() {
    on_a_screen("a_click_on_a_hidden_window_ends_no_vst3_host", bundled_vst3, click_on_hidden_window::<Vst3Host>);
}
