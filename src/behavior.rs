//! What an actor does with its next message, without I/O. Inputs and outputs are plain data, so
//! that the engine and a simulation run the same code.

pub mod agent;
pub mod conversation;
pub mod envelope;
pub mod facts;
pub mod message;
pub mod queue;
pub mod session;
