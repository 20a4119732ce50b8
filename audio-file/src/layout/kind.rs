//! Recognises unsupported file types by their first bytes.

/// Type of a file that begins with `head`, with its article; `None` if it is not known.
pub fn foreign(head: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 29] = [
        (&[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11], "Windows Media audio or video (wma, wmv)"),
        (b"wvpk", "a WavPack file"),
        (b"MAC ", "a Monkey's Audio file (ape)"),
        (b"MPCK", "a Musepack file"),
        (b"MP+", "a Musepack file"),
        (b"TTA1", "a True Audio file (tta)"),
        (b"ajkg", "a Shorten file"),
        (b"#!AMR", "an AMR voice recording"),
        (b"#!SILK", "a SILK voice recording"),
        (b"MThd", "a MIDI file, which holds notes and no sound"),
        (b"DSD ", "a DSD recording (dsf)"),
        (b"FRM8", "a DSD recording (dff)"),
        (b".RMF", "a RealAudio file"),
        (b".ra\xfd", "a RealAudio file"),
        (b".snd", "a Sun audio file (au)"),
        (b"dns.", "a Sun audio file (au)"),
        (b"Creative Voice File", "a Creative Voice file (voc)"),
        (b"\x0b\x77", "Dolby Digital (AC-3)"),
        (b"\x7f\xfe\x80\x01", "DTS audio"),
        (b"FLV\x01", "a Flash video"),
        (b"FORM", "an IFF file that holds no AIFF sound"),
        (b"PK\x03\x04", "a zip archive, which has to be unpacked first"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive, which has to be unpacked first"),
        (b"Rar!", "a rar archive, which has to be unpacked first"),
        (b"\x1f\x8b", "a gzip archive or a project of a music program"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a picture (PNG)"),
        (b"\xff\xd8\xff", "a picture (JPEG)"),
        (b"GIF8", "a picture (GIF)"),
    ];
    kinds.into_iter().find(|(start, _)| head.starts_with(start)).map(|(_, name)| name)
}
