//! The chaos trial: the real server under kill -9 and broken sockets, judged from the outside by
//! what it had acknowledged. The long command and the short test share it.
//!
//! [`run::run`] starts the server, the proxy, the widgets, the agents and the strangers, kills the
//! server again and again, and gives back the [`world::Tally`] with everything that must be zero.
#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it prints rounded figures by its own clock, and stops where it is broken itself"
)]

pub(crate) mod addresses;
pub(crate) mod agent;
pub(crate) mod audit;
pub(crate) mod budgets;
pub(crate) mod console;
pub(crate) mod customer;
pub(crate) mod disk;
pub(crate) mod fates;
pub(crate) mod feed;
pub(crate) mod frames;
pub(crate) mod guest;
pub(crate) mod judge;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod readiness;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod strangers;
pub(crate) mod talk;
pub(crate) mod verify;
pub(crate) mod world;
