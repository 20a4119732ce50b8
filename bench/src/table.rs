//! Flat rows as an aligned table and as JSON.

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// One measured row: column name to text or number.
pub type Row = Map<String, Value>;

/// Prints the rows under a title, columns in the order of the first row.
pub fn print(title: &str, rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    let columns: Vec<&String> = first.keys().collect();
    let text = |row: &Row, column: &str| row.get(column).map_or(String::new(), cell);
    let width = |c: &&String| rows.iter().map(|r| text(r, c).chars().count()).max().unwrap_or(0).max(c.len());
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let line = |cells: Vec<String>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, w)| format!("{cell:>w$}")).collect();
        println!("| {} |", padded.join(" | "));
    };
    println!("\n### {title}\n");
    line(columns.iter().map(|c| c.to_string()).collect());
    line(widths.iter().map(|w| format!("{}:", "-".repeat(w - 1))).collect());
    rows.iter().for_each(|row| line(columns.iter().map(|c| text(row, c)).collect()));
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        other => other.to_string(),
    }
}

/// `x` with `digits` decimals; what is not finite has no figure.
pub fn number(x: f64, digits: i32) -> Value {
    let scale = 10f64.powi(digits);
    if x.is_finite() { ((x * scale).round() / scale).into() } else { Value::Null }
}

/// Writes the rows as a list of flat objects, making the folders that lead to it.
pub fn write_json(path: &Path, rows: &[Row]) -> Result<()> {
    let folder = path.parent().context("a file in a folder")?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, serde_json::to_string_pretty(rows)?).with_context(|| path.display().to_string())
}
