//! The configuration file.

use std::ffi::OsString;

use holdline::config::Config;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let flags = ["holdline", "--config", "holdline.toml"].map(OsString::from);
    let read = Config::load(flags, |_| None, |_| Ok(text.to_owned()));
    if let Err(fault) = read {
        assert!(!fault.to_string().is_empty(), "a fault says what is wrong");
    }
}
