//! A reference to a parameter of any type.

use nice_plug::prelude::*;

/// One of the framework's parameters.
#[derive(Clone, Copy)]
pub enum ParamRef<'a> {
    /// A continuous range.
    Float(&'a FloatParam),
    /// Whole numbers.
    Int(&'a IntParam),
    /// On or off.
    Bool(&'a BoolParam),
}

/// Evaluates the same expression for a parameter of any type.
macro_rules! each {
    ($any:expr, $param:ident => $what:expr) => {
        match $any {
            Self::Float($param) => $what,
            Self::Int($param) => $what,
            Self::Bool($param) => $what,
        }
    };
}

impl<'a> ParamRef<'a> {
    /// Name shown to the player.
    pub fn name(self) -> &'a str {
        each!(self, param => param.name())
    }

    /// Text after the number.
    pub fn unit(self) -> &'static str {
        each!(self, param => param.unit())
    }

    /// Lowest and highest plain value.
    pub fn range(self) -> [f32; 2] {
        [0.0, 1.0].map(|share| match self {
            Self::Float(param) => param.preview_plain(share),
            Self::Int(param) => param.preview_plain(share) as f32,
            Self::Bool(_) => share,
        })
    }

    /// A plain value as a share of the range, 0 to 1.
    pub fn normalized(self, plain: f32) -> f32 {
        match self {
            Self::Float(param) => param.preview_normalized(plain),
            Self::Int(param) => param.preview_normalized(plain.round() as i32),
            Self::Bool(_) => plain,
        }
    }

    /// Adds it to a page of a hardware controller.
    pub fn add_to(self, page: &mut impl RemoteControlsPage) {
        each!(self, param => page.add_param(param));
    }

    /// The framework's pointer to it.
    pub fn as_ptr(self) -> ParamPtr {
        each!(self, param => param.as_ptr())
    }
}

impl<'a> From<&'a FloatParam> for ParamRef<'a> {
    fn from(param: &'a FloatParam) -> Self {
        Self::Float(param)
    }
}

impl<'a> From<&'a IntParam> for ParamRef<'a> {
    fn from(param: &'a IntParam) -> Self {
        Self::Int(param)
    }
}

impl<'a> From<&'a BoolParam> for ParamRef<'a> {
    fn from(param: &'a BoolParam) -> Self {
        Self::Bool(param)
    }
}
