//! Parameter events at times outside the block.

use super::RATE;
use embouchure_host::{Change, Session};
use embouchure_tests::{ActivePlugin, Built, in_both_formats, isolated, noise};

in_both_formats!(
    an_event_beyond_the_block_acts_at_its_last_sample,
    events_in_any_order_do_no_harm,
    an_empty_block_only_sets_parameters,
    invalid_parameters_and_values_do_no_harm,
    many_points_of_one_parameter_in_a_block_each_act,
);

const SESSION: Session = Session { rate: RATE, block: 512, max_block: 512 };

/// A bounce with parameter changes in the third block.
fn bounce<H: Built>(changes: impl Fn(&mut H) -> Vec<Change>) -> Vec<f32> {
    let mut host = H::built_offline();
    // Noise is not recognised as a note, so only the dry signal is heard.
    let mix = host.id("Dry/Wet");
    host.set_value(mix, 0.25).unwrap();
    let changes = changes(&mut host);
    let mut plugin = ActivePlugin::new(host, SESSION);
    let input = noise(1, 20 * SESSION.block).remove(0);
    let mut output = Vec::new();
    for (i, block) in input.chunks(SESSION.block).enumerate() {
        output.extend(plugin.play(block, if i == 2 { &changes } else { &[] }));
    }
    drop(plugin.stop());
    assert!(output.iter().all(|s| s.is_finite()));
    assert!(output.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    output
}

fn change<H: Built>(host: &mut H, name: &str, at: i64, value: f64) -> Change {
    Change { at, id: host.id(name), value }
}

fn an_event_beyond_the_block_acts_at_its_last_sample<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let play = |at: [i64; 3]| {
        bounce::<H>(|host| {
            let [a, b, c] = at;
            vec![change(host, "Dry/Wet", a, 0.0), change(host, "Output", b, 0.25), change(host, "Bypass", c, 0.0)]
        })
    };
    let last = SESSION.block as i64 - 1;
    let expected = play([last; 3]);
    assert_ne!(expected, play([0; 3]), "the time matters");
    let far = i64::from(if H::FORMAT == "CLAP" { u32::MAX } else { i32::MAX as u32 });
    for at in [[last + 1; 3], [last, last + 1, last + 41], [last, far - 1, far], [far; 3]] {
        assert!(play(at) == expected, "{at:?}");
    }
    if H::FORMAT == "VST3" {
        for at in [-1, -512, i64::from(i32::MIN)] {
            assert!(play([at; 3]) == play([0; 3]), "{at}: what is late acts at once");
        }
    }
}

fn events_in_any_order_do_no_harm<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    for times in [[511, 3, 200, 0], [600, 0, 700, 5], [0, i64::from(u32::MAX), 1, 512], [5, 5, 4, 4]] {
        bounce::<H>(|host| {
            let names = ["Dry/Wet", "Output", "Brightness", "Instrument A"];
            times.iter().zip(names).map(|(&at, name)| change(host, name, at, 0.5)).collect()
        });
    }
}

fn an_empty_block_only_sets_parameters<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut plugin = ActivePlugin::new(H::built(), SESSION);
    for (at, value) in [(0, 0.25), (1, 0.5), (700, 0.75), (i64::from(u32::MAX), 1.0)] {
        let change = change(&mut plugin.host, "Room", at, value);
        let (outcome, _) = plugin.block(&[], &[change]);
        assert!(outcome.is_ok);
        assert_eq!(plugin.host.value(change.id), value, "at {at}");
    }
    assert!(plugin.play(&noise(1, 5000)[0], &[]).iter().all(|s| s.is_finite()));
}

fn invalid_parameters_and_values_do_no_harm<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut plugin = ActivePlugin::new(H::built_offline(), SESSION);
    let parameters = plugin.host.parameters();
    let input = noise(1, SESSION.block).remove(0);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300, f64::MIN_POSITIVE] {
        for id in parameters.iter().map(|p| p.id).chain([0, 1, u32::MAX, u32::MAX - 1]) {
            plugin.block(&input, &[Change { at: 7, id, value }]);
        }
        for parameter in &parameters {
            let value_now = plugin.host.value(parameter.id);
            let range = parameter.min..=parameter.max;
            assert!(range.contains(&value_now), "{} is {value_now} after {value}", parameter.name);
        }
    }
    // Whatever these events did, the plugin can be restored to its defaults.
    let defaults: Vec<_> = parameters.iter().map(|p| Change { at: 0, id: p.id, value: p.default }).collect();
    let output: Vec<f32> = (0..100).flat_map(|_| plugin.play(&input, &defaults)).collect();
    assert!(output.iter().all(|s| s.is_finite()), "nothing of it stays in the sound");
    drop(plugin.stop());
}

fn many_points_of_one_parameter_in_a_block_each_act<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let play = |times: &[i64]| {
        bounce::<H>(|host| {
            let values = [0.0, 1.0, 0.25, 0.75, 0.5].iter().cycle();
            times.iter().zip(values).map(|(&at, &value)| change(host, "Output", at, value)).collect()
        })
    };
    let all: Vec<i64> = (0..512).collect();
    let every_second: Vec<i64> = (0..512).step_by(2).collect();
    assert_ne!(play(&all), play(&every_second));
    assert_ne!(play(&[0, 100, 200, 300, 400]), play(&[0, 100, 200, 300, 401]));
}
