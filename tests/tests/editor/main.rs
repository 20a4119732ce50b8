//! The built app on a virtual screen: its window appears and reacts to mouse and keyboard. Screenshots are kept in
//! `target/test-artefacts/`.
#![cfg(target_os = "linux")]

mod home;
mod instruments;
mod jack;
mod keyboard;
mod mouse;
mod picture;
mod pictures;
mod pulse;
mod screen;
mod ways;
mod window;
