//! Instances that are removed while they have work to do in the background.

use super::{LIVE, RATE};
use embouchure_host::Change;
use embouchure_tests::{Built, Stage, alone_often, hear_instrument_change, in_both_formats, tone};
use std::time::Duration;

in_both_formats!(
    removed_after_two_moves_of_an_instrument,
    removed_after_a_session_was_loaded,
    the_others_still_follow_when_one_is_removed,
    removed_in_any_order,
);

fn stage<H: Built>() -> Stage<H> {
    Stage::new(H::built(), LIVE)
}

/// Gives it instruments to load.
fn occupy<H: Built>(stage: &mut Stage<H>) {
    let id = stage.host.id("Instrument A");
    let input = tone(RATE, LIVE.block);
    for place in [3.0, 6.0, 3.0, 6.0] {
        stage.play(&input, &[Change { at: 0, id, value: place }]);
    }
}

/// Removes a busy one beside another, then the other, then one that is alone. In between the background has time to meet
/// what the removed one has left to do.
fn remove_busy_ones<H: Built>(occupy: impl Fn(&mut Stage<H>)) {
    for _ in 0..2 {
        let bystander = stage::<H>();
        let mut removed = stage();
        occupy(&mut removed);
        drop(removed.leave());
        std::thread::sleep(Duration::from_millis(100));
        drop(bystander.leave());
    }
    let mut alone = stage();
    occupy(&mut alone);
    drop(alone.leave());
}

fn removed_after_two_moves_of_an_instrument<H: Built>(test: &str) {
    if alone_often(test, 3) {
        remove_busy_ones::<H>(occupy);
    }
}

fn removed_after_a_session_was_loaded<H: Built>(test: &str) {
    if alone_often(test, 3) {
        let mut other = H::built();
        let id = other.id("Instrument A");
        other.set_value(id, 5.0).unwrap();
        let state = other.save().unwrap();
        let input = tone(RATE, LIVE.block);
        remove_busy_ones::<H>(|stage| {
            for _ in 0..3 {
                stage.host.restore(&state).unwrap();
                stage.play(&input, &[]);
            }
        });
    }
}

fn the_others_still_follow_when_one_is_removed<H: Built>(test: &str) {
    if alone_often(test, 2) {
        let mut survivor = stage::<H>();
        for _ in 0..2 {
            let mut removed = stage::<H>();
            occupy(&mut removed);
            drop(removed.leave());
            hear_instrument_change(&mut survivor, RATE);
        }
        drop(survivor.leave());
    }
}

fn removed_in_any_order<H: Built>(test: &str) {
    if alone_often(test, 2) {
        let mut stages: Vec<_> = (0..5).map(|_| stage::<H>()).collect();
        for at in [2, 0, 2, 0] {
            stages.iter_mut().for_each(occupy);
            drop(stages.remove(at).leave());
        }
        let mut last = stages.remove(0);
        hear_instrument_change(&mut last, RATE);
        drop(last.leave());
    }
}
