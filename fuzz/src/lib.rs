//! The readers of bytes from outside, each as a target of a fuzzer: frames, requests, documents,
//! records, snapshots, places, the names and headers of proxies, the configuration, signed tokens,
//! public keys, and backups.
//!
//! A target panics when Holdline does something that it must not do. Every other answer is right,
//! even a refusal.

mod targets;

/// One reader of bytes from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The target's name, which is also that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Reads the bytes, and panics if the outcome is not as it must be.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 12] = [
    Target { name: "frames", run: targets::frames::run },
    Target { name: "requests", run: targets::requests::run },
    Target { name: "documents", run: targets::documents::run },
    Target { name: "records", run: targets::records::run },
    Target { name: "snapshots", run: targets::snapshots::run },
    Target { name: "cursors", run: targets::cursors::run },
    Target { name: "forwarded", run: targets::forwarded::run },
    Target { name: "proxy_header", run: targets::proxy_header::run },
    Target { name: "configuration", run: targets::configuration::run },
    Target { name: "signed", run: targets::signed::run },
    Target { name: "keys", run: targets::keys::run },
    Target { name: "backups", run: targets::backups::run },
];
