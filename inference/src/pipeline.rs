//! The networks of one running effect: encoder, pitch, gate, decoder. Runs on the worker thread.

use crate::config::{HOP_SIZE, N_Z};
use crate::controls::{Controls, SourceControls};
use crate::decoder::{DecoderState, Features};
use crate::encoder::{Encoder, EncoderState};
use crate::features::{
    Evidence, Gate, GateHop, LOUDNESS_FLOOR_DB, LoudnessFit, LoudnessMeter, NoiseFloor, OctaveFit, Pitch, PitchTracker,
    RumbleFilter, fold_into,
};
use crate::instrument::{Card, Instrument};
use crate::room::Room;
use crate::stream::{Heard, HopModel, HopOutput};
use crate::tuning::{Glide, Snap};
use candle_core::Result;
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::sync::Arc;

/// Hops over which an old instrument fades into a new one: 32 ms.
const CROSSFADE_HOPS: usize = 8;
/// A source whose level is this near to the instrument's plays soft and loud as it is. Further away it is the microphone's
/// doing rather than the player's.
const LEVEL_FREEDOM_DB: f32 = 6.0;
/// Lowest and highest pitch that is played, Hz, wherever transposition leads.
const PLAYED_HZ: (f32, f32) = (16.0, 12_000.0);

/// Streaming state over shared weights.
pub struct Pipeline {
    encoder: Arc<Encoder>,
    listening: Listening,
    playing: Player,
    /// Instrument on its way out and the hops that it has left.
    leaving: Option<(Player, usize)>,
    arrivals: Receiver<Arc<Instrument>>,
    snap: Snap,
    glide: Glide,
    /// The last hop of a note: what is played while it is held or fades.
    note: Note,
}

/// Hands a new instrument to a running [`Pipeline`], from any thread but the audio thread.
#[derive(Clone)]
pub struct InstrumentSlot(Sender<Arc<Instrument>>);

/// Everything that remembers the input.
struct Listening {
    rumble: RumbleFilter,
    encoder: EncoderState,
    pitch: PitchTracker,
    loudness: LoudnessMeter,
    room: NoiseFloor,
    /// Level that a note must exceed to be heard over the room, dBFS.
    room_db: f32,
    gate: Gate,
    octave: OctaveFit,
    source_level: LoudnessFit,
    /// Level of the loud notes, dBFS, for the gate.
    note_level: LoudnessFit,
    /// Mean square of the last hops, for the gate.
    energies: [f32; 4],
}

/// The listening half alone: what is heard, without anything played.
pub struct Listener {
    encoder: Arc<Encoder>,
    listening: Listening,
}

impl Listener {
    /// Allocates the state; the weights are shared.
    pub fn new(encoder: Arc<Encoder>) -> Result<Self> {
        let listening = Listening::new(&encoder)?;
        Ok(Self { encoder, listening })
    }

    /// Reads one hop at the model rate. Allocates (worker thread only).
    pub fn hop(&mut self, samples: &[f32; HOP_SIZE], wishes: &SourceControls) -> Result<Heard> {
        Ok(self.listening.hop(&self.encoder, samples, wishes)?.heard())
    }
}

/// An instrument and its stream.
struct Player {
    instrument: Arc<Instrument>,
    state: DecoderState,
}

/// One hop of the source, before it is fitted to an instrument.
struct Source {
    pitch: Pitch,
    voicing: f32,
    z: [f32; N_Z],
    loudness_db: f32,
    gain: f32,
    is_note: bool,
}

impl Source {
    fn heard(&self) -> Heard {
        Heard {
            f0_hz: if self.is_note { self.pitch.f0_hz } else { 0.0 },
            candidate_hz: self.pitch.f0_hz,
            voicing: self.pitch.certainty,
            loudness_db: self.loudness_db,
        }
    }
}

/// What the decoder is asked to play.
#[derive(Clone, Copy)]
struct Note {
    f0_hz: f32,
    loudness_db: f32,
    voicing: f32,
    /// `None` between notes: then it is the instrument's own mean.
    z: Option<[f32; N_Z]>,
}

impl Note {
    const NONE: Self = Self { f0_hz: 440.0, loudness_db: LOUDNESS_FLOOR_DB, voicing: 0.0, z: None };
}

