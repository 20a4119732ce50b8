//! The built VST3 bundle in a host: its classes, latency and state, and that it sounds like the CLAP file.

use embouchure_host::{ClapHost, Host, Layout, Played, Session, Vst3Host, vst3_classes};
use embouchure_tests::{bundled_clap, bundled_vst3, noise, phrase, worst};

const LAYOUTS: [Layout; 3] =
    [Layout { n_inputs: 1, n_outputs: 1 }, Layout { n_inputs: 1, n_outputs: 2 }, Layout { n_inputs: 2, n_outputs: 2 }];
const RATE: f64 = 48_000.0;

fn bounce<H: Host>(host: &mut H, mix: f64, input: &[Vec<f32>], session: Session) -> Played {
    host.set_offline(true).unwrap();
    let id = host.parameter_called("Dry/Wet").unwrap().id;
    host.set_value(id, mix).unwrap();
    host.play(input, session).unwrap()
}

#[test]
fn the_bundle_offers_one_effect() {
    let classes = vst3_classes(&bundled_vst3()).unwrap();
    let effects: Vec<_> = classes.iter().filter(|class| class.category == "Audio Module Class").collect();
    assert_eq!(effects.len(), 1, "{classes:?}");
    assert_eq!((effects[0].name.as_str(), effects[0].version.as_str()), ("Embouchure", env!("CARGO_PKG_VERSION")));
    assert!(effects[0].subcategories.contains("Fx"), "{classes:?}");
}

#[test]
fn parameters_are_those_of_the_clap_file() {
    let mut vst3 = Vst3Host::load(&bundled_vst3()).unwrap();
    let mut clap = ClapHost::load(&bundled_clap()).unwrap();
    let (vst3, clap) = (Host::parameters(&mut vst3), Host::parameters(&mut clap));
    assert!(!vst3.is_empty());
    assert_eq!(vst3, clap);
}

#[test]
fn dry_is_the_input_delayed_by_the_reported_latency() {
    for layout in LAYOUTS {
        for block in [64, 511, 4096] {
            let input = noise(layout.n_inputs, 30_000);
            let mut host = Vst3Host::load(&bundled_vst3()).unwrap();
            host.select_layout(layout).unwrap();
            let played = bounce(&mut host, 0.0, &input, Session { rate: RATE, block, max_block: block });
            assert!(played.latency_samples > 0, "an analysis takes time");
            for (channel, output) in played.channels.iter().enumerate() {
                let mut expected = vec![0.0; played.latency_samples];
                expected.extend(&input[channel.min(layout.n_inputs - 1)]);
                let (at, difference) = worst(output, &expected);
                assert!(difference <= 1e-6, "channel {channel} of {layout:?}, {block}: {difference} at {at}");
            }
        }
    }
}

#[test]
fn wet_is_that_of_the_clap_file_bit_for_bit() {
    let session = Session { rate: RATE, block: 256, max_block: 256 };
    for layout in LAYOUTS {
        let input = vec![phrase(RATE); layout.n_inputs];
        let mut vst3 = Vst3Host::load(&bundled_vst3()).unwrap();
        vst3.select_layout(layout).unwrap();
        let mut clap = ClapHost::load(&bundled_clap()).unwrap();
        clap.select_layout(layout).unwrap();
        let (vst3, clap) = (bounce(&mut vst3, 1.0, &input, session), bounce(&mut clap, 1.0, &input, session));
        assert!(vst3.channels[0].iter().any(|s| s.abs() > 0.01), "silence proves nothing");
        assert!(vst3.channels == clap.channels, "{layout:?}: {:?}", worst(&vst3.channels[0], &clap.channels[0]));
    }
}
