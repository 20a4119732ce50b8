//! MPEG audio (mp3, mp2) and AAC in ADTS: finds the frames. Splits a file of several joined recordings. Corrects the
//! length that the first frame announces.

use super::{Container, Layout, Part, Stream, tags};
use crate::source::{Source, View};
use std::ops::Range;
use std::sync::Arc;

/// The first frame must begin within this many bytes.
const LATEST_START: u64 = 1 << 20;
/// This many frames in a row are not a coincidence.
const LEAST_FRAMES: usize = 4;
/// Tolerated difference between the announced and the real number of frames: some encoders count the frame with the
/// announcement.
const TOLERATED: u64 = 2;

/// Returns `None` if there are no frames.
pub fn layout(source: &Arc<Source>, range: Range<u64>) -> Option<Layout> {
    let runs = runs(source, range.clone());
    if runs.is_empty() {
        return None;
    }
    Some(Layout::new(runs.iter().map(|run| Part::Stream(run.stream(source))).collect()))
}

/// Consecutive frames of one recording.
struct Run {
    range: Range<u64>,
    first: Frame,
    n_frames: u64,
    /// Offset of the frame count in the first frame, and the announced count.
    announced: Option<(u64, u64)>,
}

impl Run {
    fn stream(&self, source: &Arc<Source>) -> Stream {
        let container = if self.first.layer == 0 { Container::Adts } else { Container::Mpeg };
        // Symphonia would estimate the length from the first frames and stop there.
        let mut view = View::new(source, self.range.clone()).forward_only();
        let n_sounding = self.n_frames - u64::from(self.announced.is_some());
        let mut announced = None;
        if let Some((at, n)) = self.announced {
            if n < n_sounding {
                let mut head = source.bytes(self.range.start..at + 4);
                let n_head = head.len();
                head[n_head - 4..].copy_from_slice(&(n_sounding as u32).to_be_bytes());
                view = view.with_head(head);
            } else if n > n_sounding + TOLERATED {
                announced = Some(n * self.first.n_samples);
            }
        }
        Stream { announced, ..Stream::of(container, view) }
    }
}

fn runs(source: &Source, range: Range<u64>) -> Vec<Run> {
    let mut window = Window::new(source, range.clone());
    let mut runs: Vec<Run> = Vec::new();
    let mut is_open = false;
    let mut at = range.start;
    while at + 4 <= range.end {
        if let Some(len) = window.starts_tag(at).then(|| tags::len_at(source, at, range.end)).flatten() {
            (is_open, at) = (false, at + len.max(1));
            continue;
        }
        let Some(frame) = window.frame(at).filter(|frame| at + frame.len <= range.end) else {
            at += 1;
            if runs.is_empty() && at - range.start > LATEST_START {
                break;
            }
            continue;
        };
        let announced = frame.announced(source, at);
        let goes_on = is_open && announced.is_none() && runs.last().is_some_and(|run| run.first.is_like(&frame));
        if goes_on {
            let run = runs.last_mut().expect("it is open");
            run.range.end = at + frame.len;
            run.n_frames += 1;
        } else if window.is_chain(at, &frame, range.end) {
            runs.push(Run { range: at..at + frame.len, first: frame, n_frames: 1, announced });
            is_open = true;
        } else {
            at += 1;
            continue;
        }
        at += frame.len;
    }
    runs
}

/// Fields of a frame header.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    /// 1 to 3; 0 = AAC.
    layer: u8,
    /// 3 = MPEG 1, 2 = MPEG 2, 0 = MPEG 2.5.
    version: u8,
    rate: u32,
    is_mono: bool,
    has_crc: bool,
    /// Bytes, with the header.
    len: u64,
    n_samples: u64,
}

