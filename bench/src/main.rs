//! `embouchure-bench`: what Embouchure can do, in figures. Run through `cargo xtask bench`.

mod pitch;
mod table;
mod z;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask bench", about = "Measures Embouchure; tables here, JSON in target/bench")]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// How exactly, how soon and how often wrongly a pitch is heard, beside other trackers
    Pitch(pitch::Arguments),
    /// How much the encoder's z knows of a sound beyond its pitch and loudness
    Z(z::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().bench {
        Bench::Pitch(arguments) => pitch::run(&arguments),
        Bench::Z(arguments) => z::run(&arguments),
    }
}
