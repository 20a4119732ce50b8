//! Embouchure on the command line.

mod eval;
mod f0_track;
mod font;
mod inspect;
mod offline;
mod render;
mod shelf;
mod train;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

// For training; the reason is in Cargo.toml.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns a whistled, hummed, sung or played line into another instrument.
///
/// Your pitch, dynamics and phrasing stay; the sound becomes a trumpet, or whatever instrument you choose or train.
#[derive(Parser)]
#[command(name = "embouchure", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Render(render::RenderCommand),
    Inspect(inspect::InspectCommand),
    Train(train::TrainCommand),
    Eval(eval::EvalCommand),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Render(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Train(command) => command.run(),
        Command::Eval(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
