//! Editors open and close while every parameter is automated.

use super::{LIVE, RATE};
use embouchure_host::{Audio, Block, Change, Channels, ClapHost, Host, HostWindow, Parameter, VirtualScreen, Vst3Host};
use embouchure_tests::{ActivePlugin, Built, hear_instrument_change, is_isolated, isolated_with, n_runs, tone};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Makes a test for each kind of event loop that hosts have.
macro_rules! in_all_hosts {
    ($($name:ident),+ $(,)?) => {
        mod clap {
            $(#[test]
            fn $name() {
                super::$name::<super::ClapHost>(concat!(module_path!(), "::", stringify!($name)), |host| host);
            })+
        }
        mod vst3 {
            $(#[test]
            fn $name() {
                super::$name::<super::Vst3Host>(concat!(module_path!(), "::", stringify!($name)), |host| host);
            })+
        }
        mod vst3_without_run_loop {
            $(#[test]
            fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                super::$name::<super::Vst3Host>(test, super::Vst3Host::without_run_loop);
            })+
        }
    };
}

in_all_hosts!(
    opened_once_under_automation,
    opened_twenty_times_under_automation,
    two_at_once_under_automation,
    its_calls_may_come_in_any_order,
    closed_and_unloaded_at_once,
);

/// Like `isolated`, on a screen that all runs share.
fn isolated_on_a_screen(test: &str, n_runs: usize) -> bool {
    is_isolated() || {
        let screen = VirtualScreen::start().unwrap();
        isolated_with(test, n_runs, &[("DISPLAY", screen.display())])
    }
}

fn window() -> HostWindow {
    HostWindow::open(&std::env::var("DISPLAY").unwrap()).unwrap()
}

