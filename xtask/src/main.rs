//! `cargo xtask COMMAND`: development tasks that cargo alone does not cover.

mod bench;
mod bundle;
mod demo;
mod deny;
mod foreign;
mod framework;
mod install;
mod pass_on;
mod setup;
mod structure;
mod system;
mod test;
mod train;
mod train_shelf;
mod workspace;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, bundles, installs, tests, trains, measures and demonstrates Embouchure"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Patch the plugin framework, and install the system packages that building and testing need (as root), or say
    /// which are missing
    Setup,
    /// Build the plugin and the app into target/bundled; installs nothing
    Bundle(bundle::Arguments),
    /// Bundle, then copy the plugins into your plugin folders
    Install(bundle::Arguments),
    /// Play a clip through the built plugin and draw what happened into target/demo
    Demo(pass_on::Arguments),
    /// Run all tests, those of the built plugin in hosts among them
    Test(test::Arguments),
    /// Check the dependencies' licences, sources and advisories, as deny.toml says
    Deny,
    /// Write how crates and folders depend on each other into docs, and fail where that goes in a circle
    Structure(structure::Arguments),
    /// Train an instrument: the same as `embouchure train`
    Train(pass_on::Arguments),
    /// Train all instruments that ship, as weights/shelf.toml says
    TrainShelf(train_shelf::Arguments),
    /// Measure pitch, latency, engine, sound and training; `report` renders the results
    Bench(pass_on::Arguments),
}

fn main() -> anyhow::Result<()> {
    let command = Arguments::parse().command;
    // Every command runs cargo, which cannot read the workspace without the patched framework.
    framework::ensure()?;
    match command {
        Command::Setup => setup::run(),
        Command::Bundle(arguments) => bundle::run(&arguments).map(|_| ()),
        Command::Install(arguments) => install::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Deny => deny::run(),
        Command::Structure(arguments) => structure::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::TrainShelf(arguments) => train_shelf::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    }
}
