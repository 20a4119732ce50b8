//! Flat rows, as an aligned table and as JSON.

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// A row of results: column name to text or number.
pub type Row = Map<String, Value>;

/// Columns that describe a row's origin. They are shown outside the table.
const ABOUT: [&str; 3] = ["table", "run", "machine"];

/// Prints the rows under a title.
pub fn print(title: &str, rows: &[Row]) {
    if !rows.is_empty() {
        println!("\n### {title}\n\n{}", markdown(rows));
    }
}

/// A Markdown table that is legible as plain text; columns in the order of the first row.
pub fn markdown(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let columns: Vec<&String> = first.keys().filter(|c| !ABOUT.contains(&c.as_str())).collect();
    let text = |row: &Row, column: &str| row.get(column).map_or(String::new(), cell);
    let width = |c: &&String| rows.iter().map(|r| text(r, c).chars().count()).max().unwrap_or(0).max(c.chars().count());
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let line = |cells: Vec<String>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, w)| format!("{cell:>w$}")).collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let mut lines = line(columns.iter().map(|c| c.to_string()).collect());
    lines += &line(widths.iter().map(|w| format!("{}:", "-".repeat(w - 1))).collect());
    lines.extend(rows.iter().map(|row| line(columns.iter().map(|c| text(row, c)).collect())));
    lines
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        other => other.to_string(),
    }
}

/// `x` with `digits` decimals; null if it is not finite.
pub fn number(x: f64, digits: i32) -> Value {
    let scale = 10f64.powi(digits);
    if x.is_finite() { ((x * scale).round() / scale).into() } else { Value::Null }
}

/// Writes the rows as a list of flat objects. Creates missing folders.
pub fn write_json(path: &Path, rows: &[Row]) -> Result<()> {
    let folder = path.parent().context("a file in a folder")?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, serde_json::to_string_pretty(rows)?).with_context(|| path.display().to_string())
}

/// Reads a file that [`write_json`] wrote.
pub fn read_json(path: &Path) -> Result<Vec<Row>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_hides_the_columns_of_origin() {
        let row = |figure: &str, value, met: Value| {
            let pairs = [("table", "t".into()), ("figure", figure.into()), ("value", value), ("met", met)];
            pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Row>()
        };
        let rows = [row("ms", number(1.23456, 2), true.into()), row("longer", number(f64::NAN, 2), Value::Null)];
        let expected =
            "| figure | value | met |\n| -----: | ----: | --: |\n|     ms |  1.23 | yes |\n| longer |     - |   - |\n";
        assert_eq!(markdown(&rows), expected);
    }
}
