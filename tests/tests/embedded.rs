//! The editor inside a host's window, as X11 has it: it tells embedders what they ask for, and keys that it does not use
//! are the host's.
#![cfg(target_os = "linux")]

use embouchure_host::{ClapHost, HostWindow, VirtualScreen};
use embouchure_tests::{alone_with, bundled_clap};
use std::process::Command;
use std::time::{Duration, Instant};

/// Of the keys on the screen's keyboard.
const SPACE: u8 = 65;
const Z: u8 = 52;
const UP: u8 = 111;

/// The value of Brightness, in a window of 900 by 600.
const VALUE: (i32, i32) = (136, 420);

fn xdotool(arguments: &[&str]) {
    assert!(Command::new("xdotool").args(arguments).status().unwrap().success(), "{arguments:?}");
    // Time for the editor to see it and to draw what comes of it.
    std::thread::sleep(Duration::from_millis(300));
}

/// What reaches the host of keys that are pressed over the editor.
fn reaches_host(window: &HostWindow, key: &str) -> Vec<(u8, bool)> {
    window.take_keys();
    xdotool(&["key", key]);
    window.take_keys()
}

#[test]
fn it_says_what_embedders_ask_and_leaves_the_host_its_keys() {
    let test = "it_says_what_embedders_ask_and_leaves_the_host_its_keys";
    // Kept until the other process has ended.
    let screen = std::env::var_os("EMBOUCHURE_ALONE").is_none().then(|| VirtualScreen::start().unwrap());
    let display = screen.as_ref().map_or("", VirtualScreen::display);
    if !alone_with(test, 1, &[("DISPLAY", display)]) {
        return;
    }
    let window = HostWindow::open(&std::env::var("DISPLAY").unwrap()).unwrap();
    window.listen_to_keys().unwrap();
    let mut host = ClapHost::load(&bundled_clap()).unwrap();
    host.open_editor(&window).unwrap();
    let version_and_mapped = Some(vec![0, 1]);
    assert_eq!(window.xembed_info().unwrap(), version_and_mapped);

    let (x, y) = VALUE;
    xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    let start = Instant::now();
    while reaches_host(&window, "space") != [(SPACE, true), (SPACE, false)] {
        assert!(start.elapsed() < Duration::from_secs(30), "Space does not reach the host");
    }
    assert_eq!(reaches_host(&window, "z"), [(Z, true), (Z, false)]);
    assert_eq!(reaches_host(&window, "Up"), [(UP, true), (UP, false)], "no control has the focus");
    let with_control = reaches_host(&window, "ctrl+z");
    assert!(with_control.contains(&(Z, true)) && with_control.contains(&(Z, false)), "{with_control:?}");

    // A field is open: everything that is typed is its.
    xdotool(&["click", "1"]);
    for key in ["space", "z", "Up"] {
        assert_eq!(reaches_host(&window, key), [], "{key}");
    }
    xdotool(&["key", "Escape"]);
    assert_eq!(reaches_host(&window, "space"), [(SPACE, true), (SPACE, false)], "the field is closed");

    // Tab gives a control the focus, and the arrows with it.
    xdotool(&["key", "Tab"]);
    for key in ["Up", "Tab"] {
        assert_eq!(reaches_host(&window, key), [], "{key}");
    }
    assert_eq!(reaches_host(&window, "space"), [(SPACE, true), (SPACE, false)]);
    host.close_editor().unwrap();
}
