//! Editors that open and close while every parameter is automated.

use super::{LIVE, RATE};
use embouchure_host::{Audio, Block, Change, Channels, ClapHost, Host, HostWindow, Parameter, VirtualScreen, Vst3Host};
use embouchure_tests::{Built, Stage, alone_with, hear_instrument_change, is_alone, n_runs, tone};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Each with event loops in all ways that hosts have them.
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

/// As the functions of `alone`, on a screen that all runs share.
fn alone_on_a_screen(test: &str, n_runs: usize) -> bool {
    is_alone() || {
        let screen = VirtualScreen::start().unwrap();
        alone_with(test, n_runs, &[("DISPLAY", screen.display())])
    }
}

fn window() -> HostWindow {
    HostWindow::open(&std::env::var("DISPLAY").unwrap()).unwrap()
}

/// Plays at a sound card's pace and moves every parameter in every block, until told.
fn automate(audio: &mut impl Audio, parameters: &[Parameter], is_told: &AtomicBool) {
    let input = tone(RATE, LIVE.block);
    let start = Instant::now();
    for i in 0_usize.. {
        if is_told.load(Ordering::Relaxed) {
            return;
        }
        let value = |k: usize, p: &Parameter| {
            // Instruments take longer to come than a block lasts.
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

/// Plays all hosts under automation while `errand` runs.
fn under_automation<H: Built>(hosts: &mut [H], errand: impl FnOnce(&mut [H])) {
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
        pass(hosts, 30);
        // Told also when the errand panics, or nobody would hear of it.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| errand(hosts)));
        is_told.store(true, Ordering::Relaxed);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    hosts.iter_mut().for_each(Host::deactivate);
}

/// Time goes by in the hosts' event loops.
fn pass<H: Host>(hosts: &mut [H], milliseconds: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(milliseconds) {
        hosts.iter_mut().for_each(Host::turn);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The host's instruments still follow its parameter, and it can go.
fn assert_well<H: Built>(mut host: H) {
    let parameters = host.parameters();
    let mut stage = Stage::new(host, LIVE);
    let defaults: Vec<_> = parameters.iter().map(|p| Change { at: 0, id: p.id, value: p.default }).collect();
    stage.play(&tone(RATE, LIVE.block), &defaults);
    hear_instrument_change(&mut stage, RATE);
    drop(stage.leave());
}

fn look<H: Built>(n_looks: u64, prepare: fn(H) -> H) {
    let window = window();
    let mut hosts = [prepare(H::built())];
    under_automation(&mut hosts, |hosts| {
        for i in 0..n_looks {
            hosts[0].open_editor(&window).unwrap();
            pass(hosts, 40 + 37 * i % 200);
            hosts[0].close_editor().unwrap();
            pass(hosts, 53 * i % 100);
        }
    });
    let [host] = hosts;
    assert_well(host);
}

fn opened_once_under_automation<H: Built>(test: &str, prepare: fn(H) -> H) {
    if alone_on_a_screen(test, n_runs(2)) {
        look(1, prepare);
    }
}

fn opened_twenty_times_under_automation<H: Built>(test: &str, prepare: fn(H) -> H) {
    if alone_on_a_screen(test, 1) {
        look(20, prepare);
    }
}

fn two_at_once_under_automation<H: Built>(test: &str, prepare: fn(H) -> H) {
    if !alone_on_a_screen(test, n_runs(1)) {
        return;
    }
    let windows = [window(), window()];
    let mut hosts = [prepare(H::built()), prepare(H::built())];
    under_automation(&mut hosts, |hosts| {
        for i in 0..2 {
            hosts[0].open_editor(&windows[0]).unwrap();
            pass(hosts, 60);
            hosts[1].open_editor(&windows[1]).unwrap();
            pass(hosts, 60);
            // In either order.
            hosts[i].close_editor().unwrap();
            pass(hosts, 60);
            hosts[1 - i].close_editor().unwrap();
        }
        hosts[1].open_editor(&windows[1]).unwrap();
        pass(hosts, 60);
    });
    let [first, mut second] = hosts;
    // One goes while the other's editor is open.
    assert_well(first);
    second.close_editor().unwrap();
    assert_well(second);
}

/// Nothing of the editor may run any more when it is closed: the library is gone a moment later.
fn closed_and_unloaded_at_once<H: Built>(test: &str, prepare: fn(H) -> H) {
    if alone_on_a_screen(test, n_runs(2)) {
        let window = window();
        for i in 0..10 {
            let mut hosts = [prepare(H::built())];
            hosts[0].open_editor(&window).unwrap();
            pass(&mut hosts, 15 * i);
            hosts[0].close_editor().unwrap();
        }
    }
}

#[test]
fn a_vst3_view_may_be_released_after_its_plugin() {
    if alone_on_a_screen("manners::editor::a_vst3_view_may_be_released_after_its_plugin", 1) {
        let window = window();
        let mut hosts = [Vst3Host::built().keeping_views(), Vst3Host::built()];
        under_automation(&mut hosts, |hosts| {
            for _ in 0..3 {
                hosts[0].open_editor(&window).unwrap();
                pass(hosts, 30);
                hosts[0].close_editor().unwrap();
            }
        });
        let [first, second] = hosts;
        drop(first);
        assert_well(second);
    }
}

fn its_calls_may_come_in_any_order<H: Built>(test: &str, prepare: fn(H) -> H) {
    if !alone_on_a_screen(test, 1) {
        return;
    }
    let window = window();
    let mut hosts = [prepare(H::built())];
    hosts[0].misuse_editor(&window);
    under_automation(&mut hosts, |hosts| {
        hosts[0].misuse_editor(&window);
        hosts[0].open_editor(&window).unwrap();
        pass(hosts, 60);
        hosts[0].close_editor().unwrap();
    });
    let [host] = hosts;
    assert_well(host);
}
