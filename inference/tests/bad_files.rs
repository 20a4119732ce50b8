//! Invalid weights files are refused, each with its own message.

use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::weights::{LoadError, read_file};
use embouchure_inference::play::instrument::{FORMAT, Instrument};

const TRUMPET: &[u8] = embouchure_weights::INSTRUMENTS[0].1;

fn encoder() -> Encoder {
    Encoder::from_bytes(embouchure_weights::ENCODER).expect("the shipped encoder loads")
}

fn load(bytes: &[u8]) -> LoadError {
    match Instrument::from_bytes(bytes, &encoder()) {
        Ok(_) => panic!("the file was accepted"),
        Err(error) => error,
    }
}

/// Length of the safetensors header with its size field, which is the offset of the tensors.
fn header_len() -> usize {
    8 + u64::from_le_bytes(TRUMPET[..8].try_into().unwrap()) as usize
}

/// The file with `from` replaced by `to` in its header.
fn with_header(from: &str, to: &str) -> Vec<u8> {
    let (header, data) = TRUMPET.split_at(header_len());
    let text = String::from_utf8(header[8..].to_vec()).unwrap();
    assert!(text.contains(from), "{from} is not in the header");
    let text = text.replacen(from, to, 1);
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), data].concat()
}

#[test]
fn truncated_anywhere() {
    for n in [0, 4, 100, header_len() - 1, header_len(), TRUMPET.len() / 2, TRUMPET.len() - 1] {
        let error = load(&TRUMPET[..n]);
        assert!(matches!(error, LoadError::Broken(_)), "{n} bytes: {error}");
        assert!(error.to_string().contains("copy or download it again"));
    }
}

#[test]
fn not_a_weights_file() {
    assert!(matches!(load(b"RIFF....WAVEfmt and some more text that is no model"), LoadError::Broken(_)));
}

#[test]
fn encoder_in_place_of_an_instrument_and_the_reverse() {
    let error = load(embouchure_weights::ENCODER);
    assert!(matches!(error, LoadError::Format { .. }), "{error}");
    assert!(matches!(Encoder::from_bytes(TRUMPET), Err(LoadError::Format { .. })));
}

#[test]
fn version_from_the_future() {
    let error = load(&with_header(FORMAT, "embouchure-instrument/X"));
    assert!(error.to_string().contains(FORMAT), "{error}");
}

#[test]
fn missing_tensor() {
    let error = load(&with_header("\"head.bias\"", "\"head.bies\""));
    assert!(matches!(&error, LoadError::MissingTensor { name } if name == "head.bias"), "{error}");
}

#[test]
fn wrong_shape() {
    // The same number of values in another shape.
    let error = load(&with_header("\"shape\":[165,160]", "\"shape\":[160,165]"));
    assert!(matches!(&error, LoadError::Shape { name, .. } if name == "head.weight"), "{error}");
}

#[test]
fn width_that_does_not_fit_the_tensors() {
    let error = load(&with_header("\\\"width\\\":160", "\\\"width\\\":128"));
    assert!(matches!(error, LoadError::Shape { .. }), "{error}");
}

#[test]
fn width_that_no_network_has() {
    for width in ["0", "18446744073709551615"] {
        let error = load(&with_header("\\\"width\\\":160", &format!("\\\"width\\\":{width}")));
        assert!(matches!(&error, LoadError::Card(why) if why.contains("width")), "{error}");
    }
}

#[test]
fn values_that_are_not_numbers() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut bytes = TRUMPET.to_vec();
        let at = header_len() + 4000;
        bytes[at..at + 4].copy_from_slice(&bad.to_le_bytes());
        let error = load(&bytes);
        assert!(matches!(error, LoadError::NotFinite { .. }), "{error}");
    }
}

