//! What the text of a setting must be, and the value that it stands for.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::access::token;

/// How the log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let Ok(port) = port.parse::<u16>() else {
        let message = "must be an address and a port, such as 127.0.0.1:8080, localhost:8080, \
                       [::]:8080, or :8080 for every address of this machine";
        return Err(message.to_owned());
    };
    if host.is_empty() {
        return Ok(SocketAddr::from(([0, 0, 0, 0], port)));
    }
    let found = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("must name a host that is known here ({error})"))?;
    // Where a name has IPv4 and IPv6 addresses, most clients try IPv4 at least second.
    let found: Vec<_> = found.collect();
    let chosen = found.iter().find(|address| address.is_ipv4()).or(found.first());
    chosen.copied().ok_or_else(|| "must name a host that has an address".to_owned())
}

pub(super) fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("must name a directory".to_owned()) } else { Ok(text.into()) }
}

pub(super) fn threads(text: &str) -> Result<Option<usize>, String> {
    match text.parse::<usize>() {
        Ok(0) => Ok(None),
        Ok(count @ 1..=256) => Ok(Some(count)),
        _ => Err("must be from 1 to 256, or 0 for one for each core".to_owned()),
    }
}

pub(super) fn demo(text: &str) -> Result<Option<bool>, String> {
    match text {
        "true" | "1" | "on" => Ok(Some(true)),
        "false" | "0" | "off" => Ok(Some(false)),
        "auto" => Ok(None),
        _ => Err("must be true, false, or auto (on when nothing is set up, and only this machine \
                  can reach it)"
            .to_owned()),
    }
}

pub(super) fn page(text: &str) -> Result<Option<bool>, String> {
    match text {
        "auto" => Ok(None),
        text => switch(text).map(Some).map_err(|message| {
            format!("{message}, or auto (there where only this machine can reach it)")
        }),
    }
}

pub(super) fn admin_token(text: &str) -> Result<String, String> {
    if token::is_long_enough(text) { Ok(text.to_owned()) } else { Err(token::RULE.to_owned()) }
}

pub(super) fn filter(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(format!("must be a log filter, such as info or holdline=debug,warn: {error}"))
        }
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    }
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "on" => Ok(true),
        "false" | "0" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

pub(super) fn drain(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| *seconds <= 300);
    let message = || "must be a whole number of seconds from 0 to 300".to_owned();
    seconds.map(Duration::from_secs).ok_or_else(message)
}
