//! What a dialect makes of recorded messages of servers. This needs no server.

use std::fmt;

use super::speak;
use crate::dialect::{Heard, Link, Message, Say, Spoken};

/// Remembers what a dialect says, and sends it nowhere.
#[derive(Default)]
struct Said(Vec<String>);

impl Say for Said {
    fn text(&mut self, body: fmt::Arguments<'_>) {
        self.0.push(body.to_string());
    }

    fn binary(&mut self, body: &[u8]) {
        self.0.push(body.escape_ascii().to_string());
    }

    fn ping(&mut self, body: &[u8]) {
        self.0.push(body.escape_ascii().to_string());
    }
}

/// What a dialect hears in recorded messages, and what it says meanwhile, as customer 7.
fn understood(spoken: &Spoken, recorded: &[&[u8]]) -> (Vec<Heard>, Vec<String>) {
    let mut dialect = speak(spoken).unwrap().expect("it is a peer's");
    let mut link = Link { customer: 7, ..Link::default() };
    let mut said = Said::default();
    let mut heard = Vec::new();
    dialect.open(&mut link, &mut said);
    dialect.post(&mut link, POST, "hi", &mut said);
    said.0.clear();
    for bytes in recorded {
        let message = match bytes.first() {
            Some(b'<' | b'{' | b'0'..=b'4') => Message::Text(bytes),
            _ => Message::Binary(bytes),
        };
        dialect.hear(&mut link, message, &mut said, &mut |what| heard.push(what));
    }
    heard.retain(|what| *what != Heard::Other);
    (heard, said.0)
}

const POST: u64 = 7 << 32 | 4;

const AS_ALL: [Heard; 3] =
    [Heard::Ready { is_resumed: false }, Heard::Posted { number: POST }, Heard::Beat];

fn spoken(name: &str, settings: serde_json::Value) -> Spoken {
    Spoken { name: name.into(), settings }
}

#[test]
fn mosquitto_is_understood() {
    let settings = serde_json::json!({ "keepalive_s": 2, "window_s": 5 });
    let (heard, said) = understood(
        &spoken("mqtt", settings),
        &[
            b"\x20\x09\x00\x00\x06\x22\x00\x0a\x21\x03\xe8",
            b"\x90\x04\x00\x01\x00\x01",
            b"\x40\x02\x00\x05",
            b"\xd0\x00",
        ],
    );
    assert_eq!(heard, AS_ALL);
    let subscribes = "\\x82\\n\\x00\\x01\\x00\\x00\\x04to/7\\x01";
    assert_eq!(said, [subscribes, "0\\t\\x00\\x06here/7\\x00"]);
}

#[test]
fn ejabberd_is_understood() {
    let (heard, said) = understood(
        &spoken("xmpp", 5.into()),
        &[
            b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='765' from='localhost'/>",
            b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms \
              xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>\
              </stream:features>",
            b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind \
              xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>\
              </stream:features>",
            b"<iq xmlns='jabber:client' type='result' id='bind'><bind \
              xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>c7@localhost/1229</jid></bind></iq>",
            b"<enabled resume='true' max='5' id='g2gCbQ+dw=' xmlns='urn:xmpp:sm:3'/>",
            b"<presence xmlns='jabber:client' to='c7@localhost/1229' from='c7@localhost/1229'/>",
            b"<r xmlns='urn:xmpp:sm:3'/>",
            b"<iq xmlns='jabber:client' xml:lang='en' from='localhost' type='result' id='b'/>",
            b"<iq xmlns='jabber:client' from='localhost' type='result' id='n30064771076'/>",
            b"<r xmlns='urn:xmpp:sm:3'/>",
            b"<iq xmlns='jabber:client' xml:lang='en' from='localhost' type='result' id='b'/>",
        ],
    );
    assert_eq!(heard, AS_ALL);
    assert!(said[0].ends_with(">AGM3AGM3</auth>"), "{}", said[0]);
    let counts: Vec<_> = said.iter().filter(|text| text.starts_with("<a ")).collect();
    let expected = ["<a xmlns='urn:xmpp:sm:3' h='1'/>", "<a xmlns='urn:xmpp:sm:3' h='3'/>"];
    assert_eq!(counts, expected, "the stanzas since the stream is managed are counted");
}

#[test]
fn socket_io_is_understood() {
    let (heard, said) = understood(
        &spoken("socket.io", serde_json::Value::Null),
        &[
            b"0{\"sid\":\"wP-nWUb2qfrl1Un7AAAB\",\"upgrades\":[],\"pingInterval\":1000}",
            b"40{\"sid\":\"98nrWAcFZTNsLs_cAAAC\",\"pid\":\"nM0Nl37FPJLWu9F4AAAD\"}",
            b"42[\"welcome\",\"Q86tDR-\"]",
            b"434[]",
            b"2",
        ],
    );
    assert_eq!(heard, AS_ALL);
    assert_eq!(said, ["40{\"customer\":7}", "3"]);
}

#[test]
fn nats_is_understood() {
    let (heard, said) = understood(
        &spoken("nats", serde_json::Value::Null),
        &[
            b"INFO {\"server_id\":\"NCS7\",\"version\":\"2.15.2\",\"auth_required\":true} \r\n",
            b"PONG\r\nINFO {\"server_id\":\"NCS7\",\"remote_account\":\"CHATS\"} \r\n",
            b"MSG _INBOX.7.4 2 26\r\n{\"stream\":\"POSTS\",\"seq\":1}\r\nPING\r\n",
            b"PONG\r\n",
        ],
    );
    // Here the post comes first, and with it the subscription that a later one need not make.
    assert_eq!(heard[heard.len() - 2..], AS_ALL[1..]);
    assert_eq!(said, ["PONG\\r\\n"]);
}

#[test]
fn centrifugo_is_understood() {
    let (heard, said) = understood(
        &spoken("centrifugo", serde_json::Value::Null),
        &[
            b"{\"id\":1,\"connect\":{\"client\":\"2cbd145d\",\"subs\":{\"chat:7\":\
              {\"recoverable\":true,\"epoch\":\"IaVTokfh\",\"positioned\":true}},\
              \"ping\":1,\"pong\":true}}",
            b"{\"push\":{\"channel\":\"chat:7\",\"pub\":{\"data\":\
              {\"post\":30064771076,\"text\":\"hi\"},\
              \"offset\":1,\"epoch\":\"IaVTokfh\"}}}\n{\"id\":5,\"publish\":{}}",
            b"{}",
        ],
    );
    assert_eq!(heard, AS_ALL);
    assert_eq!(said, ["{}"]);
}
