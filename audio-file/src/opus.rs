//! An Opus decoder for Symphonia, which reads the containers of Opus but cannot decode it.

use ropus::{DecodeMode, Decoder};
use symphonia::core::audio::{
    AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef, layouts,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, FinalizeResult};
use symphonia::core::errors::{Error, Result, unsupported_error};
use symphonia::core::packet::PacketRef;

/// Opus always decodes to this rate, Hz.
const RATE: u32 = 48_000;
/// The longest packet, samples per channel (120 ms).
const LONGEST: usize = 5760;
/// Offsets in the header: the number of samples to discard at the beginning, and the output gain.
const PRE_SKIP: usize = 10;
const GAIN: usize = 16;

static INFO: CodecInfo = CodecInfo { short_name: "opus", long_name: "Opus", profiles: &[] };

/// Decodes streams of one or two channels.
pub struct OpusDecoder {
    params: AudioCodecParameters,
    decoder: Decoder,
    n_channels: usize,
    /// Samples per channel that remain to be discarded.
    skip: usize,
    interleaved: Vec<f32>,
    out: AudioBuffer<f32>,
}

impl OpusDecoder {
    /// A decoder for one stream. `params` contains the Opus header.
    pub fn new(params: &AudioCodecParameters) -> Result<Self> {
        let n_channels = params.channels.as_ref().map_or(0, |channels| channels.count());
        let (channels, layout) = match n_channels {
            1 => (ropus::Channels::Mono, layouts::CHANNEL_LAYOUT_MONO),
            2 => (ropus::Channels::Stereo, layouts::CHANNEL_LAYOUT_STEREO),
            _ => return unsupported_error("opus of more than two channels"),
        };
        let header = params.extra_data.as_deref().unwrap_or_default();
        let word = |at: usize| Some([*header.get(at)?, *header.get(at + 1)?]);
        let mut decoder = Decoder::new(RATE, channels).map_err(|_| Error::DecodeError("opus: no decoder"))?;
        let gain = word(GAIN).map_or(0, i16::from_le_bytes);
        decoder.set_gain(gain.into()).map_err(|_| Error::DecodeError("opus: gain"))?;
        Ok(Self {
            params: params.clone(),
            decoder,
            n_channels,
            skip: word(PRE_SKIP).map_or(0, u16::from_le_bytes).into(),
            interleaved: vec![0.0; LONGEST * n_channels],
            out: AudioBuffer::new(AudioSpec::new(RATE, layout), LONGEST),
        })
    }
}

impl AudioDecoder for OpusDecoder {
    fn reset(&mut self) {}

    fn codec_info(&self) -> &CodecInfo {
        &INFO
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.out.clear();
        let decoded = self.decoder.decode_float(packet.data, &mut self.interleaved, DecodeMode::Normal);
        let n = decoded.map_err(|_| Error::DecodeError("opus: damaged packet"))?;
        self.out.render_uninit(Some(n));
        self.out.copy_from_slice_interleaved(&&self.interleaved[..n * self.n_channels]);
        let skip = self.skip.min(n);
        self.skip -= skip;
        let trim_start = usize::try_from(packet.trim_start.get()).unwrap_or(n);
        let trim_end = usize::try_from(packet.trim_end.get()).unwrap_or(n);
        self.out.trim(trim_start.saturating_add(skip).min(n), trim_end.min(n));
        Ok(self.out.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.out.as_generic_audio_buffer_ref()
    }
}
