//! Which thread a conversation lives on: its shard's, for as long as the server runs.

use actix::{Arbiter, ArbiterHandle};

use crate::domain::id::{ConversationId, Shard, fnv1a};

/// The threads of the engine, each with its own event loop.
#[derive(Clone, Debug)]
pub struct Threads {
    handles: Vec<ArbiterHandle>,
}

impl Threads {
    /// Starts this many threads. Must be called inside an actix system.
    pub fn start(count: usize) -> (Self, Vec<Arbiter>) {
        let arbiters: Vec<_> = (0..count.max(1)).map(|_| Arbiter::new()).collect();
        (Self { handles: arbiters.iter().map(Arbiter::handle).collect() }, arbiters)
    }

    /// Everything on the thread that calls: for tests under a paused clock.
    pub fn current() -> Self {
        Self { handles: vec![Arbiter::current()] }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.handles.len()
    }

    /// The thread with this number.
    pub fn handle(&self, thread: usize) -> ArbiterHandle {
        self.handles[thread % self.handles.len()].clone()
    }

    /// The number of a shard's thread.
    pub fn number_of(&self, shard: Shard) -> usize {
        usize::from(shard.number()) % self.handles.len()
    }

    /// A shard's thread.
    pub fn of_shard(&self, shard: Shard) -> ArbiterHandle {
        self.handle(self.number_of(shard))
    }

    /// The thread of something that has a name: an agent, a queue.
    pub fn of_name(&self, name: &str) -> ArbiterHandle {
        let spread = fnv1a(name.as_bytes()) % self.handles.len() as u64;
        self.handle(usize::try_from(spread).unwrap_or(0))
    }

    /// An id for a new conversation that lives on this thread.
    pub fn mint_on(&self, thread: usize) -> ConversationId {
        loop {
            let id = ConversationId::from_bits(uuid::Uuid::now_v7().as_u128());
            if self.number_of(id.shard()) == thread % self.handles.len() {
                return id;
            }
        }
    }
}
