//! Decides which keys the editor uses. All others go to the host, for instance to start and stop it, and do nothing
//! here.

use egui::text_edit::TextEditState;
use egui::{Event, Key, Modifiers, Popup, Ui};
use nice_plug_egui::KeyCapture;

/// Keys that move and set controls. The framework and egui have the same names for them.
pub const KEYS: [&str; 8] = ["Tab", "Enter", "Escape", "Home", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];

/// Present use of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyboard {
    /// A text field is open and takes all keys.
    Typing,
    /// A control has the focus.
    Control,
    /// A list or a question is open, and Escape closes it.
    List,
    /// None of these: only Tab is used, to reach the first control.
    Free,
}

impl Keyboard {
    pub fn of(ui: &Ui) -> Self {
        let (focused, is_asked) = ui.memory(|memory| (memory.focused(), memory.top_modal_layer().is_some()));
        match focused {
            Some(id) if TextEditState::load(ui.ctx(), id).is_some() => Self::Typing,
            Some(_) => Self::Control,
            None if is_asked || Popup::is_any_open(ui.ctx()) => Self::List,
            None => Self::Free,
        }
    }

    /// Names of the keys that the editor uses; `None` = all.
    fn keys(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Typing => None,
            Self::Control => Some(&KEYS),
            Self::List => Some(&["Tab", "Escape"]),
            Self::Free => Some(&["Tab"]),
        }
    }

    /// The keys that the window keeps from the host, for the framework.
    pub fn capture(self) -> KeyCapture {
        let Some(keys) = self.keys() else { return KeyCapture::CaptureAll };
        KeyCapture::CaptureKeys(keys.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Removes events of the host's keys, so that no control sees them.
    pub fn leave_to_host(self, ui: &Ui) {
        if let Some(keys) = self.keys() {
            ui.input_mut(|input| input.events.retain(|event| !is_left(event, keys)));
        }
    }
}

fn is_left(event: &Event, keys: &[&str]) -> bool {
    let Event::Key { key, modifiers, .. } = event else { return false };
    is_command(*modifiers) || !keys.iter().any(|name| Key::from_name(name) == Some(*key))
}

/// True for modifiers with which a key is a command of the host. Shift alone is none of them.
fn is_command(modifiers: Modifiers) -> bool {
    modifiers.alt || modifiers.ctrl || modifiers.command
}

#[cfg(test)]
mod tests {
    use super::*;
    use nice_plug_egui::Key as FrameworksKey;

    fn event(key: Key, modifiers: Modifiers) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
    }

    #[test]
    fn both_sides_know_the_keys_names() {
        let KeyCapture::CaptureKeys(keys) = Keyboard::Control.capture() else { panic!("all keys are taken") };
        assert_eq!(keys.len(), KEYS.len());
        assert!(KEYS.iter().all(|name| Key::from_name(name).is_some()));
        assert!(!keys.contains(&FrameworksKey::Character(" ".into())));
        assert_eq!(Keyboard::Typing.capture(), KeyCapture::CaptureAll);
        assert_eq!(Keyboard::Free.capture(), KeyCapture::CaptureKeys(vec!["Tab".parse().unwrap()]));
    }

    #[test]
    fn the_hosts_keys_are_told_from_the_editors() {
        for key in [Key::Space, Key::Z, Key::F5, Key::Delete, Key::Num1] {
            assert!(is_left(&event(key, Modifiers::NONE), &KEYS), "{key:?}");
        }
        for key in [Key::ArrowUp, Key::Enter, Key::Tab, Key::Home] {
            assert!(!is_left(&event(key, Modifiers::NONE), &KEYS), "{key:?}");
            assert!(!is_left(&event(key, Modifiers::SHIFT), &KEYS), "Shift and {key:?}");
            assert!(is_left(&event(key, Modifiers::CTRL), &KEYS), "Ctrl and {key:?}");
            assert!(is_left(&event(key, Modifiers::ALT | Modifiers::SHIFT), &KEYS), "Alt and {key:?}");
        }
        assert!(!is_left(&Event::PointerGone, &KEYS));
    }
}
