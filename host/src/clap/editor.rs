//! Opens the plugin's editor in a host window. The plugin draws on its own thread.

use super::handlers::Shared;
use clack_extensions::gui::{GuiSize, HostGuiImpl};
use clack_host::prelude::HostError as Refusal;

#[cfg(target_os = "linux")]
mod x11 {
    use crate::host::SCALES;
    use crate::{ClapHost, HostError, HostWindow};
    use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiError, GuiSize, PluginGui, Window};

    const EMBEDDED_X11: GuiConfiguration = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };

    impl ClapHost {
        /// See [`open_editor`](crate::Host::open_editor).
        pub(in crate::clap) fn show_editor(&mut self, window: &HostWindow) -> Result<(), HostError> {
            let plugin = self.instance.plugin_handle();
            let gui = plugin.get_extension::<PluginGui>().ok_or(HostError::Missing("editor".into()))?;
            let open = || -> Result<(), GuiError> {
                gui.create(&plugin, EMBEDDED_X11)?;
                // SAFETY: X11 identifies windows by number; an invalid number is an error of the plugin's, not a bad
                // pointer.
                unsafe { gui.set_parent(&plugin, Window::from_x11_handle(window.id().into())) }?;
                gui.show(&plugin)
            };
            let refused = |e: GuiError| HostError::Refused { what: "did not open its editor", reason: e.to_string() };
            open().map_err(refused).inspect_err(|_| gui.destroy(&plugin))
        }

        /// Makes the calls too early, twice, too late and in the wrong order.
        pub(in crate::clap) fn misuse_gui(&mut self, window: &HostWindow) {
            let plugin = self.instance.plugin_handle();
            let Some(gui) = plugin.get_extension::<PluginGui>() else { return };
            // SAFETY: as above.
            let set_parent = || unsafe { gui.set_parent(&plugin, Window::from_x11_handle(window.id().into())) };
            let size = GuiSize { width: 800, height: 600 };
            // Any answer is correct.
            for _ in 0..2 {
                let _ = (gui.show(&plugin), gui.hide(&plugin), set_parent());
                let _ = (gui.get_size(&plugin), gui.set_size(&plugin, size), gui.adjust_size(&plugin, size));
                gui.destroy(&plugin);
                let _ = (gui.create(&plugin, EMBEDDED_X11), gui.create(&plugin, EMBEDDED_X11));
                let _ = (gui.hide(&plugin), gui.show(&plugin));
                let _ = SCALES.map(|scale| gui.set_scale(&plugin, scale));
                let _ = (set_parent(), set_parent(), gui.show(&plugin), gui.show(&plugin));
                let _ = gui.set_size(&plugin, GuiSize { width: 0, height: 0 });
                let _ = SCALES.map(|scale| gui.set_scale(&plugin, scale));
                let _ = (gui.hide(&plugin), gui.hide(&plugin), gui.show(&plugin));
                gui.destroy(&plugin);
                gui.destroy(&plugin);
            }
        }

        /// Closes the editor. Hosts do so before they drop the plugin.
        pub(in crate::clap) fn destroy_editor(&mut self) -> Result<(), HostError> {
            let plugin = self.instance.plugin_handle();
            let gui = plugin.get_extension::<PluginGui>().ok_or(HostError::Missing("editor".into()))?;
            gui.destroy(&plugin);
            Ok(())
        }
    }
}

/// The window is as large as the screen and stays open, so these requests need no action.
impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _size: GuiSize) -> Result<(), Refusal> {
        Ok(())
    }

    fn request_show(&self) -> Result<(), Refusal> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), Refusal> {
        Ok(())
    }

    fn closed(&self, _was_destroyed: bool) {}
}
