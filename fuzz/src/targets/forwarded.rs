//! The headers in which proxies name clients, and the list of proxies that are trusted. The input
//! is a line of networks, and then one line for each header.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use holdline::strangers::{ForwardedHeader, Named, Proxies};

const NEAREST: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

pub(crate) fn run(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let networks = lines.next().unwrap_or_default();
    let networks = std::str::from_utf8(networks).ok();
    let networks = networks.and_then(|text| Proxies::networks(text).ok()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for line in lines {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        headers.append(HeaderName::from_static("x-forwarded-for"), value.clone());
        headers.append(HeaderName::from_static("forwarded"), value);
    }
    for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
        let nobodys = Proxies::new(networks.clone(), header);
        let is_trusted = nobodys.trust(NEAREST);
        let named = nobodys.client(NEAREST, &headers);
        assert!(is_trusted || !matches!(named, Named::Client(_)), "a stranger is believed");
        let mut trusting = networks.clone();
        trusting.extend(Proxies::networks("192.0.2.1").unwrap_or_default());
        let _named = Proxies::new(trusting, header).client(NEAREST, &headers);
    }
}
