//! The networks of one running effect: encoder, pitch, gate, decoders. Runs on the worker thread.

use super::morph::{blend_range, breath_gain, level_morph, scaled};
use super::octave_fit::{Target, fold_into};
use super::voice::{Ask, Chair, Note};
use crate::config::HOP_SIZE;
use crate::controls::{Controls, SourceControls};
use crate::engine::{Heard, HopModel, HopOutput};
use crate::hear::Pitch;
use crate::hear::encoder::Encoder;
use crate::hear::listening::{Listening, Source};
use crate::play::attack::Attack;
use crate::play::follow::lead_noise;
use crate::play::instrument::Instrument;
use crate::play::tuning::{Glide, Snap};
use crate::synth::room::Room;
use candle_core::Result;
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::sync::Arc;

/// Lowest and highest pitch that is played, Hz, wherever transposition leads.
const PLAYED_HZ: (f32, f32) = (16.0, 12_000.0);
/// Hops from one level to another when the player asks for it: 64 ms.
const MATCHING_HOPS: f32 = 16.0;
/// Hops without a note after which instruments rest: 100 ms.
const REST_AFTER: usize = 25;

/// Streaming state over shared weights.
pub struct Pipeline {
    encoder: Arc<Encoder>,
    listening: Listening,
    /// What plays alone, and what it can morph into.
    chairs: [Chair; 2],
    arrivals: Receiver<Arrival>,
    /// The first of them, if its time has not come.
    early: Option<Arrival>,
    snap: Snap,
    glide: Glide,
    attack: Attack,
    /// The last hop of a note: what is played while it is held or fades.
    note: Note,
    /// Hops without one.
    n_silent: usize,
    /// How far instruments are brought to the source's loudness, 0 to 1, and whether any hop was heard.
    matched: f32,
    has_begun: bool,
}

/// One of the two instruments of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Plays alone while nothing morphs.
    A,
    /// What A morphs into; may be empty.
    B,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];
}

/// An instrument on its way to a chair, or the order to leave it.
struct Arrival {
    slot: Slot,
    instrument: Option<Arc<Instrument>>,
    /// Not before this many were asked for.
    after: u32,
}

/// Hands new instruments to a running [`Pipeline`], from any thread but the audio thread.
#[derive(Clone)]
pub struct InstrumentSlot(Sender<Arrival>);

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

impl Pipeline {
    /// Allocates the state; the weights are shared.
    pub fn new(encoder: Arc<Encoder>, instrument: Arc<Instrument>) -> Result<(Self, InstrumentSlot)> {
        Self::with_second(encoder, instrument, None)
    }

    /// The same with an instrument to morph into.
    pub fn with_second(
        encoder: Arc<Encoder>,
        instrument: Arc<Instrument>,
        second: Option<Arc<Instrument>>,
    ) -> Result<(Self, InstrumentSlot)> {
        let (sender, arrivals) = unbounded();
        let pipeline = Self {
            listening: Listening::new(&encoder)?,
            encoder,
            chairs: [Chair::new(Some(instrument))?, Chair::new(second)?],
            arrivals,
            early: None,
            snap: Snap::default(),
            glide: Glide::default(),
            attack: Attack::default(),
            note: Note::NONE,
            n_silent: 0,
            matched: 0.0,
            has_begun: false,
        };
        Ok((pipeline, InstrumentSlot(sender)))
    }

    fn take_arrivals(&mut self, n_swaps: u32) {
        while let Some(arrival) = self.early.take().or_else(|| self.arrivals.try_recv().ok()) {
            if arrival.after > n_swaps {
                self.early = Some(arrival);
                return;
            }
            self.chairs[arrival.slot as usize].seat(arrival.instrument);
        }
    }

    /// Forgets the past, and returns the chairs that were there. Allocates.
    fn begin_anew(&mut self) -> Option<[Chair; 2]> {
        // What has arrived by now plays from the first hop on.
        self.take_arrivals(u32::MAX);
        (self.snap, self.glide, self.attack) = Default::default();
        (self.note, self.n_silent, self.has_begun) = (Note::NONE, 0, false);
        // Fails only when memory runs out; then the past is kept rather than the worker lost.
        let listening = Listening::new(&self.encoder).ok()?;
        let [Ok(first), Ok(second)] = self.chairs.each_ref().map(Chair::anew) else { return None };
        self.listening = listening;
        Some(std::mem::replace(&mut self.chairs, [first, second]))
    }

    fn run(&mut self, samples: &[f32; HOP_SIZE], wishes: &SourceControls) -> Result<HopOutput> {
        self.take_arrivals(wishes.n_swaps);
        let source = self.listening.hop(&self.encoder, samples, wishes)?;
        // A gate sees no certainty in what is no number, and shuts: without this it would be silence that nobody counts.
        let is_heard = source.voicing.is_finite() && source.z.iter().all(|z| z.is_finite());
        if !is_heard {
            let heard = Heard { has_failed: true, ..Heard::default() };
            return Ok(HopOutput { controls: Controls::SILENT, heard });
        }
        self.follow(&source, wishes);
        self.matched = self.way_to(wishes.match_level);
        let source_level_db = wishes.level_fit.then(|| self.listening.source_level_db());
        let ask = Ask {
            note: self.note,
            source_level_db,
            dynamics: wishes.dynamics,
            follow: wishes.follow,
            source_power: self.listening.source_power(&source),
            matched: self.matched,
            is_resting: self.n_silent > REST_AFTER,
        };
        let first = self.chairs[0].hop(&ask, &Controls::SILENT)?;
        // Always run, so that what it plays does not depend on when the morph began.
        let second = self.chairs[1].hop(&ask, &first)?;
        let played = level_morph(&first, &second, wishes.morph, self.matched);
        let gain = source.gain * self.attack.hop(source.gain > 0.0, wishes.attack_s);
        let room = Room::of(wishes.room, wishes.room_decay_s);
        // A room brings back power. With it, too, the instrument is to be as loud as the source.
        let room_gain = room.power_gain().powf(-0.5 * self.matched);
        let mut controls = Controls { room, ..scaled(played, gain * room_gain, wishes.breath_db) };
        if let Some(noise) = &source.noise {
            let gain = self.source_gain(source_level_db, wishes.morph) * room_gain * breath_gain(wishes.breath_db);
            lead_noise(&mut controls, noise, gain, wishes.follow);
        }
        Ok(HopOutput { controls, heard: source.heard() })
    }

