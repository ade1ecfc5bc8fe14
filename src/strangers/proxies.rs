//! The proxies between a client and this server, and the clients that they name.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use actix_http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use ipnet::IpNet;

use crate::limits;

/// The proxies that are trusted to say where a request comes from, and the header in which they say
/// it. Only one header counts: a proxy passes the other on as the client has written it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Proxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

/// The header that names the client of a request that is passed on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, which nearly every proxy knows.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ForwardedHeader {
    const fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => X_FORWARDED_FOR,
            Self::Forwarded => FORWARDED,
        }
    }
}

impl FromStr for ForwardedHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("must be X-Forwarded-For or Forwarded".to_owned()),
        }
    }
}

/// The client that a request's headers name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Named {
    /// Nobody.
    Nobody,
    /// A client, but the peer that names it is not trusted.
    ByUntrusted,
    /// This client.
    Client(IpAddr),
}

impl Proxies {
    /// Proxies at these networks, which name clients in this header.
    pub const fn new(networks: Vec<IpNet>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// Addresses and networks, separated by commas, such as `127.0.0.1, 10.0.0.0/8`.
    pub fn networks(text: &str) -> Result<Vec<IpNet>, String> {
        let listed: Vec<_> = text.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
        if listed.len() > limits::TRUSTED_PROXIES_MAX {
            return Err(format!("must be at most {} networks", limits::TRUSTED_PROXIES_MAX));
        }
        let network = |text: &&str| {
            let address = text.parse::<IpAddr>().map(|it| IpNet::from(it.to_canonical()));
            address.or_else(|_| text.parse::<IpNet>()).map_err(|_| {
                "must be addresses and networks, separated by commas, such as 127.0.0.1, \
                 10.0.0.0/8, fd00::/8"
                    .to_owned()
            })
        };
        listed.iter().map(network).collect()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether this address is that of a trusted proxy.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that comes from a peer: of the addresses named, from the last to the
    /// first, the first that is no trusted proxy. Those before it may be anybody's invention.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Named {
        if !self.trust(peer) {
            let names = headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED);
            return if names { Named::ByUntrusted } else { Named::Nobody };
        }
        let lines: Vec<_> = headers.get_all(self.header.name()).collect();
        let mut found = Named::Nobody;
        let mut looked_at = 0;
        for line in lines.into_iter().rev() {
            // What cannot be read names nobody, and so does everything before it.
            let Ok(line) = line.to_str() else { return found };
            for hop in line.rsplit(',') {
                looked_at += 1;
                let Some(address) = self.hop(hop) else { return found };
                found = Named::Client(address);
                if !self.trust(address) || looked_at == limits::PROXY_HOPS_MAX {
                    return found;
                }
            }
        }
        found
    }

    fn hop(&self, text: &str) -> Option<IpAddr> {
        let text = text.trim();
        let address = match self.header {
            ForwardedHeader::XForwardedFor => {
                let bare = text.trim_start_matches('[').trim_end_matches(']');
                let with_port = || text.parse::<SocketAddr>().map(|it| it.ip());
                bare.parse::<IpAddr>().or_else(|_| with_port()).ok()?
            }
            ForwardedHeader::Forwarded => {
                let hop = rfc7239::parse(text).next_back()?.ok()?;
                match hop.forwarded_for?.name {
                    rfc7239::NodeName::Ip(address) => address,
                    _ => return None,
                }
            }
        };
        Some(address.to_canonical())
    }
}

impl fmt::Display for ForwardedHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::XForwardedFor => "X-Forwarded-For",
            Self::Forwarded => "Forwarded",
        })
    }
}