impl Frame {
    fn parse(head: [u8; 6]) -> Option<Self> {
        let is_sync = head[0] == 0xff && head[1] & 0xe0 == 0xe0;
        let (version, layer) = (head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3));
        let has_crc = head[1] & 1 == 0;
        if !is_sync {
            return None;
        }
        if layer == 4 {
            return Self::parse_adts(head);
        }
        let rate_idx = usize::from(head[2] >> 2 & 3);
        let rate = *[44_100u32, 48_000, 32_000].get(rate_idx)?
            >> match version {
                3 => 0,
                2 => 1,
                0 => 2,
                _ => return None,
            };
        let bit_rate = u64::from(bit_rate(version, layer, usize::from(head[2] >> 4))?) * 1000;
        let padding = u64::from(head[2] >> 1 & 1);
        let n_samples = match (layer, version) {
            (1, _) => 384,
            (3, 0 | 2) => 576,
            _ => 1152,
        };
        let len = match layer {
            1 => (12 * bit_rate / u64::from(rate) + padding) * 4,
            _ => n_samples / 8 * bit_rate / u64::from(rate) + padding,
        };
        Some(Self { layer, version, rate, is_mono: head[3] >> 6 == 3, has_crc, len, n_samples })
    }

    fn parse_adts(head: [u8; 6]) -> Option<Self> {
        const RATES: [u32; 13] =
            [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];
        if head[1] & 0xf0 != 0xf0 {
            return None;
        }
        let rate = *RATES.get(usize::from(head[2] >> 2 & 15))?;
        let n_channels = (head[2] & 1) << 2 | head[3] >> 6;
        let len = u64::from(head[3] & 3) << 11 | u64::from(head[4]) << 3 | u64::from(head[5] >> 5);
        let frame = Self { layer: 0, version: 0, rate, is_mono: n_channels == 1, has_crc: false, len, n_samples: 1024 };
        (len > 7).then_some(frame)
    }

    /// True if one decoder can decode both frames.
    fn is_like(&self, other: &Self) -> bool {
        let format = |f: &Self| (f.layer, f.version, f.rate, f.is_mono);
        format(self) == format(other)
    }

    /// Offset of the frame count in a frame without audio (Xing, Info, VBRI), and the announced count.
    fn announced(&self, source: &Source, at: u64) -> Option<(u64, u64)> {
        if self.layer != 3 {
            return None;
        }
        let side_info = match (self.version, self.is_mono) {
            (3, true) => 17,
            (3, false) => 32,
            (_, true) => 9,
            (_, false) => 17,
        };
        let xing = at + 4 + side_info;
        let number = |at: u64| source.array(at).map(u32::from_be_bytes);
        let place = match source.array(xing).as_ref() {
            Some(b"Xing" | b"Info") if number(xing + 4)? & 1 == 1 => xing + 8,
            // The header leaves the count out: treat it as no announcement.
            Some(b"Xing" | b"Info") => return None,
            _ if source.array(at + 36) == Some(*b"VBRI") => at + 36 + 14,
            _ => return None,
        };
        Some((place, u64::from(number(place)?)))
    }
}

/// kbit/s; `None` for invalid indices and for the free format, whose frames cannot be located.
fn bit_rate(version: u8, layer: u8, idx: usize) -> Option<u16> {
    const TABLES: [[u16; 14]; 5] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let table = match (version, layer) {
        (3, layer) => usize::from(layer) - 1,
        (_, 1) => 3,
        _ => 4,
    };
    TABLES[table].get(idx.checked_sub(1)?).copied()
}

/// A buffer around the current offset, so that the file is not read byte by byte.
struct Window<'a> {
    source: &'a Source,
    end: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(source: &'a Source, range: Range<u64>) -> Self {
        Self { source, end: range.end, start: range.start, bytes: Vec::new() }
    }

    fn head(&mut self, at: u64) -> Option<[u8; 6]> {
        const LEN: u64 = 1 << 16;
        let is_inside = at >= self.start && at + 6 <= self.start + self.bytes.len() as u64;
        if !is_inside {
            (self.start, self.bytes) = (at, self.source.bytes(at..(at + LEN).min(self.end)));
        }
        let mut head = [0; 6];
        let from = (at - self.start) as usize;
        let bytes = self.bytes.get(from..)?;
        let n = bytes.len().min(6);
        head[..n].copy_from_slice(&bytes[..n]);
        (n >= 4).then_some(head)
    }

    fn frame(&mut self, at: u64) -> Option<Frame> {
        Frame::parse(self.head(at)?)
    }

    fn starts_tag(&mut self, at: u64) -> bool {
        self.head(at).is_some_and(|head| matches!(&head[..3], b"ID3" | b"TAG" | b"APE" | b"LYR"))
    }

    /// True if `frame` is followed by similar frames or by the end.
    fn is_chain(&mut self, at: u64, frame: &Frame, end: u64) -> bool {
        let mut at = at + frame.len;
        for _ in 1..LEAST_FRAMES {
            if at + 4 > end {
                return at <= end;
            }
            match self.frame(at) {
                Some(next) if next.is_like(frame) => at += next.len,
                _ => return self.starts_tag(at),
            }
        }
        true
    }
}
