//! The built app on a virtual screen: its window shows itself and obeys mouse and keyboard. Screenshots stay in
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
