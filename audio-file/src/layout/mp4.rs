//! MP4 (m4a, mov): reads the edit list. Encoders add samples before the first one and fill up the last packet. The edit
//! list says how many; Symphonia ignores it.

use super::{Container, Layout, Refusal, Stream};
use crate::source::Source;
use std::ops::Range;
use std::sync::Arc;

/// The audible range of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edit {
    /// Seconds to skip at the beginning.
    pub skip_s: f64,
    /// Seconds to play after that; `None` = up to the end.
    pub len_s: Option<f64>,
}

pub fn layout(source: &Arc<Source>, range: Range<u64>) -> Result<Layout, Refusal> {
    let top = boxes(source, range.clone());
    let is_there = |name: &[u8; 4]| top.iter().any(|(n, _)| n == name);
    if !is_there(b"moov") {
        let what = "an mp4 file whose index is missing, as the recording was not closed";
        return Err(Refusal::Foreign(what.into()));
    }
    let movie = top.iter().find(|(name, _)| name == b"moov").map(|(_, range)| range.clone()).unwrap_or_default();
    let mut stream = Stream::whole(Container::Mp4, source, range);
    stream.edit = edit(source, movie);
    Ok(stream.into())
}

/// The edit of the first audio track.
fn edit(source: &Source, movie: Range<u64>) -> Option<Edit> {
    let movie = boxes(source, movie);
    let time_scale = scale(source, &movie, b"mvhd")?;
    let tracks = movie.iter().filter(|(name, _)| name == b"trak").map(|(_, range)| boxes(source, range.clone()));
    for track in tracks {
        let media = inside(source, &track, b"mdia")?;
        let handler = media.iter().find(|(name, _)| name == b"hdlr").map(|(_, range)| range.start + 8)?;
        if source.array(handler) != Some(*b"soun") {
            continue;
        }
        let media_scale = scale(source, &media, b"mdhd")?;
        let list = inside(source, &track, b"edts")?.into_iter().find(|(name, _)| name == b"elst")?.1;
        return first_edit(source, list.start, (time_scale, media_scale));
    }
    None
}

/// The first edit that is not a pause. Further edits would be cuts and are ignored.
fn first_edit(source: &Source, at: u64, (time_scale, media_scale): (f64, f64)) -> Option<Edit> {
    let is_long = source.array::<1>(at)? == [1];
    let n_entries = u32::from_be_bytes(source.array(at + 4)?);
    let entry_len = if is_long { 20 } else { 12 };
    let mut edits = Vec::new();
    for i in 0..u64::from(n_entries.min(16)) {
        let entry = at + 8 + i * entry_len;
        let (len, start) = if is_long {
            (u64::from_be_bytes(source.array(entry)?), i64::from_be_bytes(source.array(entry + 8)?))
        } else {
            let len = u32::from_be_bytes(source.array(entry)?);
            (u64::from(len), i64::from(i32::from_be_bytes(source.array(entry + 4)?)))
        };
        if start >= 0 {
            edits.push((len, start));
        }
    }
    let [(len, start)] = edits[..] else { return None };
    // 0 means that the length is unknown.
    let len_s = (len > 0).then(|| len as f64 / time_scale);
    Some(Edit { skip_s: start as f64 / media_scale, len_s })
}

/// Ticks per second, read from the box `name`.
fn scale(source: &Source, boxes: &[Box], name: &[u8; 4]) -> Option<f64> {
    let at = boxes.iter().find(|(n, _)| n == name)?.1.start;
    let offset = if source.array::<1>(at)? == [1] { 20 } else { 12 };
    let scale = u32::from_be_bytes(source.array(at + offset)?);
    (scale > 0).then_some(f64::from(scale))
}

type Box = ([u8; 4], Range<u64>);

fn inside(source: &Source, outer: &[Box], name: &[u8; 4]) -> Option<Vec<Box>> {
    Some(boxes(source, outer.iter().find(|(n, _)| n == name)?.1.clone()))
}

/// Names and content ranges of the boxes in `range`.
fn boxes(source: &Source, range: Range<u64>) -> Vec<Box> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at + 8 <= range.end {
        let (Some(size), Some(name)) = (source.array(at).map(u32::from_be_bytes), source.array(at + 4)) else { break };
        let (header, size) = match size {
            0 => (8, range.end - at),
            1 => (16, source.array(at + 8).map_or(0, u64::from_be_bytes)),
            size => (8, u64::from(size)),
        };
        if size < header {
            break;
        }
        let end = at.saturating_add(size).min(range.end);
        found.push((name, (at + header).min(end)..end));
        at = end;
    }
    found
}
