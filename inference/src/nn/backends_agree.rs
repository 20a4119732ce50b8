//! The shipped networks with every backend: the kernels are compared with candle's operations, which do not round, and
//! with themselves through candle on the CPU, which must not change a bit.

use super::cpu::integer::quantise_weights;
use super::parameters::{DecoderParameters, EncoderParameters, LinearParameters};
use super::weights::Weights;
use super::{Backend, Network, candle, cpu};
use crate::hear::encoder;
use crate::play::instrument;
use candle_core::Device;
use std::sync::Arc;

fn encoder_parameters() -> EncoderParameters {
    let (mut weights, _) = Weights::from_bytes::<encoder::Card>(embouchure_weights::ENCODER, encoder::FORMAT).unwrap();
    EncoderParameters::take(&mut weights).unwrap()
}

fn decoder_parameters(bytes: &[u8]) -> DecoderParameters {
    let (mut weights, card) = Weights::from_bytes::<instrument::Card>(bytes, instrument::FORMAT).unwrap();
    DecoderParameters::take(&mut weights, card.shape.width).unwrap()
}

/// A swelling sum of two tones, about as large as after level normalisation.
fn samples<const I: usize>(n_hops: usize) -> Vec<[f32; I]> {
    let sample = |i: usize| {
        let t = i as f32;
        ((t * 0.1).sin() + (t * 0.037).sin()) * (0.6 + 0.5 * (t * 0.0007).sin())
    };
    (0..n_hops).map(|hop| std::array::from_fn(|i| sample(hop * I + i))).collect()
}

/// Features that move about as fast as a player's.
fn features<const I: usize>(n_hops: usize) -> Vec<[f32; I]> {
    (0..n_hops).map(|hop| std::array::from_fn(|i| ((hop as f32 * 0.05 + 1.3) * (i as f32 + 0.7)).sin())).collect()
}

/// Outputs of a new stream, hop by hop.
fn streamed<const I: usize, const O: usize>(network: Arc<dyn Network<I, O>>, clip: &[[f32; I]]) -> Vec<[f32; O]> {
    let mut stream = network.stream();
    let mut hop = |input| {
        let mut output = [f32::NAN; O];
        stream.hop(input, &mut output);
        output
    };
    clip.iter().map(&mut hop).collect()
}

/// RMS of the difference, relative to the RMS of `b`.
fn difference<const O: usize>(a: &[[f32; O]], b: &[[f32; O]]) -> f32 {
    assert_eq!(a.len(), b.len());
    let power = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>();
    let (a, b) = (a.as_flattened(), b.as_flattened());
    let error = power(&mut a.iter().zip(b).map(|(a, b)| a - b));
    (error / power(&mut b.iter().copied())).sqrt()
}

/// Rounds the weights as the kernels do.
fn round(linear: &mut LinearParameters) {
    for row in linear.weight.chunks_exact_mut(linear.n_in) {
        let (rounded, unit) = quantise_weights(row);
        row.iter_mut().zip(rounded).for_each(|(weight, rounded)| *weight = f32::from(rounded) * unit);
    }
}

/// Checks that streams and clips, the kernels and candle on the CPU, and a reset give the same bits.
fn check_bits<const I: usize, const O: usize>(
    network: Arc<dyn Network<I, O>>,
    by_candle: Arc<dyn Network<I, O>>,
    clip: &[[f32; I]],
) {
    let expected = streamed(network.clone(), clip);
    assert!(expected.as_flattened().iter().all(|x| x.is_finite()));
    assert!(network.clone().forward(clip) == expected, "a clip gives the bits of a stream");
    assert!(streamed(by_candle.clone(), clip) == expected, "candle on the CPU changes no bit");
    assert!(by_candle.forward(clip) == expected, "nor does it in a clip");
    let mut stream = network.stream();
    let mut output = [0.0; O];
    clip.iter().for_each(|input| stream.hop(input, &mut output));
    stream.reset();
    stream.hop(&clip[0], &mut output);
    assert!(output == expected[0], "reset is new");
}

/// Compares `kernels` with candle's operations, in a stream and in a clip.
fn check_values<const I: usize, const O: usize>(
    kernels: Arc<dyn Network<I, O>>,
    operations: Arc<dyn Network<I, O>>,
    clip: &[[f32; I]],
    tolerance: f32,
) {
    let exact = streamed(operations.clone(), clip);
    let kernel_error = difference(&kernels.forward(clip), &exact);
    assert!(kernel_error < tolerance, "{kernel_error}");
    let clip_error = difference(&operations.forward(clip), &exact);
    assert!(clip_error < 1e-5, "{clip_error} between a clip and a stream");
}

/// Measured here: rounding the encoder's weights to 8 bits changes the outputs by 1.7 %, inputs to 14 bits by 0.023 %.
#[test]
fn the_encoder_is_the_same_with_every_backend() {
    let (mut parameters, clip) = (encoder_parameters(), samples(100));
    let kernels = Arc::new(cpu::Encoder::new(&parameters));
    check_bits(kernels.clone(), Backend::Candle.encoder(&parameters).unwrap(), &clip);
    let operations = |parameters: &_| Arc::new(candle::Encoder::new(parameters, &Device::Cpu).unwrap());
    check_values(kernels.clone(), operations(&parameters), &clip, 0.025);
    let EncoderParameters { convs, trunk, head } = &mut parameters;
    convs.iter_mut().chain([trunk, head]).for_each(round);
    check_values(kernels, operations(&parameters), &clip, 1e-3);
}

/// Measured here: rounding the decoders' weights changes the outputs by up to 0.55 %, inputs by up to 0.005 %.
#[test]
fn decoders_are_the_same_with_every_backend() {
    for (name, bytes) in embouchure_weights::INSTRUMENTS {
        println!("{name}");
        let (mut parameters, clip) = (decoder_parameters(bytes), features(100));
        let kernels = Arc::new(cpu::Decoder::new(&parameters));
        check_bits(kernels.clone(), Backend::Candle.decoder(&parameters).unwrap(), &clip);
        let operations = |parameters: &_| Arc::new(candle::Decoder::new(parameters, &Device::Cpu).unwrap());
        check_values(kernels.clone(), operations(&parameters), &clip, 0.01);
        let DecoderParameters { input: [first, second], gru, output, head, .. } = &mut parameters;
        let dense = [first, second, output].map(|dense| &mut dense.linear);
        dense.into_iter().chain([&mut gru.input, &mut gru.hidden, head]).for_each(round);
        check_values(kernels, operations(&parameters), &clip, 2e-4);
    }
}

#[test]
fn a_network_that_fails_in_candle_gives_nan() {
    let parameters = decoder_parameters(embouchure_weights::INSTRUMENTS[0].1);
    let narrower = DecoderParameters { head: decoder_head_without_an_input(&parameters), ..parameters };
    let network = Arc::new(candle::Decoder::new(&narrower, &Device::Cpu).unwrap());
    assert!(streamed(network.clone(), &features(1))[0].iter().all(|x| x.is_nan()));
    assert!(network.forward(&features(2)).as_flattened().iter().all(|x| x.is_nan()));
}

/// A head that does not fit the other layers, which no file can have.
fn decoder_head_without_an_input(parameters: &DecoderParameters) -> LinearParameters {
    let head = &parameters.head;
    let n_in = head.n_in - 1;
    LinearParameters { n_in, weight: vec![0.0; n_in * head.bias.len()], bias: head.bias.clone() }
}
