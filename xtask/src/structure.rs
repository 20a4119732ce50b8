//! `cargo xtask structure`: how crates and folders depend on each other, as a picture and a table, and whether that
//! goes one way.

mod draw;
mod graph;
mod rules;
mod scan;

use crate::workspace;
use anyhow::{Context, Result, bail};
use graph::{Graph, Place, Source};
use std::path::Path;

const PICTURE: &str = "docs/structure.svg";
const TABLE: &str = "docs/structure.md";

/// Arguments of `cargo xtask structure`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Write nothing; fail if the files in docs/ are not what would be written
    #[arg(long)]
    check: bool,
}

/// Writes picture and table, or checks them. Fails if crates or the folders of inference depend on each other in a
/// cycle, or name what they must not.
pub fn run(arguments: &Arguments) -> Result<()> {
    let crates = crates()?;
    let inference = sources("inference/src")?;
    let inference_folders = Graph::of_sources("inference/src", "embouchure_inference", &inference);
    let plugin_folders = Graph::of_sources("plugin/src", "embouchure_plugin", &sources("plugin/src")?);

    let graphs = [&crates, &inference_folders, &plugin_folders];
    let mut problems = [crates.cycles(), inference_folders.cycles()].concat();
    problems.extend(rules::against_directions(&inference_folders));
    problems.extend(rules::forbidden_words("inference/src", &inference));
    for (file, text) in [(PICTURE, draw::draw(&graphs)), (TABLE, table(&graphs))] {
        let path = workspace::root().join(file);
        if !arguments.check {
            std::fs::write(&path, text).with_context(|| format!("cannot write {file}"))?;
        } else if !is_same(&std::fs::read_to_string(&path).unwrap_or_default(), &text) {
            problems.push(format!("{file} is out of date: run `cargo xtask structure`"));
        }
    }
    // These are known, and end no check.
    plugin_folders.cycles().iter().for_each(|cycle| println!("note: {cycle}"));
    problems.iter().for_each(|problem| eprintln!("error: {problem}"));
    if !problems.is_empty() {
        bail!("the structure is not as it must be (errors: {})", problems.len());
    }
    Ok(())
}

/// Members of the workspace, and which needs which to be built for use.
fn crates() -> Result<Graph> {
    let metadata = workspace::metadata()?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let folder = |package: &serde_json::Value| -> Option<String> {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        Some(manifest.parent()?.file_name()?.to_str()?.to_owned())
    };
    let named = |name: &serde_json::Value| packages.iter().find(|package| package["name"] == *name);
    let mut graph = Graph { title: "crates".to_owned(), ..Graph::default() };
    for package in packages {
        let from = folder(package).context("a package without a folder")?;
        let lines = sources(&from)?.iter().map(|source| source.text.lines().count()).sum();
        graph.lines.insert(from.clone(), lines);
        let dependencies = package["dependencies"].as_array().context("a package without dependencies")?;
        // Those for tests and builds have a kind.
        let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
        for to in normal.filter_map(|dependency| folder(named(&dependency["name"])?)) {
            let place = Place { file: format!("{from}/Cargo.toml"), line: 0 };
            graph.edges.insert((from.clone(), to), vec![place]);
        }
    }
    Ok(graph)
}

/// Every source file in a folder of the workspace, by name.
fn sources(folder: &str) -> Result<Vec<Source>> {
    let top = workspace::root().join(folder);
    let mut folders = vec![top.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let file = path.strip_prefix(&top)?.to_string_lossy().replace('\\', "/");
                sources.push(Source { file, text });
            }
        }
    }
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(sources)
}

/// The page beside the picture.
fn table(graphs: &[&Graph]) -> String {
    let mut page = String::from(
        "# Structure

Written by `cargo xtask structure` from the manifests, and from the paths that the sources name outside tests.
`cargo xtask structure --check` fails if crates or the folders of `inference/src` depend on each other in a cycle, if they
name what they must not, or if this page is out of date (line counts aside).

An arrow leads from a user down to what it uses. The picture leaves out arrows that follow from others; the tables name
all. A dashed arrow leads upwards and closes a cycle.

![Crates and folders](structure.svg)
",
    );
    for graph in graphs {
        page += &format!("\n## {}\n\n| folder | lines | uses |\n|---|---|---|\n", graph.title);
        let heights = graph.heights();
        let mut nodes: Vec<&String> = graph.lines.keys().collect();
        nodes.sort_by_key(|node| (std::cmp::Reverse(heights[*node]), *node));
        for node in nodes {
            let uses: Vec<&str> = graph.uses(node).collect();
            page += &format!("| {node} | {} | {} |\n", graph.lines[node], uses.join(", "));
        }
        for (from, to) in graph.backward() {
            let way = graph.way(&to, &from, &graph.backward()).unwrap_or_default();
            page += &format!("\nCycle: {from} → {}.\n", way.join(" → "));
        }
    }
    page + &rules_table()
}

fn rules_table() -> String {
    let code = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let mut page = String::from("\n## What inference/src must not name\n\n| where | what | why |\n|---|---|---|\n");
    for rule in rules::DIRECTIONS {
        page += &format!("| {} | {} | {} |\n", code(rule.folders), code(rule.must_not_use), rule.reason);
    }
    for rule in rules::WORDS {
        let except = if rule.except.is_empty() { String::new() } else { format!(", but not {}", code(rule.except)) };
        page += &format!("| {}{except} | {} | {} |\n", code(rule.folders), code(rule.words), rule.reason);
    }
    page
}

/// Line counts may differ: otherwise every change of the code would change the page.
fn is_same(old: &str, new: &str) -> bool {
    let without_counts = |text: &str| -> String {
        text.lines()
            .flat_map(|line| line.split(" | ").chain(["\n"]))
            .filter(|cell| cell.parse::<usize>().is_err())
            .collect()
    };
    without_counts(old) == without_counts(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_with_other_line_counts_is_the_same() {
        let old = "| hear | 12 | math |\n";
        assert!(is_same(old, "| hear | 13 | math |\n"));
        assert!(!is_same(old, "| hear | 12 | math, play |\n") && !is_same(old, "| play | 12 | math |\n"));
    }
}
