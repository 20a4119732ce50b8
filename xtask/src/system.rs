//! System packages that building and testing need, and which of them are missing.

use anyhow::{Context, Result, bail};
use std::collections::HashSet;
use std::process::{Command, Stdio};

/// A task that needs system packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Compiling the app, which links the sound system.
    Build,
    /// Running the editor without a screen, and other hosts.
    Test,
}

/// A Debian package, and how to detect its contents on any system.
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
    /// Only the package manager can tell.
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

/// Missing packages, and whether this system uses Debian's names.
pub struct Missing {
    /// Debian's names; empty if nothing is missing.
    pub packages: Vec<&'static str>,
    /// True on Debian and its derivatives.
    pub is_debian: bool,
}

/// The missing packages of `jobs`.
pub fn missing(jobs: &[Job]) -> Result<Missing> {
    // On macOS and Windows no packages are needed.
    if !cfg!(target_os = "linux") {
        return Ok(Missing { packages: Vec::new(), is_debian: false });
    }
    let is_debian = std::fs::read_to_string("/etc/os-release").is_ok_and(|text| is_debian(&text));
    let needs: Vec<&Need> = NEEDS.iter().filter(|need| jobs.contains(&need.job)).collect();
    let installed = if is_debian { installed_packages(&needs)? } else { HashSet::new() };
    let packages = needs
        .into_iter()
        .filter(|need| !installed.contains(need.package) && !sign_seen(&need.sign, is_debian))
        .map(|need| need.package)
        .collect();
    Ok(Missing { packages, is_debian })
}

/// Fails if packages are missing that `cargo xtask setup` would install. Installs nothing.
pub fn require(jobs: &[Job]) -> Result<()> {
    missing(jobs)?.complain()
}

impl Missing {
    fn complain(&self) -> Result<()> {
        if self.is_debian && !self.packages.is_empty() {
            bail!("system packages are missing: {}. Run `cargo xtask setup`", self.packages.join(" "));
        }
        self.mention();
        Ok(())
    }

    /// Prints the packages on a system with other package names, where they may be installed under those.
    pub fn mention(&self) {
        if !self.is_debian && !self.packages.is_empty() {
            eprintln!("If the build or the tests fail, install what Debian calls: {}", self.packages.join(" "));
        }
    }
}

/// True for Debian and systems that declare to be like it. `text`: contents of /etc/os-release.
fn is_debian(text: &str) -> bool {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(key, _)| matches!(*key, "ID" | "ID_LIKE"))
        .any(|(_, value)| value.trim_matches('"').split_whitespace().any(|word| word == "debian"))
}

fn installed_packages(needs: &[&Need]) -> Result<HashSet<String>> {
    // dpkg-query fails with status 1 if a package is unknown, and still prints the others.
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(needs.iter().map(|need| need.package))
        .output()
        .context("cannot run dpkg-query")?;
    Ok(parse_dpkg(&String::from_utf8_lossy(&output.stdout)))
}

/// Names of the installed packages, without those of which only settings remain.
fn parse_dpkg(text: &str) -> HashSet<String> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, status)| status.trim() == "installed")
        .map(|(package, _)| package.to_owned())
        .collect()
}

/// Whether a package's contents are there without it, such as libjack from jack1.
fn sign_seen(sign: &Sign, is_debian: bool) -> bool {
    match sign {
        Sign::Program(name) => has_program(name),
        Sign::Library(name) => succeeds(Command::new("pkg-config").args(["--exists", name])),
        Sign::PythonModules(names) => succeeds(Command::new("python3").args(["-c", &format!("import {names}")])),
        // Other systems cannot be asked; a desktop system has these packages.
        Sign::PackageOnly => !is_debian,
    }
}

/// Whether a program is on the PATH.
pub fn has_program(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
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
    fn parses_dpkg_output() {
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
    fn what_is_missing_on_debian_is_an_error_that_names_setup() {
        let missing = |packages: &[&'static str], is_debian| Missing { packages: packages.to_vec(), is_debian };
        let error = missing(&["pkg-config", "xvfb"], true).complain().unwrap_err().to_string();
        assert!(error.contains("pkg-config xvfb") && error.contains("cargo xtask setup"), "{error}");
        assert!(missing(&[], true).complain().is_ok());
        assert!(missing(&["pkg-config"], false).complain().is_ok(), "it may be there under another name");
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
