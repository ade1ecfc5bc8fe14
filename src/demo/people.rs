//! Who is there in the demo, besides the customer and the administrator.

use crate::domain::settings::Role;

/// The demo's people: id, name and role. The agents serve the queue.
pub const PEOPLE: [(&str, &str, Role); 3] =
    [("ada", "Ada", Role::Agent), ("ben", "Ben", Role::Agent), ("sue", "Sue", Role::Supervisor)];

/// How much work each of the demo's agents takes at once.
pub(super) const UNITS: u32 = 3;
