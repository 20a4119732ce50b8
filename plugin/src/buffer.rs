//! The longest block that the latency covers: measured from the blocks that the host sends, or chosen by the player.
//!
//! Many hosts announce a maximum block that they never send. Covering it would only add latency.

use serde::{Deserialize, Serialize};

/// The player's choice. It is part of the session and not a parameter, because it changes the latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BufferChoice {
    /// The longest block that was received.
    #[default]
    Auto,
    /// This many samples.
    Samples(u32),
    /// The maximum that the host announces.
    Host,
}

impl BufferChoice {
    /// The choices that the editor offers.
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

    /// Its text in the editor.
    pub fn label(self) -> String {
        match self {
            Self::Auto => "auto".into(),
            Self::Samples(n) => n.to_string(),
            Self::Host => "host maximum".into(),
        }
    }

    /// Longest block that the latency covers, samples; at most what the host announces.
    pub fn max_block(self, watch: &BlockWatch) -> usize {
        match self {
            Self::Auto => watch.max_block,
            Self::Samples(n) => (n as usize).clamp(SMALLEST.min(watch.announced), watch.announced),
            Self::Host => watch.announced,
        }
    }
}

/// Shortest value, samples. No host has shorter blocks, and a smaller value would save only a third of a millisecond.
const SMALLEST: usize = 16;
/// Longest value, samples. Some hosts announce the largest 32-bit number, for which no memory suffices. Longer blocks
/// are processed in pieces.
const LARGEST: usize = 65_536;
/// Live audio after which the longest block so far is trusted, s.
const ENOUGH_S: f32 = 3.0;

/// Measures the lengths of live blocks.
#[derive(Debug)]
pub struct BlockWatch {
    /// Longest block that the host announces, samples.
    announced: usize,
    /// True if the host has started live, not only for offline renders.
    was_live: bool,
    /// Longest block to cover with [`BufferChoice::Auto`], samples: the announced one until enough audio was received.
    max_block: usize,
    /// Longest block since the last start, samples.
    longest: usize,
    /// Samples received since the last start.
    n_seen: usize,
    /// Samples after which `longest` is trusted.
    n_enough: usize,
    /// Samples of the present host block so far: the sum of its pieces.
    run: usize,
    /// Address at which the next piece of the present block would begin.
    run_end: usize,
}

impl Default for BlockWatch {
    fn default() -> Self {
        Self {
            announced: 1,
            was_live: false,
            max_block: 1,
            longest: 0,
            n_seen: 0,
            n_enough: usize::MAX,
            run: 0,
            run_end: 0,
        }
    }
}

impl BlockWatch {
    /// Call when the host starts with blocks of up to `announced` samples. An offline start after a live one changes
    /// nothing, so a render has the latency of the performance.
    pub fn start(&mut self, announced: usize, host_rate: f32, is_live: bool) {
        let announced = announced.clamp(1, LARGEST);
        if !is_live && self.was_live {
            return;
        }
        if announced != self.announced {
            *self = Self { announced, max_block: announced, ..Self::default() };
        } else if self.is_enough() || self.longest > self.max_block {
            self.max_block = self.longest_rounded();
        }
        self.was_live = is_live;
        self.n_enough = (ENOUGH_S * host_rate) as usize;
        (self.longest, self.n_seen, self.run, self.run_end) = (0, 0, 0, 0);
    }

    /// Measures the samples of one call of `process`. Returns true if they continue the previous call's block.
    /// Realtime-safe.
    ///
    /// The framework cuts a host's block wherever a parameter changes, and the worker gets no time between the pieces.
    /// Pieces are recognised by their addresses: a piece begins where the one before it ended.
    pub fn measure(&mut self, block: &[f32]) -> bool {
        let pointers = block.as_ptr_range();
        // Separate blocks may be adjacent in memory, too. But a host never sends a longer block than it announced.
        let is_piece = pointers.start as usize == self.run_end && self.run + block.len() <= self.announced;
        self.run = if is_piece { self.run + block.len() } else { block.len() };
        self.run_end = pointers.end as usize;
        self.longest = self.longest.max(self.run);
        self.n_seen = self.n_seen.saturating_add(block.len());
        is_piece
    }

