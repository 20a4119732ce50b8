//! What the controls do, in a sentence each.

/// Shown over the control of the parameter called `name`.
pub fn of(name: &str) -> &'static str {
    match name {
        "Morph" => "From instrument A (left) to B (right): their sounds are blended into one, not mixed.",
        "Dry/Wet" => "How much of the instrument is heard, and how much of the source. The source is delayed to match.",
        "Brightness" => "Tilts the harmonics, dB per octave; the level stays.",
        "Breath" => "More or less of the instrument's own breath, bow and key noise, dB.",
        "Dynamics" => "How much soft and loud differ: 0 % = all alike, 100 % = as you play, 200 % = twice as much.",
        "Follow" => {
            "Your own timbre: 0 % = the instrument's alone, 100 % = harmonics and noise as strong as yours, consonants too."
        }
        "Attack" => "Time in which a note fades in, ms. Tied notes are left alone.",
        "Width" => "Spreads noise, upper partials and the room over both channels. In mono nothing is lost.",
        "Room" => "How much of the room around the instrument is heard.",
        "Room Decay" => {
            "Time in which the room fades by 60 dB: a booth below 300 ms, a stage around 600, a hall above a second."
        }
        "Output" => "Level of everything that leaves the plugin, dB.",
        "Transpose" => "Moves what you play, semitones.",
        "Fine" => "Moves what you play, cents.",
        "Snap" => "Pulls the pitch to the notes of the scale: 0 % = as you play, 100 % = exactly on them.",
        "Key" => "First note of the scale that Snap pulls to.",
        "Scale" => "Notes that Snap pulls to.",
        "Glide" => "Time of the way from note to note, ms.",
        "Gate" => "Input below this level is silence, dBFS.",
        "Octave Fit" => "Moves your line by whole octaves into the instrument's range.",
        "Level Fit" => "Brings your loud notes to the instrument's loud notes. Off: as loud as they come.",
        "Match Level" => {
            "Makes the instrument as loud as you are, so that Dry/Wet changes the sound and not the level."
        }
        "Auto Gate" => "The gate follows the noise of the room and the level of your playing.",
        "Bypass" => "Only the source, delayed like the instrument.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::EmbouchureParams;
    use nice_plug::prelude::Params;

    #[test]
    fn every_control_is_explained() {
        let params = EmbouchureParams::default();
        for (id, param, _) in params.param_map() {
            // SAFETY: the parameters are still there.
            let name = unsafe { param.name().to_owned() };
            assert!(id.starts_with("instrument_") || !of(&name).is_empty(), "{name}");
        }
    }
}
