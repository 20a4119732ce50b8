//! Any of the parameters, whatever its type.

use nice_plug::prelude::*;

/// One of the framework's parameters.
#[derive(Clone, Copy)]
pub enum ParamRef<'a> {
    /// Goes through a range without steps.
    Float(&'a FloatParam),
    /// Goes in steps.
    Int(&'a IntParam),
    /// Is on or off.
    Bool(&'a BoolParam),
}

/// Does the same to a parameter of any type.
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
    /// Shown to the player.
    pub fn name(self) -> &'a str {
        each!(self, param => param.name())
    }

    /// What follows the number.
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

    /// Place of a plain value in the range, 0 to 1.
    pub fn normalized(self, plain: f32) -> f32 {
        match self {
            Self::Float(param) => param.preview_normalized(plain),
            Self::Int(param) => param.preview_normalized(plain.round() as i32),
            Self::Bool(_) => plain,
        }
    }

    /// Puts it on a page of a hardware controller.
    pub fn add_to(self, page: &mut impl RemoteControlsPage) {
        each!(self, param => page.add_param(param));
    }

    /// As the framework knows it.
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