    /// True if a block was longer than `max_block`, so that frames were late. Realtime-safe.
    pub fn needs_more_than(&self, max_block: usize) -> bool {
        self.longest.min(self.announced) > max_block
    }

    /// True if enough audio was received to know that a shorter longest block suffices. Realtime-safe.
    pub fn needs_less_than(&self, max_block: usize) -> bool {
        self.is_enough() && self.longest_rounded() < max_block
    }

    fn is_enough(&self) -> bool {
        self.n_seen >= self.n_enough
    }

    /// Rounded up to a power of two, so that a host whose blocks vary a little is not restarted for each.
    fn longest_rounded(&self) -> usize {
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
                watch.measure(&buffer[start..end]);
                start = end;
            }
        }
    }

    #[test]
    fn the_longest_block_is_used_from_the_next_start() {
        let mut watch = started(8192);
        play(&mut watch, 3000, 60, &[]);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 8192, "never while it plays");
        assert!(watch.needs_less_than(8192));
        watch.start(8192, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 64);
        assert!(!watch.needs_less_than(64) && !watch.needs_more_than(64));
        watch.start(8192, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 64, "a start without audio is no news");
        play(&mut watch, 1, 500, &[]);
        assert!(watch.needs_more_than(64));
        watch.start(8192, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 512, "one long block is enough to grow");
    }

    #[test]
    fn a_little_audio_proves_nothing() {
        let mut watch = started(1024);
        play(&mut watch, 1000, 64, &[]);
        watch.start(1024, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 1024);
    }

    #[test]
    fn pieces_of_a_block_count_as_the_block() {
        let mut watch = started(2048);
        play(&mut watch, 1000, 256, &[1, 128, 200]);
        watch.start(2048, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 256);
    }

    #[test]
    fn an_absurd_announcement_is_not_believed() {
        for announced in [LARGEST + 1, u32::MAX as usize, usize::MAX] {
            assert_eq!(BufferChoice::Auto.max_block(&started(announced)), LARGEST);
        }
        assert_eq!(BufferChoice::Auto.max_block(&started(8192)), 8192);
        assert_eq!(BufferChoice::Auto.max_block(&started(0)), 1);
    }

    #[test]
    fn the_room_is_never_absurd() {
        let mut watch = started(2048);
        play(&mut watch, 200_000, 1, &[]);
        watch.start(2048, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 16);
        // A block longer than announced is the host's fault, and its frames are late.
        play(&mut watch, 100, 5000, &[]);
        watch.start(2048, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 2048);
        let mut tiny = started(8);
        play(&mut tiny, 20_000, 8, &[]);
        tiny.start(8, RATE, true);
        assert!(BufferChoice::ALL.iter().all(|choice| choice.max_block(&tiny) == 8));
    }

    #[test]
    fn other_blocks_announced_are_a_new_beginning() {
        let mut watch = started(2048);
        play(&mut watch, 3000, 64, &[]);
        watch.start(512, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 512);
    }

    #[test]
    fn a_bounce_keeps_the_latency() {
        let mut watch = BlockWatch::default();
        watch.start(4096, RATE, false);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 4096);
        watch.start(512, RATE, false);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 512, "nothing was played live yet");
        watch.start(1024, RATE, true);
        play(&mut watch, 3000, 64, &[]);
        watch.start(1024, RATE, true);
        watch.start(8192, RATE, false);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 64);
        watch.start(1024, RATE, true);
        assert_eq!(BufferChoice::Auto.max_block(&watch), 64);
    }

    #[test]
    fn a_choice_is_kept_within_what_the_host_announces() {
        let watch = started(256);
        assert_eq!(BufferChoice::Samples(64).max_block(&watch), 64);
        assert_eq!(BufferChoice::Samples(2048).max_block(&watch), 256);
        assert_eq!(BufferChoice::Samples(0).max_block(&watch), 16);
        assert_eq!(BufferChoice::Host.max_block(&watch), 256);
    }
}
