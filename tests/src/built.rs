//! The built plugin in both formats, and a helper that plays it block by block.

use crate::{bundled_clap, bundled_vst3};
use embouchure_host::{Audio, Block, Change, Channels, ClapHost, Host, Outcome, Session, Vst3Host};

/// A host that can load the built plugin.
pub trait Built: Host {
    /// Loads the built plugin.
    ///
    /// # Panics
    /// If it cannot be loaded.
    fn built() -> Self;

    /// Loads the built plugin in offline mode.
    ///
    /// # Panics
    /// If it cannot be loaded.
    fn built_offline() -> Self {
        let mut host = Self::built();
        host.set_offline(true).expect("every host bounces");
        host
    }

    /// Identifier of the parameter called `name`.
    ///
    /// # Panics
    /// If there is none.
    fn id(&mut self, name: &str) -> u32 {
        self.parameter_called(name).unwrap_or_else(|e| panic!("{e}")).id
    }
}

impl Built for ClapHost {
    fn built() -> Self {
        Host::load(&bundled_clap()).unwrap_or_else(|e| panic!("{e}"))
    }
}

impl Built for Vst3Host {
    fn built() -> Self {
        Host::load(&bundled_vst3()).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// Makes a test for CLAP and one for VST3 of each function. The function takes the host type and the test's full name.
#[macro_export]
macro_rules! in_both_formats {
    ($($name:ident),+ $(,)?) => {
        mod clap {
            $(#[test]
            fn $name() {
                super::$name::<embouchure_host::ClapHost>(concat!(module_path!(), "::", stringify!($name)));
            })+
        }
        mod vst3 {
            $(#[test]
            fn $name() {
                super::$name::<embouchure_host::Vst3Host>(concat!(module_path!(), "::", stringify!($name)));
            })+
        }
    };
}

/// An active, started plugin that is played on the calling thread.
pub struct ActivePlugin<H: Host> {
    /// Declared first: it must be dropped before the host.
    pub audio: H::Audio,
    /// The host of the active plugin.
    pub host: H,
    session: Session,
}

impl<H: Host> ActivePlugin<H> {
    /// Activates the plugin and starts it.
    ///
    /// # Panics
    /// If the plugin refuses.
    pub fn new(mut host: H, session: Session) -> Self {
        host.activate(session).unwrap_or_else(|e| panic!("{e}"));
        let mut audio = host.audio();
        assert!(audio.start(), "the plugin does not start");
        Self { audio, host, session }
    }

    /// Plays `input` on all channels in blocks of the session, with `changes` in the first block. Returns the left
    /// channel.
    ///
    /// # Panics
    /// If the plugin refuses.
    pub fn play(&mut self, input: &[f32], changes: &[Change]) -> Vec<f32> {
        let mut output = Vec::with_capacity(input.len());
        let mut changes = changes;
        for block in input.chunks(self.session.block) {
            let (outcome, channels) = self.block(block, std::mem::take(&mut changes));
            assert!(outcome.is_ok, "the plugin does not process");
            output.extend(&channels[0]);
        }
        output
    }

    /// Plays one block. The output is filled with NaN before, so that samples the plugin does not write are detected.
    pub fn block(&mut self, input: &[f32], changes: &[Change]) -> (Outcome, Vec<Vec<f32>>) {
        let layout = self.host.layout();
        let mut input_channels = vec![input.to_vec(); layout.n_inputs];
        let mut output_channels = vec![vec![f32::NAN; input.len()]; layout.n_outputs];
        let outcome = self.audio.process(&mut Block {
            n_samples: input.len(),
            input: Channels::all(&mut input_channels),
            output: Channels::all(&mut output_channels),
            changes,
        });
        (outcome, output_channels)
    }

    /// Drops the plugin while it is active.
    pub fn drop_active(self) {
        drop(self.audio);
        self.host.drop_active();
    }

    /// Stops and deactivates the plugin; returns its host.
    pub fn stop(mut self) -> H {
        self.audio.stop();
        self.host.deactivate();
        self.host
    }
}
