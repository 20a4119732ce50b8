//! Embouchure as an app: audio in, another instrument out, through the sound card, JACK or a dummy device.
//! `--help` lists the devices and options.

use embouchure_plugin::Embouchure;
use nice_plug::prelude::nice_export_standalone;

fn main() -> std::process::ExitCode {
    if nice_export_standalone::<Embouchure>() {
        return std::process::ExitCode::SUCCESS;
    }
    eprintln!("Embouchure could not start. See the message above; `--help` lists the audio devices and options.");
    std::process::ExitCode::FAILURE
}
