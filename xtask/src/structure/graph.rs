//! Who uses whom, and in which order that goes one way.

use super::scan::{NamedPath, scan};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Folders or crates, and which uses which.
#[derive(Debug, Default)]
pub struct Graph {
    /// For people.
    pub title: String,
    /// Lines of each node's files.
    pub lines: BTreeMap<String, usize>,
    /// Places where the first uses the second.
    pub edges: BTreeMap<Edge, Vec<Place>>,
}

/// The node of a library's root.
const ROOT: &str = "lib";

/// User and used.
pub type Edge = (String, String);

/// Where something is named.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// From the workspace's folder on.
    pub file: String,
    /// Counted from 1; 0 = the whole file.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 { write!(f, "{}", self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

/// One file of a crate's `src`.
pub struct Source {
    /// From `src` on, with `/`.
    pub file: String,
    /// What it holds.
    pub text: String,
}

impl Source {
    /// Modules from the crate's root to this file.
    fn module(&self) -> Vec<String> {
        let mut module: Vec<String> = self.file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if self.is_root() || module.last().is_some_and(|name| name == "mod") {
            module.pop();
        }
        module
    }

    fn is_root(&self) -> bool {
        ["lib.rs", "main.rs"].contains(&self.file.as_str())
    }

    /// The folder or module directly in `src` that it belongs to.
    pub fn node(&self) -> &str {
        self.file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }
}

/// Paths of every file that is not for tests alone.
pub fn named_paths(sources: &[Source]) -> Vec<(&Source, Vec<NamedPath>)> {
    let scanned: Vec<_> = sources.iter().map(|source| (source, scan(&source.text, &source.module()))).collect();
    let test_modules: BTreeSet<Vec<String>> = scanned
        .iter()
        .flat_map(|(source, scanned)| {
            scanned.test_modules.iter().map(|name| [source.module(), vec![name.clone()]].concat())
        })
        .collect();
    let is_test = |source: &Source| {
        let module = source.module();
        (1..=module.len()).any(|n| test_modules.contains(&module[..n]))
    };
    scanned.into_iter().filter(|(source, _)| !is_test(source)).map(|(source, all)| (source, all.paths)).collect()
}

