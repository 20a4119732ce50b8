//! Embouchure on the command line.

mod eval;
mod f0_track;
mod font;
mod inspect;
mod list;
mod number;
mod offline;
mod outputs;
mod progress;
mod render;
mod shelf;
mod streams;
mod train;
mod usage;
mod warnings;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

// Used for training; Cargo.toml gives the reason.
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
    List(list::ListCommand),
    Inspect(inspect::InspectCommand),
    Train(train::TrainCommand),
    Eval(eval::EvalCommand),
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return usage::tell(&error),
    };
    let result = match command {
        Command::Render(command) => command.run(),
        Command::List(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Train(command) => command.run(),
        Command::Eval(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", usage::in_one_line(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}
