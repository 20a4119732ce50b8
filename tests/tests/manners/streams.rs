//! States through streams that transfer fewer bytes than requested, or fail half way.

use super::states::{bounce, host_with_a_sound};
use embouchure_host::StreamLimits;
use embouchure_tests::{Built, in_both_formats, isolated};

in_both_formats!(
    a_state_passes_in_pieces,
    an_incompletely_saved_state_is_reported_as_failed,
    a_failing_stream_leaves_the_present_state_unchanged,
);

fn a_state_passes_in_pieces<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut host = host_with_a_sound::<H>();
    let state = host.save().unwrap();
    let (_, expected) = bounce(host);
    for n_in_a_call in [1, 7, 100, state.len() - 1, state.len()] {
        let limits = StreamLimits { n_in_a_call, n_until_error: None };
        assert_eq!(host_with_a_sound::<H>().save_through(limits).unwrap(), state, "{limits:?}");
        let mut host = H::built_offline();
        host.restore_through(&state, limits).unwrap_or_else(|e| panic!("{limits:?}: {e}"));
        assert!(bounce(host).1 == expected, "{limits:?}");
    }
}

/// Streams that fail after different numbers of bytes.
fn failures(n_bytes: usize) -> impl Iterator<Item = StreamLimits> {
    let n_passed = [0, 1, 7, 8, 9, 100, n_bytes / 2, n_bytes - 1];
    let limits = move |n| [n_bytes, 5].map(|n_in_a_call| StreamLimits { n_in_a_call, n_until_error: Some(n) });
    n_passed.into_iter().flat_map(limits)
}

fn an_incompletely_saved_state_is_reported_as_failed<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut host = host_with_a_sound::<H>();
    let state = host.save().unwrap();
    for limits in failures(state.len()) {
        assert!(host.save_through(limits).is_err(), "{limits:?}");
    }
    assert_eq!(host.save().unwrap(), state);
}

fn a_failing_stream_leaves_the_present_state_unchanged<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let state = H::built().save().unwrap();
    let mut host = host_with_a_sound::<H>();
    let before = host.save().unwrap();
    assert_ne!(before, state);
    for limits in failures(state.len()) {
        assert!(host.restore_through(&state, limits).is_err(), "{limits:?}");
        assert_eq!(host.save().unwrap(), before, "{limits:?}");
    }
    assert!(bounce(host).1 == bounce(host_with_a_sound::<H>()).1);
}
