//! How large a block the latency makes room for: what the host really sends, or what the player chose.
//!
//! Many hosts announce a largest block that they never send, and room for it is delay that the player would hear.

use serde::{Deserialize, Serialize};

/// The player's choice; part of the session, not a parameter, because it changes the latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BufferChoice {
    /// The blocks that were really seen.
    #[default]
    Auto,
    /// This many samples.
    Samples(u32),
    /// What the host announces.
    Host,
}

impl BufferChoice {
    /// All that the editor offers.
    pub const ALL: [Self; 9] = [
        Self::Auto,
        Self::Samples(32),
        Self::Samples(64),
        Self::Samples(128),
        Self::Samples(256),
        Self::Samples(512),
        Self::Samples(1024),
        Self::Samples(2048),
        Self::Host,
    ];

    /// For the editor.
    pub fn label(self) -> String {
        match self {
            Self::Auto => "auto".into(),
            Self::Samples(n) => n.to_string(),
            Self::Host => "host maximum".into(),
        }
    }

    /// Samples that the latency makes room for, never more than the host announces.
    pub fn room(self, watch: &BlockWatch) -> usize {
        match self {
            Self::Auto => watch.room,
            Self::Samples(n) => (n as usize).clamp(SMALLEST.min(watch.announced), watch.announced),
            Self::Host => watch.announced,
        }
    }
}

/// No host has a shorter period, and room for less would gain a third of a millisecond.
const SMALLEST: usize = 16;
/// Some hosts announce what fits into 32 bits, for which no memory is enough. What is longer than this is cut.
const LARGEST: usize = 65_536;
/// Audio after which the longest block is taken to be the longest there will be.
const ENOUGH_S: f32 = 3.0;

/// Watches the lengths of live blocks.
#[derive(Debug)]
pub struct BlockWatch {
    /// Largest block that the host announces.
    announced: usize,
    /// False if the host only ever made bounces.
    was_live: bool,
    /// For the longest block so far: all that was announced, until enough was seen.
    room: usize,
    /// Longest block since the host started.
    longest: usize,
    /// Samples since the host started, and how many are enough.
    n_seen: usize,
    n_enough: usize,
    /// Pieces of one block, and where in memory the next piece would begin.
    run: usize,
    run_end: usize,
}

impl Default for BlockWatch {
    fn default() -> Self {
        Self { announced: 1, was_live: false, room: 1, longest: 0, n_seen: 0, n_enough: usize::MAX, run: 0, run_end: 0 }
    }
}

impl BlockWatch {
    /// The host starts, with blocks of up to `announced` samples. A bounce is no news: it keeps the latency that the
    /// player has heard.
    pub fn start(&mut self, announced: usize, host_rate: f32, is_live: bool) {
        let announced = announced.clamp(1, LARGEST);
        if !is_live && self.was_live {
            return;
        }
        if announced != self.announced {
            *self = Self { announced, room: announced, ..Self::default() };
        } else if self.is_enough() || self.longest > self.room {
            self.room = self.room_for_longest();
        }
        self.was_live = is_live;
        self.n_enough = (ENOUGH_S * host_rate) as usize;
        (self.longest, self.n_seen, self.run, self.run_end) = (0, 0, 0, 0);
    }

    /// Takes in one call of `process`, and says whether it goes on with the block of the one before. Realtime-safe.
    ///
    /// The framework cuts a host's block wherever a parameter changes, and the worker gets no time between the pieces.
    /// They are told from blocks by their place in memory: a piece begins where the one before it ended.
    pub fn see(&mut self, block: &[f32]) -> bool {
        let pointers = block.as_ptr_range();
        // A host may walk through memory block by block, but never sends more at once than it announced.
        let is_piece = pointers.start as usize == self.run_end && self.run + block.len() <= self.announced;
        self.run = if is_piece { self.run + block.len() } else { block.len() };
        self.run_end = pointers.end as usize;
        self.longest = self.longest.max(self.run);
        self.n_seen = self.n_seen.saturating_add(block.len());
        is_piece
    }

    /// There was a longer block than there is `room` for, so frames are late. Realtime-safe.
    pub fn needs_more_than(&self, room: usize) -> bool {
        self.longest.min(self.announced) > room
    }

    /// Enough was seen to say that less room would do. Realtime-safe.
    pub fn needs_less_than(&self, room: usize) -> bool {
        self.is_enough() && self.room_for_longest() < room
    }

