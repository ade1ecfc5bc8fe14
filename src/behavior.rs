//! What an actor does with its next message, without I/O: what it is told and what it answers is
//! plain data, so that the engine and a simulation run the same.

pub mod agent;
pub mod conversation;
pub mod envelope;
pub mod facts;
pub mod message;
pub mod queue;
pub mod session;
