//! Hosts that hand over other channels than announced, or none, or at the wrong time: the result is silence, not a
//! crash.

use super::{LIVE, RATE};
use embouchure_host::{Audio, Block, Channels, Layout};
use embouchure_tests::{ActivePlugin, Built, in_both_formats, isolated, noise};

in_both_formats!(
    without_an_output_there_is_nothing_to_write,
    an_output_that_is_not_whole_is_silent,
    without_an_input_it_hears_silence,
    more_channels_than_agreed_do_no_harm,
    processed_when_it_is_not_active_it_is_silent,
);

const N: usize = LIVE.block;
const LAYOUTS: [Layout; 3] =
    [Layout { n_inputs: 1, n_outputs: 1 }, Layout { n_inputs: 1, n_outputs: 2 }, Layout { n_inputs: 2, n_outputs: 2 }];

/// The channels that a test hands over for a port.
#[derive(Clone, Copy, Debug)]
enum Given {
    NoPort,
    NoList(usize),
    /// True for a channel, false for a null pointer.
    List(&'static [bool]),
}

impl Given {
    fn channels<'a>(self, samples: &'a mut [Vec<f32>]) -> Channels<'a> {
        match self {
            Self::NoPort => Channels::NoPort,
            Self::NoList(n) => Channels::NoList(n),
            Self::List(list) => {
                let given = samples.iter_mut().zip(list);
                Channels::List(given.map(|(channel, is_there)| is_there.then_some(channel.as_mut_slice())).collect())
            }
        }
    }

    /// Indices of the channels that are not null.
    fn there(self) -> Vec<usize> {
        match self {
            Self::List(list) => (0..list.len()).filter(|&i| list[i]).collect(),
            _ => Vec::new(),
        }
    }
}

/// Plays one block with these channels. Returns the output; samples that were not written are NaN.
fn hand_over(audio: &mut impl Audio, input: Given, output: Given) -> Vec<Vec<f32>> {
    let mut heard = noise(4, N);
    let mut played = vec![vec![f32::NAN; N]; 4];
    audio.process(&mut Block {
        n_samples: N,
        input: input.channels(&mut heard),
        output: output.channels(&mut played),
        changes: &[],
    });
    played
}

/// Plays bad blocks in the middle of a playback. The good blocks before and after must be played.
fn between_good_blocks<H: Built>(layout: Layout, bad: impl Fn(&mut H::Audio)) {
    let mut host = H::built_offline();
    host.select_layout(layout).unwrap();
    let mix = host.id("Dry/Wet");
    host.set_value(mix, 0.0).unwrap();
    let mut plugin = ActivePlugin::new(host, LIVE);
    for _ in 0..3 {
        let output = plugin.play(&noise(1, 40 * N)[0], &[]);
        assert!(output[20 * N..].iter().all(|s| s.is_finite()) && output[20 * N..].iter().any(|s| s.abs() > 0.1));
        bad(&mut plugin.audio);
    }
    drop(plugin.stop());
}

fn silent(played: &[Vec<f32>], output: Given) -> bool {
    output.there().iter().all(|&channel| played[channel].iter().all(|s| *s == 0.0))
}

const WHOLE: Given = Given::List(&[true, true]);
const NO_CHANNELS: [Given; 5] =
    [Given::NoPort, Given::NoList(0), Given::NoList(1), Given::NoList(2), Given::List(&[false, false])];

fn without_an_output_there_is_nothing_to_write<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    for layout in LAYOUTS {
        between_good_blocks::<H>(layout, |audio| {
            for output in NO_CHANNELS {
                for input in NO_CHANNELS.into_iter().chain([WHOLE]) {
                    let played = hand_over(audio, input, output);
                    assert!(played.iter().flatten().all(|s| s.is_nan()), "{input:?} {output:?}");
                }
            }
        });
    }
}

fn an_output_that_is_not_whole_is_silent<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let stereo = Layout { n_inputs: 2, n_outputs: 2 };
    for layout in [stereo, Layout { n_inputs: 1, n_outputs: 2 }] {
        between_good_blocks::<H>(layout, |audio| {
            for output in [Given::List(&[true]), Given::List(&[true, false]), Given::List(&[false, true])] {
                for input in NO_CHANNELS.into_iter().chain([WHOLE, Given::List(&[true])]) {
                    let played = hand_over(audio, input, output);
                    assert!(silent(&played, output), "{layout:?} {input:?} {output:?}: {:?}", played[0][0]);
                }
            }
        });
    }
}

fn without_an_input_it_hears_silence<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    for layout in LAYOUTS {
        let mut host = H::built_offline();
        host.select_layout(layout).unwrap();
        let mut plugin = ActivePlugin::new(host, LIVE);
        let output = if layout.n_outputs == 1 { Given::List(&[true]) } else { WHOLE };
        for input in NO_CHANNELS {
            for _ in 0..40 {
                let played = hand_over(&mut plugin.audio, input, output);
                assert!(silent(&played, output), "{layout:?} {input:?}: {:?}", played[0][0]);
            }
        }
        // If one of two channels is missing, the other is heard alone; the missing one counts as silence.
        for input in [Given::List(&[true, false]), Given::List(&[false, true]), Given::List(&[true])] {
            let played = hand_over(&mut plugin.audio, input, output);
            assert!(output.there().iter().all(|&c| played[c].iter().all(|s| s.is_finite())), "{layout:?} {input:?}");
        }
        drop(plugin.stop());
    }
}

fn more_channels_than_agreed_do_no_harm<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let more = Given::List(&[true, true, true, true]);
    for layout in LAYOUTS {
        between_good_blocks::<H>(layout, |audio| {
            for (input, output) in [(more, more), (more, WHOLE), (WHOLE, more)] {
                let played = hand_over(audio, input, output);
                let agreed = &played[..layout.n_outputs];
                assert!(agreed.iter().flatten().all(|s| s.is_finite()), "{layout:?} {input:?} {output:?}");
            }
        });
    }
}

fn processed_when_it_is_not_active_it_is_silent<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    for layout in LAYOUTS {
        let mut host = H::built();
        host.select_layout(layout).unwrap();
        let mut audio = host.audio();
        let output = if layout.n_outputs == 1 { Given::List(&[true]) } else { WHOLE };
        let mut assert_silent = |when: &str| {
            for input in NO_CHANNELS.into_iter().chain([WHOLE]) {
                let played = hand_over(&mut audio, input, output);
                assert!(silent(&played, output), "{when}: {layout:?} {input:?}: {:?}", played[0][0]);
                hand_over(&mut audio, input, Given::NoPort);
                hand_over(&mut audio, input, Given::List(&[false, false]));
            }
        };
        assert_silent("before activation");
        for _ in 0..2 {
            host.activate(LIVE).unwrap();
            // The plugin is active but not started: any finite output is correct.
            let played = hand_over(&mut host.audio(), WHOLE, output);
            assert!(output.there().iter().all(|&c| played[c].iter().all(|s| s.is_finite())));
            host.deactivate();
            assert_silent("after deactivation");
        }
        let mut plugin = ActivePlugin::new(host, LIVE);
        assert!(plugin.play(&noise(1, RATE as usize / 4)[0], &[]).iter().all(|s| s.is_finite()));
    }
}
