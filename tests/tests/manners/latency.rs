//! How a host learns about a changed latency.

use super::RATE;
use embouchure_host::{ClapHost, Host, Session, Vst3Host};
use embouchure_tests::Built;

/// VST3's `kLatencyChanged`.
const LATENCY_CHANGED: i32 = 8;

fn sessions() -> impl Iterator<Item = Session> {
    [64, 4096, 64, 512].into_iter().map(|max_block| Session { rate: RATE, block: max_block, max_block })
}

/// No audio is played, so the plugin cannot learn the block size.
#[test]
fn clap_announces_a_changed_latency_during_activation_without_a_restart() {
    let mut host = ClapHost::built();
    let mut before = Host::latency(&mut host);
    for session in sessions() {
        let n_told = host.n_latency_changes();
        Host::activate(&mut host, session).unwrap();
        // The plugin may announce the change on the main thread's next turn.
        host.turn();
        let latency = Host::latency(&mut host);
        assert_ne!(latency, before);
        assert_eq!(host.n_latency_changes(), n_told + 1, "blocks of {}: {latency} after {before}", session.block);
        assert_eq!(host.take_restarts(), 0, "blocks of {}", session.block);
        Host::deactivate(&mut host);
        before = latency;
    }
}

#[test]
fn vst3_asks_only_for_a_new_query_of_the_latency() {
    let mut host = Vst3Host::built();
    for session in sessions() {
        Host::activate(&mut host, session).unwrap();
        assert!(Host::latency(&mut host) > 0);
        Host::deactivate(&mut host);
    }
    drop(Host::audio(&mut host));
    let flags = host.take_restart_flags();
    assert!(flags.iter().all(|flags| *flags == LATENCY_CHANGED), "{flags:?}");
}
