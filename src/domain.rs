//! The rules of Holdline, and nothing else: no clock, no disk, no network, no randomness, no
//! serialisation. Everything that could differ from one run to the next comes in as an argument.

pub mod agent;
pub mod audit;
pub mod cause;
pub mod conversation;
pub mod decision;
pub mod id;
pub mod lease;
pub mod liveness;
pub mod position;
pub mod queue;
pub mod rehearsal;
pub mod rights;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod text;
pub mod time;
pub mod timeline;
pub mod validity;

mod few;
