//! Packets of MQTT 5, as far as a customer and an agent need them.

/// The kinds of packets, as they stand in the upper half of the first byte.
pub const CONNACK: u8 = 2;
/// A message.
pub const PUBLISH: u8 = 3;
/// A message is taken.
pub const PUBACK: u8 = 4;
/// A subscription is made.
pub const SUBACK: u8 = 9;
/// A sign of life is answered.
pub const PINGRESP: u8 = 13;
/// The broker is about to close.
pub const DISCONNECT: u8 = 14;

/// A sign of life, whole.
pub const PINGREQ: [u8; 2] = [0xc0, 0];
/// A polite end, whole: no will is published.
pub const LEAVE: [u8; 2] = [0xe0, 0];

/// A packet that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The kind.
    pub kind: u8,
    /// The lower half of the first byte.
    pub flags: u8,
    /// What follows the length.
    pub body: &'a [u8],
}

/// A message that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published<'a> {
    /// Its topic.
    pub topic: &'a [u8],
    /// The id that an acknowledgement must name; none if no acknowledgement is wanted.
    pub id: Option<u16>,
    /// What it says.
    pub payload: &'a [u8],
}

/// Takes a packet off the front.
pub fn take<'a>(bytes: &mut &'a [u8]) -> Option<Packet<'a>> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = take_length(rest)?;
    let (body, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(Packet { kind: first >> 4, flags: first & 0xf, body })
}

/// A number of one to four bytes, seven bits each, the least significant first.
fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0;
    for (place, byte) in bytes.iter().enumerate().take(4) {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((length, &bytes[place + 1..]));
        }
    }
    None
}

impl<'a> Packet<'a> {
    /// The packet that an acknowledgement is about.
    pub fn id(&self) -> Option<u16> {
        self.body.first_chunk().map(|id| u16::from_be_bytes(*id))
    }

    /// The message, if this packet is one.
    pub fn published(&self) -> Option<Published<'a>> {
        let (length, rest) = self.body.split_first_chunk()?;
        let (topic, mut rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let mut id = None;
        if self.flags & 0b0110 != 0 {
            let (bytes, after) = rest.split_first_chunk()?;
            (id, rest) = (Some(u16::from_be_bytes(*bytes)), after);
        }
        let (properties, rest) = take_length(rest)?;
        Some(Published { topic, id, payload: rest.get(properties..)? })
    }
}

/// A packet of this first byte and body.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length = body.len();
    loop {
        let seven = u8::try_from(length & 0x7f).unwrap_or(0);
        length >>= 7;
        out.push(if length > 0 { seven | 0x80 } else { seven });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    out
}

/// Connects a client, with the interval of its signs of life (in seconds), the time for which its
/// subscriptions are kept, and the will that is published when it is gone.
pub fn connect(client: &str, keepalive: u16, expiry_s: u32, will: Option<(&str, u32)>) -> Vec<u8> {
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 5];
    // A will is published at least once (QoS 1). No clean start: the kept session is taken up
    // again.
    body.push(if will.is_some() { 0b0000_1100 } else { 0 });
    body.extend(keepalive.to_be_bytes());
    body.extend([5, 0x11]);
    body.extend(expiry_s.to_be_bytes());
    text(&mut body, client);
    if let Some((topic, delay_s)) = will {
        body.extend([5, 0x18]);
        body.extend(delay_s.to_be_bytes());
        text(&mut body, topic);
        text(&mut body, "");
    }
    packet(0x10, &body)
}

/// Subscribes, for delivery at least once.
pub fn subscribe(id: u16, topics: &[&str]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    body.push(0);
    for topic in topics {
        text(&mut body, topic);
        body.push(1);
    }
    packet(0x82, &body)
}

/// Publishes, with an acknowledgement.
pub fn publish(topic: &str, id: u16, payload: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::with_capacity(64);
    text(&mut body, topic);
    body.extend(id.to_be_bytes());
    body.push(0);
    for part in payload {
        body.extend_from_slice(part);
    }
    packet(0x32, &body)
}

/// Publishes without an acknowledgement.
pub fn publish_unsure(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(64);
    text(&mut body, topic);
    body.push(0);
    body.extend_from_slice(payload);
    packet(0x30, &body)
}

/// Acknowledges a message.
pub fn acknowledge(id: u16) -> Vec<u8> {
    packet(0x40, &id.to_be_bytes())
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_read() {
        for length in [0, 1, 110, 200, 20_000] {
            let text = vec![b'x'; length];
            let bytes = publish("from/7", 9, &[b"12 ", &text]);
            let mut rest = &bytes[..];
            let packet = take(&mut rest).expect("it is whole");
            assert!(rest.is_empty());
            let published = packet.published().expect("it is a message");
            assert_eq!((published.topic, published.id), (&b"from/7"[..], Some(9)));
            assert_eq!(published.payload.len(), length + 3);
            assert_eq!(take(&mut &bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn a_connect_is_as_the_standard_has_it() {
        let bytes = connect("c1", 4, 10, Some(("gone/1", 8)));
        let expected = b"\x10\x24\x00\x04MQTT\x05\x0c\x00\x04\x05\x11\x00\x00\x00\x0a\x00\x02c1\
                         \x05\x18\x00\x00\x00\x08\x00\x06gone/1\x00\x00";
        assert_eq!(bytes, expected);
    }
}
