//! Strangers in bounds: who somebody counts as who has shown no token yet, and how much of the
//! server they may use.
//!
//! What is used is counted by *party*: the address that somebody comes from ([`Proxies`] finds it
//! behind a proxy), the site whose page they have open, and the widget. A budget is either held
//! ([`Held`], given back when it is dropped) or spent, so many in a minute. Every budget may be
//! switched off. This machine itself is no stranger: a loopback address has no budgets.
//!
//! Parties are kept in a table of at most [`limits::PARTIES_MAX`]. Whoever comes when it is full of
//! those who use something now shares one account with everybody else who does.

mod budgets;
mod connection;
mod ledger;
mod party;
mod proxies;
mod proxy_header;
mod shared;

pub use crate::strangers::budgets::{BUDGETS, Budget, Budgets, Use};
pub use crate::strangers::connection::{Connection, NotTaken};
pub use crate::strangers::ledger::{Held, OverBudget};
pub use crate::strangers::party::{Parties, Scope};
pub use crate::strangers::proxies::{ForwardedHeader, Named, Proxies};
pub use crate::strangers::proxy_header::{HeaderFault, read_header};
pub use crate::strangers::shared::Strangers;
