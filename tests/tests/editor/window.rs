//! Window size: the layout scales with it and stays complete.

use crate::picture::Area;
use crate::screen::Screen;

/// Area without the bottom line, whose figures change. The picture is shrunk so far that font smoothing hardly matters.
const STILL: Area = Area::new(0.0, 0.0, 900.0, 560.0);
const SHRUNK: f32 = 8.0;

/// Button that opens the list of instruments, and the area that the list covers.
const CHOOSE: (f32, f32) = (162.0, 135.0);
const LIST: Area = Area::new(82.0, 150.0, 240.0, 160.0);

#[test]
fn the_layout_scales_with_the_window() {
    let mut screen = Screen::open();
    let mut design = None;
    for (width, height) in [(900, 600), (1800, 1200), (600, 400), (1300, 600)] {
        screen.resize(width, height);
        screen.settled(STILL);
        let name = format!("editor-{width}x{height}");
        screen.keep(&name);
        let layout = screen.look_at_design_size(STILL, SHRUNK);
        screen.click(CHOOSE);
        screen.keep(&format!("{name}-list"));
        let list = screen.look_at_design_size(LIST, SHRUNK);
        screen.press("Escape");
        let (design_layout, design_list) = design.get_or_insert_with(|| (layout.clone(), list.clone()));
        let changed = [layout.share_changed(design_layout, 24), list.share_changed(design_list, 24)];
        assert!(changed[0] < 0.02 && changed[1] < 0.05, "{name}: {changed:?} of layout and list moved");
    }
}
