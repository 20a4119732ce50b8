//! Sends keys and clicks to the window inside a host window, and records keys that reach the host window.

use super::{HostWindow, ScreenError};
use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AutoRepeatMode, BUTTON_PRESS_EVENT, ChangeKeyboardControlAux, ChangeWindowAttributesAux, ConnectionExt, EventMask,
    KEY_PRESS_EVENT, KEY_RELEASE_EVENT, KeyButMask, KeyPressEvent,
};

impl HostWindow {
    /// From now on, records presses and releases of keys in this window for [`take_keys`](Self::take_keys). Turns key
    /// repeat off.
    pub fn listen_to_keys(&self) -> Result<(), ScreenError> {
        let mask = EventMask::KEY_PRESS | EventMask::KEY_RELEASE;
        let attributes = ChangeWindowAttributesAux::new().event_mask(mask);
        let once = ChangeKeyboardControlAux::new().auto_repeat_mode(AutoRepeatMode::OFF);
        let listen = || {
            self.connection.change_keyboard_control(&once)?.check()?;
            Ok(self.connection.change_window_attributes(self.id, &attributes)?.check()?)
        };
        listen().map_err(|e: ReplyOrIdError| e.into())
    }

    /// The keys that this window received since the last call: key code, and whether it was pressed. Events addressed
    /// to another window do not count, because toolkits do not know whose they are.
    pub fn take_keys(&self) -> Vec<(u8, bool)> {
        let mut keys = Vec::new();
        while let Ok(Some(event)) = self.connection.poll_for_event() {
            match event {
                Event::KeyPress(key) if key.event == self.id => keys.push((key.detail, true)),
                Event::KeyRelease(key) if key.event == self.id => keys.push((key.detail, false)),
                _ => {}
            }
        }
        keys
    }

    /// Sends a key to the window inside this one, as a host does that has the keyboard focus.
    pub fn send_key(&self, number: u8) -> Result<(), ScreenError> {
        for (response_type, mask) in
            [(KEY_PRESS_EVENT, EventMask::KEY_PRESS), (KEY_RELEASE_EVENT, EventMask::KEY_RELEASE)]
        {
            self.send(|event| {
                let key = KeyPressEvent { response_type, detail: number, ..blank(self.root, event) };
                Ok(self.connection.send_event(false, event, mask, key)?.check()?)
            })?;
        }
        Ok(())
    }

    /// Sends a click to the window inside this one, visible or not.
    pub fn send_click(&self) -> Result<(), ScreenError> {
        self.send(|event| {
            let click = KeyPressEvent { response_type: BUTTON_PRESS_EVENT, detail: 1, ..blank(self.root, event) };
            Ok(self.connection.send_event(false, event, EventMask::BUTTON_PRESS, click)?.check()?)
        })
    }

    /// Hides the window and everything in it.
    pub fn hide(&self) -> Result<(), ScreenError> {
        let hide = || Ok(self.connection.unmap_window(self.id)?.check()?);
        hide().map_err(|e: ReplyOrIdError| e.into())
    }

    fn send(&self, to: impl Fn(u32) -> Result<(), ReplyOrIdError>) -> Result<(), ScreenError> {
        Ok(self.inside()?.map_or(Ok(()), to)?)
    }
}

/// An empty key or button event; both have the same fields.
fn blank(root: u32, event: u32) -> KeyPressEvent {
    KeyPressEvent {
        response_type: 0,
        detail: 0,
        sequence: 0,
        time: x11rb::CURRENT_TIME,
        root,
        event,
        child: x11rb::NONE,
        root_x: 0,
        root_y: 0,
        event_x: 0,
        event_y: 0,
        state: KeyButMask::default(),
        same_screen: true,
    }
}
