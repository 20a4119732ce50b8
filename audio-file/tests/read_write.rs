//! Writing and reading back, compressed files against their original, and every error.

mod sweep;

use embouchure_audio_file::{Audio, AudioFileError, read, write_wav};
use std::path::{Path, PathBuf};
use sweep::sweep;

/// A temporary folder per test, emptied before and removed after it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("embouchure-audio-file-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Level of `actual - expected` against `expected`, dB. A shift by one sample already gives −13 dB on the sweep.
fn error_db(actual: &[f32], expected: &[f32]) -> f64 {
    let n = actual.len().min(expected.len());
    let error: f64 = (0..n).map(|i| f64::from(actual[i] - expected[i]).powi(2)).sum();
    10.0 * (error / expected.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>()).log10()
}

#[test]
fn wav_comes_back_bit_for_bit() {
    let folder = Folder::new("round-trip");
    let values = [0.0, -0.0, 1.0, -1.0, 1.5, -300.0, 1e-30, 0.123_456_79];
    for n_channels in [1, 2, 5] {
        for rate in [8000, 44_100, 96_000] {
            let channels = (0..n_channels).map(|c| values.iter().map(|v| v * (1.0 + c as f32)).collect()).collect();
            let audio = Audio { channels, rate };
            let path = folder.0.join("new folder/deeper/audio.wav");
            write_wav(&path, &audio).unwrap();
            assert_eq!(read(&path).unwrap(), audio);
        }
    }
}

#[test]
fn integer_wav_has_full_scale_one() {
    let folder = Folder::new("integer");
    let path = folder.0.join("a.wav");
    for (bits_per_sample, half) in [(8, 64), (16, 16_384), (24, 1 << 22), (32, 1 << 30)] {
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample, sample_format };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for value in [0, half, -half] {
            writer.write_sample(value).unwrap();
        }
        writer.finalize().unwrap();
        assert_eq!(read(&path).unwrap().channels, [[0.0, 0.5, -0.5]], "{bits_per_sample} bits");
    }
}

#[test]
fn compressed_files_keep_time_level_and_length() {
    let expected = sweep();
    for (name, limit_db) in [("sweep.flac", -75.0), ("sweep.ogg", -25.0), ("sweep.mp3", -25.0)] {
        let audio = read(&fixture(name)).unwrap();
        assert_eq!(audio.rate, expected.rate, "{name}");
        assert_eq!(audio.channels.len(), 2, "{name}");
        for (actual, expected) in audio.channels.iter().zip(&expected.channels) {
            assert_eq!(actual.len(), expected.len(), "{name}");
            let error = error_db(actual, expected);
            println!("{name}: {error:.1} dB");
            assert!(error < limit_db, "{name}: {error:.1} dB");
        }
    }
}

#[test]
fn a_truncated_file_is_read_up_to_its_end() {
    let folder = Folder::new("torn");
    let expected = sweep();
    let wav = folder.0.join("sweep.wav");
    write_wav(&wav, &expected).unwrap();
    for path in [wav, fixture("sweep.flac"), fixture("sweep.ogg"), fixture("sweep.mp3")] {
        let bytes = std::fs::read(&path).unwrap();
        let torn = folder.file(path.file_name().unwrap().to_str().unwrap(), &bytes[..bytes.len() * 7 / 10]);
        // So short an ogg file has only one page of audio. It is incomplete, so none of it can be used.
        if path.ends_with("sweep.ogg") {
            assert!(matches!(read(&torn), Err(AudioFileError::Empty { .. } | AudioFileError::NotAudio { .. })));
            continue;
        }
        let audio = read(&torn).unwrap();
        let n = audio.channels[0].len();
        println!("{} {n}", path.display());
        assert!((4000..10_000).contains(&n), "{}: {n}", path.display());
        let error = error_db(&audio.channels[0][..n - 1200], &expected.channels[0]);
        assert!(error < -20.0, "{}: {error:.1} dB", path.display());
    }
}

