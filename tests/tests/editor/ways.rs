//! The app's sound: a tune is fed in through ALSA, PulseAudio and JACK, and an instrument that follows it must come
//! out, also after the server was restarted. No sound card is needed.

use crate::jack::Jack;
use crate::picture::Area;
use crate::pulse::Pulse;
use crate::screen::Screen;
use embouchure_tests::{Following, ROUND_S, tune};
use std::fs;
use std::path::{Path, PathBuf};

const RATE: f32 = 48_000.0;
/// Button that ends the mute with which the app starts.
const LISTEN: (f32, f32) = (190.0, 26.0);
const AUDIO: (f32, f32) = (87.0, 578.0);
const BYTES_PER_SAMPLE: usize = size_of::<f32>();
/// Length of the judged recording, s. More is recorded while the machine is busy.
const JUDGED_S: f32 = 1.25 * ROUND_S;

/// A temporary folder for one test.
pub struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("embouchure-{name}-{}", std::process::id())));
        fs::create_dir_all(&folder.0).unwrap();
        folder
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("path").to_owned()
    }
}

/// Writes the tune as a file of raw floats, mono or stereo with equal channels, long enough for the test.
fn write_tune(file: &str, n_channels: usize) {
    let round = tune(RATE);
    let samples = round.iter().cycle().take(8 * round.len());
    let bytes: Vec<u8> =
        samples.flat_map(|sample| std::iter::repeat_n(sample.to_le_bytes(), n_channels)).flatten().collect();
    fs::write(file, bytes).unwrap();
}

/// Waits until the recording is `JUDGED_S` longer, and judges that part of its first channel.
fn judge(screen: &Screen, recording: &str, n_channels: usize) -> Following {
    let length = || fs::metadata(recording).map_or(0, |file| file.len() as usize);
    let n_bytes = (JUDGED_S * RATE) as usize * n_channels * BYTES_PER_SAMPLE;
    // Skip incomplete frames and the fade that may be in progress.
    let frame = n_channels * BYTES_PER_SAMPLE;
    let start = (length() + RATE as usize / 2 * frame) / frame * frame;
    screen.wait_until(&format!("{recording} grows"), || length() >= start + n_bytes);
    let bytes = fs::read(recording).unwrap();
    let sample = |frame: &[u8]| f32::from_le_bytes(frame[..BYTES_PER_SAMPLE].try_into().unwrap());
    let samples: Vec<f32> = bytes[start..start + n_bytes].chunks_exact(frame).map(sample).collect();
    let peak = samples.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
    let following = Following::of(&samples, RATE);
    println!("{recording}: {following:?}, peak {peak}");
    assert!(peak <= 1.0, "{peak}");
    following
}

fn assert_is_the_tune(screen: &Screen, recording: &str, n_channels: usize) {
    let following = judge(screen, recording, n_channels);
    assert!(following.is_the_tune(), "{following:?}; the app said:\n{}", screen.terminal_output());
}

fn wait_for_terminal(screen: &Screen, what: &str, times: usize) {
    screen.wait_until(&format!("{what:?} is said {times} times"), || {
        screen.terminal_output().matches(what).count() >= times
    });
}

/// ALSA configuration with two file devices, and nothing of the machine's own.
fn alsa(folder: &Folder) -> String {
    let device = |name: &str, file: &str| {
        format!(
            "pcm.{name} {{ type file slave.pcm {{ type null }} {file} format raw hint {{ show on description {name} }} }}\n"
        )
    };
    let output = device("test_output", &format!("file \"{}\"", folder.file("heard")));
    let input = device("test_input", &format!("file /dev/null infile \"{}\"", folder.file("tune")));
    let own = folder.file("alsa.conf");
    fs::write(&own, output + &input).unwrap();
    own
}

#[test]
fn alsa_plays_the_tune() {
    let folder = Folder::new("alsa");
    write_tune(&folder.file("tune"), 2);
    let config = alsa(&folder);
    let arguments = ["-b", "alsa", "--input", "test_input", "--output", "test_output"];
    let screen = Screen::open_with(&arguments, &[("ALSA_CONFIG_PATH", &config)]);
    wait_for_terminal(&screen, "Playing: ALSA", 1);
    let muted = judge(&screen, &folder.file("heard"), 2);
    assert_eq!(muted.sounding, 0.0, "it starts muted");
    screen.click(LISTEN);
    assert_is_the_tune(&screen, &folder.file("heard"), 2);
}

