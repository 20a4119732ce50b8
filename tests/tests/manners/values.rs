//! Parameters queried and set in ways that few hosts use.

use super::{LIVE, RATE};
use embouchure_host::{Change, Host, Vst3Host};
use embouchure_tests::{ActivePlugin, Built, in_both_formats, isolated, noise};

in_both_formats!(a_parameter_behind_the_last_is_refused, any_number_may_be_asked_about);

fn a_parameter_behind_the_last_is_refused<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut host = H::built();
    let n = host.parameters().len() as u32;
    assert!(host.parameter_at(n - 1).is_some());
    // The last four are negative numbers in VST3.
    for index in [n, n + 1, n + 1000, i32::MAX as u32, i32::MIN as u32, u32::MAX - 100, u32::MAX - 1, u32::MAX] {
        assert!(host.parameter_at(index).is_none(), "{index}");
    }
}

fn any_number_may_be_asked_about<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut plugin = ActivePlugin::new(H::built(), LIVE);
    let known: Vec<u32> = plugin.host.parameters().iter().map(|parameter| parameter.id).collect();
    let unknown = [0, 1, 2, 3, 23, 24, 25, 127, 128, 1000, i32::MAX as u32, i32::MIN as u32, u32::MAX - 1, u32::MAX];
    let values = [0.0, 0.5, 1.0, -1.0, 2.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let texts =
        [c"", c"-", c"1e999", c"nan", c"-inf", c"\xff\xfe", c"%s%n", c"99999999999999999999", c"\u{1f3ba} \u{301}"];
    for number in unknown.into_iter().chain(known) {
        for (value, text) in values.into_iter().zip(texts) {
            plugin.host.query(number, value, text);
        }
    }
    assert!(plugin.play(&noise(1, 5000)[0], &[]).iter().all(|s| s.is_finite()));
    drop(plugin.stop());
}

/// A value other than the present one that the parameter can have exactly.
fn other_value(host: &mut Vst3Host, parameter: &embouchure_host::Parameter) -> f64 {
    if host.value(parameter.id) == parameter.max { parameter.min } else { parameter.max }
}

/// Applies to VST3's controller; in CLAP a host sets values only by events.
#[test]
fn what_a_vst3_controller_sets_while_processing_is_readable_and_saved_at_once() {
    let mut plugin = ActivePlugin::new(Vst3Host::built(), LIVE);
    plugin.play(&noise(1, 1000)[0], &[]);
    let default = plugin.host.save().unwrap();
    for parameter in Host::parameters(&mut plugin.host) {
        let value = other_value(&mut plugin.host, &parameter);
        plugin.host.set_value(parameter.id, value).unwrap();
        assert_eq!(plugin.host.value(parameter.id), value, "{} is not readable", parameter.name);
        let saved = plugin.host.save().unwrap();
        let mut other = Vst3Host::built();
        other.restore(&saved).unwrap();
        assert_eq!(other.value(parameter.id), value, "{} is not saved", parameter.name);
        // A loaded session overrides values set before it, also after further blocks.
        plugin.host.set_value(parameter.id, value).unwrap();
        plugin.host.restore(&default).unwrap();
        plugin.play(&noise(1, 300)[0], &[]);
        assert_ne!(plugin.host.value(parameter.id), value, "{} comes back", parameter.name);
    }
    drop(plugin.stop());
}