#[test]
fn a_damaged_packet_keeps_the_time_of_what_follows() {
    let folder = Folder::new("damaged");
    let expected = sweep();
    // Damage a packet in the middle, behind its header.
    for (name, start) in [("sweep.mp3", 2510), ("sweep.flac", 4500)] {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        bytes[start..start + 60].fill(0x55);
        let audio = read(&folder.file(name, &bytes)).unwrap();
        assert_eq!(audio.channels[0].len(), expected.channels[0].len(), "{name}");
        let error = error_db(&audio.channels[0][9000..], &expected.channels[0][9000..]);
        assert!(error < -15.0, "{name}: {error:.1} dB");
    }
}

#[test]
fn samples_that_are_no_numbers_are_silence() {
    let folder = Folder::new("nan");
    let path = folder.0.join("nan.wav");
    write_wav(&path, &Audio { channels: vec![vec![0.5, f32::NAN, f32::INFINITY, 0.25]], rate: 8000 }).unwrap();
    assert_eq!(read(&path).unwrap().channels, [[0.5, 0.0, 0.0, 0.25]]);
}

#[test]
fn unreadable_files_say_why_and_name_themselves() {
    let folder = Folder::new("errors");
    let check = |path: &Path, expected: &str| {
        let message = read(path).unwrap_err().to_string();
        assert!(message.contains(expected), "{}: {message}", path.display());
        assert!(message.contains(&path.display().to_string()), "{message}");
    };
    check(&folder.0.join("nowhere.wav"), "there is no file");
    check(&folder.0, "cannot read");
    check(&folder.file("empty.wav", b""), "holds no sound");
    check(
        &folder.file("text.wav", b"Dear diary, today I practised for two hours.\n".repeat(500).as_slice()),
        "not a sound file",
    );
    check(&folder.file("zeros.mp3", &[0; 50_000]), "not a sound file");
    let noise: Vec<u8> = (0..200_000u64).map(|i| (i.wrapping_mul(6364136223846793005) >> 33) as u8).collect();
    check(&folder.file("noise.mp3", &noise), "not a sound file");
    let header_only = folder.0.join("header.wav");
    write_wav(&header_only, &Audio { channels: vec![vec![]], rate: 48_000 }).unwrap();
    check(&header_only, "holds no sound");
}

#[test]
fn an_unknown_codec_is_distinguished_from_no_sound() {
    let folder = Folder::new("codec");
    let path = folder.0.join("a.wav");
    write_wav(&path, &Audio { channels: vec![vec![0.1; 500]], rate: 48_000 }).unwrap();
    for (tag, name) in [(0x55u16, "mp3"), (0x161, "Windows Media"), (0x31, "GSM")] {
        let mut bytes = std::fs::read(&path).unwrap();
        // The format tag of the plain header.
        bytes[20..22].copy_from_slice(&tag.to_le_bytes());
        let message = read(&folder.file("odd.wav", &bytes)).unwrap_err().to_string();
        assert!(message.contains("cannot be decoded here") && message.contains(name), "{message}");
    }
}

#[test]
fn write_errors_give_the_reason() {
    let folder = Folder::new("write");
    let audio = Audio { channels: vec![vec![0.0; 10]], rate: 48_000 };
    let file = folder.file("file", b"x");
    let message = write_wav(&file.join("a.wav"), &audio).unwrap_err().to_string();
    assert!(message.contains("cannot make the folder"), "{message}");
    let message = write_wav(&folder.0, &audio).unwrap_err().to_string();
    assert!(message.contains("cannot write"), "{message}");
    for channels in [vec![], vec![vec![0.0; 2], vec![0.0; 3]]] {
        let message = write_wav(&folder.0.join("a.wav"), &Audio { channels, rate: 48_000 }).unwrap_err().to_string();
        assert!(message.contains("channels"), "{message}");
    }
}
