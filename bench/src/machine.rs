//! Description of the machine that made the measurements.

/// Processor, cores, operating system and present load, because other programs disturb measurements.
pub fn name() -> String {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| field(&text, "model name", ':'));
    let system = std::fs::read_to_string("/etc/os-release").ok().and_then(|text| field(&text, "PRETTY_NAME", '='));
    let cpu = cpu.unwrap_or_else(|| std::env::consts::ARCH.into());
    let system = system.unwrap_or_else(|| std::env::consts::OS.into());
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| Some(format!(", load {}", text.split_whitespace().next()?)));
    format!("{cpu}, {cores} cores, {system}{}", load.unwrap_or_default())
}

/// Value of the first line `key … separator value`, without quotes.
fn field(text: &str, key: &str, separator: char) -> Option<String> {
    let (_, value) = text.lines().find(|line| line.starts_with(key))?.split_once(separator)?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_linux_files() {
        assert_eq!(field("processor\t: 0\nmodel name\t: Some CPU\n", "model name", ':').unwrap(), "Some CPU");
        assert_eq!(field("NAME=x\nPRETTY_NAME=\"An OS 12\"\n", "PRETTY_NAME", '=').unwrap(), "An OS 12");
        assert!(name().contains("cores"));
    }
}