impl Pipeline {
    /// Allocates the state; the weights are shared.
    pub fn new(encoder: Arc<Encoder>, instrument: Arc<Instrument>) -> Result<(Self, InstrumentSlot)> {
        let (sender, arrivals) = unbounded();
        let listening = Listening::new(&encoder)?;
        let playing = Player::new(instrument)?;
        let (snap, glide) = Default::default();
        let pipeline = Self { encoder, listening, playing, leaving: None, arrivals, snap, glide, note: Note::NONE };
        Ok((pipeline, InstrumentSlot(sender)))
    }

    fn take_arrivals(&mut self) -> Result<()> {
        while let Ok(instrument) = self.arrivals.try_recv() {
            let new = Player::new(instrument)?;
            self.leaving = Some((std::mem::replace(&mut self.playing, new), CROSSFADE_HOPS));
        }
        Ok(())
    }

    fn run(&mut self, samples: &[f32; HOP_SIZE], wishes: &SourceControls) -> Result<HopOutput> {
        self.take_arrivals()?;
        let source = self.listening.hop(&self.encoder, samples, wishes)?;
        self.follow(&source, wishes);
        let level_db = wishes.level_fit.then(|| self.listening.source_level.level_db());
        let mut played = self.playing.hop(&self.note, level_db)?;
        if let Some((old, hops_left)) = &mut self.leaving {
            let before = old.hop(&self.note, level_db)?;
            played = crossfade(&played, &before, *hops_left as f32 / (CROSSFADE_HOPS + 1) as f32);
            *hops_left -= 1;
        }
        self.leaving.take_if(|(_, hops_left)| *hops_left == 0);
        let controls = Controls { room: Room::STAGE.scaled(wishes.room), ..scaled(played, source.gain) };
        Ok(HopOutput { controls, heard: source.heard() })
    }

    /// A note is followed, held and faded as it last was, and forgotten when it has faded.
    fn follow(&mut self, source: &Source, wishes: &SourceControls) {
        if source.is_note {
            let f0_hz = self.fit_pitch(source.pitch, wishes);
            self.note = Note { f0_hz, loudness_db: source.loudness_db, voicing: source.voicing, z: Some(source.z) };
        } else if source.gain == 0.0 {
            self.snap.rest();
            self.glide.rest();
            self.note = Note { f0_hz: self.note.f0_hz, ..Note::NONE };
        }
    }

    fn fit_pitch(&mut self, pitch: Pitch, wishes: &SourceControls) -> f32 {
        let transposed = Pitch { f0_hz: pitch.f0_hz * (wishes.transpose_semitones / 12.0).exp2(), ..pitch };
        let range_hz = self.playing.instrument.card.f0_range_hz;
        let played = match wishes.octave_fit {
            true => fold_into(transposed.f0_hz * self.listening.octave.hop(transposed, range_hz).exp2(), range_hz),
            false => transposed.f0_hz,
        };
        let tuned = self.glide.hop(self.snap.hop(played, &wishes.snap), wishes.glide_s);
        tuned.clamp(PLAYED_HZ.0, PLAYED_HZ.1)
    }
}

impl InstrumentSlot {
    /// The worker crossfades to `instrument` from its next hop on, and frees the old one.
    pub fn play(&self, instrument: Arc<Instrument>) {
        // Fails only when the pipeline is gone, and then nobody wants to hear it.
        let _ = self.0.send(instrument);
    }
}

impl HopModel for Pipeline {
    fn reset(&mut self) {
        // Fails only when memory runs out; then the past is kept rather than the worker lost.
        if let (Ok(listening), Ok(playing)) =
            (Listening::new(&self.encoder), Player::new(self.playing.instrument.clone()))
        {
            (self.listening, self.playing, self.leaving) = (listening, playing, None);
        }
        (self.snap, self.glide, self.note) = (Snap::default(), Glide::default(), Note::NONE);
    }

    fn hop(&mut self, samples: &[f32; HOP_SIZE], source: &SourceControls) -> HopOutput {
        let silence = HopOutput { controls: Controls::SILENT, heard: Heard::default() };
        // Shapes were checked when the files were loaded, so the networks cannot fail here.
        self.run(samples, source).unwrap_or(silence)
    }
}

impl Listening {
    fn new(encoder: &Encoder) -> Result<Self> {
        Ok(Self {
            rumble: RumbleFilter::default(),
            encoder: encoder.state()?,
            pitch: PitchTracker::default(),
            loudness: LoudnessMeter::default(),
            room: NoiseFloor::default(),
            room_db: f32::MIN,
            gate: Gate::default(),
            octave: OctaveFit::default(),
            source_level: LoudnessFit::default(),
            note_level: LoudnessFit::default(),
            energies: [0.0; 4],
        })
    }