#[test]
fn what_a_vst3_controller_sets_is_heard_and_gives_way_to_automation() {
    let mut plugin = ActivePlugin::new(Vst3Host::built(), LIVE);
    let output = plugin.host.id("Output");
    let mix = plugin.host.id("Dry/Wet");
    let input = noise(1, 20 * LIVE.block).remove(0);
    plugin.host.set_value(mix, 0.0).unwrap();
    plugin.host.set_value(output, 0.0).unwrap();
    for _ in 0..10 {
        plugin.play(&input, &[]);
    }
    // -24 dB applied to noise of -10.8 dB.
    let level = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    let soft = level(&plugin.play(&input, &[]));
    assert!((3e-4..4e-4).contains(&soft), "{soft}");
    // The event belongs to this block, the controller's value was set before it.
    plugin.host.set_value(output, 0.0).unwrap();
    plugin.play(&input, &[Change { at: 5, id: output, value: 2.0 / 3.0 }]);
    assert!((plugin.host.value(output) - 2.0 / 3.0).abs() < 1e-3, "{}", plugin.host.value(output));
    for _ in 0..10 {
        plugin.play(&input, &[]);
    }
    let loud = level(&plugin.play(&input, &[]));
    assert!((100.0..400.0).contains(&(loud / soft)), "{loud} {soft}");
    drop(plugin.stop());
}

#[test]
fn what_a_vst3_controller_sets_survives_the_end_of_processing() {
    for n_blocks in [0, 3] {
        let mut plugin = ActivePlugin::new(Vst3Host::built(), LIVE);
        let bypass = plugin.host.id("Bypass");
        plugin.play(&noise(1, n_blocks * LIVE.block)[0], &[]);
        plugin.host.set_value(bypass, 1.0).unwrap();
        let mut host = plugin.stop();
        assert_eq!(host.value(bypass), 1.0);
        let input = noise(1, RATE as usize / 2);
        let mut plugin = ActivePlugin::new(host, LIVE);
        let latency = plugin.host.latency();
        let played = plugin.play(&input[0], &[]);
        // No fade: the value was set before the plugin started.
        assert!(played[latency..] == input[0][..input[0].len() - latency], "bypassed it is a delay");
        drop(plugin.stop());
    }
}

#[test]
fn the_newest_value_of_a_vst3_controller_counts() {
    let mut plugin = ActivePlugin::new(Vst3Host::built(), LIVE);
    let room = plugin.host.id("Room");
    plugin.host.set_value(room, 0.25).unwrap();
    let mut host = plugin.stop();
    host.set_value(room, 0.75).unwrap();
    assert_eq!(host.value(room), 0.75, "set when nothing was processed any more");
    let mut plugin = ActivePlugin::new(host, LIVE);
    plugin.play(&noise(1, 1000)[0], &[]);
    assert_eq!(plugin.host.value(room), 0.75, "a block later");
    for value in [0.125, 0.5] {
        plugin.host.set_value(room, value).unwrap();
    }
    assert_eq!(plugin.host.value(room), 0.5);
    plugin.play(&noise(1, 1000)[0], &[]);
    assert_eq!(plugin.host.value(room), 0.5);
    // First automation, then the controller.
    plugin.play(&noise(1, 1000)[0], &[Change { at: 0, id: room, value: 0.125 }]);
    plugin.host.set_value(room, 1.0).unwrap();
    plugin.play(&noise(1, 1000)[0], &[]);
    assert_eq!(plugin.host.value(room), 1.0);
    drop(plugin.stop());
}

#[test]
fn nonsense_from_a_vst3_controller_does_no_harm() {
    if !isolated("manners::values::nonsense_from_a_vst3_controller_does_no_harm") {
        return;
    }
    let mut plugin = ActivePlugin::new(Vst3Host::built(), LIVE);
    let parameters = Host::parameters(&mut plugin.host);
    for is_processing in [true, false] {
        if !is_processing {
            embouchure_host::Audio::stop(&mut plugin.audio);
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 2.0, 1e300] {
            for id in parameters.iter().map(|p| p.id).chain([0, u32::MAX]) {
                // Either answer is correct.
                let _ = plugin.host.set_normalised(id, value);
            }
            for parameter in &parameters {
                let now = plugin.host.value(parameter.id);
                assert!((parameter.min..=parameter.max).contains(&now), "{}: {now} after {value}", parameter.name);
            }
            if is_processing {
                plugin.play(&noise(1, 1000)[0], &[]);
            }
            let saved = plugin.host.save().unwrap();
            Vst3Host::built().restore(&saved).unwrap();
        }
    }
}
