//! The memory for bodies that are being read or worked on. It is bounded for all callers together
//! and for each one, so that nobody can take it all. A body is read only for a caller whose token
//! is good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::identity::Identity;
use crate::http::problem::Problem;
use crate::limits;

/// How much of that memory is taken.
#[derive(Clone, Debug, Default)]
pub struct Bodies(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_caller: HashMap<Identity, usize>,
}

/// Room for one body, given back when this is dropped.
#[derive(Debug)]
pub struct Room {
    bodies: Bodies,
    caller: Identity,
    bytes: usize,
}

impl Bodies {
    /// Room for a caller's body of so many bytes; room for the largest body allowed where the
    /// length is not known.
    pub fn take(&self, caller: Identity, bytes: Option<usize>) -> Result<Room, Problem> {
        let bytes = bytes.unwrap_or(limits::BODY_BYTES_MAX).min(limits::BODY_BYTES_MAX);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_caller = taken.by_caller.get(&caller).copied().unwrap_or(0);
        let is_too_much = taken.all + bytes > limits::BODIES_BYTES_MAX
            || of_caller + bytes > limits::BODIES_OF_CALLER_BYTES_MAX;
        if is_too_much {
            return Err(Problem::too_many_bodies());
        }
        taken.all += bytes;
        *taken.by_caller.entry(caller).or_default() += bytes;
        Ok(Room { bodies: self.clone(), caller, bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.bodies.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= self.bytes;
        if let Some(of_caller) = taken.by_caller.get_mut(&self.caller) {
            *of_caller -= self.bytes;
            if *of_caller == 0 {
                taken.by_caller.remove(&self.caller);
            }
        }
    }
}
