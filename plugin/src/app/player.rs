//! Runs the plugin in an audio callback, and passes it from one session's callbacks to the next.

use super::host::{AppHost, Processing};
use crossbeam::queue::ArrayQueue;
use embouchure_inference::engine::flush_subnormals;
use embouchure_plugin::Embouchure;
use embouchure_plugin::audio::SharedAudio;
use nice_plug::prelude::*;
use std::f32::consts::TAU;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The test tone: A4, as loud as quiet speech, with fades.
const TONE_HZ: f32 = 440.0;
const TONE_GAIN: f32 = 0.1;
const TONE_S: f32 = 1.5;
const TONE_FADE_S: f32 = 0.02;

/// The plugin with its host and the test tone.
pub struct Player {
    plugin: Embouchure,
    host: Arc<AppHost>,
    audio: Arc<SharedAudio>,
    buffer: Buffer<'static>,
    transport: Transport,
    is_active: bool,
    rate: f32,
    /// Samples of the test tone played so far; `None` if it does not play.
    tone: Option<usize>,
}

/// Holds the player for the callbacks. They take it out for each block only, so that a broken stream cannot keep it.
#[derive(Clone)]
pub struct PlayerSlot(Arc<ArrayQueue<Box<Player>>>);

impl PlayerSlot {
    /// An empty slot; callbacks play silence.
    pub fn new() -> Self {
        Self(Arc::new(ArrayQueue::new(1)))
    }

    /// Fills both channels, which hold the input, with the output. Realtime-safe.
    pub fn play(&self, left: &mut [f32], right: &mut [f32]) {
        match self.0.pop() {
            None => [left, right].into_iter().for_each(|channel| channel.fill(0.0)),
            Some(mut player) => {
                // The player must be put back even after a panic, or the sound could never start again.
                let played = catch_unwind(AssertUnwindSafe(|| player.play(left, right)));
                if played.is_err() {
                    [left, right].into_iter().for_each(|channel| channel.fill(0.0));
                }
                // The slot is empty, because only the taker of the player puts it back.
                let _ = self.0.push(player);
            }
        }
    }

    /// Gives the player to the callbacks.
    pub fn fill(&self, player: Box<Player>) {
        let _ = self.0.push(player);
    }

    /// Takes the player from the callbacks, waiting for the end of a block. Not for the audio thread.
    pub fn empty(&self) -> Box<Player> {
        loop {
            match self.0.pop() {
                Some(player) => return player,
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        }
    }
}

impl Player {
    /// An inactive player.
    pub fn new(plugin: Embouchure, host: Arc<AppHost>, audio: Arc<SharedAudio>) -> Box<Self> {
        Box::new(Self {
            plugin,
            host,
            audio,
            buffer: Buffer::default(),
            transport: Transport::new(48_000.0),
            is_active: false,
            rate: 48_000.0,
            tone: None,
        })
    }

    /// Prepares for blocks of up to `block` samples at `rate`, Hz. Allocates.
    pub fn activate(&mut self, rate: u32, block: u32) {
        self.deactivate();
        let config = BufferConfig {
            sample_rate: rate as f32,
            min_buffer_size: None,
            max_buffer_size: block,
            process_mode: ProcessMode::Realtime,
        };
        self.host.settle(rate);
        self.host.take_restart_wanted();
        self.transport = Transport::new(rate as f32);
        self.rate = rate as f32;
        self.tone = None;
        // SAFETY: no channel is read before `process` has set the slices.
        unsafe { self.buffer.set_slices(0, |slices| *slices = vec![&mut [], &mut []]) };
        self.is_active = self.plugin.activate(&Embouchure::AUDIO_IO_LAYOUTS[0], &config, &mut &*self.host);
        if self.is_active {
            self.plugin.reset();
        }
    }

    /// Deactivates the plugin, which frees the engine.
    pub fn deactivate(&mut self) {
        if std::mem::take(&mut self.is_active) {
            self.plugin.deactivate();
        }
    }

    fn play(&mut self, left: &mut [f32], right: &mut [f32]) {
        flush_subnormals();
        if self.is_active && !left.is_empty() {
            self.process(left, right);
        } else {
            [&mut *left, &mut *right].into_iter().for_each(|channel| channel.fill(0.0));
        }
        if self.audio.take_tone() {
            self.tone = Some(0);
        }
        self.add_tone(left, right);
    }

    fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        let n = left.len().min(right.len());
        let pointers = [left.as_mut_ptr(), right.as_mut_ptr()];
        // SAFETY: both have `n` samples and live until `process` returns; nobody else uses them meanwhile, and they are
        // taken out of the buffer again below.
        unsafe {
            self.buffer.set_slices(n, |slices| {
                for (slice, pointer) in slices.iter_mut().zip(pointers) {
                    *slice = std::slice::from_raw_parts_mut(pointer, n);
                }
            });
        }
        let mut aux = AuxiliaryBuffers { inputs: &mut [], outputs: &mut [] };
        let mut context = Processing { host: &self.host, transport: &self.transport };
        self.plugin.process(&mut self.buffer, &mut aux, &mut context);
        // SAFETY: empty slices are always valid.
        unsafe { self.buffer.set_slices(0, |slices| slices.iter_mut().for_each(|slice| *slice = &mut [])) };
    }

    fn add_tone(&mut self, left: &mut [f32], right: &mut [f32]) {
        let Some(start) = self.tone else { return };
        for (i, (left, right)) in (start..).zip(left.iter_mut().zip(right.iter_mut())) {
            let (time_s, rate) = (i as f32 / self.rate, self.rate);
            let fade = (time_s / TONE_FADE_S).min((TONE_S - time_s) / TONE_FADE_S).clamp(0.0, 1.0);
            let phase = (i as f32 * (TONE_HZ / rate)).fract();
            let sample = TONE_GAIN * fade * (TAU * phase).sin();
            *left += sample;
            *right += sample;
        }
        let played = start + left.len();
        self.tone = ((played as f32) < TONE_S * self.rate).then_some(played);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embouchure_plugin::audio::AudioSettings;

    #[test]
    fn the_tone_is_heard_while_muted_and_the_player_comes_back() {
        let audio = SharedAudio::new(AudioSettings::default());
        let plugin = Embouchure::default();
        let host = AppHost::new(&plugin);
        let mut player = Player::new(plugin, host, audio.clone());
        player.activate(48_000, 256);
        let slot = PlayerSlot::new();
        let play = |slot: &PlayerSlot| {
            let (mut left, mut right) = ([0.5_f32; 256], [0.5_f32; 256]);
            slot.play(&mut left, &mut right);
            assert_eq!(left, right);
            left.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()))
        };
        assert_eq!(play(&slot), 0.0, "nobody plays");
        slot.fill(player);
        assert_eq!(play(&slot), 0.0, "muted");
        audio.play_tone();
        let peaks: Vec<f32> = (0..400).map(|_| play(&slot)).collect();
        let n_loud = peaks.iter().filter(|peak| (0.09..0.11).contains(*peak)).count();
        assert!((260..290).contains(&n_loud), "{n_loud} of 281 blocks");
        assert_eq!(peaks[399], 0.0);
        slot.empty().deactivate();
        assert_eq!(play(&slot), 0.0);
    }
}
