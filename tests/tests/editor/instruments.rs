//! Choosing an instrument from the list, and opening one from a file.

use crate::picture::{Area, Picture};
use crate::screen::Screen;

/// Area with name, family and licence of instrument A, and area of error messages.
const NAME: Area = Area::new(20.0, 82.0, 224.0, 40.0);
const MESSAGE: Area = Area::new(104.0, 218.0, 142.0, 92.0);
const NEXT: (f32, f32) = (63.0, 135.0);
const CHOOSE: (f32, f32) = (162.0, 135.0);
/// Colour of error messages in the dark theme.
const ALARM: [u8; 3] = [0xff, 0x80, 0x6b];
/// Rows below the search field of the list that `CHOOSE` opens: the only match, and "Open file…" where nothing matches.
const ONLY_MATCH: (f32, f32) = (130.0, 190.0);
const OPEN_FILE: (f32, f32) = (130.0, 227.0);

/// Opens the list, searches for `search`, and clicks on a row.
fn choose(screen: &Screen, search: &str, row: (f32, f32)) {
    screen.click(CHOOSE);
    screen.type_text(search);
    screen.keep(&format!("editor-list-{}", search.replace(' ', "-")));
    screen.click(row);
}

/// Waits until the panel shows another name than `before`, and returns its picture.
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
    // Three clicks on "next" lead from the trumpet to the violin as well: trumpet, French horn, trombone, violin.
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
    let file = screen.home.answer_with("my oboe.safetensors", content);
    choose(&screen, "no such name", OPEN_FILE);
    let oboe = other_name(&screen, &trumpet);
    screen.keep("editor-file");
    assert!(screen.home.dialog_calls().contains("--file-selection"), "{}", screen.home.dialog_calls());
    assert!(screen.home.remembers(&file));

    let broken = screen.home.answer_with("broken.safetensors", &content[..content.len() / 2]);
    choose(&screen, "no such name", OPEN_FILE);
    screen.wait_until("a message", || screen.look(MESSAGE).count(ALARM) > 50);
    screen.keep("editor-file-broken");
    assert!(screen.settled(NAME) == oboe, "the old instrument stays");
    assert!(!screen.home.remembers(&broken));

    // The same instrument from the list has the same name, and the message disappears.
    choose(&screen, "trumpet", ONLY_MATCH);
    assert!(other_name(&screen, &oboe) == trumpet);
    screen.wait_until("no message", || screen.look(MESSAGE).count(ALARM) == 0);
    choose(&screen, "oboe", ONLY_MATCH);
    assert!(other_name(&screen, &trumpet) == oboe);
}
