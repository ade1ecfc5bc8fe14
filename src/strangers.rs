//! Strangers in bounds: what a client that has shown no token yet counts as, and how much of the
//! server it may use.
//!
//! Use is counted by *party*: the address that a client comes from ([`Proxies`] finds it behind a
//! proxy), the site whose page it has open, and the widget. A budget is either held ([`Held`],
//! given back when it is dropped) or spent, so many in a minute. Every budget may be switched off.
//! This machine itself is no stranger: a loopback address has no budgets.
//!
//! Parties are kept in a table of at most `limits::PARTIES_MAX`. While it is full of parties that
//! use something now, every party that comes new shares one account with the others that do.

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
