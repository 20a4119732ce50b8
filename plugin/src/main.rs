//! Embouchure as an app: a microphone in, another instrument out.

mod app;

use app::Options;
use clap::Parser;
use embouchure_plugin::{Embouchure, notice};
use nice_plug::prelude::nice_export_standalone_with_args;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    if options.devices {
        print!("{}", app::device_list());
        return ExitCode::SUCCESS;
    }
    let devices = app::Devices::of_this_computer(&options);
    if let Some(problem) = devices.problem(&options) {
        eprintln!("{problem}");
        notice::set(problem);
    }
    if nice_export_standalone_with_args::<Embouchure, _>(options.arguments(&devices)) {
        return ExitCode::SUCCESS;
    }
    eprintln!("Embouchure could not start. See the message above; --devices lists what there is, --help the options.");
    ExitCode::FAILURE
}
