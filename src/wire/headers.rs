//! What is said of every answer over HTTP, whoever gives it: a browser must not guess what it is,
//! keep it, frame it, hand it to other sites, or tell other sites where it came from.

/// The headers, by their names in lower case.
pub const ALWAYS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    // Of a document: nothing is loaded by it, and it is in nobody's frame.
    ("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    // What old browsers know of frames.
    ("x-frame-options", "DENY"),
];

/// What is said over TLS as well: to come back over TLS for a year, whatever a link says.
pub const OVER_TLS: (&str, &str) = ("strict-transport-security", "max-age=31536000");
