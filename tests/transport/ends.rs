//! How a session learns how its socket ended, and how a peer learns why it was closed.

use std::time::Duration;

use holdline::domain::cause::{Cause, Misuse};
use holdline::socket::{Breach, SocketEnd};

use crate::peer::{Peer, frame, header, text};
use crate::server::{Server, until};

fn end_of(server: &Server) -> Option<SocketEnd> {
    until("the session has stopped", || !server.seen.ends().is_empty());
    server.seen.ends()[0]
}

#[test]
fn a_close_frame_tells_its_code() {
    for (payload, code, answered) in
        [(&[0x03, 0xe9][..], 1001, 1001), (&[][..], 1005, 1000), (&[0x0f, 0xa1][..], 4001, 4001)]
    {
        let server = Server::start();
        let mut peer = Peer::open(server.address);
        peer.send(&text("last"));
        peer.send(&frame(0x88, payload));
        assert_eq!(peer.text(), "last");
        assert_eq!(peer.close_code(), answered);
        assert_eq!(end_of(&server), Some(SocketEnd::Closed(code)));
    }
}

#[test]
fn an_end_without_a_close_frame_is_told_apart_from_a_reset() {
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    peer.send(&text("hush"));
    drop(peer);
    let end = end_of(&server);
    assert_eq!(end, Some(SocketEnd::Ended));
    assert_eq!(end.unwrap().cause(), Cause::Closed(1006));

    let server = Server::start();
    let peer = Peer::open(server.address);
    let socket = socket2::Socket::from(peer.stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    drop(socket);
    assert_eq!(end_of(&server), Some(SocketEnd::Reset));
}

#[test]
fn what_came_before_the_end_is_still_given() {
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    peer.send(&text("later"));
    let many: Vec<u8> = text("hush").repeat(1_000);
    peer.send(&many);
    drop(peer);
    assert_eq!(end_of(&server), Some(SocketEnd::Ended));
    assert_eq!(server.seen.frames(), 1_001);
}

#[test]
fn a_breach_is_answered_with_its_code() {
    let unmasked = vec![0x81, 2, b'h', b'i'];
    let mut fragments = frame(0x01, b"one");
    fragments.extend(frame(0x81, b"two"));
    let cases = [
        (unmasked, Breach::Unmasked, 1002),
        (frame(0xc1, b"hi"), Breach::ReservedBit, 1002),
        (frame(0x83, b"hi"), Breach::ReservedOpcode, 1002),
        (frame(0x09, b"hi"), Breach::BadControl, 1002),
        (frame(0x89, &[b'p'; 126]), Breach::BadControl, 1002),
        (frame(0x88, &[3]), Breach::BadClose, 1002),
        (frame(0x80, b"hi"), Breach::BadFragment, 1002),
        (fragments, Breach::BadFragment, 1002),
        (frame(0x82, b"hi"), Breach::Binary, 1003),
        (frame(0x81, b"\xff\xfe"), Breach::InvalidUtf8, 1007),
        (header(0x81, 81_921), Breach::TooBig, 1009),
    ];
    for (bytes, breach, code) in cases {
        let server = Server::start();
        let mut peer = Peer::open(server.address);
        peer.send(&text("before"));
        peer.send(&bytes);
        assert_eq!(peer.text(), "before");
        let bye: serde_json::Value = serde_json::from_str(&peer.text()).unwrap();
        assert_eq!((&bye["type"], &bye["code"]), (&"bye".into(), &code.into()));
        assert_eq!(peer.close_code(), code, "{breach:?}");
        assert_eq!(end_of(&server), Some(SocketEnd::Refused(breach)));
    }
    let cause = SocketEnd::Refused(Breach::TooBig).cause();
    assert_eq!(cause, Cause::Refused(Misuse::Size));
}

#[test]
fn a_session_that_closes_says_bye() {
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    peer.send(&text("bye"));
    let bye: serde_json::Value = serde_json::from_str(&peer.text()).unwrap();
    assert_eq!(bye["retry_after_ms"], 3_000);
    assert_eq!(peer.close_code(), 1012);
    assert_eq!(end_of(&server), None);
}

#[test]
fn a_reader_that_is_too_slow_is_closed_while_its_session_lives_on_until_then() {
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    peer.send(&text("push"));
    until("the session has stopped", || !server.seen.ends().is_empty());
    assert_eq!(end_of(&server), Some(SocketEnd::Slow));
    assert!(server.seen.ticks() > 4, "it was given its turns");
    // A reader that soon reads again is told why.
    let mut last = (0, Vec::new());
    while let Some(frame) = peer.frame() {
        last = frame;
    }
    assert_eq!(last, (0x88, 4002_u16.to_be_bytes().to_vec()));
}

#[test]
fn whoever_finds_the_outbox_full_ends_the_socket_from_any_thread() {
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    peer.send(&text("hello"));
    assert_eq!(peer.text(), "hello");
    let outbox = server.seen.outboxes.lock().unwrap()[0].clone();
    until("what was written is off the account", || outbox.frames() == 0 && outbox.bytes() == 0);
    while outbox.reserve(100).is_ok() {}
    assert_eq!(end_of(&server), Some(SocketEnd::Slow));
    let bye: serde_json::Value = serde_json::from_str(&peer.text()).unwrap();
    assert_eq!(bye["reason"], "slow_reader");
    assert_eq!(peer.close_code(), 4002);
}
