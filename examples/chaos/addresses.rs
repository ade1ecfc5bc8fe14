//! Who comes from where. On one machine every client has an address of loopback, which has no
//! bounds. So a client that is to be bounded comes through a proxy which the server trusts and
//! which names a public address for each client.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

/// The address of the proxy that breaks what it carries.
pub(crate) const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The address of the strangers, who go straight to the server.
pub(crate) const STRANGERS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// The first public address of the strangers.
pub(crate) const FIRST_OF_STRANGERS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The address from which this widget comes to the proxy. Each widget has one of its own.
pub(crate) fn of_widget(number: u64) -> Ipv4Addr {
    let [.., third, fourth] = number.to_be_bytes();
    Ipv4Addr::new(127, 1, third, fourth)
}

/// The public address under which the proxy passes on what comes from this address.
pub(crate) fn announced(from: IpAddr) -> Ipv4Addr {
    match from {
        IpAddr::V4(four) => {
            let [_, second, third, fourth] = four.octets();
            Ipv4Addr::new(198, 18 + second % 2, third, fourth)
        }
        IpAddr::V6(_) => Ipv4Addr::new(198, 18, 0, 0),
    }
}

/// The beginning of a connection that a proxy passes on for this client.
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
