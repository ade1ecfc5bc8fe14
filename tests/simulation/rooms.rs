//! The rooms of the simulation, for the tests and for the long run.

pub mod node;
pub mod plan;
pub mod random;
pub mod reached;
pub mod run;
pub mod server;
pub mod settings;
pub mod watch;
pub mod world;
pub mod wrong;
