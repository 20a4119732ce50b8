//! Mouse control of knobs and switches.

use crate::picture::Area;
use crate::screen::{NOWHERE, Screen};

/// Centres of the dry/wet knob and of the bypass switch.
const MIX: (f32, f32) = (52.0, 382.0);
const BYPASS: (f32, f32) = (772.0, 419.0);
/// Areas around them, inside the ring that shows the focus.
const AROUND_MIX: Area = Area::new(20.0, 344.0, 64.0, 84.0);
const AROUND_BYPASS: Area = Area::new(754.0, 409.0, 126.0, 20.0);

#[test]
fn knobs_and_buttons_obey_the_mouse() {
    let screen = Screen::open();
    let before = screen.settled(AROUND_MIX);
    let bypass_before = screen.settled(AROUND_BYPASS);
    screen.keep("editor");

    screen.point_at(MIX);
    screen.input(&["mousedown", "1"]);
    screen.input(&["mousemove_relative", "--", "0", "20"]);
    screen.input(&["mousemove_relative", "--", "0", "60"]);
    screen.input(&["mouseup", "1"]);
    screen.point_at(NOWHERE);
    let dragged = screen.settled(AROUND_MIX);
    screen.keep("editor-dry-wet-dragged");
    assert!(before.share_changed(&dragged, 16) > 0.01, "the knob did not move");
    assert!(screen.settled(AROUND_BYPASS) == bypass_before);

    screen.point_at(MIX);
    screen.input(&["click", "--repeat", "2", "--delay", "60", "1"]);
    screen.point_at(NOWHERE);
    let reset = screen.settled(AROUND_MIX);
    assert!(before.share_changed(&reset, 16) < 0.005, "a double click brings the default back");

    screen.click(BYPASS);
    assert!(bypass_before.share_changed(&screen.settled(AROUND_BYPASS), 16) > 0.01, "the button did not move");
    screen.keep("editor-bypassed");
}
