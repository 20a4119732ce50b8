//! `cargo xtask test`: installs and builds what the tests need, then runs all of them.

use crate::{bundle, foreign, setup, system, workspace};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Leave out the test in a host written in Python, which downloads packages
    #[arg(long)]
    skip_foreign_hosts: bool,
    /// Passed on to `cargo test`, for instance `-- -p embouchure-inference`
    #[arg(last = true)]
    extra: Vec<String>,
}

/// Runs all tests; fails at the end if any failed.
pub fn run(arguments: &Arguments) -> Result<()> {
    setup::run()?;
    let is_selection = arguments.extra.iter().any(|word| word == "-p" || word.starts_with("--package"));
    let bundles = if is_selection { bundle::run(&bundle::Arguments::default())? } else { bundle::run_for_tests()? };

    let mut summary = Summary::default();
    let rust = cargo_test(&arguments.extra, is_selection, &mut summary)?;
    // This program has a workspace of its own.
    let own = if is_selection { Ok(()) } else { cargo_test(&own_tests(), true, &mut summary)? };
    let foreign =
        if arguments.skip_foreign_hosts { Ok("skipped, as asked for".to_owned()) } else { foreign::run(&bundles.vst3) };

    println!("\nSummary\n{}", summary.text());
    match &foreign {
        Ok(line) => println!("foreign hosts: {line}"),
        Err(error) => println!("foreign hosts: FAILED: {error:#}"),
    }
    if !system::has_program("pulseaudio") {
        // PulseAudio is not installed automatically, because it would replace PipeWire where that is in use.
        println!("the app's test with PulseAudio: skipped, PulseAudio is not installed (Debian: pulseaudio)");
    }
    println!("{}", summary.total());
    rust.and(own)?;
    foreign.map(|_| ()).context("the test in foreign hosts failed (--skip-foreign-hosts leaves it out)")
}

fn own_tests() -> [String; 2] {
    ["--manifest-path".to_owned(), workspace::root().join("xtask/Cargo.toml").display().to_string()]
}

/// Runs `cargo test`, prints its output as it arrives, and adds the important lines to `summary`. The inner result says
/// whether all tests passed.
fn cargo_test(extra: &[String], is_selection: bool, summary: &mut Summary) -> Result<Result<()>> {
    let mut command = workspace::cargo();
    command.args(["test", "--release", "--no-fail-fast"]).current_dir(workspace::root()).stdin(Stdio::null());
    if !is_selection {
        command.arg("--workspace");
    }
    command.args(extra);
    let shown = workspace::shown(&command);
    println!("{shown}");
    // Both streams share one pipe to keep their order: cargo names the binary on one, the binary prints its result on
    // the other.
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run {shown}"))?;
    // The command holds the pipe's writing ends; reading ends when they are closed.
    drop(command);
    let n_before = summary.results.len();
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        writeln!(std::io::stdout(), "{line}")?;
        summary.take(&line);
    }
    let status = child.wait()?;
    let outcome = if status.success() { Ok(()) } else { Err(anyhow::anyhow!("{shown}: {status}")) };
    if outcome.is_ok() && summary.results.len() == n_before {
        bail!("{shown} printed no result: has the form of its output changed?");
    }
    Ok(outcome)
}

/// Summarises the output of `cargo test`, one line per binary.
#[derive(Default)]
struct Summary {
    /// The last binary that cargo announced.
    running: String,
    /// Results, and names of failed tests.
    results: Vec<String>,
    n_passed: usize,
    n_failed: usize,
    n_ignored: usize,
}

impl Summary {
    fn take(&mut self, line: &str) {
        let line = line.trim();
        if let Some(what) = line.strip_prefix("Running ").or(line.strip_prefix("Doc-tests ")) {
            self.running = what.to_owned();
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.n_passed += count(result, " passed");
            self.n_failed += count(result, " failed");
            self.n_ignored += count(result, " ignored");
            if ["passed", "failed", "ignored"].iter().any(|word| count(result, &format!(" {word}")) > 0) {
                self.results.push(format!("{}: {result}", self.running));
            }
        } else if let Some(test) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.results.push(format!("    FAILED {test}"));
        } else if line.contains("(signal: ") {
            // A binary that crashes prints no result.
            self.n_failed += 1;
            self.results.push(format!("{}: {line}", self.running));
        }
    }

    fn text(&self) -> String {
        self.results.join("\n")
    }

    fn total(&self) -> String {
        format!("total: {} passed, {} failed, {} ignored", self.n_passed, self.n_failed, self.n_ignored)
    }
}

/// The number before `word`.
fn count(result: &str, word: &str) -> usize {
    let before = result.split(word).next().filter(|before| before.len() < result.len());
    before.and_then(|before| before.rsplit(' ').next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summarises_what_cargo_prints() {
        let mut summary = Summary::default();
        for line in [
            "     Running unittests src/lib.rs (target/release/deps/embouchure_inference-0123)",
            "running 2 tests",
            "test decoder::tests::gate ... ok",
            "test synth::tests::level ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "   Doc-tests embouchure_host",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "     Running tests/clap_host.rs (target/release/deps/clap_host-0123)",
            "  process didn't exit successfully: `clap_host-0123` (signal: 11, SIGSEGV: invalid memory reference)",
        ] {
            summary.take(line);
        }
        assert_eq!(summary.total(), "total: 1 passed, 2 failed, 3 ignored");
        let text = summary.text();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("FAILED synth::tests::level") && text.contains("SIGSEGV"), "{text}");
    }
}
