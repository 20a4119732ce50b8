//! What is wrong with the words of a command, in one line.

use clap::error::ErrorKind;
use std::process::ExitCode;

/// Shows help or version where they were asked for, and else what is wrong.
pub fn tell(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(error.exit_code() as u8);
    }
    eprintln!("{}", in_one_line(&error.render().to_string()));
    ExitCode::from(error.exit_code() as u8)
}

/// The first paragraph of what the parser says; how to ask for help instead of the rest.
fn in_one_line(said: &str) -> String {
    let first: Vec<&str> = said.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    format!("{} (--help shows what there is)", first.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_becomes_a_line() {
        let said = "error: the following required arguments were not provided:\n  <OUTPUT>\n\nUsage: x\n\nFor more";
        let line = "error: the following required arguments were not provided: <OUTPUT> (--help shows what there is)";
        assert_eq!(in_one_line(said), line);
    }
}
