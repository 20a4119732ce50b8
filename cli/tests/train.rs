//! Tests training through the command line: unusable recordings, a full disk, a killed process.

use embouchure_audio_file::{Audio, write_wav};
use std::f32::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const RATE: u32 = 44_100;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("embouchure-train-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("audio")).unwrap();
        Self(path)
    }

    /// Writes two seconds of `sample(seconds)`.
    fn record(&self, name: &str, sample: impl Fn(f32) -> f32) {
        let samples = (0..2 * RATE).map(|i| sample(i as f32 / RATE as f32)).collect();
        write_wav(&self.0.join("audio").join(name), &Audio { channels: vec![samples], rate: RATE }).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A command that trains an instrument on the folder's audio, with few steps and a small network.
    fn train(&self, out: &str, steps: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embouchure"));
        command.args(["train", "instrument", "--name", "Test", "--width", "16", "--sound-steps", "0"]);
        command.args(["--warm-up-steps", steps, "--audio"]).arg(self.path("audio")).arg("--out").arg(self.path(out));
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tone(hz: f32) -> impl Fn(f32) -> f32 {
    move |t| (1..=6).map(|k| 0.2 / k as f32 * (TAU * hz * k as f32 * t).sin()).sum()
}

fn hiss(t: f32) -> f32 {
    0.1 * ((t * 12_345.6).sin() * 43_758.547).fract()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn inspect(path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_embouchure")).arg("inspect").arg(path).output().unwrap()
}

#[test]
fn recordings_without_notes_are_reported() {
    let folder = Folder::new("nothing");
    let output = folder.train("a", "1").output().unwrap();
    assert!(!output.status.success());
    assert!(errors(&output).contains("no recording that can be read"), "{}", errors(&output));

    folder.record("chord.wav", |t| (tone(220.0)(t) + tone(277.2)(t) + tone(329.6)(t) + tone(415.3)(t)) / 4.0);
    folder.record("hiss.wav", hiss);
    let output = folder.train("a", "1").output().unwrap();
    assert!(!output.status.success() && !folder.path("a").exists());
    assert!(errors(&output).contains("chord.wav: only "), "{}", errors(&output));
    assert!(errors(&output).contains("one note at a time"), "{}", errors(&output));
    assert!(errors(&output).contains("none of 2 files could be used"), "{}", errors(&output));
}

#[test]
fn good_recordings_are_used_beside_bad_ones() {
    let folder = Folder::new("mixed");
    folder.record("good.wav", tone(330.0));
    folder.record("nan.wav", |t| if (0.5..0.51).contains(&t) { f32::NAN } else { tone(440.0)(t) });
    folder.record("quiet.wav", |t| 0.001 * tone(330.0)(t));
    folder.record("clipped.wav", |t| (8.0 * tone(330.0)(t)).clamp(-1.0, 1.0));
    std::fs::write(folder.path("audio/letter.mp3"), "dear diary ".repeat(100)).unwrap();
    let output = folder.train("a.safetensors", "2").output().unwrap();
    let said = errors(&output);
    assert!(output.status.success(), "{said}");
    for reason in ["quiet.wav: too quiet", "clipped.wav: clipped", "letter.mp3 is not a sound file"] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    assert_eq!(said.matches("left out").count(), 3, "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 recordings"), "those with a pitch were used");
    assert!(inspect(&folder.path("a.safetensors")).status.success());
}

#[test]
fn the_report_lists_used_unused_and_missing_recordings() {
    let folder = Folder::new("report");
    folder.record("good.wav", tone(330.0));
    folder.record("hiss.wav", hiss);
    let picture = folder.path("picture.png");
    let mut command = Command::new(env!("CARGO_BIN_EXE_embouchure"));
    let output =
        command.args(["train", "prepare"]).arg(folder.path("audio")).arg("--picture").arg(&picture).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", errors(&output));
    for line in ["1 recordings, 0.0 minutes", "Pitch: E4 to E4", "Not used: 1", "hiss.wav: only ", "What would help:"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(std::fs::read(picture).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn no_training_and_no_picture_replaces_a_recording() {
    let folder = Folder::new("recordings");
    folder.record("take.wav", tone(330.0));
    let before = std::fs::read(folder.path("audio/take.wav")).unwrap();
    let refused = |command: &mut Command, why: &str| {
        let output = command.output().unwrap();
        assert!(!output.status.success() && errors(&output).contains(why), "{}", errors(&output));
        assert!(std::fs::read(folder.path("audio/take.wav")).unwrap() == before);
    };
    // With the checkpoint of an earlier training, its result may be overwritten, but no recording may.
    std::fs::write(folder.path("old.checkpoint"), b"").unwrap();
    let old = folder.path("old.checkpoint");
    refused(folder.train("audio/take.wav", "1").arg("--checkpoint").arg(old), "would be overwritten");
    let checkpoint = folder.path("audio/take.wav");
    refused(folder.train("a.safetensors", "1").arg("--checkpoint").arg(checkpoint), "would be overwritten");
    let checkpoint = folder.path("a.safetensors");
    refused(folder.train("a.safetensors", "1").arg("--checkpoint").arg(checkpoint), "would be written twice");
    let mut prepare = Command::new(env!("CARGO_BIN_EXE_embouchure"));
    prepare.args(["train", "prepare", "--force"]).arg(folder.path("audio")).arg("--picture");
    refused(prepare.arg(folder.path("audio/take.wav")), "would be overwritten");
}

#[test]
fn the_default_picture_replaces_no_file() {
    let folder = Folder::new("twice");
    folder.record("take.wav", tone(330.0));
    let prepare = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embouchure"));
        let output = command.args(["train", "prepare", "audio"]).current_dir(&folder.0).output().unwrap();
        assert!(output.status.success(), "{}", errors(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(prepare().contains("Pitch and loudness: recordings.png"));
    std::fs::write(folder.path("recordings.png"), b"mine").unwrap();
    let said = prepare();
    assert!(said.contains("Pitch: E4") && said.contains("No picture was drawn: recordings.png is there"), "{said}");
    assert_eq!(std::fs::read(folder.path("recordings.png")).unwrap(), b"mine");
}

#[test]
fn a_checkpoint_of_something_else_is_refused_and_kept() {
    let folder = Folder::new("checkpoint");
    folder.record("good.wav", tone(330.0));
    for other in [&b"not a checkpoint"[..], embouchure_weights::ENCODER] {
        std::fs::write(folder.path("a.checkpoint"), other).unwrap();
        let output = folder.train("a.safetensors", "1").output().unwrap();
        assert!(!output.status.success());
        assert!(errors(&output).contains("delete it to start anew"), "{}", errors(&output));
        assert_eq!(std::fs::read(folder.path("a.checkpoint")).unwrap(), other);
    }
}

/// A limit on the size of files has the same effect as a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_is_reported_and_earlier_files_stay() {
    let folder = Folder::new("full");
    folder.record("good.wav", tone(330.0));
    std::fs::write(folder.path("a.safetensors"), "an older instrument").unwrap();
    let mut train = folder.train("a.safetensors", "1");
    train.arg("--force");
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh"]).arg(train.get_program()).args(train.get_args());
    let output = shell.output().unwrap();
    assert!(!output.status.success());
    assert!(errors(&output).contains("cannot write"), "{}", errors(&output));
    assert_eq!(std::fs::read(folder.path("a.safetensors")).unwrap(), b"an older instrument");
    assert!(!folder.path("a.checkpoint").exists(), "half a checkpoint");
}

#[test]
fn a_training_that_is_killed_ends_with_the_same_weights() {
    let folder = Folder::new("killed");
    folder.record("low.wav", tone(220.0));
    folder.record("high.wav", tone(440.0));
    let whole = folder.train("whole.safetensors", "110").output().unwrap();
    assert!(whole.status.success(), "{}", errors(&whole));
    let checkpoint = folder.path("killed.checkpoint");
    let mut child = folder.train("killed.safetensors", "110").stdout(Stdio::null()).spawn().unwrap();
    while !checkpoint.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A kill during the next save leaves such a file.
    std::fs::write(checkpoint.with_extension("part"), &std::fs::read(&checkpoint).unwrap()[..1000]).unwrap();
    assert!(!folder.path("killed.safetensors").exists());
    let output = folder.train("killed.safetensors", "110").output().unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("step 50:"), "it began anew");
    let [whole, killed] =
        ["whole.safetensors", "killed.safetensors"].map(|name| std::fs::read(folder.path(name)).unwrap());
    assert!(whole == killed, "the weights differ");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_training_and_keeps_what_it_has_learned() {
    let folder = Folder::new("interrupted");
    folder.record("low.wav", tone(220.0));
    let (weights, checkpoint) = (folder.path("a.safetensors"), folder.path("a.checkpoint"));
    let mut child = folder.train("a.safetensors", "100000").stdout(Stdio::piped()).spawn().unwrap();
    while !checkpoint.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("wrote "), "{said}");
    assert!(!said.contains("after 100000 steps"), "{said}");
    assert!(inspect(&weights).status.success());
}

#[test]
#[cfg(not(any(feature = "cuda", feature = "metal")))]
fn a_missing_device_is_an_error_that_says_what_to_do() {
    let folder = Folder::new("device");
    folder.record("a.wav", tone(220.0));
    for device in ["cuda", "metal"] {
        let output = folder.train("x.safetensors", "1").args(["--device", device]).output().unwrap();
        let said = errors(&output);
        assert!(!output.status.success() && said.contains(&format!("--features {device}")), "{said}");
    }
    let output = folder.train("x.safetensors", "1").args(["--device", "gpu"]).output().unwrap();
    assert!(errors(&output).contains("name one of cpu, cuda and metal"), "{}", errors(&output));
    assert!(!folder.path("x.safetensors").exists() && !folder.path("x.checkpoint").exists());
}
