//! Writes docs/performance.md and docs/training.md: all results, with a description of each measurement.

use crate::table::{self, Row};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Arguments of `bench report`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where the results are
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    results: PathBuf,
    /// Where the pages and their pictures go
    #[arg(long, value_name = "DIR", default_value = "docs")]
    docs: PathBuf,
}

/// A table and a description of its measurement. Figures and verdicts come only from the result files, never from this
/// code.
struct Section {
    title: &'static str,
    /// Name of the result file.
    file: &'static str,
    /// Value of the column "table" in the section's rows; empty for all rows.
    table: &'static str,
    text: &'static str,
}

const INTRODUCTION: &str = "# Performance\n\n\
    Written by `cargo xtask bench all`. Each part can be measured again alone (`cargo xtask bench --help`); `report` \
    writes this page from the last results of each. A dash stands for what was not measured or has no target. The \
    networks are the built-in encoder and trumpet. Experiments, also those that did not help, are in \
    [tried.md](tried.md).\n";

const PERFORMANCE: [Section; 8] = [
    Section {
        title: "Reported and measured latency",
        file: "latency.json",
        table: "reported",
        text: "A dry impulse and four 440 Hz sawtooth notes with a tied step to 587 Hz go through the offline engine \
               at each rate and largest block. Dry error: the place of the impulse, less the reported latency. Onset: \
               half the note's level, from the control frames and from the RMS of one period of the audio. Pitch: \
               within 50 cents and staying there. Onsets and pitches are medians beyond the reported latency, so they \
               are the time that hearing takes. They cannot depend on the block.",
    },
    Section {
        title: "Delay of onsets",
        file: "latency.json",
        table: "onsets",
        text: "Beyond the reported latency, at 48 kHz and blocks of 64. The notes are a sine, a sawtooth, a sung \
               vowel and a whistle with breath 26 dB below it. They start out of silence with a rise of 2 ms, at -20 \
               dBFS, four of each at different places within a hop. Onset: from the first sample of the note until \
               the instrument has half its level. Pitch: until it is within 50 cents of the note's and stays there to \
               the end.",
    },
    Section {
        title: "Delay of steps",
        file: "latency.json",
        table: "steps",
        text: "The same notes, tied to a fourth above without a gap. The time counts from the step.",
    },
    Section {
        title: "Delay of onsets as they are played",
        file: "latency.json",
        table: "recordings",
        text: "Notes after at least 80 ms of silence (40 dB below the loudest) in recordings that no network was \
               trained on. The time counts from the first sample that reaches a tenth of the note's level, so it \
               includes the player's own attack. Half to half is from half the source's level to half ours. The pitch \
               is compared with an offline analysis of the recording and must stay right for 200 ms after the \
               beginning.",
    },
    Section {
        title: "Pitch",
        file: "pitch.json",
        table: "",
        text: "Sets: (a) held-out recordings resynthesised from their own pitch, so that it is known exactly: clean, \
               with noise, in a room; (b) a low male voice annotated by hand; (c) whistles; (d) glides and vibrato \
               from 160 Hz up, and below it (d low); (e) silence, breath, consonants and noise. RPA: share of the \
               voiced hops within 50 cents. RCA: the same, octave errors forgiven. Both are given without allowance \
               for delay and at the best constant delay, which is named. False alarms: share of the unpitched hops \
               heard as a note. Blips: errors of half an octave for more than a hop, per minute. CPU: seconds of one \
               core per second of audio. Other trackers have one thread and their own settings; SwiftF0 and CREPE \
               look into the future. A note that rings on after the offline analysis has ended it counts as a false \
               alarm. A label below an instrument's lowest note does not count, because it is two notes at once.",
    },
    Section {
        title: "What z knows",
        file: "z.json",
        table: "",
        text: "Share of the variance of held-out recordings' log-mel spectrum and attack that a linear probe explains \
               from possible inputs of the decoder: without z, with z alone, with both. Half of the recordings, every \
               other one, train the probe; the others test it.",
    },
    Section {
        title: "Engine",
        file: "engine.json",
        table: "",
        text: "Live at 48 kHz, stereo, called in realtime by threads of high priority (SCHED_FIFO where permitted), \
               with workers as in the product. Processor time is by the threads' own clocks. LiteRT runs DDSP-VST's \
               pitch network with one thread at that plugin's 50 frames a second, in the same session. A late frame \
               is one that was not there when its sound was due. Called in realtime, threads sleep between blocks, \
               and the cost after a sleep depends on the machine. So networks and synth are also run hop after hop, \
               and the other network frame after frame, without a pause. Three tenths of the melody are pauses, in \
               which decoder and encoder rest after 0.1 and 0.2 s. Other programs on the machine are in these \
               figures: see its load.",
    },
    Section {
        title: "Editor",
        file: "editor.json",
        table: "",
        text: "The built plugin in a CLAP host, live at 48 kHz, stereo, blocks of 64. The host's audio thread has \
               high priority where permitted, and moves six knobs 60 times a second by automation. It is one run: the \
               editor closed, open, opened and closed every half second, and closed again. The difference between the \
               two closed rows is the machine's noise. Without a graphics card the processor draws the window, on the \
               same cores. Past the deadline: callbacks that took longer than their block lasts. Processor time is \
               that of the whole process, in cores, without the window system's own.",
    },
];

