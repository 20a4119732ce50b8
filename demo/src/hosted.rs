//! The part of the demo that runs the plugin, in a separate process.

use anyhow::{Context, Result};
use embouchure_audio_file::{self as audio_file, Audio};
use embouchure_host::{ClapHost, Host, Layout, Session, with_session};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of the hidden command `host`.
#[derive(clap::Args)]
pub struct Arguments {
    plugin: PathBuf,
    input: PathBuf,
    output: PathBuf,
    /// JSON file to write [`Hosted`] to.
    figures: PathBuf,
    #[arg(long)]
    block: u32,
    #[arg(long)]
    instrument: String,
}

/// What this process reports to the demo.
#[derive(Serialize, Deserialize)]
pub struct Hosted {
    /// Name that the plugin reports.
    pub plugin: String,
    /// Version that the plugin reports.
    pub version: String,
    /// Latency, samples at the input's rate.
    pub latency_samples: usize,
    /// Duration of each callback, s.
    pub callback_seconds: Vec<f64>,
}

/// Plays the input file through the plugin into the output file.
pub fn run(arguments: &Arguments) -> Result<()> {
    let input = audio_file::read(&arguments.input)?;
    let mut host = ClapHost::load(&arguments.plugin)?;
    choose_instrument(&mut host, &arguments.instrument)?;
    host.set_offline(true)?;
    let layout = layout_for(input.channels.len(), &host.layouts())?;
    host.select_layout(layout)?;
    let n_inputs = host.layout().n_inputs;
    let channels: Vec<_> = (0..n_inputs).map(|c| input.channels[c.min(input.channels.len() - 1)].clone()).collect();

    let block = arguments.block as usize;
    let played = host.play(&channels, Session { rate: f64::from(input.rate), block, max_block: block })?;
    audio_file::write_wav(&arguments.output, &Audio { channels: played.aligned(), rate: input.rate })?;
    let hosted = Hosted {
        plugin: host.descriptor().name.clone(),
        version: host.descriptor().version.clone(),
        latency_samples: played.latency_samples,
        callback_seconds: played.callback_seconds,
    };
    std::fs::write(&arguments.figures, serde_json::to_string(&hosted)?).context("cannot write the figures")
}

/// Selects an instrument, shipped or a file, by editing the plugin's saved state, as a project file would contain it.
fn choose_instrument(host: &mut ClapHost, instrument: &str) -> Result<()> {
    let chosen = match embouchure_weights::instrument(instrument) {
        Some(_) => json!({ "kind": "builtin", "name": instrument }),
        None => {
            let names: Vec<_> = embouchure_weights::INSTRUMENTS.iter().map(|(name, _)| *name).collect();
            let path = std::fs::canonicalize(instrument).with_context(|| {
                format!("{instrument:?} is neither a file nor one of the instruments here ({})", names.join(", "))
            })?;
            json!({ "kind": "file", "path": path })
        }
    };
    let state = host.save()?;
    host.restore(&with_session(&state, |session| session["instrument"] = chosen)?)?;
    Ok(())
}

/// The plugin's layout that suits a clip best. A mono clip is played in stereo if the plugin offers that.
fn layout_for(n_channels: usize, offered: &[Layout]) -> Result<Layout> {
    const MONO: Layout = Layout { n_inputs: 1, n_outputs: 1 };
    const MONO_TO_STEREO: Layout = Layout { n_inputs: 1, n_outputs: 2 };
    const STEREO: Layout = Layout { n_inputs: 2, n_outputs: 2 };
    let wanted = if n_channels == 1 { [MONO_TO_STEREO, STEREO, MONO] } else { [STEREO, MONO_TO_STEREO, MONO] };
    let found = wanted.into_iter().find(|layout| offered.contains(layout));
    found.with_context(|| format!("the plugin offers no port configuration that fits: {offered:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_clips_come_out_on_both_sides_where_possible() {
        let [mono, wide, stereo] = [(1, 1), (1, 2), (2, 2)].map(|(n_inputs, n_outputs)| Layout { n_inputs, n_outputs });
        assert_eq!(layout_for(1, &[mono, stereo, wide]).unwrap(), wide);
        assert_eq!(layout_for(1, &[mono, stereo]).unwrap(), stereo);
        assert_eq!(layout_for(2, &[mono, wide, stereo]).unwrap(), stereo);
        assert_eq!(layout_for(1, &[mono]).unwrap(), mono);
        assert!(layout_for(2, &[]).is_err());
    }
}
