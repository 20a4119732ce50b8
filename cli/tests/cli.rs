//! Tests the program through its command line.

use embouchure_audio_file::{Audio, read, write_wav};
use std::f32::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A temporary folder per test, emptied before and removed after it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("embouchure-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, audio: &Audio) -> String {
        write_wav(&self.0.join(name), audio).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn embouchure(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_embouchure")).args(arguments).output().unwrap()
}

fn succeed(arguments: &[&str]) -> String {
    let output = embouchure(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail: exit code 1, and exactly one line, on the error stream. Returns that line.
fn fail(arguments: &[&str]) -> String {
    let output = embouchure(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty());
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.starts_with("error: "), "{message}");
    message
}

/// A second of a voice-like tone at 220 Hz between silences. The channels differ slightly.
fn tone(rate: u32, n_channels: usize) -> Audio {
    let n_samples = rate as usize + 123;
    let sample = |i: usize, c: usize| {
        let t = i as f32 / rate as f32;
        let loudness = if (0.2..0.8).contains(&t) { 0.2 / (1.0 + c as f32) } else { 0.0 };
        loudness * (1..8).map(|h| (TAU * 220.0 * h as f32 * t).sin() / h as f32).sum::<f32>()
    };
    Audio { channels: (0..n_channels).map(|c| (0..n_samples).map(|i| sample(i, c)).collect()).collect(), rate }
}

fn bytes(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn no_mix_gives_back_the_input() {
    let folder = Folder::new("dry");
    for (rate, n_channels) in [(44_100, 2), (48_000, 1)] {
        let audio = tone(rate, n_channels);
        let (input, output) = (folder.write("in.wav", &audio), folder.path("new/out.wav"));
        let said = succeed(&["render", "--force", &input, &output, "--mix", "0"]);
        assert!(read(Path::new(&output)).unwrap() == audio, "{rate} Hz, {n_channels} channels");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("1.0 s") && said.contains("realtime") && said.contains("samples"), "{said}");
    }
}

#[test]
fn the_length_of_the_blocks_does_not_matter() {
    let folder = Folder::new("blocks");
    let input = folder.write("in.wav", &tone(44_100, 2));
    let reference = folder.path("reference.wav");
    succeed(&["render", &input, &reference]);
    for block in ["1", "64", "1000", "65536"] {
        let output = folder.path("out.wav");
        succeed(&["render", "--force", &input, &output, "--block", block]);
        assert!(bytes(&output) == bytes(&reference), "blocks of {block}");
    }
}

#[test]
fn the_instrument_is_heard_and_the_options_are_obeyed() {
    let folder = Folder::new("wet");
    let audio = tone(48_000, 1);
    let input = folder.write("in.wav", &audio);
    let plain = folder.path("plain.wav");
    succeed(&["render", &input, &plain]);
    let wet = read(Path::new(&plain)).unwrap();
    assert_eq!((wet.rate, wet.channels.len(), wet.channels[0].len()), (48_000, 1, audio.channels[0].len()));
    assert!(wet != audio);
    assert!(wet.channels[0][12_000..38_000].iter().any(|v| v.abs() > 1e-3), "silence");
    for option in [["--transpose", "-7"], ["--brightness", "-3"], ["--gate", "-3"], ["--mix", "0.5"]] {
        let output = folder.path("out.wav");
        succeed(&["render", "--force", &input, &output, option[0], option[1]]);
        assert!(bytes(&output) != bytes(&plain), "{option:?}");
    }
}

#[test]
fn the_pitch_track_has_a_row_for_every_hop() {
    let folder = Folder::new("track");
    let (input, csv) = (folder.write("in.wav", &tone(48_000, 1)), folder.path("f0.csv"));
    let said = succeed(&["render", &input, &folder.path("out.wav"), "--f0-csv", &csv]);
    assert!(said.contains("heard A3 to A3"), "{said}");
    let csv = std::fs::read_to_string(&csv).unwrap();
    let (head, rows) = csv.split_once('\n').unwrap();
    assert_eq!(head, "time_s,f0_hz");
    let rows: Vec<(f32, f32)> = rows
        .lines()
        .map(|row| row.split_once(',').unwrap())
        .map(|(t, f)| (t.parse().unwrap(), f.parse().unwrap()))
        .collect();
    assert_eq!(rows.len(), 250);
    let mut n_right = 0;
    for (hop_idx, (time_s, f0_hz)) in rows.iter().enumerate() {
        assert!((time_s - 0.004 * (hop_idx + 1) as f32).abs() < 1e-6);
        if !(0.19..0.95).contains(time_s) {
            assert_eq!(*f0_hz, 0.0, "at {time_s} s there is silence");
        }
        n_right += usize::from((0.3..0.8).contains(time_s) && (f0_hz / 220.0 - 1.0).abs() < 0.03);
    }
    assert!(n_right > 110, "{n_right} of 125 hops");
}

#[test]
fn many_channels_are_mixed_to_one_with_a_warning() {
    let folder = Folder::new("surround");
    let (input, output) = (folder.write("in.wav", &tone(48_000, 6)), folder.path("out.wav"));
    let result = embouchure(&["render", &input, &output]);
    assert!(result.status.success());
    assert!(String::from_utf8_lossy(&result.stderr).contains("6 channels are mixed"));
    assert_eq!(read(Path::new(&output)).unwrap().channels.len(), 1);
}

#[test]
fn bad_input_is_reported_in_one_line() {
    let folder = Folder::new("bad");
    let (input, output) = (folder.write("in.wav", &tone(48_000, 1)), folder.path("out.wav"));
    let (missing, text) = (folder.path("missing.wav"), folder.path("notes.txt"));
    std::fs::write(&text, "la la la".repeat(1000)).unwrap();
    assert!(fail(&["render", &missing, &output]).contains("there is no file"));
    assert!(fail(&["render", &text, &output]).contains("not a sound file"));
    assert!(fail(&["render", &input, &folder.path("out.mp3")]).contains(".wav"));
    assert!(fail(&["render", &input, &input]).contains("overwritten"));
    let message = fail(&["render", &input, &output, "--instrument", "kazoo"]);
    assert!(message.contains("kazoo") && message.contains("Trumpet"), "{message}");
    assert!(fail(&["render", &input, &output, "--instrument", &text]).contains("not a whole weights file"));
    assert!(!Path::new(&output).exists());
}

#[test]
fn options_out_of_range_are_refused() {
    for (option, value) in [
        ("--mix", "1.5"),
        ("--mix", "-0.1"),
        ("--mix", "NaN"),
        ("--block", "0"),
        ("--transpose", "up"),
        ("--gate", "3"),
        ("--brightness", "loud"),
    ] {
        let output = embouchure(&["render", "in.wav", "out.wav", option, value]);
        assert_eq!(output.status.code(), Some(2), "{option} {value}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(option));
    }
}

#[test]
fn inspect_refuses_bad_files() {
    let folder = Folder::new("inspect");
    let path = folder.path("bad.safetensors");
    assert!(fail(&["inspect", &path]).contains("no instrument and no file"));
    std::fs::write(&path, b"not weights at all").unwrap();
    assert!(fail(&["inspect", &path]).contains("not a whole weights file"));
    std::fs::write(&path, b"").unwrap();
    assert!(fail(&["inspect", &path]).contains("not a whole weights file"));
    assert!(fail(&["inspect", &folder.0.display().to_string()]).contains("cannot read"));
}

#[test]
fn inspect_shows_what_is_shipped() {
    let trumpet = succeed(&["inspect", "trumpet"]);
    for row in ["instrument", "licence", "trained on", "range", "encoder", "content id"] {
        assert!(trumpet.contains(row), "{row} in\n{trumpet}");
    }
    assert!(trumpet.contains("in this program"), "{trumpet}");
    assert!(succeed(&["inspect", "encoder"]).starts_with("encoder "));
}

#[test]
fn no_recording_and_no_result_is_overwritten() {
    let folder = Folder::new("kept");
    let (input, output) = (folder.write("in.wav", &tone(48_000, 1)), folder.path("out.wav"));
    let link = folder.path("link.wav");
    std::fs::hard_link(&input, &link).unwrap();
    let before = std::fs::read(&input).unwrap();
    for arguments in [
        vec!["render", &input, &output, "--f0-csv", &input],
        vec!["render", &input, &output, "--f0-csv", &output, "--force"],
        vec!["render", &input, &link, "--force"],
        vec!["render", &input, &output, "--f0-csv", &folder.0.display().to_string()],
        vec!["render", &input, &folder.path("in.wav/out.wav")],
    ] {
        fail(&arguments);
        assert!(!Path::new(&output).exists(), "{arguments:?}: nothing is begun");
        assert!(std::fs::read(&input).unwrap() == before, "{arguments:?}");
    }
    succeed(&["render", &input, &output]);
    let rendered = std::fs::read(&output).unwrap();
    assert!(fail(&["render", &input, &output, "-i", "Oboe"]).contains("--force"));
    assert!(std::fs::read(&output).unwrap() == rendered);
    succeed(&["render", &input, &output, "-i", "Oboe", "--force"]);
    assert!(std::fs::read(&output).unwrap() != rendered);
}

#[test]
fn eval_overwrites_neither_recordings_nor_other_files() {
    let folder = Folder::new("pairs");
    std::fs::create_dir(folder.path("in")).unwrap();
    let (input, other) = (folder.write("a.wav", &tone(48_000, 1)), folder.write("in/A.wav", &tone(44_100, 1)));
    let (before, pairs) = (std::fs::read(&input).unwrap(), folder.path("pairs"));
    let eval = ["eval", "oboe", "--audio", &input, "--audio", &other, "--pairs", &pairs];
    succeed(&eval);
    let names = || {
        let entries = std::fs::read_dir(&pairs).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    };
    let expected = ["A-2.recording.wav", "A-2.rendering.wav", "a.recording.wav", "a.rendering.wav"];
    assert_eq!(names(), expected, "one pair for each of two with one name");
    assert!(fail(&eval).contains("is there already"));
    succeed(&[&eval[..], &["--force"]].concat());
    let card = |name: &str| fail(&["eval", "oboe", "--audio", &input, "--card", name, "--force"]);
    assert!(card(&input).contains("would be overwritten"));
    assert!(card(&folder.path("card.png")).contains("choose another name"));
    // This recording lies in the folder of the pairs and has the name of one of them.
    let listened = format!("{pairs}/a.recording.wav");
    std::fs::rename(&input, folder.path("pairs/a.wav")).unwrap();
    let again = ["eval", "oboe", "--audio", &listened, "--audio", &folder.path("pairs/a.wav"), "--pairs", &pairs];
    assert!(fail(&[&again[..], &["--force"]].concat()).contains("would be overwritten"));
    assert!(std::fs::read(folder.path("pairs/a.wav")).unwrap() == before);
}

#[test]
fn a_reader_that_closes_the_pipe_causes_no_error() {
    use std::process::Stdio;
    let folder = Folder::new("closed");
    let input = folder.write("in.wav", &tone(48_000, 1));
    let picture = folder.path("picture.png");
    for arguments in [
        vec!["render", &input, "-"],
        vec!["list"],
        vec!["inspect", "trumpet"],
        vec!["eval", "trumpet", "--audio", &input],
        vec!["train", "prepare", &input, "--picture", &picture],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embouchure"));
        let mut child = command.args(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn numbers_and_keys_are_parsed_as_people_type_them() {
    let folder = Folder::new("typed");
    let (input, output) = (folder.write("in.wav", &tone(48_000, 1)), folder.path("out.wav"));
    let render = |options: &[&str]| {
        succeed(&[&["render", &input, &output, "--force"], options].concat());
        std::fs::read(&output).unwrap()
    };
    let plain = render(&["--transpose", "-1.5", "--mix", "0.7"]);
    assert!(render(&["--transpose", "-1,5", "--mix", "0,7"]) == plain);
    assert!(render(&["--transpose", "\u{2212}1,5", "--mix", "0,7"]) == plain);
    let key = |key: &str| render(&["--snap", "1", "--scale", "minor", "--key", key]);
    let flat = key("A#");
    assert!(["Bb", "bb", "B\u{266d}", "a\u{266f}"].iter().all(|name| key(name) == flat));
    assert!(flat != key("B"));
}

#[test]
fn the_table_goes_through_a_pipe() {
    let folder = Folder::new("table");
    let (input, output) = (folder.write("in.wav", &tone(48_000, 1)), folder.path("out.wav"));
    let table = succeed(&["render", &input, &output, "--f0-csv", "-"]);
    assert!(table.starts_with("time_s,f0_hz\n0.004,"), "{table}");
    assert!(!Path::new("-").exists(), "a file of that name");
    assert!(fail(&["render", &input, "-", "--f0-csv", "-"]).contains("only one file"));
}

/// Two seconds of a chord; each note has the partials of a voice.
fn chord(notes_hz: &[f32], gain: f32) -> Audio {
    let sample = |i: usize| {
        let t = i as f32 / 48_000.0;
        let note = |hz: &f32| (1..9).map(|k| (TAU * (hz * k as f32 * t).fract()).sin() / k as f32).sum::<f32>();
        (gain * notes_hz.iter().map(note).sum::<f32>()).clamp(-1.0, 1.0)
    };
    Audio { channels: vec![(0..96_000).map(sample).collect()], rate: 48_000 }
}

#[test]
fn each_problem_of_a_recording_is_reported_in_one_line() {
    let folder = Folder::new("wrong");
    let said = |notes_hz: &[f32], gain: f32, options: &[&str]| {
        let (input, output) = (folder.write("in.wav", &chord(notes_hz, gain)), folder.path("out.wav"));
        succeed(&[&["render", "--force", &input, &output], options].concat())
    };
    let triad = [261.63, 329.63, 392.0];
    for (said, n_lines, expected) in [
        (said(&[220.0], 0.2, &[]), 1, "heard"),
        (said(&triad, 0.1, &[]), 2, "\nseveral notes at once in "),
        (said(&[220.0], 2.0, &[]), 2, "\nclipped in "),
        (said(&triad, 0.3, &[]), 3, "less gain\nseveral notes at once in "),
        (said(&[220.0], 0.005, &["--fixed-gate", "--gate=-30"]), 2, "\ntoo soft to be played in "),
    ] {
        assert_eq!(said.lines().count(), n_lines, "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn pipes_take_the_place_of_files() {
    use std::io::{Read, Write};
    use std::process::Stdio;
    let folder = Folder::new("pipes");
    let (input, output) = (folder.write("in.wav", &tone(48_000, 1)), folder.path("out.wav"));
    succeed(&["render", &input, &output]);
    let expected = std::fs::read(&output).unwrap();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embouchure"));
        command.args(["render", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let bytes = std::fs::read(&input).unwrap();
        std::thread::spawn(move || pipe.write_all(&bytes));
        child
    };
    let piped = start().wait_with_output().unwrap();
    assert!(piped.status.success() && piped.stdout == expected);
    assert!(String::from_utf8_lossy(&piped.stderr).contains("heard"), "the summary goes elsewhere");
    // A reader that stops reading, as `head` does.
    let mut child = start();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 100]).unwrap();
    drop(pipe);
    let status = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&status.stderr).contains("panicked"));
}

#[test]
fn instruments_are_listed() {
    let list = succeed(&["list"]);
    let horn = list.lines().find(|line| line.starts_with("French Horn")).unwrap();
    assert!(horn.contains("Brass") || horn.contains("brass"), "{horn}");
    assert!(list.lines().filter(|line| !line.is_empty()).count() >= 14, "{list}");
}

#[test]
fn wrong_command_lines_are_reported_in_one_line() {
    for arguments in [&["render"][..], &["render", "a.wav", "b.wav", "--mix", "2"], &["rendr"], &["--nonsense"]] {
        let output = embouchure(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    }
    let help = succeed(&["train", "instrument", "--help"]);
    assert_eq!(help.contains("cuda"), cfg!(feature = "cuda"), "{help}");
    assert_eq!(help.contains("metal"), cfg!(feature = "metal"), "{help}");
}
