//! The header of the PROXY protocol, versions 1 and 2, with which a proxy begins a connection that
//! it passes on: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ppp::{HeaderResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::limits;

/// Why a connection does not begin as it must.
#[derive(Debug, thiserror::Error)]
pub enum HeaderFault {
    /// It is not a header of the PROXY protocol.
    #[error("the connection does not begin with a header of the PROXY protocol")]
    Malformed,
    /// It did not come in time.
    #[error("no header of the PROXY protocol came within {} s", limits::PROXY_HEADER_SECONDS_MAX)]
    TooSlow,
    /// The connection has ended.
    #[error(transparent)]
    Connection(#[from] io::Error),
}

/// Reads the header, and nothing behind it. Returns the client that it names; nothing where the
/// proxy speaks for itself, as for its health checks.
pub async fn read_header(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<SocketAddr>, HeaderFault> {
    let limit = Duration::from_secs(limits::PROXY_HEADER_SECONDS_MAX);
    let read = tokio::time::timeout(limit, read_whole(stream)).await;
    let header = read.map_err(|_| HeaderFault::TooSlow)??;
    match HeaderResult::parse(&header) {
        HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
            v1::Addresses::Unknown => None,
            v1::Addresses::Tcp4(four) => Some(at(four.source_address.into(), four.source_port)),
            v1::Addresses::Tcp6(six) => Some(at(six.source_address.into(), six.source_port)),
        }),
        HeaderResult::V2(Ok(header)) => Ok(match (header.command, header.addresses) {
            (v2::Command::Proxy, v2::Addresses::IPv4(four)) => {
                Some(at(four.source_address.into(), four.source_port))
            }
            (v2::Command::Proxy, v2::Addresses::IPv6(six)) => {
                Some(at(six.source_address.into(), six.source_port))
            }
            _ => None,
        }),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(HeaderFault::Malformed),
    }
}

fn at(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address.to_canonical(), port)
}

async fn read_whole(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, HeaderFault> {
    let mut header = vec![0; v2::PROTOCOL_PREFIX.len()];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        // The command, the family, and the length of the rest.
        let mut rest = [0; 4];
        stream.read_exact(&mut rest).await?;
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if length > limits::PROXY_HEADER_BYTES_MAX {
            return Err(HeaderFault::Malformed);
        }
        header.extend(rest);
        let read = header.len();
        header.resize(read + length, 0);
        stream.read_exact(&mut header[read..]).await?;
        return Ok(header);
    }
    // A line of text does not say how long it is, and what is behind it must not be read.
    while !header.ends_with(b"\r\n") {
        if !header.starts_with(b"PROXY ") || header.len() == limits::PROXY_LINE_BYTES_MAX {
            return Err(HeaderFault::Malformed);
        }
        header.push(stream.read_u8().await?);
    }
    Ok(header)
}
