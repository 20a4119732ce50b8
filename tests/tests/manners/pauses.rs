//! Hosts that stop and start processing more often than necessary.

use super::{LIVE, RATE};
use embouchure_host::{Audio, ClapHost, Layout, Session};
use embouchure_tests::{ActivePlugin, Built, in_both_formats, isolated, phrase, tone};

in_both_formats!(
    a_soft_voice_keeps_its_level_over_a_pause,
    a_pause_around_each_block_does_no_harm,
    calls_of_the_life_cycle_may_come_in_any_order,
    other_channels_chosen_while_active_do_no_harm,
);

const SESSION: Session = Session { rate: RATE, block: 256, max_block: 256 };

/// What a host does in the middle of the clip.
#[derive(Clone, Copy, Debug)]
enum Pause {
    None,
    StopAndStart,
    Reset,
}

/// Level of the second second after the middle, dB. During the first one the sound returns.
fn level_after<H: Built>(pause: Pause) -> f64 {
    let mut plugin = ActivePlugin::new(H::built(), LIVE);
    let soft: Vec<f32> = tone(RATE, 2 * RATE as usize).iter().map(|s| 0.02 * s).collect();
    // Blocks that come ahead of the clock wait for the engine, so this is a live performance without late frames.
    plugin.play(&soft, &[]);
    match pause {
        Pause::None => {}
        Pause::StopAndStart => {
            plugin.audio.stop();
            assert!(plugin.audio.start());
        }
        Pause::Reset => plugin.audio.reset(),
    }
    let second = plugin.play(&soft[..RATE as usize / 2], &[]);
    drop(plugin.stop());
    let heard = &second[RATE as usize / 5..];
    let power = heard.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / heard.len() as f64;
    10.0 * (power + 1e-12).log10()
}

fn a_soft_voice_keeps_its_level_over_a_pause<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let expected = level_after::<H>(Pause::None);
    assert!(expected > -60.0, "silence proves nothing: {expected} dB");
    for pause in [Pause::StopAndStart, Pause::Reset] {
        let level = level_after::<H>(pause);
        println!("{}: {expected:.1} dB, after {pause:?} {level:.1} dB", H::FORMAT);
        assert!((level - expected).abs() < 1.5, "{pause:?}: {level:.1} dB instead of {expected:.1} dB");
    }
}

/// A bounce, with or without a stop and a start before each block.
fn bounce<H: Built>(mix: f64, is_paused: bool) -> Vec<f32> {
    let mut host = H::built_offline();
    let id = host.id("Dry/Wet");
    host.set_value(id, mix).unwrap();
    let mut plugin = ActivePlugin::new(host, SESSION);
    let mut output = Vec::new();
    for block in phrase(RATE).chunks(SESSION.block) {
        if is_paused {
            plugin.audio.stop();
            assert!(plugin.audio.start());
        }
        output.extend(plugin.play(block, &[]));
    }
    drop(plugin.stop());
    output
}

/// In VST3 such a pause is how hosts reset a plugin, so the output cannot be compared.
fn a_pause_around_each_block_does_no_harm<H: Built>(test: &str) {
    if isolated(test) {
        for mix in [0.0, 1.0] {
            assert!(bounce::<H>(mix, true).iter().all(|s| s.is_finite()));
        }
    }
}

#[test]
fn in_clap_a_pause_around_each_block_changes_no_sample() {
    for mix in [0.0, 0.5, 1.0] {
        let expected = bounce::<ClapHost>(mix, false);
        assert!(expected.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
        assert!(bounce::<ClapHost>(mix, true) == expected, "mix {mix}");
    }
}

fn calls_of_the_life_cycle_may_come_in_any_order<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let longer = Session { rate: 96_000.0, block: 512, max_block: 512 };
    let mut host = H::built();
    let mut audio = host.audio();
    for _ in 0..3 {
        audio.stop();
        audio.reset();
        // Whether it starts is the plugin's choice.
        audio.start();
        audio.start();
        host.activate(longer).unwrap();
        host.activate(LIVE).unwrap();
        audio.stop();
        audio.stop();
        audio.reset();
        let mut plugin = ActivePlugin::new(host, LIVE);
        assert!(plugin.play(&phrase(RATE)[..20_000], &[]).iter().all(|s| s.is_finite()));
        plugin.audio.stop();
        plugin.block(&[0.5; 100], &[]);
        plugin.audio.start();
        // Deactivated while started.
        plugin.host.deactivate();
        plugin.block(&[0.5; 100], &[]);
        host = plugin.stop();
    }
    let mut plugin = ActivePlugin::new(host, LIVE);
    let played = plugin.play(&phrase(RATE), &[]);
    assert!(played.iter().all(|s| s.is_finite()) && played.iter().any(|s| s.abs() > 0.01));
    drop(plugin.stop());
}

/// The plugin may refuse the layout, or use it from the next activation on.
fn other_channels_chosen_while_active_do_no_harm<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let layouts = [(1, 1), (1, 2), (2, 2)].map(|(n_inputs, n_outputs)| Layout { n_inputs, n_outputs });
    for agreed in layouts {
        for chosen in layouts {
            let mut host = H::built();
            host.select_layout(agreed).unwrap();
            let mut plugin = ActivePlugin::new(host, LIVE);
            plugin.play(&phrase(RATE)[..5000], &[]);
            // The host's blocks have the layout that the host believes in.
            let _ = plugin.host.select_layout(chosen);
            for block in phrase(RATE)[..5000].chunks(LIVE.block) {
                plugin.block(block, &[]);
            }
            let mut host = plugin.stop();
            host.select_layout(chosen).unwrap();
            let mut plugin = ActivePlugin::new(host, LIVE);
            assert!(
                plugin.play(&phrase(RATE)[..5000], &[]).iter().all(|s| s.is_finite()),
                "{agreed:?}, then {chosen:?}"
            );
            drop(plugin.stop());
        }
    }
}
