//! What folders of `inference/src` must not name.

use super::graph::{Graph, Place, Source, named_paths};

/// Folders that must not use others.
pub struct Direction {
    /// Directly in `src`.
    pub folders: &'static [&'static str],
    /// Directly in `src`.
    pub must_not_use: &'static [&'static str],
    /// Completes "because".
    pub reason: &'static str,
}

/// Words that do not occur in a folder.
pub struct Words {
    /// Beginnings of files, from `src` on.
    pub folders: &'static [&'static str],
    /// Files in these folders that may use the words.
    pub except: &'static [&'static str],
    /// One or more segments that follow each other in a path.
    pub words: &'static [&'static str],
    /// Completes "because".
    pub reason: &'static str,
}

/// Beyond this, no cycle is allowed at all.
pub const DIRECTIONS: &[Direction] = &[
    Direction {
        folders: &["hear"],
        must_not_use: &["play", "synth", "chain", "engine"],
        reason: "what is heard does not depend on what plays it",
    },
    Direction {
        folders: &["play"],
        must_not_use: &["synth", "chain", "engine"],
        reason: "a player decides on controls; others render and time them",
    },
    Direction {
        folders: &["synth"],
        must_not_use: &["hear", "play", "chain", "engine"],
        reason: "controls are all that a synth needs",
    },
    Direction {
        folders: &["nn"],
        must_not_use: &["hear", "play", "synth", "chain", "engine"],
        reason: "networks map numbers to numbers",
    },
    Direction {
        folders: &["config", "math", "biquad", "note", "scale", "controls", "settings"],
        must_not_use: &["k_weight", "nn", "hear", "play", "synth", "chain", "engine"],
        reason: "everything else stands on these",
    },
];

/// What a hop of the core does without.
pub const WORDS: &[Words] = &[
    Words {
        folders: &["chain.rs", "hear/", "play/", "synth/", "nn/"],
        except: &[],
        words: &["std::thread", "std::sync::mpsc", "crossbeam", "rtrb", "audio_thread_priority"],
        reason: "the core runs on the thread that calls it",
    },
    Words {
        folders: &["chain.rs", "hear/", "play/", "synth/", "nn/"],
        except: &[],
        words: &["Instant", "SystemTime"],
        reason: "nothing that sounds depends on the clock",
    },
    Words {
        folders: &["chain.rs", "hear/", "play/", "synth/", "nn/"],
        except: &["nn/weights.rs"],
        words: &["std::fs"],
        reason: "the core takes bytes; only `nn::weights::read_file` opens a file",
    },
    Words {
        folders: &["chain.rs", "hear/", "play/", "synth/", "nn/cpu/"],
        except: &[],
        words: &["candle", "candle_core", "candle_nn"],
        reason: "the core runs without candle; `nn/mod.rs` chooses the backend",
    },
];

/// Edges that a rule forbids.
pub fn against_directions(graph: &Graph) -> Vec<String> {
    let mut problems = Vec::new();
    for rule in DIRECTIONS {
        let is_against =
            |(from, to): &(String, String)| has(rule.folders, from.as_str()) && has(rule.must_not_use, to.as_str());
        for edge in graph.edges.keys().filter(|edge| is_against(edge)) {
            problems.push(format!("{} must not be: {}", graph.shown(edge, usize::MAX), rule.reason));
        }
    }
    problems
}

fn has(names: &[&str], name: &str) -> bool {
    names.contains(&name)
}

/// Words where a rule forbids them. `folder`: where the sources lie, from the workspace's folder on.
pub fn forbidden_words(folder: &str, sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for (source, paths) in named_paths(sources) {
        let is_in = |beginnings: &[&str]| beginnings.iter().any(|beginning| source.file.starts_with(beginning));
        for rule in WORDS.iter().filter(|rule| is_in(rule.folders) && !is_in(rule.except)) {
            for path in &paths {
                let Some(word) = rule.words.iter().find(|word| contains(&path.segments, word)) else { continue };
                let place = Place { file: format!("{folder}/{}", source.file), line: path.line };
                problems.push(format!("{place} names `{word}`, and must not: {}", rule.reason));
            }
        }
    }
    problems
}

/// `word`: segments with `::` between them.
fn contains(segments: &[String], word: &str) -> bool {
    let word: Vec<&str> = word.split("::").collect();
    segments.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(file, text)| Source { file: file.to_string(), text: text.to_string() }).collect()
    }

    #[test]
    fn a_forbidden_word_is_found_with_its_place() {
        let files = [
            ("hear/mod.rs", "//! No std::thread.\nuse std::{f32::consts::PI, time::Instant};"),
            ("nn/weights.rs", "use std::fs::File;"),
            ("nn/cpu/gru.rs", "use candle_core::Tensor;\n#[cfg(test)]\nmod tests { use std::fs; }"),
            ("nn/candle/mod.rs", "use candle_core::Tensor;"),
            ("engine/worker/mod.rs", "use std::thread;"),
        ];
        let problems = forbidden_words("made/src", &sources(&files));
        let [hear, kernel] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(hear.starts_with("made/src/hear/mod.rs:2 names `Instant`"), "{hear}");
        assert!(kernel.starts_with("made/src/nn/cpu/gru.rs:1 names `candle_core`"), "{kernel}");
    }

    #[test]
    fn a_forbidden_direction_is_found_without_a_cycle() {
        let files = [("lib.rs", ""), ("hear.rs", "fn f() { crate::synth::render() }"), ("synth.rs", "")];
        let graph = Graph::of_sources("made/src", "made_up", &sources(&files));
        assert!(graph.cycles().is_empty());
        let problems = against_directions(&graph);
        assert!(problems.len() == 1 && problems[0].starts_with("hear uses synth (made/src/hear.rs:1)"), "{problems:?}");
    }
}
