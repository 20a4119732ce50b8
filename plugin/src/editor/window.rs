//! The editor as the framework uses it. The framework fixes a window's size when the plugin is made, before any session
//! is loaded, so this wrapper makes a new window description when the session has another size.

use super::{App, Wiring};
use crate::session::{SessionField, WindowSize};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{Editor, HostMethods, ParentWindowHandle, ResizeHint, SpawnedEditor};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview,
    create_egui_editor,
};
use parking_lot::Mutex;
use std::error::Error;
use std::sync::Arc;

const RESIZE_HINT: ResizeHint = ResizeHint::resizable()
    .with_min_logical_size(LogicalSize { width: WindowSize::MIN.width, height: WindowSize::MIN.height });

/// The plugin's editor.
pub struct EmbouchureEditor {
    app: Arc<Mutex<App>>,
    session: Arc<SessionField>,
    notifier: RepaintNotifier,
    window: Mutex<Window>,
}

/// A window's description, and whether it is open.
struct Window {
    editor: EguiEditor<SharedApp>,
    state: Arc<EguiEditorState>,
    /// Size that the description was made with.
    size: WindowSize,
}

impl EmbouchureEditor {
    /// An editor without a window.
    pub fn new(wiring: Wiring) -> Self {
        let (session, notifier) = (wiring.params.session.clone(), wiring.notifier.clone());
        let app = Arc::new(Mutex::new(App::new(wiring)));
        let window = Mutex::new(Window::new(&app, &notifier, WindowSize::DESIGN));
        Self { app, session, notifier, window }
    }

    /// Runs `act` on the description of the open window, or of one with the session's size.
    fn with_window<R>(&self, act: impl FnOnce(&EguiEditor<SharedApp>) -> R) -> R {
        let mut window = self.window.lock();
        let size = self.session.get().window.usable();
        if !window.state.is_open() && window.size != size {
            *window = Window::new(&self.app, &self.notifier, size);
        }
        act(&window.editor)
    }
}

impl Window {
    fn new(app: &Arc<Mutex<App>>, notifier: &RepaintNotifier, size: WindowSize) -> Self {
        let state = EguiEditorState::from_size(LogicalSize::new(size.width, size.height), 1.0);
        let settings = EguiNiceSettings::new().with_tile("Embouchure").with_resize_hint(RESIZE_HINT);
        let app = SharedApp(app.clone());
        let editor = create_egui_editor(state.clone(), notifier.clone(), settings, app)
            .expect("this function of the framework returns Some in every case");
        Self { editor, state, size }
    }
}

impl Editor for EmbouchureEditor {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        self.with_window(|editor| editor.spawn(parent, wait_for_parent, fallback_scale_factor, context, host))
    }

    fn size(&self) -> NativeSize<u32> {
        // Hosts ask this before they make the window that the editor goes into.
        #[cfg(target_os = "linux")]
        super::xembed::make_names_known();
        self.with_window(|editor| editor.size())
    }

    fn resize_hint(&self) -> ResizeHint {
        RESIZE_HINT
    }
}

/// The editor's state, handed to one window after another.
struct SharedApp(Arc<Mutex<App>>);

impl NiceEguiApp for SharedApp {
    fn build(
        &mut self,
        _egui: egui::Context,
        host: GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        self.0.lock().opened(host);
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut Frame) {
        self.0.lock().ui(ui, frame);
    }

    fn resized(&mut self, size: baseview::WindowSize) {
        self.0.lock().resized(WindowSize { width: size.logical.width as f32, height: size.logical.height as f32 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Embouchure;
    use nice_plug::prelude::{AsyncExecutor, Plugin};

    #[test]
    fn a_new_window_has_the_sessions_size() {
        let mut plugin = Embouchure::new(crate::test_library::shipped(), Arc::new(crate::tasks::Background::spawn()));
        let editor = plugin.editor(AsyncExecutor::new(Arc::new(|_| ()), Arc::new(|_| ()))).unwrap();
        assert_eq!(editor.size(), NativeSize { width: 900, height: 600 });
        editor.session.edit(|s| s.window = WindowSize { width: 700.0, height: 450.0 });
        assert_eq!(editor.size(), NativeSize { width: 700, height: 450 });
        editor.app.lock().resized(WindowSize { width: 1.0, height: 500.0 });
        assert_eq!(editor.session.get().window, WindowSize { width: WindowSize::MIN.width, height: 500.0 });
    }
}
