//! `cargo xtask bundle`: builds the plugin and lays it out as hosts expect it.

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

/// What was built.
pub struct Bundles {
    /// A file; on macOS a folder.
    pub clap: PathBuf,
    /// A folder.
    pub vst3: PathBuf,
    /// The standalone app.
    pub app: PathBuf,
}

/// Builds and bundles. Afterwards the working directory is the workspace's, as the bundler wants it.
pub fn run(arguments: &Arguments) -> Result<Bundles> {
    system::ensure(&[system::Job::Build])?;
    std::env::set_current_dir(workspace::root())?;
    let target = workspace::target_folder()?;
    let flags = ["--profile".to_owned(), arguments.profile.clone()];
    nice_plug_xtask::build(&[PACKAGE.to_owned()], &flags)?;
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
    // The bundler leaves out what it does not find in the library, without a word.
    for path in [&bundles.clap, &bundles.vst3, &bundles.app] {
        ensure!(path.exists(), "{} was not made: does {PACKAGE} export it?", path.display());
    }
    Ok(bundles)
}
