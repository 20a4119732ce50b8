//! Other instruments: from the list, and from a file.

use crate::picture::{Area, Picture};
use crate::screen::Screen;

/// Name, family and licence of A; where messages appear.
const NAME: Area = Area::new(20.0, 82.0, 224.0, 40.0);
const MESSAGE: Area = Area::new(104.0, 218.0, 142.0, 92.0);
const NEXT: (f32, f32) = (63.0, 135.0);
const CHOOSE: (f32, f32) = (162.0, 135.0);
/// Of messages, in the dark.
const ALARM: [u8; 3] = [0xff, 0x80, 0x6b];
/// Rows under the search field of the list that `CHOOSE` opens: the only match; "Open file…" if nothing matches.
const ONLY_MATCH: (f32, f32) = (130.0, 190.0);
const OPEN_FILE: (f32, f32) = (130.0, 227.0);

/// Opens the list, looks for `search`, clicks on a row.
fn choose(screen: &Screen, search: &str, row: (f32, f32)) {
    screen.click(CHOOSE);
    screen.type_text(search);
    screen.keep(&format!("editor-list-{}", search.replace(' ', "-")));
    screen.click(row);
}

/// The panel once it shows another name than `before`.
fn other_name(screen: &Screen, before: &Picture) -> Picture {
    screen.wait_until("another name", || screen.look(NAME).share_changed(before, 16) > 0.01);
    screen.settled(NAME)
}

#[test]
fn an_instrument_is_chosen_from_the_list() {
    let screen = Screen::open();
    let trumpet = screen.settled(NAME);
    choose(&screen, "violin", ONLY_MATCH);
    let violin = other_name(&screen, &trumpet);
    screen.keep("editor-violin");

    choose(&screen, "trumpet", ONLY_MATCH);
    assert!(other_name(&screen, &violin) == trumpet);
    // Trumpet, French horn, trombone, violin: there is another way to the same name.
    for _ in 0..3 {
        let before = screen.settled(NAME);
        screen.click(NEXT);
        other_name(&screen, &before);
    }
    assert!(screen.settled(NAME) == violin);
}

#[test]
fn a_file_is_opened_and_a_broken_one_is_not() {
    let screen = Screen::open();
    let trumpet = screen.settled(NAME);
    assert_eq!(screen.look(MESSAGE).count(ALARM), 0);
    let content = embouchure_weights::instrument("oboe").expect("shipped");
    let file = screen.home.offer("my oboe.safetensors", content);
    choose(&screen, "no such name", OPEN_FILE);
    let oboe = other_name(&screen, &trumpet);
    screen.keep("editor-file");
    assert!(screen.home.asked().contains("--file-selection"), "{}", screen.home.asked());
    assert!(screen.home.remembers(&file));

    let broken = screen.home.offer("broken.safetensors", &content[..content.len() / 2]);
    choose(&screen, "no such name", OPEN_FILE);
    screen.wait_until("a message", || screen.look(MESSAGE).count(ALARM) > 50);
    screen.keep("editor-file-broken");
    assert!(screen.settled(NAME) == oboe, "the old instrument stays");
    assert!(!screen.home.remembers(&broken));

    // The same instrument from the shelf has the same name, and the message goes.
    choose(&screen, "trumpet", ONLY_MATCH);
    assert!(other_name(&screen, &oboe) == trumpet);
    screen.wait_until("no message", || screen.look(MESSAGE).count(ALARM) == 0);
    choose(&screen, "oboe", ONLY_MATCH);
    assert!(other_name(&screen, &trumpet) == oboe);
}
