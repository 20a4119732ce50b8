//! What `cargo xtask demo` runs: plays a clip through the built plugin in a host, measures the output and draws it.

mod hosted;
mod melody;
mod picture;
mod pitch_track;
mod play;
mod spectrogram;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "embouchure-demo", about = "Plays a clip through the built plugin")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play a clip through the built plugin and draw what happened
    Play(play::Arguments),
    /// Host the plugin for `play`, in a process of its own so that a crash can be reported
    #[command(hide = true)]
    Host(hosted::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Play(arguments) => play::run(&arguments),
        Command::Host(arguments) => hosted::run(&arguments),
    }
}
