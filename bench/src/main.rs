//! `embouchure-bench`: measures what Embouchure can do. Run it through `cargo xtask bench`.

mod ablations;
mod all;
mod curve;
#[cfg(target_os = "linux")]
mod editor;
mod effect;
#[cfg(target_os = "linux")]
mod engine;
mod held_out;
mod latency;
mod machine;
mod pictures;
mod pitch;
mod program;
mod report;
mod sound;
mod sounds;
mod statistics;
mod table;
mod train;
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
    /// Reported latency against measured latency, and the delay that hearing a note adds
    Latency(latency::Arguments),
    /// Processor time, deadlines, late frames, instances, memory (Linux)
    #[cfg(target_os = "linux")]
    Engine(engine::Arguments),
    /// What an open editor costs the audio callback (Linux; needs Xvfb)
    #[cfg(target_os = "linux")]
    Editor(editor::Arguments),
    /// How the instruments sound to an independent judge
    Sound(sound::Arguments),
    /// What each part of an instrument's training is good for
    Ablations(ablations::Arguments),
    /// How long a new instrument takes
    Curve(curve::Arguments),
    /// Seconds per step of training, beside PyTorch
    Train(train::Arguments),
    /// Spectrograms with what we and others hear
    Pictures(pictures::Arguments),
    /// Everything measured so far into docs/performance.md and docs/training.md
    Report(report::Arguments),
    /// Pitch, z, latency, engine, editor, train, pictures and report, one after the other: half an hour
    All(all::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().bench {
        Bench::Pitch(arguments) => pitch::run(&arguments),
        Bench::Z(arguments) => z::run(&arguments),
        Bench::Latency(arguments) => latency::run(&arguments),
        #[cfg(target_os = "linux")]
        Bench::Engine(arguments) => engine::run(&arguments),
        #[cfg(target_os = "linux")]
        Bench::Editor(arguments) => editor::run(&arguments),
        Bench::Sound(arguments) => sound::run(&arguments),
        Bench::Ablations(arguments) => ablations::run(&arguments),
        Bench::Curve(arguments) => curve::run(&arguments),
        Bench::Train(arguments) => train::run(&arguments),
        Bench::Pictures(arguments) => pictures::run(&arguments),
        Bench::Report(arguments) => report::run(&arguments),
        Bench::All(arguments) => all::run(&arguments),
    }
}
