//! The lines of NATS' protocol, as far as a customer and an agent need them.

use memchr::memmem;

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// The server asks for a sign of life.
    Ping,
    /// The server answers a ping.
    Pong,
    /// A message: its subject and what it says.
    Delivery(&'a [u8], &'a [u8]),
    /// The server refuses something.
    Wrong(&'a [u8]),
    /// Anything else.
    Other,
}

/// Takes one line or message off the front; none if it is not complete.
pub fn take<'a>(bytes: &mut &'a [u8]) -> Option<Said<'a>> {
    let end = memmem::find(bytes, b"\r\n")?;
    let (line, rest) = (&bytes[..end], &bytes[end + 2..]);
    let said = match line {
        b"PING" => Said::Ping,
        b"PONG" => Said::Pong,
        [b'-', wrong @ ..] => Said::Wrong(wrong),
        [b'M', b'S', b'G', b' ', head @ ..] => {
            let mut words = head.split(|byte| *byte == b' ');
            let subject = words.next()?;
            let length: usize = std::str::from_utf8(words.next_back()?).ok()?.parse().ok()?;
            let payload = rest.get(..length)?;
            *bytes = rest.get(length + 2..)?;
            return Some(Said::Delivery(subject, payload));
        }
        _ => Said::Other,
    };
    *bytes = rest;
    Some(said)
}

/// The first line of a client: who connects, and the name by which others are told of it.
pub fn connect(user: &str, name: &str) -> String {
    format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"lang\":\"rust\",\
         \"version\":\"0\",\"user\":\"{user}\",\"pass\":\"{user}\",\"name\":\"{name}\"}}\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_taken_apart() {
        let mut rest: &[u8] = b"INFO {\"server_id\":\"NA\"} \r\nPONG\r\nMSG _INBOX.7.1 2 26\r\n\
            {\"stream\":\"POSTS\",\"seq\":1}\r\n-ERR 'Stale Connection'\r\nPI";
        assert_eq!(take(&mut rest), Some(Said::Other));
        assert_eq!(take(&mut rest), Some(Said::Pong));
        let delivery = take(&mut rest);
        let Some(Said::Delivery(b"_INBOX.7.1", payload)) = delivery else { panic!("{delivery:?}") };
        assert!(payload.starts_with(b"{\"stream\""));
        assert_eq!(take(&mut rest), Some(Said::Wrong(b"ERR 'Stale Connection'")));
        assert_eq!(take(&mut rest), None, "half a line says nothing");
        assert_eq!(rest, b"PI");
    }
}