impl Graph {
    /// Folders and modules directly in `src` of the crate `name`, which lies in `folder` of the workspace.
    pub fn of_sources(folder: &str, name: &str, sources: &[Source]) -> Self {
        let paths = named_paths(sources);
        let mut graph = Self { title: folder.to_owned(), ..Self::default() };
        for (source, _) in &paths {
            *graph.lines.entry(source.node().to_owned()).or_default() += source.text.lines().count();
        }
        for (source, path) in paths.iter().flat_map(|(source, paths)| paths.iter().map(move |path| (source, path))) {
            let Some(used) = graph.used(source, name, &path.segments) else { continue };
            if used != source.node() {
                let place = Place { file: format!("{folder}/{}", source.file), line: path.line };
                let places = graph.edges.entry((source.node().to_owned(), used)).or_default();
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        graph.leave_out_bare_root();
        graph
    }

    /// The node that a path leads to, if it stays in the crate.
    fn used(&self, source: &Source, name: &str, segments: &[String]) -> Option<String> {
        let first = segments.first()?;
        if source.is_root() && self.lines.contains_key(first) {
            return Some(first.clone());
        }
        if first != "crate" && first != name {
            return None;
        }
        let second = segments.get(1)?;
        let nodes = [second.as_str(), ROOT];
        nodes.into_iter().find(|node| self.lines.contains_key(*node)).map(str::to_owned)
    }

    /// A root that only declares modules is no part of the picture.
    fn leave_out_bare_root(&mut self) {
        if !self.edges.keys().any(|(from, to)| from == ROOT || to == ROOT) {
            self.lines.remove(ROOT);
        }
    }

    /// What `node` uses, by name.
    pub fn uses<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a str> {
        self.edges.keys().filter(move |(from, _)| from == node).map(|(_, to)| to.as_str())
    }

    /// The edges without which nothing leads back to where it began. Of each cycle the one to the root, which uses
    /// everything by nature, or else the one with the fewest places.
    pub fn backward(&self) -> BTreeSet<Edge> {
        let mut backward = BTreeSet::new();
        loop {
            let in_cycle = |(from, to): &&Edge| self.way(to, from, &backward).is_some();
            let left = self.edges.keys().filter(|edge| !backward.contains(*edge)).filter(in_cycle);
            let Some(weakest) = left.min_by_key(|edge| (edge.1 != ROOT, self.edges[*edge].len())) else { break };
            backward.insert(weakest.clone());
        }
        // Another edge may since have opened the same cycle.
        for edge in backward.clone() {
            backward.remove(&edge);
            if self.way(&edge.1, &edge.0, &backward).is_some() {
                backward.insert(edge);
            }
        }
        backward
    }

    /// The shortest way along the edges, `without` some: its nodes, both ends among them.
    pub fn way(&self, from: &str, to: &str, without: &BTreeSet<Edge>) -> Option<Vec<String>> {
        let mut ways = VecDeque::from([vec![from.to_owned()]]);
        let mut seen = BTreeSet::from([from.to_owned()]);
        while let Some(way) = ways.pop_front() {
            let last = &way[way.len() - 1];
            if last == to {
                return Some(way);
            }
            for (edge_from, next) in self.edges.keys().filter(|edge| edge.0 == *last && !without.contains(*edge)) {
                if edge_from != next && seen.insert(next.clone()) {
                    ways.push_back([way.as_slice(), std::slice::from_ref(next)].concat());
                }
            }
        }
        None
    }

    /// One message for each backward edge: its places, and the way back.
    pub fn cycles(&self) -> Vec<String> {
        let backward = self.backward();
        let message = |(from, to): &Edge| {
            let way = self.way(to, from, &backward);
            let back: Vec<String> = way
                .unwrap_or_default()
                .windows(2)
                .map(|pair| self.shown(&(pair[0].clone(), pair[1].clone()), 1))
                .collect();
            let edge = self.shown(&(from.clone(), to.clone()), usize::MAX);
            format!("cycle in {}: {edge}; but {}", self.title, back.join(", "))
        };
        backward.iter().map(message).collect()
    }

    /// An edge with at most `n` of its places.
    pub fn shown(&self, edge: &Edge, n: usize) -> String {
        let places: Vec<String> = self.edges[edge].iter().take(n).map(Place::to_string).collect();
        format!("{} uses {} ({})", edge.0, edge.1, places.join(", "))
    }

    /// Edges that go one way and do not follow from others.
    pub fn reduced(&self) -> BTreeSet<Edge> {
        let backward = self.backward();
        let is_own = |edge: &&Edge| {
            let mut without = backward.clone();
            without.insert((*edge).clone());
            !backward.contains(*edge) && self.way(&edge.0, &edge.1, &without).is_none()
        };
        self.edges.keys().filter(is_own).cloned().collect()
    }

    /// Height of each node: 0 for what uses nothing, otherwise one more than the highest that it uses.
    pub fn heights(&self) -> BTreeMap<String, usize> {
        let edges = self.reduced();
        let mut heights: BTreeMap<String, usize> = self.lines.keys().map(|node| (node.clone(), 0)).collect();
        // The longest way has fewer edges than there are nodes.
        for _ in 0..heights.len() {
            for (from, to) in &edges {
                let least = heights[to] + 1;
                heights.entry(from.clone()).and_modify(|height| *height = (*height).max(least));
            }
        }
        heights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(sources: &[(&str, &str)]) -> Graph {
        let source = |(file, text): &(&str, &str)| Source { file: file.to_string(), text: text.to_string() };
        Graph::of_sources("made/src", "made_up", &sources.iter().map(source).collect::<Vec<_>>())
    }

    const DECLARATIONS: (&str, &str) =
        ("lib.rs", "pub mod hear;\npub mod play;\npub mod math;\n#[cfg(test)]\nmod check;");

    #[test]
    fn a_cycle_is_found_with_its_places() {
        let good =
            [DECLARATIONS, ("math.rs", ""), ("hear/mod.rs", "use crate::math::sum;"), ("play/mod.rs", "mod voice;")];
        let forward = ("play/voice.rs", "use crate::hear::Heard;\nuse crate::math::{exp, ln};");
        assert!(graph(&[&good[..], &[forward]].concat()).cycles().is_empty());

        let back = ("hear/pitch.rs", "\nuse super::super::play::Played;");
        let cycles = graph(&[&good[..], &[forward, back]].concat()).cycles();
        let [cycle] = cycles.as_slice() else { panic!("{cycles:?}") };
        assert!(cycle.contains("hear uses play (made/src/hear/pitch.rs:2)"), "{cycle}");
        assert!(cycle.contains("play uses hear (made/src/play/voice.rs:1)"), "{cycle}");
    }

    #[test]
    fn tests_make_no_cycle() {
        let back = ("hear/mod.rs", "use crate::math::sum;\n#[cfg(test)]\nmod tests {\n    use crate::play::Played;\n}");
        let check = ("check/mod.rs", "use crate::play::Played;");
        let graph = graph(&[DECLARATIONS, ("math.rs", ""), back, check, ("play.rs", "use crate::hear::Heard;")]);
        assert!(graph.cycles().is_empty(), "{:?}", graph.cycles());
        assert!(!graph.lines.contains_key("check"));
    }

    #[test]
    fn the_root_is_a_node_if_others_use_it() {
        let root = ("lib.rs", "pub mod tasks;\nuse tasks::Tasks;\npub enum Task {}");
        let graph = graph(&[root, ("tasks.rs", "use crate::Task;"), ("main.rs", "use made_up::tasks::Tasks;")]);
        let edge = |from: &str, to: &str| graph.edges.contains_key(&(from.to_owned(), to.to_owned()));
        assert!(edge(ROOT, "tasks") && edge("tasks", ROOT) && edge("main", "tasks"), "{:?}", graph.edges);
        assert_eq!(graph.cycles().len(), 1);
    }

    #[test]
    fn what_follows_from_other_edges_is_not_drawn() {
        let play = ("play.rs", "use crate::hear::Heard;\nuse crate::math::sum;");
        let graph = graph(&[DECLARATIONS, ("math.rs", ""), ("hear.rs", "use crate::math::sum;"), play]);
        assert_eq!(graph.edges.len(), 3);
        assert_eq!(graph.reduced().len(), 2);
        assert_eq!(graph.heights(), [("hear", 1), ("math", 0), ("play", 2)].map(|(n, h)| (n.to_owned(), h)).into());
    }
}