    fn hop(&mut self, encoder: &Encoder, samples: &[f32; HOP_SIZE], wishes: &SourceControls) -> Result<Source> {
        let samples = &self.rumble.hop(samples);
        let encoding = encoder.step(&mut self.encoder, samples)?;
        let pitch = self.pitch.hop(&encoding.pitch_logits, encoding.voicing);
        self.loudness.push(samples);
        let loudness_db = self.loudness.level_db(pitch.f0_hz);
        self.energies.rotate_left(1);
        self.energies[3] = samples.iter().map(|x| x * x).sum::<f32>() / HOP_SIZE as f32;
        let level_db = 10.0 * (self.energies.iter().sum::<f32>() / 4.0 + 1e-20).log10();
        let evidence = Evidence { level_db, f0_hz: pitch.f0_hz, certainty: pitch.certainty };
        let threshold_db = self.threshold_db(wishes);
        let GateHop { gain, is_note } = self.gate.hop(&evidence, threshold_db);
        self.room_db = self.room.hop(level_db, is_note);
        if is_note {
            self.source_level.hop(loudness_db);
            self.note_level.hop(level_db);
        }
        let mut z = [0.0; N_Z];
        z.copy_from_slice(&encoding.z);
        Ok(Source { pitch, voicing: encoding.voicing, z, loudness_db, gain, is_note })
    }

    /// Level that a note must have, dBFS. The automatic gate opens further for a source that is soft as a whole.
    fn threshold_db(&self, wishes: &SourceControls) -> f32 {
        let softer_db = (self.note_level.level_db() - LoudnessFit::EXPECTED_DB).min(0.0);
        match wishes.gate_follows_room {
            true => self.room_db.max(wishes.gate_db + softer_db),
            false => wishes.gate_db,
        }
    }
}

impl Player {
    fn new(instrument: Arc<Instrument>) -> Result<Self> {
        let state = instrument.decoder.state()?;
        Ok(Self { instrument, state })
    }

    fn hop(&mut self, note: &Note, source_level_db: Option<f32>) -> Result<Controls> {
        let card = &self.instrument.card;
        let features = Features {
            f0_hz: within(note.f0_hz, card),
            loudness_db: fit_loudness(note.loudness_db, source_level_db, card),
            voicing: note.voicing,
            z: note.z.as_ref().map_or(&card.z_mean, |z| z),
        };
        let raw = self.instrument.decoder.step(&mut self.state, &features.scaled(card))?;
        Ok(self.instrument.decoder.controls(&mut self.state, &raw, note.f0_hz))
    }
}

/// Pitch that the decoder is told: it knows nothing beyond a third outside its range.
fn within(f0_hz: f32, card: &Card) -> f32 {
    f0_hz.clamp(card.f0_range_hz[0] / 1.26, card.f0_range_hz[1] * 1.26)
}

/// The source's level, if it is known, brought near the instrument's: what is no further away than [`LEVEL_FREEDOM_DB`] is
/// played as loud as it comes. Never louder than the decoder has heard.
fn fit_loudness(loudness_db: f32, source_level_db: Option<f32>, card: &Card) -> f32 {
    let [_, _, upper, loudest] = card.loudness_db;
    let away_db = source_level_db.map_or(0.0, |level| level - upper);
    let moved_db = away_db - away_db.clamp(-LEVEL_FREEDOM_DB, LEVEL_FREEDOM_DB);
    (loudness_db - moved_db).clamp(LOUDNESS_FLOOR_DB, loudest + 3.0)
}

fn scaled(controls: Controls, gain: f32) -> Controls {
    Controls {
        amplitude: controls.amplitude * gain,
        noise_magnitudes: controls.noise_magnitudes.map(|m| m * gain),
        ..controls
    }
}

/// `share` of `old` and the rest of `new`.
fn crossfade(new: &Controls, old: &Controls, share: f32) -> Controls {
    let mix = |new: f32, old: f32| new + (old - new) * share;
    let amplitude = mix(new.amplitude, old.amplitude);
    let mut mixed = Controls { amplitude, ..*new };
    for k in 0..mixed.harmonic_distribution.len() {
        let (n, o) = (new.amplitude * new.harmonic_distribution[k], old.amplitude * old.harmonic_distribution[k]);
        mixed.harmonic_distribution[k] = mix(n, o) / amplitude.max(1e-9);
    }
    for b in 0..mixed.noise_magnitudes.len() {
        mixed.noise_magnitudes[b] = mix(new.noise_magnitudes[b], old.noise_magnitudes[b]);
    }
    mixed
}
