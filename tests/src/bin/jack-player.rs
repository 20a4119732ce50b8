//! Plays a tune over and over to a JACK server, for the tests of the app. Writes the name of its port when it plays, and
//! leaves when its input ends.

/// MIDI numbers, half a second each; 0 is a rest.
#[cfg(target_os = "linux")]
const TUNE: [u8; 16] = [60, 62, 64, 67, 72, 72, 71, 0, 67, 64, 65, 62, 60, 55, 60, 0];

#[cfg(target_os = "linux")]
fn main() {
    use jack::{AudioOut, Client, ClientOptions, Control, ProcessScope, contrib::ClosureProcessHandler};
    use std::time::Duration;

    let open = || Client::new("player", ClientOptions::NO_START_SERVER).ok();
    // The server may have been started a moment ago.
    let found = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        open()
    });
    let Some((client, _)) = found else { std::process::exit(1) };
    let tune = tune(client.sample_rate() as f32);
    let mut port = client.register_port("out", AudioOut::default()).expect("a new client has room for a port");
    let name = port.name().expect("a port has a name");
    let mut at = 0;
    let play = move |_: &Client, scope: &ProcessScope| {
        for sample in port.as_mut_slice(scope) {
            *sample = tune[at];
            at = (at + 1) % tune.len();
        }
        Control::Continue
    };
    let client = client.activate_async((), ClosureProcessHandler::new(play)).expect("the server takes clients");
    println!("{name}");
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).expect("input can be read");
    client.deactivate().expect("the server lets clients go");
}

#[cfg(not(target_os = "linux"))]
fn main() {}

/// The tune as a voice might hum it: slides, vibrato, a few harmonics.
#[cfg(target_os = "linux")]
fn tune(rate: f32) -> Vec<f32> {
    use std::f32::consts::TAU;
    let (mut phase, mut midi, mut level) = (0.0_f32, f32::from(TUNE[0]), 0.0_f32);
    // Shares of the way to the next note and level per sample: 30 ms and 15 ms.
    let (slide, swell) = (1.0 / (0.03 * rate), 1.0 / (0.015 * rate));
    let sample = |i: usize| {
        let time_s = i as f32 / rate;
        let note = TUNE[(time_s * 2.0) as usize % TUNE.len()];
        if note > 0 {
            midi += slide * (f32::from(note) - midi);
        }
        level += swell * (if note > 0 { 0.25 } else { 0.0 } - level);
        let vibrato = 0.2 * (TAU * 5.5 * time_s).sin();
        phase = (phase + 440.0 * ((midi + vibrato - 69.0) / 12.0).exp2() / rate).fract();
        (1..=6).map(|k| level / k as f32 * (TAU * k as f32 * phase).sin()).sum()
    };
    (0..(0.5 * rate) as usize * TUNE.len()).map(sample).collect()
}
