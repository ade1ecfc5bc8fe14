//! Whom a use counts for.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use crate::domain::id::WidgetId;

/// By what somebody's use is counted.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scope {
    /// The address that they come from: one of IPv4, or a network of IPv6 of 64 bits, because that
    /// much is given to one household.
    Address,
    /// The site whose page they have open: its origin, as the browser names it.
    Site,
    /// The widget.
    Widget,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Address, Self::Site, Self::Widget];

    /// What it is called, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Site => "site",
            Self::Widget => "widget",
        }
    }
}

/// One address, site or widget.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Party {
    pub(super) scope: Scope,
    is_of_six: bool,
    name: u64,
}

impl Party {
    /// Everybody for whom there is no account of their own.
    pub(super) const fn others(scope: Scope) -> Self {
        Self { scope, is_of_six: true, name: u64::MAX }
    }

    /// Whoever comes from this address; nobody in particular on this machine itself.
    pub(super) fn address(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        let (is_of_six, name) = match address {
            IpAddr::V4(four) => (false, u64::from(four.to_bits())),
            IpAddr::V6(six) => (true, u64::try_from(six.to_bits() >> 64).unwrap_or_default()),
        };
        Some(Self { scope: Scope::Address, is_of_six, name })
    }

    fn named(scope: Scope, name: &str, keys: &RandomState) -> Self {
        // Two names that are one number share a budget: nobody can choose them, and it is harmless.
        Self { scope, is_of_six: false, name: keys.hash_one(name) }
    }
}

/// Whom somebody's use counts for: at most one of each scope, in the order of [`Scope::ALL`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Parties(pub(super) [Option<Party>; 3]);

impl Parties {
    pub(super) fn of(
        keys: &RandomState,
        address: Option<IpAddr>,
        site: Option<&str>,
        widget: Option<&WidgetId>,
    ) -> Self {
        Self([
            address.and_then(Party::address),
            site.map(|site| Party::named(Scope::Site, site, keys)),
            widget.map(|widget| Party::named(Scope::Widget, widget.as_str(), keys)),
        ])
    }

    /// The address alone.
    pub const fn address(self) -> Self {
        Self([self.0[0], None, None])
    }
}
