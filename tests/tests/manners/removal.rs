//! Instances that are removed while they have background work to do.

use super::{LIVE, RATE};
use embouchure_host::Change;
use embouchure_tests::{ActivePlugin, Built, hear_instrument_change, in_both_formats, isolated_runs, tone};
use std::time::Duration;

in_both_formats!(
    removed_after_two_changes_of_an_instrument,
    removed_after_a_session_was_loaded,
    the_others_still_load_instruments_when_one_is_removed,
    removed_in_any_order,
);

fn plugin<H: Built>() -> ActivePlugin<H> {
    ActivePlugin::new(H::built(), LIVE)
}

/// Gives the plugin instruments to load.
fn occupy<H: Built>(plugin: &mut ActivePlugin<H>) {
    let id = plugin.host.id("Instrument A");
    let input = tone(RATE, LIVE.block);
    for place in [3.0, 6.0, 3.0, 6.0] {
        plugin.play(&input, &[Change { at: 0, id, value: place }]);
    }
}

/// Removes a busy plugin beside another one, then the other, then a single one. In between, the background thread gets
/// time to reach the removed plugin's work.
fn remove_busy_ones<H: Built>(occupy: impl Fn(&mut ActivePlugin<H>)) {
    for _ in 0..2 {
        let bystander = plugin::<H>();
        let mut removed = plugin();
        occupy(&mut removed);
        drop(removed.stop());
        std::thread::sleep(Duration::from_millis(100));
        drop(bystander.stop());
    }
    let mut alone = plugin();
    occupy(&mut alone);
    drop(alone.stop());
}

fn removed_after_two_changes_of_an_instrument<H: Built>(test: &str) {
    if isolated_runs(test, 3) {
        remove_busy_ones::<H>(occupy);
    }
}

fn removed_after_a_session_was_loaded<H: Built>(test: &str) {
    if isolated_runs(test, 3) {
        let mut other = H::built();
        let id = other.id("Instrument A");
        other.set_value(id, 5.0).unwrap();
        let state = other.save().unwrap();
        let input = tone(RATE, LIVE.block);
        remove_busy_ones::<H>(|plugin| {
            for _ in 0..3 {
                plugin.host.restore(&state).unwrap();
                plugin.play(&input, &[]);
            }
        });
    }
}

fn the_others_still_load_instruments_when_one_is_removed<H: Built>(test: &str) {
    if isolated_runs(test, 2) {
        let mut survivor = plugin::<H>();
        for _ in 0..2 {
            let mut removed = plugin::<H>();
            occupy(&mut removed);
            drop(removed.stop());
            hear_instrument_change(&mut survivor, RATE);
        }
        drop(survivor.stop());
    }
}

fn removed_in_any_order<H: Built>(test: &str) {
    if isolated_runs(test, 2) {
        let mut stages: Vec<_> = (0..5).map(|_| plugin::<H>()).collect();
        for at in [2, 0, 2, 0] {
            stages.iter_mut().for_each(occupy);
            drop(stages.remove(at).stop());
        }
        let mut last = stages.remove(0);
        hear_instrument_change(&mut last, RATE);
        drop(last.stop());
    }
}
