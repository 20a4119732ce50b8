//! The display while playing, in both themes and two sizes.

use crate::jack::Jack;
use crate::picture::Area;
use crate::screen::Screen;
use std::time::Duration;

const TRACE: Area = Area::new(306.0, 56.0, 490.0, 186.0);
/// The newest half of the pitch trace, at the height of the instrument's range.
const NEWEST: Area = Area::new(551.0, 112.0, 244.0, 60.0);
const INPUT_METER: Area = Area::new(820.0, 90.0, 14.0, 200.0);
const THEME: (f32, f32) = (846.0, 26.0);
/// Colour of the meters in the dark and in the light theme.
const LEVEL: [[u8; 3]; 2] = [[0x6f, 0xc2, 0x8b], [0x2f, 0x82, 0x4e]];

/// Waits until the newest half of the trace shows lines and the meter shows a level.
fn wait_for_music(screen: &Screen, level: [u8; 3]) {
    screen.wait_until("pitches and levels are shown", || {
        let n_level = screen.look_at_design_size(INPUT_METER, 1.0).count(level);
        let n_line = screen.look_at_design_size(NEWEST, 1.0).n_standing_out(60.0);
        n_level > 500 && n_line > 250
    });
}

#[test]
fn sound_is_shown_in_both_themes_and_sizes() {
    let sound = Jack::start();
    let arguments = ["-b", "jack", "--jack-input", sound.port()];
    let mut screen = Screen::open_with(&arguments, &[("JACK_DEFAULT_SERVER", sound.server())]);
    wait_for_music(&screen, LEVEL[0]);
    let strip = screen.keep_strip("editor-trace-strip", TRACE, 8, Duration::from_millis(500));
    for (before, after) in strip.iter().zip(&strip[1..]) {
        assert!(before.share_changed(after, 16) > 0.005, "the trace moves");
    }
    screen.keep("editor-playing-dark");
    let dark = screen.look(Area::ALL).mean();

    screen.click(THEME);
    wait_for_music(&screen, LEVEL[1]);
    screen.keep("editor-playing-light");
    let light = screen.look(Area::ALL).mean();
    assert!(dark < 80.0 && light > 180.0, "mean brightness {dark} in the dark, {light} in the light");

    screen.resize(1800, 1200);
    wait_for_music(&screen, LEVEL[1]);
    screen.keep("editor-playing-light-200");
    screen.click(THEME);
    wait_for_music(&screen, LEVEL[0]);
    screen.keep("editor-playing-dark-200");
    assert!((screen.look(Area::ALL).mean() - dark).abs() < 10.0, "dark again");
}
