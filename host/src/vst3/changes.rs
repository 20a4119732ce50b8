//! Parameter changes within a block.

use crate::Change;
use vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID, ParamValue,
};
use vst3::Steinberg::{int32, kInvalidArgument, kNotImplemented, kResultOk, tresult};
use vst3::{Class, ComWrapper};

/// The changes of a block, one queue per parameter.
pub(super) struct Changes {
    queues: Vec<ComWrapper<Queue>>,
    n_missing: usize,
}

impl Changes {
    /// Sorts `changes` into queues, keeping their order, which may be any. Adds `n_missing` queues that are null
    /// pointers. `normalised` maps a parameter's identifier and value to 0..1.
    pub(super) fn new(changes: &[Change], n_missing: usize, normalised: impl Fn(u32, f64) -> f64) -> ComWrapper<Self> {
        let mut queues: Vec<Queue> = Vec::new();
        for &Change { at, id, value } in changes {
            let point = (at.clamp(i32::MIN.into(), i32::MAX.into()) as i32, normalised(id, value));
            match queues.iter_mut().find(|queue| queue.id == id) {
                Some(queue) => queue.points.push(point),
                None => queues.push(Queue { id, points: vec![point] }),
            }
        }
        ComWrapper::new(Self { queues: queues.into_iter().map(ComWrapper::new).collect(), n_missing })
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        (self.queues.len() + self.n_missing) as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        let queue = usize::try_from(index).ok().and_then(|index| self.queues.get(index));
        queue.and_then(ComWrapper::as_com_ref).map_or(std::ptr::null_mut(), |queue| queue.as_ptr())
    }

    unsafe fn addParameterData(&self, _id: *const ParamID, _index: *mut int32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }
}

/// The changes of one parameter: sample and normalised value.
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
        // SAFETY: the plugin provides memory for both.
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