/// Plays at a sound card's pace and changes every parameter in every block, until told to stop.
fn automate(audio: &mut impl Audio, parameters: &[Parameter], is_told: &AtomicBool) {
    let input = tone(RATE, LIVE.block);
    let start = Instant::now();
    for i in 0_usize.. {
        if is_told.load(Ordering::Relaxed) {
            return;
        }
        let value = |k: usize, p: &Parameter| {
            // Instruments change less often, because loading one takes longer than a block.
            let step = if p.name.starts_with("Instrument") { i / 50 } else { i };
            (p.max * ((step * 7 + k * 3) % 11) as f64 / 11.0).round().max(p.max * 0.09 * (step % 11) as f64).min(p.max)
        };
        let changes = parameters.iter().enumerate().map(|(k, p)| Change { at: k as i64, id: p.id, value: value(k, p) });
        let (mut heard, mut played) = (vec![input.clone(); 2], vec![vec![0.0; LIVE.block]; 2]);
        audio.process(&mut Block {
            n_samples: LIVE.block,
            input: Channels::all(&mut heard),
            output: Channels::all(&mut played),
            changes: &changes.collect::<Vec<_>>(),
        });
        let due = Duration::from_secs_f64(((i + 1) * LIVE.block) as f64 / RATE);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
}

/// Plays all hosts under automation while `task` runs.
fn under_automation<H: Built>(hosts: &mut [H], task: impl FnOnce(&mut [H])) {
    let is_told = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for host in hosts.iter_mut() {
            host.activate(LIVE).unwrap();
            let (mut audio, parameters) = (host.audio(), host.parameters());
            let is_told = &is_told;
            scope.spawn(move || {
                assert!(audio.start());
                automate(&mut audio, &parameters, is_told);
                audio.stop();
            });
        }
        run_event_loops(hosts, 30);
        // The audio threads are told to stop even if the task panics; otherwise the scope would never end.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| task(hosts)));
        is_told.store(true, Ordering::Relaxed);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    hosts.iter_mut().for_each(Host::deactivate);
}

/// Runs the hosts' event loops for a while.
fn run_event_loops<H: Host>(hosts: &mut [H], milliseconds: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(milliseconds) {
        hosts.iter_mut().for_each(Host::turn);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Checks that instruments still follow their parameter, then removes the plugin.
fn assert_follows_parameters<H: Built>(mut host: H) {
    let parameters = host.parameters();
    let mut plugin = ActivePlugin::new(host, LIVE);
    let defaults: Vec<_> = parameters.iter().map(|p| Change { at: 0, id: p.id, value: p.default }).collect();
    plugin.play(&tone(RATE, LIVE.block), &defaults);
    hear_instrument_change(&mut plugin, RATE);
    drop(plugin.stop());
}

fn look<H: Built>(n_openings: u64, prepare: fn(H) -> H) {
    let window = window();
    let mut hosts = [prepare(H::built())];
    under_automation(&mut hosts, |hosts| {
        for i in 0..n_openings {
            hosts[0].open_editor(&window).unwrap();
            run_event_loops(hosts, 40 + 37 * i % 200);
            hosts[0].close_editor().unwrap();
            run_event_loops(hosts, 53 * i % 100);
        }
    });
    let [host] = hosts;
    assert_follows_parameters(host);
}

fn opened_once_under_automation<H: Built>(test: &str, prepare: fn(H) -> H) {
    if isolated_on_a_screen(test, n_runs(2)) {
        look(1, prepare);
    }
}

fn opened_twenty_times_under_automation<H: Built>(test: &str, prepare: fn(H) -> H) {
    if isolated_on_a_screen(test, 1) {
        look(20, prepare);
    }
}

fn two_at_once_under_automation<H: Built>(test: &str, prepare: fn(H) -> H) {
    if !isolated_on_a_screen(test, n_runs(1)) {
        return;
    }
    let windows = [window(), window()];
    let mut hosts = [prepare(H::built()), prepare(H::built())];
    under_automation(&mut hosts, |hosts| {
        for i in 0..2 {
            hosts[0].open_editor(&windows[0]).unwrap();
            run_event_loops(hosts, 60);
            hosts[1].open_editor(&windows[1]).unwrap();
            run_event_loops(hosts, 60);
            // The two editors close in either order.
            hosts[i].close_editor().unwrap();
            run_event_loops(hosts, 60);
            hosts[1 - i].close_editor().unwrap();
        }
        hosts[1].open_editor(&windows[1]).unwrap();
        run_event_loops(hosts, 60);
    });
    let [first, mut second] = hosts;
    // One plugin is removed while the other's editor is open.
    assert_follows_parameters(first);
    second.close_editor().unwrap();
    assert_follows_parameters(second);
}

/// No code of the editor may run after it is closed: the library is unloaded a moment later.
fn closed_and_unloaded_at_once<H: Built>(test: &str, prepare: fn(H) -> H) {
    if isolated_on_a_screen(test, n_runs(2)) {
        let window = window();
        for i in 0..10 {
            let mut hosts = [prepare(H::built())];
            hosts[0].open_editor(&window).unwrap();
            run_event_loops(&mut hosts, 15 * i);
            hosts[0].close_editor().unwrap();
        }
    }
}

#[test]
fn a_vst3_view_may_be_released_after_its_plugin() {
    if isolated_on_a_screen("manners::editor::a_vst3_view_may_be_released_after_its_plugin", 1) {
        let window = window();
        let mut hosts = [Vst3Host::built().keeping_views(), Vst3Host::built()];
        under_automation(&mut hosts, |hosts| {
            for _ in 0..3 {
                hosts[0].open_editor(&window).unwrap();
                run_event_loops(hosts, 30);
                hosts[0].close_editor().unwrap();
            }
        });
        let [first, second] = hosts;
        drop(first);
        assert_follows_parameters(second);
    }
}

fn its_calls_may_come_in_any_order<H: Built>(test: &str, prepare: fn(H) -> H) {
    if !isolated_on_a_screen(test, 1) {
        return;
    }
    let window = window();
    let mut hosts = [prepare(H::built())];
    hosts[0].misuse_editor(&window);
    under_automation(&mut hosts, |hosts| {
        hosts[0].misuse_editor(&window);
        hosts[0].open_editor(&window).unwrap();
        run_event_loops(hosts, 60);
        hosts[0].close_editor().unwrap();
    });
    let [host] = hosts;
    assert_follows_parameters(host);
}
