//! Uncompressed files with wrong, unknown and unusual sizes: exactly the samples that are there are read.

mod files;

use embouchure_audio_file::read_bytes;
use files::*;

const N: usize = 9000;
/// Bytes of audio data.
const LEN: u32 = 4 * N as u32;

/// Expects all samples and no remark.
fn check(name: &str, bytes: &[u8]) {
    let recording = read_file(bytes);
    assert!(recording.audio == ramp_audio(N), "{name}: {} samples", recording.audio.channels[0].len());
    assert!(recording.remarks.is_empty(), "{name}: {:?}", recording.remarks);
}

/// Expects the first `n_frames` samples and a remark that contains `said`.
fn check_remark(name: &str, bytes: &[u8], n_frames: usize, said: &str) {
    let recording = read_file(bytes);
    assert!(recording.audio == ramp_audio(n_frames), "{name}: {} samples", recording.audio.channels[0].len());
    assert!(recording.remarks.join("; ").contains(said), "{name}: {:?}", recording.remarks);
}

fn list() -> Vec<u8> {
    chunk(b"LIST", b"INFOISFT\x0e\0\0\0Lavf59.27.100\0")
}

#[test]
fn the_announced_size_of_the_file_is_ignored() {
    let content = [ramp_format(), chunk(b"data", &ramp(N))].concat();
    let right = content.len() as u32 + 4;
    for size in [right, 0, 4, 4088, right - 8, right + 8, 0x7fff_ffff, u32::MAX] {
        check(&format!("{size}"), &riff_sized(b"RIFF", size, &content));
    }
}

#[test]
fn an_unknown_size_of_the_sound_is_that_of_the_file() {
    for size in [0, 0x7fff_ff00, 0x8000_0000, u32::MAX - 36, u32::MAX] {
        let data = sized(b"data", size, &ramp(N));
        check(&format!("{size}"), &riff(&[ramp_format(), data.clone()]));
        check(&format!("{size}, chunks behind"), &riff(&[ramp_format(), data, list(), chunk(b"id3 ", b"ID3odd")]));
    }
}

