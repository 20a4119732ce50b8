//! Gestures: begin, set and end of a parameter change, always paired. Hosts record automation between begin and end,
//! and some misbehave if either is missing.

use nice_plug::prelude::{Param, ParamPtr, ParamSetter};

/// The drag in progress, if any. One pointer drags at most one knob.
#[derive(Default)]
pub struct Gestures {
    open: Option<Open>,
}

struct Open {
    param: ParamPtr,
    /// Position of the pointer in the parameter's range. The value of a stepped parameter would lose small movements.
    normalized: f32,
}

impl Gestures {
    /// Starts a drag at the parameter's present value.
    pub fn begin(&mut self, setter: &ParamSetter, param: &impl Param) {
        self.end_all(setter);
        setter.begin_set_parameter(param);
        self.open = Some(Open { param: param.as_ptr(), normalized: param.unmodulated_normalized_value() });
    }

    /// Moves the parameter being dragged by `delta` of its range. Does nothing without a [`Self::begin`].
    pub fn move_by(&mut self, setter: &ParamSetter, param: &impl Param, delta: f32) {
        if let Some(open) = self.open.as_mut().filter(|o| o.param == param.as_ptr()) {
            open.normalized = (open.normalized + delta).clamp(0.0, 1.0);
            setter.set_parameter(param, param.preview_plain(open.normalized));
        }
    }

    /// Ends the drag of `param`, if it is the one being dragged.
    pub fn end(&mut self, setter: &ParamSetter, param: &impl Param) {
        if self.open.as_ref().is_some_and(|o| o.param == param.as_ptr()) {
            self.end_all(setter);
        }
    }

    /// Ends whatever is being dragged.
    pub fn end_all(&mut self, setter: &ParamSetter) {
        if let Some(open) = self.open.take() {
            // SAFETY: the framework checks that the parameter is its own, and the parameters live as long as the
            // plugin does.
            unsafe { setter.raw_context.raw_end_set_parameter(open.param) };
        }
    }
}

/// Sets a value in a whole gesture, for a click, a wheel step or a key.
pub fn set_once<P: Param>(setter: &ParamSetter, param: &P, value: P::Plain) {
    setter.begin_set_parameter(param);
    setter.set_parameter(param, value);
    setter.end_set_parameter(param);
}
