//! Compressed files: all audio is read, whatever the headers say, also in joined files.

mod files;
mod sweep;

use embouchure_audio_file::{read, read_bytes};
use files::*;
use ropus::{Application, Channels, Encoder};
use std::path::Path;
use sweep::sweep;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// Samples per channel of the sweep.
const N: usize = 11_025;

/// Level of `actual - expected` against `expected`, dB. A shift by one sample already gives −13 dB on the sweep.
fn error_db(actual: &[f32], expected: &[f32]) -> f64 {
    let error: f64 = actual.iter().zip(expected).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    10.0 * (error / expected.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>()).log10()
}

fn check_sweeps(name: &str, bytes: &[u8], n_sweeps: usize, limit_db: f64) {
    let recording = read_file(bytes);
    let left = &recording.audio.channels[0];
    assert_eq!(left.len(), n_sweeps * N, "{name}");
    let error = error_db(left, &sweep().channels[0].repeat(n_sweeps));
    assert!(error < limit_db, "{name}: {error:.1} dB");
    assert!(recording.remarks.is_empty(), "{name}: {:?}", recording.remarks);
}

#[test]
fn aac_and_alac_are_read_without_what_the_encoder_added() {
    let aac = read_file(&fixture("sweep.m4a")).audio;
    // The container rounds the length to milliseconds.
    assert!((N..N + 45).contains(&aac.channels[0].len()), "{}", aac.channels[0].len());
    for (actual, expected) in aac.channels.iter().zip(&sweep().channels) {
        let error = error_db(actual, expected);
        assert!(error < -15.0, "{error:.1} dB");
    }
    let alac = read_file(&fixture("sweep-alac.m4a")).audio;
    let mono: Vec<f32> = sweep().channels[0].iter().map(|v| 0.25 * v).collect();
    assert!(alac.channels.len() == 1 && alac.channels[0].len() >= N);
    let error = error_db(&alac.channels[0][..N], &mono);
    assert!(error < -60.0, "{error:.1} dB");
    // Raw frames do not give the padding: 1024 samples at the beginning, and the rest of the last frame at the end.
    let raw = read_file(&fixture("sweep.aac")).audio;
    assert_eq!(raw.channels[0].len(), 12 * 1024);
    let error = error_db(&raw.channels[0][1024..1024 + N], &sweep().channels[0]);
    assert!(error < -9.0, "{error:.1} dB");
}

#[test]
fn an_mp4_without_its_index_is_named() {
    let mut bytes = fixture("sweep.m4a");
    let at = bytes.windows(4).position(|b| b == b"moov").unwrap();
    bytes[at..at + 4].copy_from_slice(b"free");
    let message = read_bytes(bytes, "memo.m4a").unwrap_err().to_string();
    assert!(message.contains("memo.m4a is an mp4 file whose index is missing"), "{message}");
}

/// Tags as programs write them before and behind the audio.
fn id3v2() -> Vec<u8> {
    [&b"ID3\x03\0\0\0\0\x01\0"[..], &[0; 128]].concat()
}

fn id3v1() -> Vec<u8> {
    [&b"TAG"[..], &[b'a'; 125]].concat()
}

fn ape() -> Vec<u8> {
    let footer = [&b"APETAGEX"[..], &2000u32.to_le_bytes(), &82u32.to_le_bytes(), &[1, 0, 0, 0], &[0; 12]].concat();
    [vec![b'x'; 50], footer].concat()
}

#[test]
fn tags_cost_no_sound() {
    for (name, limit_db) in [("sweep.flac", -75.0), ("sweep.mp3", -25.0)] {
        let sound = fixture(name);
        let tails = [vec![], id3v1(), ape(), [ape(), id3v1()].concat(), [vec![0; 3000], id3v1()].concat()];
        for (i, tail) in tails.iter().enumerate() {
            check_sweeps(&format!("{name} {i}"), &[&sound[..], tail].concat(), 1, limit_db);
            check_sweeps(&format!("{name} {i}, both"), &[&id3v2()[..], &sound, tail].concat(), 1, limit_db);
        }
    }
    // These bytes have no known format, but the checksum of the last block is right.
    let junk: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    check_sweeps("junk", &[fixture("sweep.flac"), junk].concat(), 1, -75.0);
}

#[test]
fn joined_files_are_read_to_the_end() {
    for (name, limit_db) in [("sweep.flac", -75.0), ("sweep.mp3", -25.0), ("sweep.ogg", -25.0)] {
        check_sweeps(name, &fixture(name).repeat(3), 3, limit_db);
    }
    for (name, limit_db) in [("sweep.flac", -75.0), ("sweep.mp3", -25.0)] {
        let tagged = [id3v2(), fixture(name), ape(), id3v1()].concat();
        check_sweeps(name, &tagged.repeat(2), 2, limit_db);
    }
}

