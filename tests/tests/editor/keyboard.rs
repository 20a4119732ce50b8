//! Keyboard control: focus, arrow keys, typed values.

use crate::picture::Area;
use crate::screen::Screen;

/// Areas of the window's first control and of the morph knob, with the ring that shows the focus.
const FIRST: Area = Area::new(148.0, 12.0, 84.0, 28.0);
const MORPH: Area = Area::new(16.0, 214.0, 80.0, 100.0);
/// Area of the morph knob inside the ring.
const MORPH_INSIDE: Area = Area::new(22.0, 220.0, 68.0, 88.0);
const BRIGHTNESS: Area = Area::new(100.0, 336.0, 72.0, 92.0);
const BRIGHTNESS_VALUE: (f32, f32) = (136.0, 420.0);
/// Colour of the ring in the dark theme.
const ACCENT: [u8; 3] = [0xe6, 0xb0, 0x55];

#[test]
fn tab_leads_to_knobs_that_obey_the_arrows() {
    let screen = Screen::open();
    let unfocused = screen.settled(FIRST);
    assert_eq!(unfocused.count(ACCENT), 0);
    screen.press("Tab");
    screen.wait_until("the first control has a ring", || screen.look(FIRST).count(ACCENT) > 60);

    let before = screen.settled(MORPH);
    let is_at_knob = || screen.look(MORPH).count(ACCENT) > before.count(ACCENT) + 200;
    for n_pressed in 1.. {
        assert!(n_pressed < 30, "Tab leads to the morph knob");
        screen.press("Tab");
        if is_at_knob() {
            break;
        }
    }
    screen.keep("editor-focus");
    assert!(screen.settled(FIRST) == unfocused, "one control at a time has the focus");
    let still = screen.settled(MORPH_INSIDE);
    for _ in 0..5 {
        screen.press("Up");
    }
    assert!(still.share_changed(&screen.settled(MORPH_INSIDE), 16) > 0.01, "the knob did not move");
    for _ in 0..5 {
        screen.press("Down");
    }
    assert!(still.share_changed(&screen.settled(MORPH_INSIDE), 16) < 0.001, "as far down as up");
    screen.press("Tab");
    screen.wait_until("the ring goes on", || !is_at_knob());
}

#[test]
fn a_value_is_typed() {
    let screen = Screen::open();
    let before = screen.settled(BRIGHTNESS);
    let set = |text: &str, key: &str| {
        screen.click(BRIGHTNESS_VALUE);
        screen.type_text(text);
        screen.keep("editor-typing");
        screen.press(key);
        screen.settled(BRIGHTNESS)
    };
    let lower = set("-3", "Return");
    screen.keep("editor-typed");
    assert!(before.share_changed(&lower, 16) > 0.01, "the knob did not move");
    assert!(set("loud", "Return") == lower, "what is no number changes nothing");
    assert!(set("5", "Escape") == lower, "Escape changes nothing");
    assert!(set("0", "Return").share_changed(&before, 16) < 0.001, "the default was typed");
}
