//! What embedders expect on an X11 screen before there is a window.

use std::error::Error;
use std::sync::Once;
use x11rb::protocol::xproto::ConnectionExt;

/// Makes the names of XEMBED known to the screen. Mostly a desktop has done so, but on a bare screen Steinberg's editorhost
/// asks for them in vain and then opens no window for the plugin.
pub fn make_names_known() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without a screen there will be no window, and that is said when it is to be opened.
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