const TRAINING_INTRODUCTION: &str = include_str!("training.md");

const TRAINING: [Section; 7] = [
    Section {
        title: "Their own recordings",
        file: "resynthesis.json",
        table: "",
        text: "`bench sound`: each instrument plays held-out recordings of itself, pitch and level as recorded, dry. \
               The recordings are of notes and often of players that it never heard. Follow 0 is the default: the \
               decoder's sound from pitch, loudness and z. Follow 1 is that parameter's other end: harmonics and \
               noise up to 7.6 kHz and the loudness are the recording's, the decoder's sound lies above, and the gate \
               is off. An independent script compares. mss: mean difference of linear and logarithmic magnitudes at \
               six FFT sizes, both sounds brought to one level. RPA: share of frames within 50 cents, by SwiftF0 on \
               both sounds, so that an error of SwiftF0 on the recording counts here, too. Judge: the score that \
               YAMNet gives to the instrument's name, beside the score of the recording itself. Centroid ratio and \
               the power above 4 kHz (rendering against recording) are by `embouchure eval`. With the gate on, \
               recordings softer than its threshold are silent in the rendering, and so is the noise between notes, \
               which costs mss: \"of notes alone\" leaves out what comes before the first note and after the last.",
    },
    Section {
        title: "Other voices",
        file: "transfer.json",
        table: "",
        text: "`bench sound`: whistles, singers, violin and flute phrases are turned into each instrument with the \
               default settings, dry and in the default room. Pitch RPA: by SwiftF0, whole octaves removed. Loudness \
               correlation: of the envelopes in dB. Leak: level in the source's rests against the loud notes. Asked \
               for: a fixed share (`ASKED` in `bench/src/sound/transfer.rs`) of the judge's score for held-out \
               phrases of the instrument.",
    },
    Section {
        title: "What the parts are good for",
        file: "ablations.json",
        table: "",
        text: "`bench ablations`: one instrument is trained anew, each time without one part. The figures are those \
               of `embouchure eval` on held-out recordings. There is one seed each, so small differences say nothing.",
    },
    Section {
        title: "Where the spectral loss leads a wrong f0",
        file: "f0_from_sound.json",
        table: "",
        text: "In the article's setting f0 is found through the spectral loss. The table has the share of notes (100 \
               to 800 Hz, a sawtooth of 20 partials) in which a step of 2 cents towards the right f0 lowers our loss. \
               Half is chance.",
    },
    Section {
        title: "What becomes of f0 that is learned from the sound",
        file: "f0_learned.json",
        table: "",
        text: "`bench ablations`: three trainings of one instrument's decoder from nothing, by the sound alone. They \
               differ in f0 only. In the first it is given. In the others a perfect encoder tells which semitone \
               sounds, but not its pitch: the pitch that the oscillator plays for it is learned through the spectral \
               loss, from 70 cents above the right one or, as in the article, from anywhere. The table has the share \
               of the held-out frames whose f0 is right within 50 cents, and the median error of f0.",
    },
    Section {
        title: "Time and memory",
        file: "train.json",
        table: "",
        text: "`bench train`: seconds per step are from the difference between a longer and a shorter run. Memory is \
               the most of the whole program. PyTorch runs the same model, synth and loss, eager, on all cores, in \
               the same session.",
    },
    Section {
        title: "A new instrument",
        file: "curve.json",
        table: "",
        text: "`bench curve`: minutes from the start of the command to the weights file, and held-out loss on the \
               way.",
    },
];

