//! What a hostile widget may cost: little, and never more than the limits.

use std::io::Write;
use std::time::{Duration, Instant};

use holdline::limits;
use holdline::socket::{Outbox, Slow};

use crate::peer::{Peer, frame, header, text};
use crate::server::{Server, resident, until};

const MIB: usize = 1 << 20;

/// The tests of this file measure the memory of the one process that they share, so one runs at a
/// time.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Sends for as long as the server takes the bytes, and returns how often it took them.
fn send_all(peer: &mut Peer, bytes: &[u8], times: usize) -> usize {
    (0..times).take_while(|_| peer.stream.write_all(bytes).is_ok()).count()
}

#[test]
fn a_frame_that_declares_a_gibibyte_is_closed_at_its_header() {
    let _alone = alone();
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    let before = resident();
    peer.send(&header(0x81, 1 << 30));
    send_all(&mut peer, &vec![0; 65_536], 4_096);
    until("the session has stopped", || !server.seen.ends().is_empty());
    assert!(resident() < before + 16 * MIB, "{} -> {}", before, resident());
    assert_eq!(server.seen.frames(), 0);
}

#[test]
fn a_flood_of_tiny_frames_waits_in_the_senders_memory() {
    const FRAMES: usize = 3_000_000;
    const AT_ONCE: usize = 10_000;
    let _alone = alone();
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    let burst = text("hush").repeat(AT_ONCE);
    let before = resident();
    let mut most = before;
    for _ in 0..FRAMES / AT_ONCE {
        peer.send(&burst);
        most = most.max(resident());
    }
    until("all are handled", || server.seen.frames() == FRAMES);
    assert!(most < before + 16 * MIB, "{before} -> {most}");
}

#[test]
fn frames_that_are_not_done_stop_the_reading() {
    let _alone = alone();
    let server = Server::start();
    let mut peer = Peer::open(server.address);
    peer.send(&text("later"));
    let burst = text("hush").repeat(500);
    peer.send(&burst);
    let start = Instant::now();
    until("all are handled", || server.seen.frames() == 501);
    // Each tick of 5 ms lets one inbox of frames through.
    let ticks = u32::try_from(501 / limits::INBOX_FRAMES_MAX).unwrap() - 1;
    assert!(start.elapsed() >= Duration::from_millis(5) * ticks);
}

#[test]
fn endless_fragments_are_closed_at_the_limit() {
    let _alone = alone();
    let server = Server::start();
    let before = resident();
    let mut large = Peer::open(server.address);
    large.send(&frame(0x01, &[b'x'; 8_192]));
    send_all(&mut large, &frame(0x00, &[b'x'; 8_192]), 10);
    assert_eq!(large.close_code(), 1009);
    let mut empty = Peer::open(server.address);
    empty.send(&frame(0x01, b""));
    send_all(&mut empty, &frame(0x00, b""), 100_000);
    until("both sessions have stopped", || server.seen.ends().len() == 2);
    assert!(resident() < before + 16 * MIB);
    let mut fair = Peer::open(server.address);
    fair.send(&frame(0x01, "zusa".as_bytes()));
    fair.send(&frame(0x89, b"between"));
    fair.send(&frame(0x00, "mmenges".as_bytes()));
    fair.send(&frame(0x80, "etzt".as_bytes()));
    assert_eq!(fair.frame(), Some((0x8a, b"between".to_vec())));
    assert_eq!(fair.text(), "zusammengesetzt");
}

#[test]
fn an_idle_socket_keeps_little_whatever_it_has_received() {
    const SOCKETS: usize = 400;
    let _alone = alone();
    let server = Server::start();
    let mut peers: Vec<Peer> = (0..SOCKETS).map(|_| Peer::open(server.address)).collect();
    let long = text(&"x".repeat(60_000));
    // The first round pays for what the sockets share. The second round would show what each one
    // keeps.
    let mut after = [0; 2];
    for resident_then in &mut after {
        for peer in &mut peers {
            peer.send(&long);
            assert_eq!(peer.text().len(), 60_000);
        }
        *resident_then = resident();
    }
    let grown = after[1].saturating_sub(after[0]);
    assert!(grown < 8 * MIB, "{grown} bytes for {SOCKETS} sockets");
    assert!(after[1] < 200 * MIB, "{} bytes in all", after[1]);
}

#[test]
fn the_future_of_a_socket_is_small() {
    assert!(size_of::<holdline::socket::pump::Pump>() <= 128);
    assert!(size_of::<holdline::socket::guard::Guard>() <= 128);
}

#[test]
fn an_outbox_is_full_at_its_limits() {
    let outbox = Outbox::default();
    for _ in 0..limits::OUTBOX_FRAMES_MAX {
        assert_eq!(outbox.reserve(10), Ok(()));
    }
    assert_eq!(outbox.reserve(10), Err(Slow));
    let outbox = Outbox::default();
    assert_eq!(outbox.reserve(limits::OUTBOX_BYTES_MAX), Ok(()));
    assert_eq!(outbox.reserve(1), Err(Slow));
}
