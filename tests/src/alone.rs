//! Tests in processes of their own, where a crash is a result like any other.

use std::io::Read;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Set in the process that [`alone`] starts.
const IS_ALONE: &str = "EMBOUCHURE_ALONE";
/// How often a test of what only sometimes goes wrong is run. 200 is the full form.
const RUNS: &str = "EMBOUCHURE_RUNS";
/// Seconds after which a run counts as hung.
const PATIENCE_S: u64 = 300;

/// True in a process of its own. Elsewhere starts that process once, and fails when it fails or crashes.
///
/// # Panics
/// Then.
pub fn alone(test: &str) -> bool {
    alone_with(test, 1, &[])
}

/// The same as often as the variable `EMBOUCHURE_RUNS` says, or `n_usually`; each time in a new process.
///
/// # Panics
/// When at least one failed, with what the first of them said.
pub fn alone_often(test: &str, n_usually: usize) -> bool {
    alone_with(test, n_runs(n_usually), &[])
}

/// The same with variables, for runs in which the test has to do with a screen.
///
/// # Panics
/// Likewise.
pub fn alone_with(test: &str, n_runs: usize, variables: &[(&str, &str)]) -> bool {
    if is_alone() {
        return true;
    }
    // As the harness knows it: without the crate.
    let test = test.split_once("::").map_or(test, |(_, name)| name);
    let mut failures: Vec<Output> = Vec::new();
    for _ in 0..n_runs {
        let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
        command.args(["--exact", test, "--nocapture"]).env(IS_ALONE, "1").envs(variables.iter().copied());
        let output = output(command);
        let has_run = String::from_utf8_lossy(&output.stdout).contains("1 passed");
        assert!(has_run || !output.status.success(), "no test is called {test}");
        if n_runs == 1 {
            pass_on(&String::from_utf8_lossy(&output.stdout));
        }
        failures.extend(Some(output).filter(|output| !output.status.success()));
    }
    if let Some(first) = failures.first() {
        let said = String::from_utf8_lossy(&first.stderr);
        panic!("{} of {n_runs} runs failed, the first with {}:\n{said}", failures.len(), ending(first.status));
    }
    println!("{n_runs} runs");
    false
}

/// What the test printed, without the harness's own lines, which would be counted twice.
fn pass_on(printed: &str) {
    let lines = printed.lines().filter(|line| !line.starts_with("running ") && !line.starts_with("test result: "));
    let said =
        lines.map(|line| line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")).map_or(line, |l| l.1));
    said.filter(|line| !["", "ok", "FAILED"].contains(line)).for_each(|line| println!("{line}"));
}

/// True in the process that one of the above started.
pub fn is_alone() -> bool {
    std::env::var_os(IS_ALONE).is_some()
}

/// The runs that the variable asks for.
pub fn n_runs(n_usually: usize) -> usize {
    std::env::var(RUNS).map_or(n_usually, |runs| runs.parse().expect("EMBOUCHURE_RUNS is a number"))
}

/// Ends the process when it hangs.
fn output(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a test can be started again");
    let stdout = collected(child.stdout.take().expect("it was asked for"));
    let stderr = collected(child.stderr.take().expect("it was asked for"));
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None if start.elapsed() > Duration::from_secs(PATIENCE_S) => {
                child.kill().expect("a child can be ended");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    Output { status, stdout: stdout.join().unwrap_or_default(), stderr: stderr.join().unwrap_or_default() }
}

/// Reads along, so that nobody waits for room in the pipe.
fn collected(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What can be read is enough.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

#[cfg(unix)]
fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    status.signal().map_or(status.to_string(), |signal| format!("{status} (a shell says {})", 128 + signal))
}

#[cfg(not(unix))]
fn ending(status: ExitStatus) -> String {
    status.to_string()
}