/// Pictures of f0 tracks: file name without extension, and caption.
const PICTURES: [(&str, &str); 3] =
    [("f0_whistle", "A whistle"), ("f0_voice", "A low male voice"), ("f0_violin", "A violin")];

/// Writes both pages and copies the pictures beside them.
pub fn run(arguments: &Arguments) -> Result<()> {
    std::fs::create_dir_all(&arguments.docs)?;
    let performance = page(INTRODUCTION, &PERFORMANCE, arguments)? + &pictures(arguments)?;
    write(arguments, "performance.md", &performance)?;
    write(arguments, "training.md", &page(TRAINING_INTRODUCTION, &TRAINING, arguments)?)
}

fn page(introduction: &str, sections: &[Section], arguments: &Arguments) -> Result<String> {
    let sections = sections.iter().map(|section| section.render(&arguments.results));
    Ok(introduction.to_owned() + &sections.collect::<Result<Vec<_>>>()?.concat())
}

fn write(arguments: &Arguments, name: &str, text: &str) -> Result<()> {
    let path = arguments.docs.join(name);
    std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("wrote {}", path.display());
    Ok(())
}

impl Section {
    /// The section as Markdown; empty if nothing was measured.
    fn render(&self, results: &Path) -> Result<String> {
        let path = results.join(self.file);
        if !path.exists() {
            eprintln!("{}: no {}", self.title, path.display());
            return Ok(String::new());
        }
        Ok(self.markdown(table::read_json(&path)?))
    }

    fn markdown(&self, mut rows: Vec<Row>) -> String {
        rows.retain(|row| self.table.is_empty() || row.get("table").is_some_and(|table| table == self.table));
        let Some(first) = rows.first() else { return String::new() };
        let about = |column: &str, name: &str| {
            let text = first.get(column).and_then(|text| text.as_str());
            text.map_or(String::new(), |text| format!("\n\n{name}: {text}."))
        };
        let about = about("run", "Run") + &about("machine", "Machine");
        format!("\n## {}\n\n{}{about}\n\n{}", self.title, self.text, table::markdown(&rows))
    }
}

fn pictures(arguments: &Arguments) -> Result<String> {
    let mut text = String::new();
    for (name, title) in PICTURES {
        let picture = arguments.results.join(format!("{name}.png"));
        if picture.exists() {
            std::fs::copy(&picture, arguments.docs.join(format!("{name}.png")))?;
            text += &format!("\n![{title}: spectrogram and f0 tracks]({name}.png)\n");
        }
    }
    if text.is_empty() {
        return Ok(text);
    }
    Ok(format!(
        "\n## Tracks of f0\n\n\
         The pitch that each tracker hears, over the spectrogram. Ours and DDSP-VST's are drawn at the time when they \
         know it, SwiftF0's at the time that it describes. Gaps are unvoiced.\n{text}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_shows_its_own_rows_the_run_and_the_machine() {
        let row = |table: &str, value: u32| {
            let about = [("table", table.into()), ("run", "two steps".into()), ("machine", "a machine".into())];
            let pairs = about.into_iter().chain([("value", value.into())]);
            pairs.map(|(k, v)| (k.to_owned(), v)).collect::<Row>()
        };
        let section = Section { title: "Title", file: "", table: "steps", text: "How." };
        let text = section.markdown(vec![row("onsets", 1), row("steps", 2)]);
        assert_eq!(
            text,
            "\n## Title\n\nHow.\n\nRun: two steps.\n\nMachine: a machine.\n\n| value |\n| ----: |\n|     2 |\n"
        );
        assert_eq!(section.markdown(vec![row("onsets", 1)]), "");
    }
}
