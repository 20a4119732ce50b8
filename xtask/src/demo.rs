//! `cargo xtask demo`: installs what building needs, bundles the plugin, then runs the demo with it.

use crate::{bundle, pass_on, setup, system, workspace};
use anyhow::Result;

/// Creates the demo in target/demo.
pub fn run(arguments: &pass_on::Arguments) -> Result<()> {
    setup::install(&[system::Job::Build])?;
    // Bundling changes the working directory; relative paths of the arguments refer to the present one.
    let here = std::env::current_dir()?;
    let bundles = bundle::run(&bundle::Arguments::default())?;
    std::env::set_current_dir(here)?;
    let folder = workspace::target_folder()?.join("demo");
    let command =
        ["play".as_ref(), "--plugin".as_ref(), bundles.clap.as_os_str(), "--folder".as_ref(), folder.as_os_str()];
    pass_on::run("embouchure-demo", &command, arguments)
}
