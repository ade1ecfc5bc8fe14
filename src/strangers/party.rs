//! The parties that a use counts for.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU64;

use crate::domain::id::WidgetId;

/// By what a use is counted.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scope {
    /// The address that the client comes from: an IPv4 address, or an IPv6 network of 64 bits,
    /// because one household is given that much.
    Address,
    /// The site whose page the client has open: its origin, as the browser names it.
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
    name: NonZeroU64,
}

/// The parties that a use counts for: at most one of each scope. A name's place says its scope, in
/// the order of [`Scope::ALL`]; that saves room, because every socket has one of these.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Parties([Option<NonZeroU64>; 3]);

impl Party {
    /// All those of a scope that have no account of their own.
    pub(super) const fn others(scope: Scope) -> Self {
        Self { scope, name: NonZeroU64::MAX }
    }

    /// A number by which the party is found. Its name already is one that nobody can choose.
    pub(super) const fn digest(self) -> u64 {
        self.name.get() ^ self.scope as u64
    }
}

impl Parties {
    pub(super) fn of(
        keys: &RandomState,
        address: Option<IpAddr>,
        site: Option<&str>,
        widget: Option<&WidgetId>,
    ) -> Self {
        Self([
            address.and_then(|address| name_of_address(address, keys)),
            site.map(|site| name_of(site, keys)),
            widget.map(|widget| name_of(widget.as_str(), keys)),
        ])
    }

    /// The address alone.
    pub const fn address(self) -> Self {
        Self([self.0[0], None, None])
    }

    /// Each party.
    pub(super) fn iter(&self) -> impl Iterator<Item = Party> {
        let named = Scope::ALL.into_iter().zip(self.0);
        named.filter_map(|(scope, name)| Some(Party { scope, name: name? }))
    }
}

/// The name of this address's party; none for this machine itself.
fn name_of_address(address: IpAddr, keys: &RandomState) -> Option<NonZeroU64> {
    let address = address.to_canonical();
    (!address.is_loopback()).then(|| match address {
        IpAddr::V4(four) => name_of(four, keys),
        IpAddr::V6(six) => name_of(six.to_bits() >> 64, keys),
    })
}

/// Two parties with one name share a budget. Nobody can bring that about without the keys, and it
/// is harmless.
fn name_of(whom: impl Hash, keys: &RandomState) -> NonZeroU64 {
    NonZeroU64::new(keys.hash_one(whom)).unwrap_or(NonZeroU64::MIN)
}
