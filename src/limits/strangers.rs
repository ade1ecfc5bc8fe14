//! What strangers may use, and how much is kept of them.

/// Addresses, sites and widgets whose use is counted, at 64 bytes each: 8 MB with the room that a
/// table keeps free. When all of them use something, others share an account.
pub const PARTIES_MAX: usize = 65_536;

/// Messages of one address that may come at once where its budget for a minute allows as many: what
/// people behind it type in the same moment. A larger budget allows ten seconds' worth at once.
pub const POSTS_AT_ONCE_MIN: u32 = 60;

/// Networks of proxies whose word is taken. Each request is held against all of them.
pub const TRUSTED_PROXIES_MAX: usize = 256;

/// Proxies that a request may have come through. If there are more, this many of the nearest are
/// believed.
pub const PROXY_HOPS_MAX: usize = 32;

/// How long a proxy may take for the header of the PROXY protocol, which it sends at once.
pub const PROXY_HEADER_SECONDS_MAX: u64 = 5;

/// The longest header of version 2 behind its first 16 bytes: addresses of Unix sockets, and as
/// much again for what proxies add.
pub const PROXY_HEADER_BYTES_MAX: usize = 2_048;

/// How long a handshake of TLS may take: two journeys there and back, for a phone in a bad place.
pub const TLS_HANDSHAKE_SECONDS_MAX: u64 = 10;

/// How often the files of a certificate are looked at, which are replaced every few weeks. A change
/// is taken at the look after the one that sees it.
pub const TLS_LOOK_SECONDS: u64 = 5;

/// The largest file of certificates or of a key, because it is read as a whole: a hundred times
/// what a chain of certificates has.
pub const TLS_FILE_BYTES_MAX: usize = 1_048_576;

/// The longest header of version 1, as the protocol says.
pub const PROXY_LINE_BYTES_MAX: usize = 107;

/// How long a client that has shown no token may have one of the last descriptors.
pub const RESERVE_SECONDS_MAX: u64 = 2;

/// The most descriptors that are kept for clients with a token and for operators; where a process
/// may have few, a sixteenth of them.
pub const DESCRIPTORS_KEPT_MAX: u64 = 512;

/// Of these, the most that are kept for operators alone where they have an address of their own;
/// where a process may have few, a quarter of them.
pub const OPERATOR_DESCRIPTORS_KEPT_MAX: u64 = 64;

/// Connections that each thread takes at the operators' address. A scraper and a probe use one or
/// two, and an address that is open to the world must not give away everybody else's descriptors.
pub const OPERATOR_CONNECTIONS_MAX: usize = 32;

/// Pings and pongs between the fragments of one message. A browser sends a message in one piece,
/// and a client that sends it in many is done within seconds; a ping comes every few seconds at
/// most.
pub const CONTROLS_IN_MESSAGE_MAX: u16 = 16;

/// Bytes of a message that count as one more message of its address.
pub const POST_BYTES_COUNTED: usize = 1_024;
