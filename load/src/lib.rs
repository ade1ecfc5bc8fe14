//! Drives chat servers with very many sockets, and says what each costs and what each loses.
//!
//! A [`Workload`](workload::Workload) is put on a [`Target`](target::Target) by [`run::run`]:
//! customers are driven by processes of this program, each a bare epoll loop; what the second
//! party is told is compared with what was done to the customers.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are shown rounded, and everything that is counted here is far below 2^52"
)]

pub mod actors;
pub mod clock;
pub mod command;
pub mod compare;
pub mod cost;
mod crew;
pub mod dialect;
pub mod dialects;
pub mod drive;
pub mod driver;
pub mod floor;
pub mod frame;
pub mod growth;
pub mod holdline;
pub mod ledger;
pub mod machine;
pub mod peer;
pub mod pin;
pub mod plan;
mod progress;
pub mod report;
pub mod run;
pub mod strangers;
pub mod summary;
pub mod target;
pub mod watch;
pub mod wheel;
pub mod workload;
