//! The built app on a virtual screen: its window shows itself and obeys mouse and keyboard. Screenshots stay in
//! `target/test-artefacts/`.
#![cfg(target_os = "linux")]

mod daemon;
mod home;
mod instruments;
mod keyboard;
mod mouse;
mod picture;
mod pictures;
mod screen;
mod sound;
mod ways;
mod window;