    fn is_enough(&self) -> bool {
        self.n_seen >= self.n_enough
    }

    /// Rounded up, so that a host whose blocks vary a little is not started again for each.
    fn room_for_longest(&self) -> usize {
        self.longest.max(SMALLEST).next_power_of_two().min(self.announced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f32 = 48_000.0;

    fn started(announced: usize) -> BlockWatch {
        let mut watch = BlockWatch::default();
        watch.start(announced, RATE, true);
        watch
    }

    /// A host that hands over the same buffer again and again, cut at `cuts`.
    fn play(watch: &mut BlockWatch, n_blocks: usize, block: usize, cuts: &[usize]) {
        let buffer = vec![0.0; block];
        for _ in 0..n_blocks {
            let mut start = 0;
            for end in cuts.iter().copied().chain([block]) {
                watch.see(&buffer[start..end]);
                start = end;
            }
        }
    }

    #[test]
    fn the_room_follows_what_was_seen_at_the_next_start() {
        let mut watch = started(8192);
        play(&mut watch, 3000, 60, &[]);
        assert_eq!(BufferChoice::Auto.room(&watch), 8192, "never while it plays");
        assert!(watch.needs_less_than(8192));
        watch.start(8192, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 64);
        assert!(!watch.needs_less_than(64) && !watch.needs_more_than(64));
        watch.start(8192, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 64, "a start without audio is no news");
        play(&mut watch, 1, 500, &[]);
        assert!(watch.needs_more_than(64));
        watch.start(8192, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 512, "one long block is enough to grow");
    }

    #[test]
    fn a_little_audio_proves_nothing() {
        let mut watch = started(1024);
        play(&mut watch, 1000, 64, &[]);
        watch.start(1024, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 1024);
    }

    #[test]
    fn pieces_of_a_block_count_as_the_block() {
        let mut watch = started(2048);
        play(&mut watch, 1000, 256, &[1, 128, 200]);
        watch.start(2048, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 256);
    }

    #[test]
    fn an_absurd_announcement_is_not_believed() {
        for announced in [LARGEST + 1, u32::MAX as usize, usize::MAX] {
            assert_eq!(BufferChoice::Auto.room(&started(announced)), LARGEST);
        }
        assert_eq!(BufferChoice::Auto.room(&started(8192)), 8192);
        assert_eq!(BufferChoice::Auto.room(&started(0)), 1);
    }

    #[test]
    fn the_room_is_never_absurd() {
        let mut watch = started(2048);
        play(&mut watch, 200_000, 1, &[]);
        watch.start(2048, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 16);
        // More than announced is the host's fault, which costs it frames.
        play(&mut watch, 100, 5000, &[]);
        watch.start(2048, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 2048);
        let mut tiny = started(8);
        play(&mut tiny, 20_000, 8, &[]);
        tiny.start(8, RATE, true);
        assert!(BufferChoice::ALL.iter().all(|choice| choice.room(&tiny) == 8));
    }

    #[test]
    fn other_blocks_announced_are_a_new_beginning() {
        let mut watch = started(2048);
        play(&mut watch, 3000, 64, &[]);
        watch.start(512, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 512);
    }

    #[test]
    fn a_bounce_keeps_the_latency() {
        let mut watch = BlockWatch::default();
        watch.start(4096, RATE, false);
        assert_eq!(BufferChoice::Auto.room(&watch), 4096);
        watch.start(512, RATE, false);
        assert_eq!(BufferChoice::Auto.room(&watch), 512, "nothing was played live yet");
        watch.start(1024, RATE, true);
        play(&mut watch, 3000, 64, &[]);
        watch.start(1024, RATE, true);
        watch.start(8192, RATE, false);
        assert_eq!(BufferChoice::Auto.room(&watch), 64);
        watch.start(1024, RATE, true);
        assert_eq!(BufferChoice::Auto.room(&watch), 64);
    }

    #[test]
    fn a_choice_is_kept_within_what_the_host_announces() {
        let watch = started(256);
        assert_eq!(BufferChoice::Samples(64).room(&watch), 64);
        assert_eq!(BufferChoice::Samples(2048).room(&watch), 256);
        assert_eq!(BufferChoice::Samples(0).room(&watch), 16);
        assert_eq!(BufferChoice::Host.room(&watch), 256);
    }
}
