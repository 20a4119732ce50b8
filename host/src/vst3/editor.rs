//! Opens the plugin's view in a host window. The plugin draws on its own thread.

use super::run_loop::{BareFrame, FrameWithLoop};
use super::{Vst3Host, accepted};
use crate::host::SCALES;
use crate::{HostError, HostWindow};
use std::ptr::null_mut;
use vst3::Steinberg::Vst::{IEditControllerTrait, ViewType::kEditor};
use vst3::Steinberg::{
    IPlugFrame, IPlugView, IPlugViewContentScaleSupport, IPlugViewContentScaleSupportTrait, IPlugViewTrait, ViewRect,
    kPlatformTypeX11EmbedWindowID, kResultFalse,
};
use vst3::{ComPtr, ComWrapper};

/// An open view. It must be closed before it is dropped.
pub(super) struct Editor {
    view: ComPtr<IPlugView>,
    frame: Frame,
}

enum Frame {
    WithLoop(ComWrapper<FrameWithLoop>),
    Bare(ComWrapper<BareFrame>),
}

impl Frame {
    fn pointer(&self) -> *mut IPlugFrame {
        let frame = match self {
            Self::WithLoop(frame) => frame.as_com_ref::<IPlugFrame>(),
            Self::Bare(frame) => frame.as_com_ref::<IPlugFrame>(),
        };
        frame.map_or(null_mut(), |frame| frame.as_ptr())
    }
}

impl Vst3Host {
    /// From now on the frames of views offer no event loop, as in some hosts.
    pub fn without_run_loop(mut self) -> Self {
        self.has_run_loop = false;
        self
    }

    /// From now on closed views are kept, and released after the plugin.
    pub fn keeping_views(mut self) -> Self {
        self.closed_views = Some(Vec::new());
        self
    }

    fn view(&self) -> Result<ComPtr<IPlugView>, HostError> {
        // SAFETY: the name is VST3's; the plugin transfers the ownership of the view.
        let view = unsafe { ComPtr::from_raw(self.controller.createView(kEditor)) };
        view.ok_or(HostError::Missing("editor".into()))
    }

    /// Width and height of the editor, pixels. Hosts ask for them before they open a window for it.
    pub fn editor_size(&mut self) -> Result<(i32, i32), HostError> {
        let mut size = ViewRect { left: 0, top: 0, right: 0, bottom: 0 };
        // SAFETY: the rectangle outlives the call.
        unsafe { accepted(self.view()?.getSize(&mut size), "has no size")? };
        Ok((size.right - size.left, size.bottom - size.top))
    }

    pub(super) fn open_view(&mut self, window: &HostWindow) -> Result<(), HostError> {
        let view = self.view()?;
        let frame = if self.has_run_loop {
            Frame::WithLoop(ComWrapper::new(FrameWithLoop::default()))
        } else {
            Frame::Bare(ComWrapper::new(BareFrame))
        };
        let mut size = ViewRect { left: 0, top: 0, right: 0, bottom: 0 };
        // SAFETY: X11 identifies windows by number; an invalid number is an error of the plugin's, not a bad pointer.
        unsafe {
            accepted(view.isPlatformTypeSupported(kPlatformTypeX11EmbedWindowID), "does not know X11")?;
            accepted(view.setFrame(frame.pointer()), "refused a frame")?;
            accepted(view.getSize(&mut size), "has no size")?;
            let parent = window.id() as usize as *mut _;
            if let Err(e) = accepted(view.attached(parent, kPlatformTypeX11EmbedWindowID), "did not open its editor") {
                view.setFrame(null_mut());
                return Err(e);
            }
        }
        self.editor = Some(Editor { view, frame });
        Ok(())
    }

    /// Closes the view. Returns the number of descriptors and timers that it left registered in the event loop.
    pub(super) fn close_view(&mut self) -> Result<usize, HostError> {
        let editor = self.editor.take().ok_or(HostError::Missing("open editor".into()))?;
        // SAFETY: the frame outlives the view.
        let removed = unsafe {
            let removed = accepted(editor.view.removed(), "did not close its editor");
            editor.view.setFrame(null_mut());
            removed
        };
        match &mut self.closed_views {
            Some(views) => views.push(editor.view),
            None => drop(editor.view),
        }
        removed?;
        match editor.frame {
            Frame::WithLoop(frame) => Ok(frame.n_watched()),
            Frame::Bare(_) => Ok(0),
        }
    }

    /// Presses and releases a key in the open view: a letter, or a number from VST3's list of keys. Returns whether the
    /// view used it.
    pub fn takes_key(&mut self, letter: u16, number: i16, modifiers: i16) -> Result<bool, HostError> {
        let editor = self.editor.as_ref().ok_or(HostError::Missing("open editor".into()))?;
        // SAFETY: the view is open.
        let answers = unsafe {
            [editor.view.onKeyDown(letter, number, modifiers), editor.view.onKeyUp(letter, number, modifiers)]
        };
        Ok(answers != [kResultFalse; 2])
    }

    /// Opens views with a frame without an event loop, and without a frame, and makes their calls in the wrong order.
    pub(super) fn misuse_view(&mut self, window: &HostWindow) {
        let parent = window.id() as usize as *mut _;
        let frame = Frame::Bare(ComWrapper::new(BareFrame));
        let mut size = ViewRect { left: 0, top: 0, right: 800, bottom: 600 };
        for frame in [frame.pointer(), null_mut()] {
            // SAFETY: the frame outlives the views; an invalid X11 window is an error of the plugin's. The order of
            // calls is part of what is tested.
            unsafe {
                let Some(view) = ComPtr::from_raw(self.controller.createView(kEditor)) else { return };
                let scale: Option<ComPtr<IPlugViewContentScaleSupport>> = view.cast();
                let scale_to = |factor: f64| scale.as_ref().map(|scale| scale.setContentScaleFactor(factor as f32));
                let _ = SCALES.map(scale_to);
                view.removed();
                view.onSize(&mut size);
                view.checkSizeConstraint(&mut size);
                view.onKeyDown(0, 7, 0);
                view.onFocus(1);
                view.isPlatformTypeSupported(c"NSView".as_ptr());
                view.setFrame(frame);
                view.attached(parent, kPlatformTypeX11EmbedWindowID);
                view.attached(parent, kPlatformTypeX11EmbedWindowID);
                // A second view of the same plugin, while the first is open.
                let second = ComPtr::from_raw(self.controller.createView(kEditor));
                if let Some(second) = &second {
                    second.setFrame(frame);
                    second.attached(parent, kPlatformTypeX11EmbedWindowID);
                    second.getSize(&mut size);
                }
                view.onSize(&mut size);
                let _ = SCALES.map(scale_to);
                view.onSize(&mut ViewRect { left: 0, top: 0, right: -5, bottom: 0 });
                view.checkSizeConstraint(&mut ViewRect { left: 9, top: 9, right: 9, bottom: 9 });
                view.removed();
                view.removed();
                drop(second);
                view.setFrame(null_mut());
                view.setFrame(null_mut());
                view.getSize(&mut size);
            }
        }
    }

    pub(super) fn turn_run_loop(&self) {
        if let Some(Editor { frame: Frame::WithLoop(frame), .. }) = &self.editor {
            // The clone keeps the frame alive if a handler closes the view.
            frame.clone().turn();
        }
    }
}
