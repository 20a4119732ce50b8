//! Reports wrong command lines in one line.

use clap::error::ErrorKind;
use std::process::ExitCode;

/// Prints help or version if requested, otherwise the error.
pub fn tell(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(error.exit_code() as u8);
    }
    let said = error.render().to_string();
    // The rest explains the command's usage.
    let first = said.split("\n\n").next().unwrap_or_default();
    eprintln!("{} (--help shows what there is)", in_one_line(first));
    ExitCode::from(error.exit_code() as u8)
}

/// Replaces line breaks, which would make one message look like several.
pub fn in_one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_becomes_a_line() {
        let said = "error: the following required arguments were not provided:\n  <OUTPUT>\n";
        assert_eq!(in_one_line(said), "error: the following required arguments were not provided: <OUTPUT>");
    }
}
