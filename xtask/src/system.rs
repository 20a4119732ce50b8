//! What building and testing need from the operating system, and how a Debian machine gets it.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::collections::HashSet;
use std::process::{Command, Stdio};

/// Something that needs system packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Compiling the app, which talks to the sound system.
    Build,
    /// Running the editor without a screen, and foreign hosts.
    Test,
}

/// A Debian package, and how to see on any system that what it brings is there.
struct Need {
    job: Job,
    package: &'static str,
    sign: Sign,
}

enum Sign {
    /// A program on the PATH.
    Program(&'static str),
    /// A library with headers, known to pkg-config.
    Library(&'static str),
    /// Modules that `python3` can import.
    PythonModules(&'static str),
    /// Only the package manager knows.
    PackageOnly,
}

const NEEDS: &[Need] = &[
    Need { job: Job::Build, package: "pkg-config", sign: Sign::Program("pkg-config") },
    Need { job: Job::Build, package: "libasound2-dev", sign: Sign::Library("alsa") },
    Need { job: Job::Build, package: "libjack-jackd2-dev", sign: Sign::Library("jack") },
    Need { job: Job::Test, package: "xvfb", sign: Sign::Program("Xvfb") },
    Need { job: Job::Test, package: "xdotool", sign: Sign::Program("xdotool") },
    Need { job: Job::Test, package: "imagemagick", sign: Sign::Program("import") },
    Need { job: Job::Test, package: "jackd2", sign: Sign::Program("jackd") },
    Need { job: Job::Test, package: "x11-utils", sign: Sign::Program("xwininfo") },
    Need { job: Job::Test, package: "libgl1", sign: Sign::PackageOnly },
    Need { job: Job::Test, package: "libgl1-mesa-dri", sign: Sign::PackageOnly },
    Need { job: Job::Test, package: "libx11-xcb1", sign: Sign::PackageOnly },
    Need { job: Job::Test, package: "libxcursor1", sign: Sign::PackageOnly },
    Need { job: Job::Test, package: "libxkbcommon-x11-0", sign: Sign::PackageOnly },
    Need { job: Job::Test, package: "python3", sign: Sign::Program("python3") },
    Need { job: Job::Test, package: "python3-venv", sign: Sign::PythonModules("venv, ensurepip") },
];

/// Makes sure that `jobs` find their packages: installs what is missing as root on Debian and its relatives; as another
/// user fails with the command to type; elsewhere names the packages and goes on.
pub fn ensure(jobs: &[Job]) -> Result<()> {
    // macOS and Windows bring what their builds use.
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let is_debian = std::fs::read_to_string("/etc/os-release").is_ok_and(|text| is_debian(&text));
    let needs: Vec<&Need> = NEEDS.iter().filter(|need| jobs.contains(&need.job)).collect();
    let installed = if is_debian { installed_packages(&needs)? } else { HashSet::new() };
    let missing: Vec<&str> = needs
        .into_iter()
        .filter(|need| !installed.contains(need.package) && !sign_seen(&need.sign, is_debian))
        .map(|need| need.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !is_debian {
        eprintln!("If the build or the tests fail, install what Debian calls: {names}");
        return Ok(());
    }
    if !is_root() {
        bail!(
            "system packages are missing. Install them with\n    sudo apt-get update && \
             sudo apt-get install -y --no-install-recommends {names}"
        );
    }
    println!("Installing {names}");
    // Another apt may be at work, for instance the one that prepares a fresh machine.
    const WAIT_FOR_LOCK: [&str; 2] = ["-o", "DPkg::Lock::Timeout=200"];
    workspace::run(apt_get().args(WAIT_FOR_LOCK).args(["update", "-q"]))?;
    workspace::run(
        apt_get().args(WAIT_FOR_LOCK).args(["install", "-q", "-y", "--no-install-recommends"]).args(&missing),
    )
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Debian itself or a system that says it is like Debian; `text` is /etc/os-release.
fn is_debian(text: &str) -> bool {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(key, _)| matches!(*key, "ID" | "ID_LIKE"))
        .any(|(_, value)| value.trim_matches('"').split_whitespace().any(|word| word == "debian"))
}

fn installed_packages(needs: &[&Need]) -> Result<HashSet<String>> {
    // Fails with status 1 when a package is unknown, and still prints the others.
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(needs.iter().map(|need| need.package))
        .output()
        .context("cannot run dpkg-query")?;
    Ok(parse_dpkg(&String::from_utf8_lossy(&output.stdout)))
}

/// Names of the packages that are installed, not merely known or removed with their settings left behind.
fn parse_dpkg(text: &str) -> HashSet<String> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, status)| status.trim() == "installed")
        .map(|(package, _)| package.to_owned())
        .collect()
}

/// Whether what a package brings is there without that package, as libjack from jack1 is.
fn sign_seen(sign: &Sign, is_debian: bool) -> bool {
    match sign {
        Sign::Program(name) => has_program(name),
        Sign::Library(name) => succeeds(Command::new("pkg-config").args(["--exists", name])),
        Sign::PythonModules(names) => succeeds(Command::new("python3").args(["-c", &format!("import {names}")])),
        // Elsewhere a desktop has them; there is nothing to ask.
        Sign::PackageOnly => !is_debian,
    }
}

/// Whether a program is on the PATH.
pub fn has_program(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_dpkg_prints() {
        let found = parse_dpkg("xvfb installed\nlibgl1 config-files\npython3 not-installed\npkg-config installed\n");
        assert_eq!(found, HashSet::from(["xvfb".to_owned(), "pkg-config".to_owned()]));
        assert!(parse_dpkg("").is_empty());
    }

    #[test]
    fn knows_debian_and_its_relatives() {
        assert!(is_debian("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"));
        assert!(is_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(is_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian("ID=fedora\nID_LIKE=\"rhel centos\"\nNAME=\"not debian\"\n"));
        assert!(!is_debian(""));
    }

    #[test]
    fn looks_for_programs_on_the_path() {
        assert!(sign_seen(&Sign::Program(if cfg!(windows) { "cmd.exe" } else { "sh" }), true));
        assert!(!sign_seen(&Sign::Program("no-program-has-this-name"), true));
    }

    #[test]
    fn every_job_has_needs_and_no_package_twice() {
        let packages: HashSet<_> = NEEDS.iter().map(|need| need.package).collect();
        assert_eq!(packages.len(), NEEDS.len());
        for job in [Job::Build, Job::Test] {
            assert!(NEEDS.iter().any(|need| need.job == job));
        }
    }
}
