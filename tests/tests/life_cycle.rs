//! Starting, stopping, suspending and removing the built CLAP file in every order leaves nothing behind.

use embouchure_host::{Action, ClapHost, Hooks, Host, Layout, Session};
#[cfg(target_os = "linux")]
use embouchure_host::{HostWindow, VirtualScreen};
use embouchure_tests::{Paced, bundled_clap, phrase};
#[cfg(target_os = "linux")]
use embouchure_tests::{is_isolated, isolated, isolated_with};
use std::ops::ControlFlow;
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MONO: Layout = Layout { n_inputs: 1, n_outputs: 1 };
const RATE: f64 = 48_000.0;
const LIVE: Session = Session { rate: RATE, block: 128, max_block: 128 };

fn host() -> ClapHost {
    let mut host = ClapHost::load(&bundled_clap()).unwrap();
    host.select_layout(MONO).unwrap();
    host
}

fn offline_host() -> ClapHost {
    let mut host = host();
    host.set_offline(true).unwrap();
    host
}

/// Ends the playback after this many samples, while the worker is computing.
struct StopAfter(usize);

impl Hooks for StopAfter {
    fn after(&mut self, n_done: usize) -> ControlFlow<()> {
        if n_done >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// A bounce in which the host does `action` after `at` samples.
fn bounce_with(action: Action, at: usize) -> Vec<f32> {
    let mut hooks = Paced::new(RATE, 1e-6);
    hooks.actions = vec![(at, action)];
    let session = Session { rate: RATE, block: 250, max_block: 512 };
    offline_host().play_with(&[phrase(RATE)], session, &mut hooks).unwrap().channels.remove(0)
}

#[test]
fn after_a_reset_it_plays_like_a_new_instance() {
    let at = 30_000;
    let session = Session { rate: RATE, block: 250, max_block: 512 };
    let expected = offline_host().play(&[phrase(RATE)[at..].to_vec()], session).unwrap().channels.remove(0);
    assert!(expected.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    assert!(bounce_with(Action::Reset, at)[at..] == expected);
}

#[test]
fn after_a_suspension_it_continues() {
    let expected = bounce_with(Action::Play, 30_000);
    assert!(expected.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    assert!(bounce_with(Action::Suspend, 30_000) == expected);
}

#[test]
fn many_activations_in_a_row_and_another_rate_change_nothing() {
    let mut host = offline_host();
    let session = Session { rate: RATE, block: 256, max_block: 256 };
    let input = [phrase(RATE)];
    let expected = host.play(&input, session).unwrap();
    for (i, rate) in [44_100.0, 48_000.0, 96_000.0, 22_050.0, 192_000.0].into_iter().cycle().take(12).enumerate() {
        let latency =
            host.activate_and_deactivate(Session { rate, block: 64 << (i % 4), max_block: 64 << (i % 4) }).unwrap();
        assert!(latency > 0);
    }
    assert!(host.play(&input, session).unwrap().channels == expected.channels);
    assert_eq!(host.activate_and_deactivate(session).unwrap(), expected.latency_samples);
}

#[test]
fn bypassed_it_is_a_delay_also_live_and_after_a_pause() {
    let mut host = host();
    host.set_parameter("Bypass", 1.0).unwrap();
    let input = phrase(RATE);
    for _ in 0..2 {
        let played = host.play_with(std::slice::from_ref(&input), LIVE, &mut StopAfter(20_000)).unwrap();
        let latency = played.latency_samples;
        assert!(played.channels[0][latency..20_000] == input[..20_000 - latency]);
    }
}

/// Number of threads, and resident memory in bytes, of this process.
#[cfg(target_os = "linux")]
fn usage() -> (usize, usize) {
    let n_threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    (n_threads, kilobytes * 1024)
}

/// Loads a plugin, plays for a moment, and drops it while the worker is still computing.
fn load_play_and_drop(input: &[f32]) {
    let played = host().play_with(&[input.to_vec()], LIVE, &mut StopAfter(4800)).unwrap();
    assert!(played.channels[0].iter().all(|s| s.is_finite()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_hundred_instances_leave_no_thread_and_no_memory() {
    if !isolated("a_hundred_instances_leave_no_thread_and_no_memory") {
        return;
    }
    let input = phrase(RATE);
    (0..10).for_each(|_| load_play_and_drop(&input));
    let (threads, memory) = usage();
    (0..100).for_each(|_| load_play_and_drop(&input));
    // A joined thread may be listed for a moment longer.
    wait_until(|| usage().0 <= threads);
    let (threads_after, memory_after) = usage();
    println!("threads {threads} -> {threads_after}, memory {} -> {} KiB", memory >> 10, memory_after >> 10);
    assert_eq!(threads_after, threads);
    assert!(memory_after < memory + (8 << 20), "{} KiB more", (memory_after - memory) >> 10);
}

/// Waits for a condition, two seconds at most. The caller checks the condition afterwards.
#[cfg(target_os = "linux")]
fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Plays at a sound card's pace until `is_told` is set.
#[cfg(target_os = "linux")]
struct StopWhenTold<'a> {
    pace: Paced,
    is_told: &'a AtomicBool,
    n_done: usize,
}

#[cfg(target_os = "linux")]
impl Hooks for StopWhenTold<'_> {
    fn after(&mut self, n_done: usize) -> ControlFlow<()> {
        self.n_done = n_done;
        if self.is_told.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { self.pace.after(n_done) }
    }
}

/// Plays while the editor is opened and closed `n_openings` times, for moments of different lengths. Returns the
/// output.
#[cfg(target_os = "linux")]
fn play_with_editor_opening(n_openings: u64, host: &mut ClapHost, window: &HostWindow, input: &[f32]) -> Vec<f32> {
    let is_told = AtomicBool::new(false);
    let mut hooks = StopWhenTold { pace: Paced::new(RATE, 1.0), is_told: &is_told, n_done: 0 };
    let (mut n_toggles, mut due) = (0, Instant::now());
    let mut task = |host: &mut ClapHost| {
        if Instant::now() < due {
            return Ok(());
        }
        if n_toggles == 2 * n_openings {
            is_told.store(true, Ordering::Relaxed);
            return Ok(());
        }
        n_toggles += 1;
        due = Instant::now() + Duration::from_millis(37 * n_toggles % 200);
        if n_toggles % 2 == 1 { host.open_editor(window) } else { host.close_editor() }
    };
    let mut heard = host.play_while(&[input.to_vec()], LIVE, &mut hooks, &mut task).unwrap().channels.remove(0);
    heard.truncate(hooks.n_done);
    assert!(n_toggles == 2 * n_openings, "the clip is too short: {n_toggles}");
    heard
}

#[cfg(target_os = "linux")]
#[test]
fn opening_the_editor_twenty_times_changes_no_sample_and_leaves_nothing_behind() {
    if !is_isolated() {
        let screen = VirtualScreen::start().unwrap();
        let test = "opening_the_editor_twenty_times_changes_no_sample_and_leaves_nothing_behind";
        isolated_with(test, 1, &[("DISPLAY", screen.display())]);
        return;
    }
    let input: Vec<f32> = phrase(RATE).into_iter().cycle().take(60 * RATE as usize).collect();
    let window = HostWindow::open(&std::env::var("DISPLAY").unwrap()).unwrap();
    // Offline, so that a busy machine cannot change the output.
    let mut host = offline_host();
    let expected = host.play(std::slice::from_ref(&input), LIVE).unwrap().channels.remove(0);
    // The graphics library keeps some memory and threads after its first use; they are not a leak.
    play_with_editor_opening(2, &mut host, &window, &input);
    wait_until(|| window.n_windows_on_screen().unwrap() == 1);
    let (threads, _) = usage();
    let heard = play_with_editor_opening(20, &mut host, &window, &input);
    wait_until(|| usage().0 <= threads && window.n_windows_on_screen().unwrap() == 1);
    assert_eq!((usage().0, window.n_windows_on_screen().unwrap()), (threads, 1), "threads, windows");
    assert!(heard.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    assert!(heard == expected[..heard.len()], "the editor is heard");
}

/// After half a second of playing, waits at the barrier twice. Memory is measured in between.
#[cfg(target_os = "linux")]
struct WaitAtBarrier<'a> {
    pace: Paced,
    barrier: &'a std::sync::Barrier,
}

#[cfg(target_os = "linux")]
impl Hooks for WaitAtBarrier<'_> {
    fn after(&mut self, n_done: usize) -> ControlFlow<()> {
        if n_done < 24_000 {
            return self.pace.after(n_done);
        }
        self.barrier.wait();
        self.barrier.wait();
        ControlFlow::Break(())
    }
}

#[cfg(target_os = "linux")]
fn memory_of_playing(n_instances: usize, input: &[f32]) -> usize {
    let barrier = std::sync::Barrier::new(n_instances + 1);
    std::thread::scope(|scope| {
        for _ in 0..n_instances {
            scope.spawn(|| {
                let mut hooks = WaitAtBarrier { pace: Paced::new(RATE, 1.0), barrier: &barrier };
                host().play_with(&[input.to_vec()], LIVE, &mut hooks).unwrap();
            });
        }
        barrier.wait();
        let (_, memory) = usage();
        barrier.wait();
        memory
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_further_instance_needs_little_memory_and_loads_quickly() {
    if !isolated("a_further_instance_needs_little_memory_and_loads_quickly") {
        return;
    }
    let input = phrase(RATE);
    let begin = Instant::now();
    host().play_with(std::slice::from_ref(&input), LIVE, &mut StopAfter(1)).unwrap();
    let first = begin.elapsed();
    let begin = Instant::now();
    host().play_with(std::slice::from_ref(&input), LIVE, &mut StopAfter(1)).unwrap();
    let second = begin.elapsed();
    let one = memory_of_playing(1, &input);
    let nine = memory_of_playing(9, &input);
    let each = nine.saturating_sub(one) / 8;
    println!(
        "from the file to sound in {first:?}, a further one {second:?}; {} KiB, {} KiB more each",
        one >> 10,
        each >> 10
    );
    assert!(each <= 20 << 20);
    // A generous limit on a quiet machine; the plugin is not to blame for a busy one.
    assert!(first < Duration::from_millis(1500) && second < Duration::from_millis(1500));
}

#[test]
fn instances_come_and_go_side_by_side() {
    let input = phrase(RATE);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..3).for_each(|_| load_play_and_drop(&input)));
        }
    });
}