#[test]
fn trained_with_another_encoder() {
    let mut encoder = encoder();
    encoder.id = "0000000000000000".into();
    encoder.card.keeps_z_of.clear();
    let error = match Instrument::from_bytes(TRUMPET, &encoder) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    };
    assert!(matches!(&error, LoadError::ForeignEncoder { .. }));
    assert!(error.to_string().contains("train it again"));

    let trained_with = Instrument::of_any_encoder(TRUMPET).unwrap().card.provenance.encoder_id;
    encoder.card.keeps_z_of.push(trained_with);
    assert!(Instrument::from_bytes(TRUMPET, &encoder).is_ok(), "an encoder that keeps this z can play it");
}

#[test]
fn unreadable_card() {
    let error = load(&with_header("\\\"f0_range_hz\\\"", "\\\"f0_range_xx\\\""));
    assert!(matches!(error, LoadError::Card(_)), "{error}");
}

#[test]
fn breath_out_of_range() {
    let error = load(&with_header("\\\"loss\\\"", "\\\"breath_db\\\":99.0,\\\"loss\\\""));
    assert!(matches!(&error, LoadError::Card(why) if why.contains("breath")), "{error}");
}

#[test]
fn compression_out_of_range() {
    let error = load(&with_header("\\\"loss\\\"", "\\\"compression\\\":1.5,\\\"loss\\\""));
    assert!(matches!(&error, LoadError::Card(why) if why.contains("compression")), "{error}");
}

/// A randomly damaged file may load or be refused, but never causes a panic.
#[test]
fn random_damage() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(9);
    for _ in 0..300 {
        let mut bytes = TRUMPET.to_vec();
        for _ in 0..rng.random_range(1..20) {
            let at =
                if rng.random_bool(0.7) { rng.random_range(0..header_len()) } else { rng.random_range(0..bytes.len()) };
            bytes[at] = rng.random();
        }
        bytes.truncate(rng.random_range(bytes.len() / 2..=bytes.len()));
        let _ = Instrument::of_any_encoder(&bytes);
    }
}

/// A temporary file, removed when dropped.
struct Temporary(std::path::PathBuf);

impl Temporary {
    /// `head`, then zeros up to `len` bytes, as a sparse file.
    fn new(name: &str, head: &[u8], len: u64) -> Self {
        let path = std::env::temp_dir().join(format!("embouchure-{}-{name}.safetensors", std::process::id()));
        std::fs::write(&path, head).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(len).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn safetensors(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}

/// Nine gigabytes: to read them would take a minute and all memory.
const LARGE: u64 = 9 << 30;

#[test]
fn large_files_of_other_programs_are_refused_by_their_header() {
    let tensor = format!(r#""w":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{LARGE}]}}"#, LARGE / 4);
    for (metadata, named) in [(r#""__metadata__":{"format":"pt"},"#, "(\"pt\")"), ("", "another program:")] {
        let head = safetensors(&format!("{{{metadata}{tensor}}}"));
        let file = Temporary::new("foreign", &head, head.len() as u64 + LARGE);
        let error = read_file(&file.0).expect_err("refused");
        assert!(matches!(error, LoadError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
    for head in [&b"RIFF....WAVE"[..], &u64::MAX.to_le_bytes(), &[0; 8], b""] {
        let file = Temporary::new("other", head, LARGE);
        assert!(matches!(read_file(&file.0), Err(LoadError::Broken(_))));
    }
}

#[test]
fn a_size_that_contradicts_the_header_is_refused() {
    let len = TRUMPET.len() as u64;
    for wrong in [LARGE, len + 1, len - 1, header_len() as u64] {
        let file = Temporary::new("longer", TRUMPET, wrong);
        let error = read_file(&file.0).expect_err("refused");
        assert!(error.to_string().contains(&format!("{wrong} bytes where its header tells of {len}")), "{error}");
    }
    let tensor = format!(r#""w":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{LARGE}]}}"#, LARGE / 4);
    let head = safetensors(&format!(r#"{{"__metadata__":{{"format":"{FORMAT}"}},{tensor}}}"#));
    let file = Temporary::new("ours", &head, head.len() as u64 + LARGE);
    assert!(matches!(read_file(&file.0), Err(LoadError::Broken(_))));
    let file = Temporary::new("whole", TRUMPET, len);
    assert!(read_file(&file.0).expect("whole") == TRUMPET);
}
