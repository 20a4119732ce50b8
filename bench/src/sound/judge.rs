//! The independent judge, run by a Python script.

use crate::program::output_of;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/sound.py");

/// The judge's interpreter and model, and the folder for its input.
pub struct Judge<'a> {
    pub script: &'a Path,
    pub python: &'a Path,
    pub work: &'a Path,
}

/// A question for the judge: its kind, the source and the output.
pub fn question(kind: &str, source: &Path, output: &Path, instrument: &str) -> Value {
    json!({ "kind": kind, "source": source, "output": output, "instrument": instrument })
}

impl Judge<'_> {
    /// Sends questions to the judge; returns one answer for each.
    pub fn ask(&self, questions: &[Value]) -> Result<Vec<Value>> {
        let path = self.work.join("questions");
        let lines: Vec<String> = questions.iter().map(Value::to_string).collect();
        std::fs::write(&path, lines.join("\n"))?;
        let answers = output_of(Command::new(self.python).args(["-u", SCRIPT]).arg(self.script).arg(&path))?;
        let answers = answers.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>();
        let answers = answers.context("the judge's answers are no JSON")?;
        ensure!(answers.len() == questions.len(), "{} answers to {} questions", answers.len(), questions.len());
        Ok(answers)
    }
}

/// A figure in an answer; the path `a/b` is field b of field a.
pub fn figure(answer: &Value, path: &str) -> Option<f64> {
    answer.pointer(&format!("/{path}"))?.as_f64()
}
