//! `cargo xtask bundle`: builds the plugin and bundles it in the form that hosts expect. Installs nothing on the
//! system.

use crate::{system, workspace};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;

/// Name of the bundles, as in bundler.toml.
pub const NAME: &str = "Embouchure";
const PACKAGE: &str = "embouchure-plugin";

/// Arguments of `cargo xtask bundle` and `cargo xtask install`.
#[derive(clap::Args)]
pub struct Arguments {
    /// `release` builds fast; `dist` is what a musician downloads (smaller and slower to build)
    #[arg(long, default_value = "release", value_parser = ["release", "dist"])]
    pub profile: String,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { profile: "release".into() }
    }
}

/// Paths of the results.
pub struct Bundles {
    /// A file; a folder on macOS.
    pub clap: PathBuf,
    /// A folder.
    pub vst3: PathBuf,
    /// The standalone app.
    pub app: PathBuf,
}

/// Builds the plugin alone and bundles it.
pub fn run(arguments: &Arguments) -> Result<Bundles> {
    build_and_bundle(&["--package", PACKAGE], &arguments.profile)
}

/// Builds everything that `cargo test --release --workspace` builds, and bundles the plugin. Cargo recompiles a
/// dependency for each set of features that the selected packages require. Building the plugin alone before the tests
/// would compile the largest dependencies twice.
pub fn run_for_tests() -> Result<Bundles> {
    build_and_bundle(&["--workspace", "--all-targets"], "release")
}

/// Afterwards the working directory is the workspace, as the bundler requires.
fn build_and_bundle(selection: &[&str], profile: &str) -> Result<Bundles> {
    system::require(&[system::Job::Build])?;
    std::env::set_current_dir(workspace::root())?;
    let target = workspace::target_folder()?;
    let flags = ["--profile".to_owned(), profile.to_owned()];
    workspace::run(workspace::cargo().arg("build").args(selection).args(&flags))?;
    // The bundler looks for the app under the library's name, with underscores. Cargo names binaries with dashes.
    let app = |name: &str| target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(app(PACKAGE), app(&PACKAGE.replace('-', "_"))).context("cannot find the app that was built")?;
    nice_plug_xtask::bundle(&target, PACKAGE, &flags, false).context("cannot bundle the plugin")?;

    let folder = target.join("bundled");
    let app = if cfg!(windows) {
        format!("{NAME}.exe")
    } else if cfg!(target_os = "macos") {
        format!("{NAME}.app")
    } else {
        NAME.to_owned()
    };
    let bundles = Bundles {
        clap: folder.join(format!("{NAME}.clap")),
        vst3: folder.join(format!("{NAME}.vst3")),
        app: folder.join(app),
    };
    // The bundler silently omits formats that it does not find in the library.
    for path in [&bundles.clap, &bundles.vst3, &bundles.app] {
        ensure!(path.exists(), "{} was not made: does {PACKAGE} export it?", path.display());
    }
    Ok(bundles)
}
