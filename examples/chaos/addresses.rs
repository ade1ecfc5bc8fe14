//! Who comes from where. On one machine everybody has an address of loopback, which has no bounds;
//! so whoever is to be bounded comes through a proxy that the server trusts, and that names a
//! public address for each.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

/// Where the proxy comes from that breaks what it carries.
pub(crate) const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Where the strangers come from, who go straight to the server.
pub(crate) const STRANGERS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// The first public address of the strangers.
pub(crate) const FIRST_OF_STRANGERS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Where this widget comes to the proxy from: each from an address of its own.
pub(crate) fn of_widget(number: u64) -> Ipv4Addr {
    let [.., third, fourth] = number.to_be_bytes();
    Ipv4Addr::new(127, 1, third, fourth)
}

/// Under which public address the proxy passes on what comes from there.
pub(crate) fn announced(from: IpAddr) -> Ipv4Addr {
    match from {
        IpAddr::V4(four) => {
            let [_, second, third, fourth] = four.octets();
            Ipv4Addr::new(198, 18 + second % 2, third, fourth)
        }
        IpAddr::V6(_) => Ipv4Addr::new(198, 18, 0, 0),
    }
}

/// With which a connection begins that a proxy passes on for somebody.
pub(crate) fn header(client: Ipv4Addr, server: SocketAddr) -> String {
    format!("PROXY TCP4 {client} {} 40000 {}\r\n", server.ip(), server.port())
}

/// Connects from this address.
pub(crate) async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
