//! Instances that are removed while they have work to do in the background.

use super::{LIVE, RATE};
use embouchure_host::Change;
use embouchure_tests::{Built, Stage, alone_often, hear_instrument_change, in_both_formats, tone};

in_both_formats!(
    removed_after_two_moves_of_an_instrument,
    removed_after_a_session_was_loaded,
    the_others_still_follow_when_one_is_removed,
    removed_in_any_order,
);

/// Has instruments to load when it returns.
fn busy<H: Built>() -> Stage<H> {
    let mut stage = Stage::new(H::built(), LIVE);
    let id = stage.host.id("Instrument A");
    let input = tone(RATE, LIVE.block);
    for place in [3.0, 6.0] {
        stage.play(&input, &[Change { at: 0, id, value: place }]);
    }
    stage
}

fn removed_after_two_moves_of_an_instrument<H: Built>(test: &str) {
    if alone_often(test, 3) {
        drop(busy::<H>().leave());
    }
}

fn removed_after_a_session_was_loaded<H: Built>(test: &str) {
    if alone_often(test, 3) {
        let mut other = H::built();
        let id = other.id("Instrument A");
        other.set_value(id, 5.0).unwrap();
        let state = other.save().unwrap();
        let mut stage = Stage::new(H::built(), LIVE);
        let input = tone(RATE, LIVE.block);
        for _ in 0..2 {
            stage.host.restore(&state).unwrap();
            stage.play(&input, &[]);
        }
        drop(stage.leave());
    }
}

fn the_others_still_follow_when_one_is_removed<H: Built>(test: &str) {
    if alone_often(test, 2) {
        let mut survivor = Stage::new(H::built(), LIVE);
        drop(busy::<H>().leave());
        hear_instrument_change(&mut survivor, RATE, 4.0);
        drop(busy::<H>().leave());
        hear_instrument_change(&mut survivor, RATE, 9.0);
        drop(survivor.leave());
    }
}

fn removed_in_any_order<H: Built>(test: &str) {
    if alone_often(test, 2) {
        let mut stages: Vec<_> = (0..5).map(|_| busy::<H>()).collect();
        for at in [2, 0, 2, 0] {
            drop(stages.remove(at).leave());
        }
        let mut last = stages.remove(0);
        hear_instrument_change(&mut last, RATE, 9.0);
        drop(last.leave());
    }
}
