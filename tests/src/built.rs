//! The built plugin in either format, and a stage to play it on block by block.

use crate::{bundled_clap, bundled_vst3};
use embouchure_host::{Audio, Block, Change, Channels, ClapHost, Host, Outcome, Session, Vst3Host};

/// A host with the built plugin loaded.
pub trait Built: Host {
    /// Loads it.
    ///
    /// # Panics
    /// When it cannot be loaded.
    fn built() -> Self;

    /// A host for a bounce.
    ///
    /// # Panics
    /// Likewise.
    fn built_offline() -> Self {
        let mut host = Self::built();
        host.set_offline(true).expect("every host bounces");
        host
    }

    /// Number of the parameter called `name`.
    ///
    /// # Panics
    /// When there is none.
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

/// Tests for CLAP and VST3: each is a function of the host and of its own name, as the test harness knows it.
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

/// A plugin that plays, on the calling thread.
pub struct Stage<H: Host> {
    /// First, because its calls must not outlive the host.
    pub audio: H::Audio,
    /// Active.
    pub host: H,
    session: Session,
}

impl<H: Host> Stage<H> {
    /// Activates the plugin and starts it.
    ///
    /// # Panics
    /// When it refuses.
    pub fn new(mut host: H, session: Session) -> Self {
        host.activate(session).unwrap_or_else(|e| panic!("{e}"));
        let mut audio = host.audio();
        assert!(audio.start(), "the plugin does not start");
        Self { audio, host, session }
    }

    /// Plays `input` on all channels in blocks of the session, with `changes` in the first. Gives the left channel.
    ///
    /// # Panics
    /// When the plugin refuses.
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

    /// One call of `process`. The output holds no number before, so that what was not written is seen.
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

    /// Stops and deactivates the plugin.
    pub fn leave(mut self) -> H {
        self.audio.stop();
        self.host.deactivate();
        self.host
    }
}