#[test]
fn parts_of_different_formats_become_one() {
    // Silence in mono at another rate, then the sweep.
    let (frame, n_frames) = (silent_mp3_frame(3, 1, true), 20);
    let recording = read_file(&[frame.repeat(n_frames), fixture("sweep.mp3")].concat());
    let n_silent = n_frames * 1152;
    let audio = recording.audio;
    assert_eq!((audio.rate, audio.channels.len()), (48_000, 2));
    let n = n_silent + N * 48_000 / 44_100;
    assert!(audio.channels[0].len().abs_diff(n) < 3, "{}", audio.channels[0].len());
    assert!(audio.channels[0][..n_silent].iter().all(|v| *v == 0.0));
    assert!(recording.remarks.iter().any(|r| r.contains("differ")), "{:?}", recording.remarks);
}

#[test]
fn flac_of_a_streaming_encoder_is_read() {
    let sound = fixture("sweep.flac");
    let set = |places: std::ops::Range<usize>, byte: u8| {
        let mut sound = sound.clone();
        sound[places].fill(byte);
        sound
    };
    check_sweeps("smallest block 0", &set(8..10, 0), 1, -75.0);
    check_sweeps("blocks 0", &set(8..12, 0), 1, -75.0);
    check_sweeps("frames the wrong way round", &set(12..15, 0xff), 1, -75.0);
    let mut unknown = set(22..26, 0);
    unknown[21] &= 0xf0;
    check_sweeps("unknown length", &unknown, 1, -75.0);
    let mut no_rate = unknown.clone();
    no_rate[18..20].fill(0);
    no_rate[20] &= 0x0f;
    check_sweeps("no rate", &no_rate, 1, -75.0);
}

#[test]
fn flac_that_is_cut_off_says_what_is_missing() {
    let sound = fixture("sweep.flac");
    let recording = read_file(&sound[..sound.len() * 7 / 10]);
    assert!(recording.remarks[0].contains("its end is missing: 0.2 s are announced, 0.1"), "{:?}", recording.remarks);
}

/// A frame of 1152 or 576 silent samples.
fn silent_mp3_frame(version: u8, bit_rate_idx: u8, is_48_khz: bool) -> Vec<u8> {
    let kbits = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320][usize::from(bit_rate_idx)];
    let rate = if is_48_khz { 48_000 } else { 44_100 };
    let mut frame = vec![0; 144 * kbits * 1000 / rate];
    // Layer 3, no checksum, mono.
    frame[..4].copy_from_slice(&[0xff, 0xe3 | version << 3, bit_rate_idx << 4 | u8::from(is_48_khz) << 2, 0xc0]);
    frame
}

#[test]
fn mp3_of_varying_bit_rate_is_read_to_its_end_without_a_table() {
    // Symphonia estimates the length from the first frames. Here they are ten times as large as the others.
    let (large, small) = (silent_mp3_frame(3, 14, false), silent_mp3_frame(3, 1, false));
    let recording = read_file(&[large.repeat(20), small.repeat(200)].concat());
    assert_eq!(recording.audio.channels[0].len(), 220 * 1152);
    assert!(recording.remarks.is_empty(), "{:?}", recording.remarks);
}

#[test]
fn a_wrong_number_of_frames_in_mp3_does_not_end_it() {
    let sound = fixture("sweep.mp3");
    let at = sound.windows(4).position(|b| b == b"Info" || b == b"Xing").unwrap() + 8;
    let with = |n: u32| [&sound[..at], &n.to_be_bytes(), &sound[at + 4..]].concat();
    for n in [0, 1, 5] {
        check_sweeps(&format!("{n}"), &with(n), 1, -25.0);
    }
    let recording = read_file(&with(1000));
    assert!(recording.audio.channels[0].len() >= N);
    assert!(recording.remarks[0].contains("its end is missing: 26.1 s are announced"), "{:?}", recording.remarks);
    let torn = read_file(&sound[..sound.len() / 2]);
    assert!(torn.remarks[0].contains("its end is missing"), "{:?}", torn.remarks);
}

#[test]
fn mp3_in_wav_is_read() {
    let format = [format(0x55, 2, 1, 0), vec![12, 0, 1, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0]].concat();
    let wav = riff(&[
        chunk(b"fmt ", &format),
        chunk(b"fact", &[0; 4]),
        chunk(b"data", &fixture("sweep.mp3")),
        chunk(b"LIST", b"INFO"),
    ]);
    check_sweeps("mp3 in wav", &wav, 1, -25.0);
    let sound = fixture("sweep.mp3");
    let cut = riff(&[chunk(b"fmt ", &format), sized(b"data", 2 * sound.len() as u32, &sound)]);
    let remarks = read_file(&cut).remarks;
    assert!(remarks.iter().any(|remark| remark.contains("its end is missing")), "{remarks:?}");
}

/// A tone in Opus packets of 20 ms, and the tone's samples.
fn opus() -> (Vec<Vec<u8>>, Vec<f32>) {
    let tone: Vec<f32> = (0..50 * 960).map(|i| 0.3 * (i as f32 * 0.05).sin()).collect();
    let mut encoder = Encoder::builder(48_000, Channels::Mono, Application::Audio).build().unwrap();
    let mut packet = [0; 4000];
    let encode = |samples: &[f32]| {
        let n = encoder.encode_float(samples, &mut packet).unwrap();
        packet[..n].to_vec()
    };
    (tone.chunks(960).map(encode).collect(), tone)
}

