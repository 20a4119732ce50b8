//! Atoms that embedding hosts expect on an X11 screen before the plugin has a window.

use std::error::Error;
use std::sync::Once;
use x11rb::protocol::xproto::ConnectionExt;

/// Creates the atoms of XEMBED, once a process. A desktop usually has created them. Without a desktop, Steinberg's
/// editorhost does not find them and then opens no window for the plugin.
pub fn make_names_known() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without a screen, opening the window fails later and reports that.
        let _ = make();
    });
}

fn make() -> Result<(), Box<dyn Error>> {
    let (connection, _) = x11rb::connect(None)?;
    for name in ["_XEMBED", "_XEMBED_INFO"] {
        connection.intern_atom(false, name.as_bytes())?.reply()?;
    }
    Ok(())
}
