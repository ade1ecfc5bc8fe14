//! The headers of every answer over HTTP, whichever part of the server gives it. A browser must not
//! guess what the answer is, keep it, frame it, hand it to other sites, or tell other sites where
//! it came from.

/// The headers, by their names in lower case.
pub const ALWAYS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    // If the answer is shown as a document, it loads nothing and stands in no frame.
    ("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    // The same rule about frames, for old browsers.
    ("x-frame-options", "DENY"),
];

/// What is said over TLS as well: to come back over TLS for a year, whatever a link says.
pub const OVER_TLS: (&str, &str) = ("strict-transport-security", "max-age=31536000");
