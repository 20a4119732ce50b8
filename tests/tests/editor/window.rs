//! The window's size: the layout scales with it, and stays whole.

use crate::picture::Area;
use crate::screen::Screen;

/// Without the bottom line, whose figures change. The picture is shrunk so far that how text is smoothed hardly counts.
const STILL: Area = Area::new(0.0, 0.0, 900.0, 560.0);
const SHRUNK: f32 = 8.0;

#[test]
fn the_layout_scales_with_the_window() {
    let mut screen = Screen::open();
    screen.settled(STILL);
    let design = screen.look_at_design_size(STILL, SHRUNK);
    for (width, height) in [(1800, 1200), (600, 400), (1300, 600), (900, 600)] {
        screen.resize(width, height);
        screen.settled(STILL);
        let name = format!("editor-{width}x{height}");
        screen.keep(&name);
        let shrunk = screen.look_at_design_size(STILL, SHRUNK);
        let changed = shrunk.share_changed(&design, 24);
        assert!(changed < 0.02, "{name}: {changed} of the picture is not where it was");
    }
}
