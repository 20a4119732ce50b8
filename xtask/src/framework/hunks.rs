//! Parses and applies the output of `diff -U0`: changed lines without context.

use anyhow::{Context, Result, bail};

/// The changes to one file.
#[derive(Debug, PartialEq)]
pub struct Patch {
    /// Path within the crate.
    pub file: String,
    /// Hunks from top to bottom.
    pub hunks: Vec<Hunk>,
}

/// Lines that replace others.
#[derive(Debug, Default, PartialEq)]
pub struct Hunk {
    /// Number of the first old line, from 1. Without old lines: the line after which the new ones are inserted.
    pub line: usize,
    pub old: Vec<String>,
    pub new: Vec<String>,
}

/// Whether a hunk fits a text.
#[derive(Debug, PartialEq)]
pub enum Fit {
    /// The old lines are at the expected place.
    Exact,
    /// The text contains the new lines already.
    Needless,
    /// The old lines occur once, at this line.
    Elsewhere(usize),
    Nowhere,
}

impl Patch {
    /// Parses a patch file, which may change several files.
    pub fn read(text: &str) -> Result<Vec<Self>> {
        let mut patches: Vec<Self> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let misplaced = || format!("line {} of the patch is misplaced: {line:?}", at + 1);
            if line.starts_with("--- ") || line.starts_with('#') || line.is_empty() {
                continue;
            } else if let Some(file) = line.strip_prefix("+++ ") {
                patches.push(Self { file: file.trim().to_owned(), hunks: Vec::new() });
            } else if let Some(header) = line.strip_prefix("@@ -") {
                let hunks = &mut patches.last_mut().with_context(misplaced)?.hunks;
                let number = header.split([',', ' ']).next().and_then(|n| n.parse().ok());
                hunks.push(Hunk { line: number.with_context(misplaced)?, ..Hunk::default() });
            } else {
                let hunk = patches.last_mut().and_then(|patch| patch.hunks.last_mut()).with_context(misplaced)?;
                match line.split_at_checked(1) {
                    Some(("-", old)) => hunk.old.push(old.to_owned()),
                    Some(("+", new)) => hunk.new.push(new.to_owned()),
                    _ => bail!(misplaced()),
                }
            }
        }
        Ok(patches)
    }

    /// Applies all hunks to `text`; they must fit exactly.
    pub fn apply(&self, text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let mut result: Vec<&str> = Vec::with_capacity(lines.len());
        let mut next = 0;
        for hunk in &self.hunks {
            result.extend(&lines[next..hunk.start()]);
            result.extend(hunk.new.iter().map(String::as_str));
            next = hunk.start() + hunk.old.len();
        }
        result.extend(&lines[next..]);
        result.join("\n") + "\n"
    }
}

impl Hunk {
    /// Index of the first line to be replaced.
    fn start(&self) -> usize {
        if self.old.is_empty() { self.line } else { self.line - 1 }
    }

    /// Checks whether the hunk fits `text`, and if not, why.
    pub fn fit(&self, text: &str) -> Fit {
        let lines: Vec<&str> = text.lines().collect();
        let is_at = |wanted: &[String], at: usize| {
            lines.get(at..at + wanted.len()).is_some_and(|found| found.iter().eq(wanted.iter()))
        };
        let places = |wanted: &[String]| -> Vec<usize> {
            (0..lines.len()).filter(|at| !wanted.is_empty() && is_at(wanted, *at)).collect()
        };
        if is_at(&self.new, self.start()) && !self.new.is_empty() {
            return Fit::Needless;
        }
        if is_at(&self.old, self.start()) {
            return Fit::Exact;
        }
        match (places(&self.old).as_slice(), places(&self.new).as_slice()) {
            ([at], _) => Fit::Elsewhere(at + 1),
            (_, [_, ..]) => Fit::Needless,
            _ => Fit::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "one\ntwo\nthree\nfour\nfive\n";
    const PATCH: &str =
        "--- a\n+++ src/lib.rs\n@@ -2 +2,2 @@\n-two\n+zwei\n+drei\n@@ -4,0 +6 @@\n+new\n@@ -5 +7,0 @@\n-five\n";

    fn patch() -> Patch {
        let mut patches = Patch::read(PATCH).unwrap();
        assert_eq!(patches.len(), 1);
        patches.remove(0)
    }

    #[test]
    fn lines_are_changed_added_and_removed() {
        let patch = patch();
        assert_eq!(patch.file, "src/lib.rs");
        assert!(patch.hunks.iter().all(|hunk| hunk.fit(TEXT) == Fit::Exact));
        assert_eq!(patch.apply(TEXT), "one\nzwei\ndrei\nthree\nfour\nnew\n");
    }

    #[test]
    fn a_changed_file_is_recognised() {
        let hunk = &patch().hunks[0];
        assert_eq!(hunk.fit("one\nzwei\ndrei\nthree\n"), Fit::Needless, "the published crate has the change");
        assert_eq!(hunk.fit("zero\none\nzwei\ndrei\n"), Fit::Needless, "and moved");
        assert_eq!(hunk.fit("zero\none\ntwo\nthree\n"), Fit::Elsewhere(3));
        assert_eq!(hunk.fit("one\n2\nthree\n"), Fit::Nowhere);
        assert_eq!(hunk.fit("two\ntwo\n"), Fit::Exact);
    }

    #[test]
    fn a_damaged_patch_is_refused() {
        for damaged in
            ["-two\n", "+++ a\n-two\n", "@@ -1 +1 @@\n", "+++ a\n@@ -x +1 @@\n", "+++ a\n@@ -1 +1 @@\n two\n"]
        {
            assert!(Patch::read(damaged).is_err(), "{damaged:?}");
        }
    }
}