    /// How far the level is matched: there at once in the first hop, and then without a leap.
    fn way_to(&mut self, is_wanted: bool) -> f32 {
        let wanted = if is_wanted { 1.0 } else { 0.0 };
        let way = wanted - self.matched;
        if std::mem::replace(&mut self.has_begun, true) {
            self.matched + way.clamp(-1.0 / MATCHING_HOPS, 1.0 / MATCHING_HOPS)
        } else {
            wanted
        }
    }

    /// A note is followed, held and faded as it last was, and forgotten when it has faded.
    fn follow(&mut self, source: &Source, wishes: &SourceControls) {
        self.n_silent = if source.gain > 0.0 { 0 } else { self.n_silent + 1 };
        if source.is_note {
            let f0_hz = self.fit_pitch(source.pitch, wishes);
            self.note = Note {
                f0_hz,
                loudness_db: source.loudness_db,
                voicing: source.voicing,
                z: Some(source.z),
                timbre: source.timbre,
            };
        } else if source.gain == 0.0 {
            self.snap.rest();
            self.glide.rest();
            self.note = Note { f0_hz: self.note.f0_hz, ..Note::NONE };
        }
    }

    fn fit_pitch(&mut self, pitch: Pitch, wishes: &SourceControls) -> f32 {
        let transposed = Pitch { f0_hz: pitch.f0_hz * (wishes.transpose_semitones / 12.0).exp2(), ..pitch };
        let range_hz = self.range_hz(wishes.morph);
        let target = Target { range_hz, keeps_octave: self.keeps_octave(wishes.morph) };
        let moved = self.listening.fit_to(target);
        // Listened to in any case, so that the octave does not depend on when it was asked for.
        let octaves = self.listening.octaves(transposed);
        let played = match wishes.octave_fit {
            true => {
                self.glide.shift(moved);
                fold_into(transposed.f0_hz * octaves.exp2(), range_hz)
            }
            false => transposed.f0_hz,
        };
        let tuned = self.glide.hop(self.snap.hop(played, &wishes.snap), wishes.glide_s);
        tuned.clamp(PLAYED_HZ.0, PLAYED_HZ.1)
    }

    /// What brings the source's noise to the level of what plays, linear.
    fn source_gain(&self, source_level_db: Option<f32>, morph: f32) -> f32 {
        match self.chairs.each_ref().map(|chair| chair.source_gain(source_level_db, self.matched)) {
            [Some(first), Some(second)] => first + (second - first) * morph.clamp(0.0, 1.0),
            [first, second] => first.or(second).unwrap_or(1.0),
        }
    }

    /// As the nearer of the two instruments wants it.
    fn keeps_octave(&self, morph: f32) -> bool {
        let [first, second] = self.chairs.each_ref().map(Chair::card);
        let (nearer, other) = if morph < 0.5 { (first, second) } else { (second, first) };
        nearer.or(other).is_some_and(|card| card.adjustments.keeps_octave)
    }

    /// Playable range of what plays, Hz.
    fn range_hz(&self, amount: f32) -> [f32; 2] {
        let [first, second] = self.chairs.each_ref().map(|chair| chair.card().map(|card| card.statistics.f0_range_hz));
        match (first, second) {
            (Some(first), Some(second)) => blend_range(first, second, amount),
            (first, second) => first.or(second).unwrap_or([PLAYED_HZ.0, PLAYED_HZ.1]),
        }
    }
}

impl InstrumentSlot {
    /// The worker warms `instrument` up, crossfades to it and frees the old one, from the first hop on whose wishes count
    /// `n_swaps` instruments or more: so a bounce, which waits for its files, swaps at the same sample each time; 0 is at
    /// once. Without an instrument B is emptied, and what A plays goes on.
    pub fn seat(&self, n_swaps: u32, slot: Slot, instrument: Option<Arc<Instrument>>) {
        if slot == Slot::B || instrument.is_some() {
            // Fails only when the pipeline is gone, and then nobody wants to hear it.
            let _ = self.0.send(Arrival { slot, instrument, after: n_swaps });
        }
    }
}

impl HopModel for Pipeline {
    fn rest(&mut self) {
        let learned = self.listening.learned();
        let before = self.begin_anew();
        self.listening.take_up(learned);
        for (chair, before) in self.chairs.iter_mut().zip(before.iter().flatten()) {
            chair.take_up_level(before);
        }
    }

    fn reset(&mut self) {
        self.begin_anew();
    }

    fn hop(&mut self, samples: &[f32; HOP_SIZE], source: &SourceControls) -> HopOutput {
        // Shapes were checked when the files were loaded, so the networks should not fail here. If they do, it is counted.
        let failed = Heard { has_failed: true, ..Heard::default() };
        self.run(samples, source).unwrap_or(HopOutput { controls: Controls::SILENT, heard: failed })
    }
}