#[test]
fn a_wrong_size_of_the_sound_is_corrected_and_reported() {
    let wav = |size: u32, rest: &[u8]| riff(&[ramp_format(), sized(b"data", size, &ramp(N)), rest.to_vec()]);
    check_remark("too large", &wav(LEN + 40_000, b""), N, "its end is missing: 0.4");
    check_remark("too large, chunks behind", &wav(LEN + 40_000, &list()), N, "its end is missing");
    check_remark("too small", &wav(16_384, b""), N, "more sound than its header says");
    check_remark("too small, chunks behind", &wav(16_384, &list()), N, "more sound than its header says");
    let noise: Vec<u8> = (0..300u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect();
    check_remark("something behind", &wav(LEN, &noise), N, "300 bytes behind the sound");
}

#[test]
fn a_pause_behind_the_announced_end_does_not_hide_what_follows() {
    let sound = [ramp(2000), vec![0; 5000], ramp(N)].concat();
    let recording = read_file(&riff(&[ramp_format(), sized(b"data", 8000, &sound)]));
    assert_eq!(recording.audio.channels[0].len(), 2000 + 1250 + N);
    assert!(recording.remarks[0].contains("more sound than its header says"), "{:?}", recording.remarks);
    check("padding", &riff(&[ramp_format(), sized(b"data", LEN, &[ramp(N), vec![0; 50_000]].concat())]));
}

#[test]
fn a_tag_with_a_picture_behind_the_sound_is_not_sound() {
    let picture: Vec<u8> = (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect();
    let id3 = [b"ID3\x03\0\0\0\x01\x1c\x20".as_slice(), &picture].concat();
    let ape_head = |flags: u32| {
        [b"APETAGEX\xd0\x07\0\0".as_slice(), &20_032u32.to_le_bytes(), &[1, 0, 0, 0], &flags.to_le_bytes(), &[0; 8]]
            .concat()
    };
    let ape = [ape_head(0xa000_0000), picture, ape_head(0x8000_0000)].concat();
    for (name, tag) in [("ID3", &id3), ("APE", &ape)] {
        let wav = riff(&[ramp_format(), chunk(b"data", &ramp(N))]);
        check(name, &[wav, tag.clone()].concat());
        let unknown = riff(&[ramp_format(), sized(b"data", u32::MAX, &ramp(N))]);
        check(&format!("{name}, size not known"), &[unknown, tag.clone()].concat());
    }
}

#[test]
fn the_sound_is_found_behind_a_large_chunk_whose_size_is_wrong() {
    let picture: Vec<u8> = (0..2_000_000u32).map(|i| (i % 251) as u8 | 0x80).collect();
    let wrong = sized(b"id3 ", 77, &[b"data".as_slice(), &picture].concat());
    check("large", &riff(&[ramp_format(), wrong, chunk(b"data", &ramp(N))]));
}

#[test]
fn a_recording_without_samples_is_empty_whatever_follows() {
    for rest in [vec![], list()] {
        let message = read_bytes(riff(&[ramp_format(), chunk(b"data", b""), rest]), "x").unwrap_err().to_string();
        assert!(message.contains("holds no sound"), "{message}");
    }
}

#[test]
fn the_format_may_be_of_any_length() {
    let data = chunk(b"data", &ramp(N));
    for len in [16, 17, 18, 20, 22, 24, 40, 50] {
        let mut format = format(1, 2, 4, 16);
        format.resize(len, 0);
        check(&format!("{len}"), &riff(&[chunk(b"fmt ", &format), data.clone()]));
    }
    let guid = *b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
    for (mask, extra) in [(3u32, 22u16), (0, 22), (u32::MAX, 22), (3, 0)] {
        let head = format(0xfffe, 2, 4, 16);
        let format = [&head[..], &extra.to_le_bytes(), &16u16.to_le_bytes(), &mask.to_le_bytes(), &guid].concat();
        check(&format!("extensible, {mask:x}"), &riff(&[chunk(b"fmt ", &format), data.clone()]));
    }
    // The block size was not filled in.
    check("no block size", &riff(&[chunk(b"fmt ", &format(1, 2, 0, 16)), data]));
}

#[test]
fn chunks_may_stand_anywhere_and_be_padded_or_not() {
    let data = chunk(b"data", &ramp(N));
    let odd = b"INFOISFT\x05\0\0\0Lavf5";
    let not_padded = [&b"LIST"[..], &(odd.len() as u32).to_le_bytes(), odd].concat();
    let padded_twice = [list(), vec![0]].concat();
    let damaged = chunk(b"LIST", b"INFOISFT\xff\0\0\0abcd");
    let too_long = sized(b"LIST", 0x00ff_ffff, b"INFO");
    let before = [
        ("odd", chunk(b"LIST", odd)),
        ("odd, not padded", not_padded.clone()),
        ("even, padded", padded_twice),
        ("damaged inside", damaged),
        ("longer than the file", too_long),
        ("room", chunk(b"JUNK", &[0; 28])),
        ("broadcast", [chunk(b"bext", &[0; 602]), chunk(b"iXML", b"<a/>x")].concat()),
    ];
    for (name, chunks) in before {
        check(name, &riff(&[ramp_format(), chunks.clone(), data.clone()]));
        if name != "longer than the file" {
            check(name, &riff(&[chunks, ramp_format(), data.clone()]));
        }
    }
    for behind in [list(), not_padded, chunk(b"id3 ", b"ID3"), [&b"TAG"[..], &[b' '; 125]].concat(), vec![0; 20_000]] {
        check("behind", &riff(&[ramp_format(), data.clone(), behind]));
    }
    let tagged = [&b"ID3\x04\0\0\0\0\0\x0a0123456789"[..], &riff(&[ramp_format(), data])].concat();
    check("ID3 in front", &tagged);
}

#[test]
fn what_is_cut_off_is_read_up_to_there() {
    let wav = riff(&[ramp_format(), chunk(b"data", &ramp(N))]);
    check_remark(
        "in the middle",
        &wav[..44 + 12_345],
        3086,
        "its end is missing: 0.2 s are announced, 0.1 s are there",
    );
    // An incomplete sample is not reported.
    let recording = read_file(&wav[..wav.len() - 3]);
    assert!(recording.audio == ramp_audio(N - 1) && recording.remarks.is_empty(), "{:?}", recording.remarks);
}

#[test]
fn files_that_were_joined_are_read_to_the_end() {
    let wav = riff(&[ramp_format(), chunk(b"data", &ramp(N)), list()]);
    let audio = read_file(&wav.repeat(3)).audio;
    assert_eq!(audio.channels[0], ramp_audio(N).channels[0].repeat(3));
}

#[test]
fn rf64_and_bw64_are_read() {
    let content = |size_64: u64, rest: &[u8]| {
        let sizes = [&0u64.to_le_bytes()[..], &size_64.to_le_bytes(), &[0; 12]].concat();
        [chunk(b"ds64", &sizes), ramp_format(), sized(b"data", u32::MAX, &ramp(N)), rest.to_vec()].concat()
    };
    for magic in [b"RF64", b"BW64"] {
        for size in [u64::from(LEN), 0, u64::MAX] {
            check("RF64", &riff_sized(magic, u32::MAX, &content(size, b"")));
            check("RF64, chunks behind", &riff_sized(magic, u32::MAX, &content(size, &list())));
        }
    }
    check_remark(
        "cut off",
        &riff_sized(b"RF64", u32::MAX, &content(8_000_000_000, b"")),
        N,
        "its end is missing: 45351.5 s",
    );
}

#[test]
fn wave64_is_read() {
    let guid = |name: &[u8; 4], rest: &[u8; 12]| [&name[..], rest].concat();
    let tail = b"\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a";
    let riff = guid(b"riff", b"\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0");
    let chunk =
        |name: &[u8; 4], size: u64, content: &[u8]| [&guid(name, tail)[..], &size.to_le_bytes(), content].concat();
    for size in [u64::from(LEN) + 24, 24, 0, u64::MAX] {
        let format = chunk(b"fmt ", 40, &format(1, 2, 4, 16));
        let data = chunk(b"data", size, &ramp(N));
        let list = chunk(b"list", 32, b"12345678");
        for rest in [vec![], list] {
            let file = [&riff[..], &0u64.to_le_bytes(), &guid(b"wave", tail), &format, &data, &rest].concat();
            if rest.is_empty() || size > 100 && size < u64::MAX {
                check(&format!("{size}"), &file);
            }
        }
    }
}

#[test]
fn big_endian_wav_is_read() {
    let format: Vec<u8> = [1u16, 2].into_iter().flat_map(u16::to_be_bytes).collect();
    let format =
        [&format[..], &RATE.to_be_bytes(), &(4 * RATE).to_be_bytes(), &4u16.to_be_bytes(), &16u16.to_be_bytes()];
    let data = form_chunk(b"data", LEN, &swapped(&ramp(N)));
    check("RIFX", &[b"RIFX\0\0\0\0WAVE", &form_chunk(b"fmt ", 16, &format.concat())[..], &data].concat());
}

fn common(n_frames: u32, compression: &[u8]) -> Vec<u8> {
    let rate = b"\x40\x0e\xac\x44\0\0\0\0\0\0";
    let content = [&2u16.to_be_bytes()[..], &n_frames.to_be_bytes(), &16u16.to_be_bytes(), rate, compression].concat();
    form_chunk(b"COMM", content.len() as u32, &content)
}

fn form(kind: &[u8; 4], size: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    [&b"FORM"[..], &size.to_be_bytes(), kind, &chunks.concat()].concat()
}

#[test]
fn aiff_is_read_whatever_its_sizes_say() {
    let sound = |size: u32| form_chunk(b"SSND", size, &[&[0; 8], &swapped(&ramp(N))[..]].concat());
    let (right, name) = (sound(LEN + 8), form_chunk(b"NAME", 5, b"hello"));
    let n = N as u32;
    for (what, chunks) in [
        ("right", vec![common(n, b""), right.clone()]),
        ("sound first", vec![right.clone(), common(n, b"")]),
        ("chunks behind", vec![common(n, b""), right.clone(), name.clone()]),
        ("no number", vec![common(0, b""), right.clone()]),
        ("no size", vec![common(0, b""), sound(0)]),
        ("size of a header", vec![common(0, b""), sound(8)]),
        ("no size, chunks behind", vec![common(0, b""), sound(0), name.clone()]),
        ("unknown size", vec![common(n, b""), sound(u32::MAX)]),
        ("no size, sound first", vec![sound(0), common(n, b"")]),
    ] {
        for size in [0, 46 + LEN + 8, u32::MAX] {
            check(what, &form(b"AIFF", size, &chunks));
        }
    }
    check_remark("cut off", &form(b"AIFF", 0, &[common(2 * n, b""), sound(2 * LEN + 8)]), N, "its end is missing");
}

#[test]
fn aifc_is_read_in_either_order_of_bytes() {
    let sound = |samples: &[u8]| form_chunk(b"SSND", samples.len() as u32 + 8, &[&[0; 8], samples].concat());
    let version = form_chunk(b"FVER", 4, b"\xa2\x80\x51\x40");
    for (compression, samples) in
        [(b"NONE\0\0", swapped(&ramp(N))), (b"twos\0\0", swapped(&ramp(N))), (b"sowt\0\0", ramp(N))]
    {
        check("AIFC", &form(b"AIFC", 0, &[version.clone(), common(N as u32, compression), sound(&samples)]));
    }
    let floats: Vec<u8> = (0..N)
        .flat_map(|i| [0, 1].map(|c| ramp_audio(N).channels[c][i]))
        .take(400)
        .flat_map(f32::to_be_bytes)
        .collect();
    let audio = read_file(&form(b"AIFC", 0, &[common(200, b"fl32\0\0"), sound(&floats)])).audio;
    assert!(audio == ramp_audio(200));
    let message =
        read_bytes(form(b"AIFC", 0, &[common(200, b"QDM2\0\0"), sound(&floats)]), "x").unwrap_err().to_string();
    assert!(message.contains("QDM2"), "{message}");
}

#[test]
fn caf_is_read_also_when_it_was_not_closed() {
    let description = |flags: u32, bits: u32| {
        let numbers = [flags, 2 * bits / 8, 1, 2, bits].into_iter().flat_map(u32::to_be_bytes).collect::<Vec<_>>();
        let content = [&f64::from(RATE).to_be_bytes()[..], b"lpcm", &numbers].concat();
        [&b"desc"[..], &32u64.to_be_bytes(), &content].concat()
    };
    let data = |size: i64, samples: &[u8]| [&b"data"[..], &size.to_be_bytes(), &[0; 4], samples].concat();
    let file = |chunks: &[Vec<u8>]| [&b"caff\0\x01\0\0"[..], &chunks.concat()].concat();
    let free = [&b"free"[..], &5u64.to_be_bytes(), &[0; 5]].concat();
    for size in [i64::from(LEN) + 4, -1, 0, 4] {
        check("little-endian", &file(&[description(2, 16), free.clone(), data(size, &ramp(N))]));
        check("big-endian", &file(&[description(0, 16), data(size, &swapped(&ramp(N)))]));
    }
    check("chunks behind", &file(&[description(2, 16), data(i64::from(LEN) + 4, &ramp(N)), free]));
    check_remark("cut off", &file(&[description(2, 16), data(1_000_000, &ramp(N))]), N, "its end is missing");
}

#[test]
fn adpcm_is_read_to_the_truncated_last_block() {
    // Block headers with the first samples, then difference codes of 0: the signal stays constant.
    let ima = |value: i16| [&value.to_le_bytes()[..], &[0, 0], &[0; 60]].concat();
    let extra = [&2u16.to_le_bytes()[..], &121u16.to_le_bytes()].concat();
    let format_ima = [format(0x11, 1, 64, 4), extra].concat();
    let blocks: Vec<u8> = (0..50).flat_map(|i| ima(i * 100)).collect();
    let wav = riff(&[chunk(b"fmt ", &format_ima), chunk(b"data", &blocks[..blocks.len() - 40])]);
    let audio = read_file(&wav).audio;
    assert_eq!(audio.channels[0].len(), 49 * 121 + 41);
    for (block, samples) in audio.channels[0].chunks(121).enumerate() {
        assert!(
            samples.iter().all(|v| (v * 32_768.0 - 100.0 * block as f32).abs() < 8.0),
            "block {block}: {samples:?}"
        );
    }

    let ms =
        |value: i16| [&[0][..], &16i16.to_le_bytes(), &value.to_le_bytes(), &value.to_le_bytes(), &[0; 57]].concat();
    let coefficients: Vec<u8> =
        [256i16, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232].map(i16::to_le_bytes).concat();
    let extra = [&32u16.to_le_bytes()[..], &116u16.to_le_bytes(), &7u16.to_le_bytes(), &coefficients].concat();
    let blocks: Vec<u8> = (0..50).flat_map(|i| ms(i * 100)).collect();
    let wav = riff(&[chunk(b"fmt ", &[format(2, 1, 64, 4), extra].concat()), chunk(b"data", &blocks)]);
    let audio = read_file(&wav).audio;
    assert_eq!(audio.channels[0].len(), 50 * 116);
    assert!((audio.channels[0][49 * 116 + 100] * 32_768.0 - 4900.0).abs() < 1.0);
}
