//! A virtual screen (Xvfb) and the window on it that a host gives to an editor. Linux.

mod keys;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use x11rb::connection::Connection;
use x11rb::errors::{ConnectError, ReplyOrIdError};
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};
use x11rb::rust_connection::RustConnection;

/// An error of the virtual screen or its windows.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// Xvfb is not installed, or exited at once.
    #[error("Xvfb, a screen without a monitor (Debian: xvfb), is needed and does not start: {0}")]
    NoServer(String),
    /// The screen does not answer.
    #[error("cannot reach the screen {display}: {source}")]
    NoConnection {
        /// Name of the screen, as in `DISPLAY`.
        display: String,
        /// The connection's error.
        source: ConnectError,
    },
    /// The screen refused a request.
    #[error("the screen refused: {0}")]
    Refused(#[from] ReplyOrIdError),
}

/// A running Xvfb with OpenGL. Dropping this value ends it.
pub struct VirtualScreen {
    server: Child,
    display: String,
}

impl Drop for VirtualScreen {
    fn drop(&mut self) {
        // The server may have exited already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl VirtualScreen {
    /// Starts a screen of 1920 by 1280 pixels under a free number, and waits until it is ready.
    pub fn start() -> Result<Self, ScreenError> {
        let no_server = |e: std::io::Error| ScreenError::NoServer(e.to_string());
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1920x1280x24", "+extension", "GLX", "-nolisten", "tcp"])
            // Without this option the server resets when the last window of a test closes, and refuses the next test
            // meanwhile.
            .arg("-noreset")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(no_server)?;
        let stdout = server.stdout.take();
        let mut screen = Self { server, display: String::new() };
        // The server writes its number once it is ready.
        let mut number = String::new();
        stdout.map_or(Ok(0), |stdout| BufReader::new(stdout).read_line(&mut number)).map_err(no_server)?;
        if number.trim().is_empty() {
            return Err(ScreenError::NoServer("it ended at once".into()));
        }
        screen.display = format!(":{}", number.trim());
        Ok(screen)
    }

    /// Name of the screen, for `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }
}

/// An empty host window for an editor. Dropping this value closes it.
pub struct HostWindow {
    connection: RustConnection,
    root: u32,
    id: u32,
}

impl HostWindow {
    /// Opens a window as large as the screen `display`.
    pub fn open(display: &str) -> Result<Self, ScreenError> {
        let failed = |source| ScreenError::NoConnection { display: display.into(), source };
        let (connection, screen_idx) = x11rb::connect(Some(display)).map_err(failed)?;
        Ok(Self::open_on(connection, screen_idx, None)?)
    }

    /// Opens a window inside `outer` on the same screen, as hosts do that frame their editors.
    pub fn open_inside(display: &str, outer: &Self) -> Result<Self, ScreenError> {
        let failed = |source| ScreenError::NoConnection { display: display.into(), source };
        let (connection, screen_idx) = x11rb::connect(Some(display)).map_err(failed)?;
        Ok(Self::open_on(connection, screen_idx, Some(outer.id))?)
    }

    fn open_on(connection: RustConnection, screen_idx: usize, outer: Option<u32>) -> Result<Self, ReplyOrIdError> {
        let id = connection.generate_id()?;
        let screen = &connection.setup().roots[screen_idx];
        let (root, depth, visual) = (outer.unwrap_or(screen.root), screen.root_depth, screen.root_visual);
        let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
        let (class, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
        connection.create_window(depth, id, root, 0, 0, width, height, 0, class, visual, &aux)?.check()?;
        connection.map_window(id)?.check()?;
        Ok(Self { connection, root, id })
    }

    /// The window's X11 identifier.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Number of windows on the screen, whoever made them.
    pub fn n_windows_on_screen(&self) -> Result<usize, ScreenError> {
        Ok(self.n_inside(self.root)? + self.n_inside(self.id)?)
    }

    /// True if some program has interned the atom `name`.
    pub fn is_known(&self, name: &str) -> Result<bool, ScreenError> {
        let ask = || Ok(self.connection.intern_atom(true, name.as_bytes())?.reply()?.atom != x11rb::NONE);
        ask().map_err(|e: ReplyOrIdError| e.into())
    }

    /// Value of the property `_XEMBED_INFO` of the window inside this one; `None` if it is not set.
    pub fn xembed_info(&self) -> Result<Option<Vec<u32>>, ScreenError> {
        let ask = || {
            let atom = self.connection.intern_atom(false, b"_XEMBED_INFO")?.reply()?.atom;
            let Some(child) = self.inside()? else { return Ok(None) };
            let property = self.connection.get_property(false, child, atom, atom, 0, 2)?.reply()?;
            Ok(property.value32().map(Iterator::collect))
        };
        ask().map_err(|e: ReplyOrIdError| e.into())
    }

    /// A window inside this one: the editor's.
    fn inside(&self) -> Result<Option<u32>, ReplyOrIdError> {
        Ok(self.connection.query_tree(self.id)?.reply()?.children.first().copied())
    }

    fn n_inside(&self, window: u32) -> Result<usize, ReplyOrIdError> {
        Ok(self.connection.query_tree(window)?.reply()?.children.len())
    }
}
