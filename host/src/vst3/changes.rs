//! Changes of parameters within a block.

use crate::Change;
use vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID, ParamValue,
};
use vst3::Steinberg::{int32, kInvalidArgument, kNotImplemented, kResultOk, tresult};
use vst3::{Class, ComWrapper};

/// One queue a parameter.
pub(super) struct Changes(Vec<ComWrapper<Queue>>);

impl Changes {
    /// In the order of the changes, which may be any. `normalised` of a parameter's value.
    pub(super) fn new(changes: &[Change], normalised: impl Fn(u32, f64) -> f64) -> ComWrapper<Self> {
        let mut queues: Vec<Queue> = Vec::new();
        for &Change { at, id, value } in changes {
            let point = (at.clamp(i32::MIN.into(), i32::MAX.into()) as i32, normalised(id, value));
            match queues.iter_mut().find(|queue| queue.id == id) {
                Some(queue) => queue.points.push(point),
                None => queues.push(Queue { id, points: vec![point] }),
            }
        }
        ComWrapper::new(Self(queues.into_iter().map(ComWrapper::new).collect()))
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        self.0.len() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        let queue = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        queue.and_then(ComWrapper::as_com_ref).map_or(std::ptr::null_mut(), |queue| queue.as_ptr())
    }

    unsafe fn addParameterData(&self, _id: *const ParamID, _index: *mut int32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }
}

/// A parameter's points: sample and normalised value.
struct Queue {
    id: ParamID,
    points: Vec<(int32, ParamValue)>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }

    unsafe fn getPointCount(&self) -> int32 {
        self.points.len() as int32
    }

    unsafe fn getPoint(&self, index: int32, sample_offset: *mut int32, value: *mut ParamValue) -> tresult {
        let point = usize::try_from(index).ok().and_then(|index| self.points.get(index));
        let Some(&(at, normalised)) = point else { return kInvalidArgument };
        // SAFETY: the plugin hands over room for both.
        unsafe {
            *sample_offset = at;
            *value = normalised;
        }
        kResultOk
    }

    unsafe fn addPoint(&self, _sample_offset: int32, _value: ParamValue, _index: *mut int32) -> tresult {
        kNotImplemented
    }
}
