//! Runs tests in separate processes, so that a crash is a normal test result.

use std::io::Read;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Set in the process that [`isolated`] starts.
const IS_ISOLATED: &str = "EMBOUCHURE_ISOLATED";
/// Number of runs of the tests that fail only sometimes. 200 is the full form.
const RUNS: &str = "EMBOUCHURE_RUNS";
/// A run that takes longer than this counts as hung, s.
const TIMEOUT_S: u64 = 300;

/// Returns true in a separate process. In the test's own process it starts that process once and returns false.
///
/// # Panics
/// If the separate process fails or crashes.
pub fn isolated(test: &str) -> bool {
    isolated_with(test, 1, &[])
}

/// Like [`isolated`], with several runs, each in a new process: as many as the variable `EMBOUCHURE_RUNS` says,
/// otherwise `n_usually`.
///
/// # Panics
/// If at least one run failed. The message contains the error output of the first.
pub fn isolated_runs(test: &str, n_usually: usize) -> bool {
    isolated_with(test, n_runs(n_usually), &[])
}

/// Like [`isolated`], with `n_runs` runs and environment variables, such as the name of a screen.
///
/// # Panics
/// If at least one run failed.
pub fn isolated_with(test: &str, n_runs: usize, variables: &[(&str, &str)]) -> bool {
    if is_isolated() {
        return true;
    }
    // The harness knows the test's name without the crate.
    let test = test.split_once("::").map_or(test, |(_, name)| name);
    let mut failures: Vec<Output> = Vec::new();
    for _ in 0..n_runs {
        let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
        command.args(["--exact", test, "--nocapture"]).env(IS_ISOLATED, "1").envs(variables.iter().copied());
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

/// Prints the test's output without the harness's own lines, which would be counted twice.
fn pass_on(printed: &str) {
    let lines = printed.lines().filter(|line| !line.starts_with("running ") && !line.starts_with("test result: "));
    let said =
        lines.map(|line| line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")).map_or(line, |l| l.1));
    said.filter(|line| !["", "ok", "FAILED"].contains(line)).for_each(|line| println!("{line}"));
}

/// True in a process that one of the functions above started.
pub fn is_isolated() -> bool {
    std::env::var_os(IS_ISOLATED).is_some()
}

/// Number of runs: the variable's, or `n_usually`.
pub fn n_runs(n_usually: usize) -> usize {
    std::env::var(RUNS).map_or(n_usually, |runs| runs.parse().expect("EMBOUCHURE_RUNS is a number"))
}

/// Runs the command, and kills it if it hangs.
fn output(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a test can be started again");
    let stdout = collected(child.stdout.take().expect("it was asked for"));
    let stderr = collected(child.stderr.take().expect("it was asked for"));
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None if start.elapsed() > Duration::from_secs(TIMEOUT_S) => {
                child.kill().expect("a child can be ended");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    Output { status, stdout: stdout.join().unwrap_or_default(), stderr: stderr.join().unwrap_or_default() }
}

/// Reads the pipe on a thread, so that the writer never blocks on a full pipe.
fn collected(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // After an error, the bytes read so far are enough.
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