#[test]
fn pulseaudio_plays_the_tune_and_may_come_later_and_go() {
    if let Some(missing) = Pulse::missing() {
        eprintln!("skipped: {missing}");
        return;
    }
    let folder = Folder::new("pulse");
    write_tune(&folder.file("tune"), 1);
    let server = Pulse::address(&folder);
    let screen = Screen::open_with(&["-b", "pulse"], &[("PULSE_SERVER", &server)]);
    wait_for_terminal(&screen, "No PulseAudio or PipeWire server was found. Start one", 1);
    screen.click(LISTEN);
    for round in 1..=2 {
        let pulse = Pulse::start(&folder);
        wait_for_terminal(&screen, "Playing: PulseAudio", round);
        let heard = folder.file(&format!("heard-{round}"));
        let _playing = pulse.play(&folder.file("tune"));
        let _recording = pulse.record(&heard);
        assert_is_the_tune(&screen, &heard, 2);
        drop(pulse);
        wait_for_terminal(&screen, "The sound stopped", round);
    }
}

#[test]
fn jack_plays_the_tune_and_may_come_later_and_go() {
    let folder = Folder::new("jack");
    // Another run of the tests may have a server, and a system has room for only eight names.
    let server = format!("embouchure-ways-{}", std::process::id() % 3);
    let arguments = ["-b", "jack", "--jack-input", "player:out", "--output", "player:in"];
    let environment = [("JACK_DEFAULT_SERVER", &*server), ("JACK_NO_AUDIO_RESERVATION", "1")];
    let screen = Screen::open_with(&arguments, &environment);
    wait_for_terminal(&screen, "No JACK server was found. Start one", 1);
    screen.click(LISTEN);
    for round in 1..=2 {
        let heard = folder.file(&format!("heard-{round}"));
        let mut jack = Jack::named(&server, 512, Some(&heard)).expect("the player reaches the server");
        assert_eq!(jack.port(), "player:out");
        wait_for_terminal(&screen, "Playing: JACK", round);
        screen.wait_until("the app has connected itself", || jack.are_connected("player:out", "Embouchure:in_left"));
        assert_is_the_tune(&screen, &heard, 1);
        if round == 1 {
            jack.disconnect("player:out", "Embouchure:in_left");
            jack.disconnect("player:out", "Embouchure:in_right");
            let silence = judge(&screen, &heard, 1);
            assert!(silence.sounding < 0.1, "{silence:?}: what was disconnected stays so");
        }
        drop(jack);
        wait_for_terminal(&screen, "The sound stopped", round);
    }
}

#[test]
fn choices_are_remembered_at_the_next_start() {
    const NEXT_INSTRUMENT: (f32, f32) = (63.0, 135.0);
    const INSTRUMENT: Area = Area::new(16.0, 62.0, 230.0, 56.0);
    const NEXT_PRESET: (f32, f32) = (533.0, 26.0);
    const PRESET: Area = Area::new(272.0, 14.0, 246.0, 24.0);
    let mut screen = Screen::open();
    let at_first = (screen.settled(INSTRUMENT), screen.settled(PRESET));
    screen.click(NEXT_PRESET);
    screen.click(NEXT_INSTRUMENT);
    screen.click(NEXT_INSTRUMENT);
    let chosen = (screen.settled(INSTRUMENT), screen.settled(PRESET));
    assert!(chosen.0 != at_first.0 && chosen.1 != at_first.1);
    screen.end_app();
    screen.start_app(&["-b", "dummy"], &[]);
    assert!((screen.settled(INSTRUMENT), screen.settled(PRESET)) == chosen, "instrument and preset");

    assert_eq!(screen.window_size(), (900, 600));
    screen.end_app();
    screen.start_app(&["-b", "dummy", "--scale", "1.5"], &[]);
    assert_eq!(screen.window_size(), (1350, 900));
    screen.end_app();
    // Options on the command line apply to one start only. The window's size is remembered.
    screen.start_app(&[], &[("PULSE_SERVER", "unix:/nowhere"), ("JACK_DEFAULT_SERVER", "embouchure-nobody")]);
    assert_eq!(screen.window_size(), (1350, 900));
    assert!(!screen.terminal_output().contains("No sound, "), "{}", screen.terminal_output());
}

#[test]
fn without_a_sound_card_the_terminal_says_what_to_do() {
    let folder = Folder::new("nothing");
    let (config, nowhere) = (folder.file("empty.conf"), folder.file("no socket"));
    fs::write(&config, "").unwrap();
    let nobody = format!("unix:{nowhere}");
    let environment = [
        ("ALSA_CONFIG_PATH", &*config),
        ("PULSE_SERVER", &*nobody),
        ("JACK_DEFAULT_SERVER", "embouchure-nobody"),
        ("JACK_PROMISCUOUS_SERVER", ""),
    ];
    let screen = Screen::open_with(&[], &environment);
    wait_for_terminal(&screen, "Connect a card or start a server", 1);
    screen.click(AUDIO);
    screen.keep("audio-nothing");
    // The app keeps trying but reports it only once.
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(screen.terminal_output().lines().count(), 1, "{}", screen.terminal_output());
}