/// Samples that precede the tone.
const PRE_SKIP: u16 = 312;

fn opus_head() -> Vec<u8> {
    [&b"OpusHead\x01\x01"[..], &PRE_SKIP.to_le_bytes(), &48_000u32.to_le_bytes(), &[0; 3]].concat()
}

fn check_opus(audio: &[f32], tone: &[f32]) {
    let error = error_db(&audio[960..40_000], &tone[960..40_000]);
    assert!(error < -20.0, "{error:.1} dB");
}

#[test]
fn opus_is_read_in_ogg_with_its_ends_cut() {
    let (packets, tone) = opus();
    let tags = b"OpusTags\0\0\0\0\0\0\0\0".to_vec();
    let half = packets.len() / 2;
    // The last page ends a little before its last packet.
    let end = (packets.len() * 960 - 300) as u64;
    let file = [
        ogg_page(2, 0, 0, &[opus_head()]),
        ogg_page(0, 0, 1, &[tags]),
        ogg_page(0, half as u64 * 960, 2, &packets[..half]),
        ogg_page(4, end, 3, &packets[half..]),
    ]
    .concat();
    let recording = read_file(&file);
    assert_eq!(recording.audio.rate, 48_000);
    assert_eq!(recording.audio.channels[0].len() as u64, end - u64::from(PRE_SKIP));
    assert!(recording.remarks.is_empty(), "{:?}", recording.remarks);
    check_opus(&recording.audio.channels[0], &tone);
    assert_eq!(read_file(&file.repeat(2)).audio.channels[0].len() as u64, 2 * (end - u64::from(PRE_SKIP)));
}

#[test]
fn opus_is_read_in_webm() {
    let (packets, tone) = opus();
    let head = [(&[0x42, 0x82][..], &b"webm"[..]), (&[0x42, 0x87], &[4]), (&[0x42, 0x85], &[2])];
    let head: Vec<u8> = head.iter().flat_map(|(id, content)| element(id, content)).collect();
    let scale = element(&[0x2a, 0xd7, 0xb1], &1_000_000u32.to_be_bytes());
    let info = [scale, element(&[0x4d, 0x80], b"test"), element(&[0x57, 0x41], b"test")].concat();
    let audio = [element(&[0xb5], &48_000f64.to_be_bytes()), element(&[0x9f], &[1])].concat();
    let track = [
        element(&[0xd7], &[1]),
        element(&[0x73, 0xc5], &[1]),
        element(&[0x83], &[2]),
        element(&[0x86], b"A_OPUS"),
        element(&[0x63, 0xa2], &opus_head()),
        element(&[0xe1], &audio),
    ]
    .concat();
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track));
    let block = |(i, packet): (usize, &Vec<u8>)| {
        let time = (20 * i as u16).to_be_bytes();
        element(&[0xa3], &[&[0x81, time[0], time[1], 0x80][..], packet].concat())
    };
    let blocks: Vec<u8> = packets.iter().enumerate().flat_map(block).collect();
    let cluster = element(&[0x1f, 0x43, 0xb6, 0x75], &[element(&[0xe7], &[0]), blocks].concat());
    let segment = [element(&[0x15, 0x49, 0xa9, 0x66], &info), tracks, cluster].concat();
    let file = [element(&[0x1a, 0x45, 0xdf, 0xa3], &head), element(&[0x18, 0x53, 0x80, 0x67], &segment)].concat();
    let recording = read_file(&file);
    assert_eq!(recording.audio.channels[0].len(), packets.len() * 960 - usize::from(PRE_SKIP));
    check_opus(&recording.audio.channels[0], &tone);
}

#[test]
fn what_cannot_be_read_is_named() {
    let names: [(&[u8], &str); 7] = [
        (&[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6], "is Windows Media audio"),
        (b"wvpk\0\0\0\0", "is a WavPack file"),
        (b"MThd\0\0\0\x06", "is a MIDI file"),
        (b"#!AMR\n", "is an AMR voice recording"),
        (b"RIFF\x10\0\0\0AVI LIST", "is a video"),
        (b"PK\x03\x04\x14\0", "is a zip archive"),
        (b"MAC \x96\x0f", "is a Monkey's Audio file"),
    ];
    for (bytes, name) in names {
        let bytes = [bytes, &[1; 100]].concat();
        let message = read_bytes(bytes, "take.wav").unwrap_err().to_string();
        assert!(message.contains(&format!("take.wav {name}")) && message.contains("convert it"), "{message}");
    }
    let speex = ogg_page(2, 0, 0, &[b"Speex   1.2rc1".to_vec()]);
    let message = read_bytes(speex, "take.spx").unwrap_err().to_string();
    assert!(message.contains("Speex"), "{message}");
}

#[test]
fn the_name_of_a_file_does_not_matter() {
    let path = std::env::temp_dir().join(format!("embouchure-name-{}.mp3", std::process::id()));
    std::fs::write(&path, fixture("sweep.flac")).unwrap();
    let audio = read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(audio.channels[0].len(), N);
}
