//! A client who reads much, or who asks for much and takes none of it, costs the server little. The
//! server reads everything out in pages, and makes the next page when the client has taken the
//! last.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use holdline::domain::conversation::command::{Command as Asked, StartRequest};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::VisitorId;
use holdline::journal::Log as _;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::console::{Console, PATIENCE};
use crate::feed::Feed;
use crate::files::open;
use crate::program::{Program, run};
use crate::support::{Batch, Chat, agent, block};

/// How many bytes the process may grow by: the bound of all pages together, and as much again for
/// feeds, for buffers, and for what an allocator keeps.
const GROWTH_MAX: usize = 64 << 20;

/// A server with the demo, whose agent Ada has chats with thousands of messages.
struct Trial {
    program: Program,
    ada: Console,
    data: TempDir,
    /// The history that the ids of a feed begin with.
    history: String,
}

impl Trial {
    /// A trial on a directory in which `batches` happened, in this order.
    async fn of(batches: impl FnOnce() -> Vec<Batch> + Send) -> Self {
        let data = tempfile::tempdir().unwrap();
        // The agent must exist before the chats are written.
        let program = Program::start(data.path(), "--demo");
        let token = program.admin.post("/v1/agents/ada/tokens", json!({})).await.ok();
        let token = token["token"].as_str().unwrap().to_owned();
        program.kill();
        std::thread::scope(|scope| scope.spawn(|| fill(data.path(), batches())).join()).unwrap();
        let program = Program::start(data.path(), "--demo");
        let ada = program.admin.with_token(&token);
        let shown = ada.feed(None).await.until("presence").await;
        let history = shown.id.unwrap().split_once('-').unwrap().0.to_owned();
        Self { program, ada, data, history }
    }

    /// The id that comes before everything that ever happened.
    fn beginning(&self) -> String {
        format!("{}-0-0-0", self.history)
    }

    /// The most memory that the process has had since the last call of this function, in bytes.
    fn peak(&self) -> usize {
        let process = format!("/proc/{}", self.program.process());
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let peak: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        std::fs::write(format!("{process}/clear_refs"), "5").unwrap();
        peak * 1_024
    }
}

fn fill(data: &Path, batches: Vec<Batch>) {
    let (journal, _) = open(data).unwrap();
    for some in batches.chunks(500) {
        some.iter().for_each(|batch| journal.append(batch.append()));
        block(journal.flush()).unwrap();
    }
}

/// A chat of Ada's with these messages, from the customer and from Ada in turn.
fn posted(texts: impl IntoIterator<Item = String>) -> Vec<Batch> {
    let mut chat = Chat::new(1, "demo", 1_000);
    let mut batches = vec![chat.start(), chat.offer("ada"), chat.accept("ada")];
    let authors = [Author::Customer, Author::Agent(agent("ada"))].into_iter().cycle();
    batches.extend(texts.into_iter().zip(authors).map(|(text, from)| chat.post(from, &text)));
    batches
}

fn long(number: usize) -> String {
    format!("{number:0>6000}")
}

const CHAT: &str = "00000000-0000-0000-0000-000000000001";

/// Opens a feed as a console does, and then reads nothing but the head of the answer.
fn open_unread(address: SocketAddr, ada: &Console, after: &str) -> TcpStream {
    let headers = format!("Connection: close\r\nLast-Event-ID: {after}\r\n");
    let mut stream = ask_and_not_read(address, ada, "/v1/agents/me/feed", &headers);
    let mut head = [0; 15];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stream
}

/// Asks for something, and reads nothing of the answer.
fn ask_and_not_read(
    address: SocketAddr,
    console: &Console,
    path: &str,
    headers: &str,
) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(request(console, path, headers).as_bytes()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn request(console: &Console, path: &str, headers: &str) -> String {
    let token = console.token().unwrap();
    format!("GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n{headers}\r\n")
}

async fn seqs(console: &Console, path: &str) -> Vec<u64> {
    let entries = console.pages(path, "entries").await;
    entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn many_who_read_a_long_chat_at_once_cost_little() {
    let posts = 5_000;
    let trial = Trial::of(|| posted((0..posts).map(long))).await;
    let before = trial.peak();

    let begun = Instant::now();
    let timeline = format!("/v1/conversations/{CHAT}/timeline?limit=1");
    let pages = join_all((0..8).map(|_| trial.ada.get(&timeline))).await;
    let took = begun.elapsed();
    for page in pages {
        assert_eq!(page.ok()["entries"][0]["kind"], "conversation_started");
    }
    let of_timelines = trial.peak().saturating_sub(before);

    let transcript = format!("/v1/conversations/{CHAT}/transcript?limit=200");
    let first = trial.ada.get(&transcript).await.ok();
    let whole = join_all((0..4).map(|_| seqs(&trial.ada, &transcript))).await;
    for seqs in whole {
        // From the acceptance on, each event is an entry.
        assert!(seqs.iter().copied().eq(3..=posts as u64 + 3));
    }
    assert!((2..100).contains(&first["entries"].as_array().unwrap().len()), "bytes end a page");
    let of_transcripts = trial.peak().saturating_sub(before);

    let told = format!("{of_timelines} B for timelines in {took:?}, {of_transcripts} B in all");
    println!("{told}");
    assert!(of_timelines < GROWTH_MAX && of_transcripts < GROWTH_MAX, "{told}");
    assert!(took < Duration::from_secs(15), "{told}");
}

#[tokio::test]
async fn feeds_that_nobody_reads_cost_little_however_much_was_missed() {
    let posts = 5_000;
    let trial = Trial::of(|| posted((0..posts).map(long))).await;
    let before = trial.peak();
    let unread: Vec<_> = (0..8)
        .map(|_| open_unread(trial.program.address, &trial.ada, &trial.beginning()))
        .collect();
    // The answer to this request comes after everything that could be read for the unread feeds.
    let transcript = format!("/v1/conversations/{CHAT}/transcript?limit=200");
    assert_eq!(seqs(&trial.ada, &transcript).await.len(), posts + 1);
    // New messages do not pile up for the unread feeds either.
    for number in 0..200 {
        trial.ada.say(CHAT, &format!("now-{number}"), &long(number)).await.ok();
    }
    let grown = trial.peak().saturating_sub(before);
    println!("{grown} B for {} unread feeds", unread.len());
    assert!(grown < GROWTH_MAX, "grown by {grown} B");
}

#[tokio::test]
async fn a_feed_that_nobody_reads_ends_as_slow_and_one_that_is_read_goes_on() {
    // More than a kernel takes and a feed holds: each character becomes six bytes.
    let (posts, large) = (400, |number| format!("{number:\u{1}>6000}"));
    let trial = Trial::of(|| posted([long(0)])).await;
    let mut read = trial.ada.feed(None).await;
    read.until("conversation").await;
    let mut unread = open_unread(trial.program.address, &trial.ada, "none");
    let ada = trial.ada.clone();
    let speaking = tokio::spawn(async move {
        for number in 0..posts {
            ada.say(CHAT, &format!("now-{number}"), &large(number)).await.ok();
        }
    });
    let told = told_up_to(&mut read, &large(posts - 1)).await;
    speaking.await.unwrap();
    assert!(told == (0..posts).map(large).collect::<Vec<_>>());
    let metrics = trial.program.admin.get("/metrics").await;
    let slow = metrics.text.lines().find(|line| line.starts_with("holdline_slow_feeds_total "));
    assert_eq!(slow, Some("holdline_slow_feeds_total 1"));

    // The unread feed still has the messages that waited for it, and then it ends.
    let reading = tokio::task::spawn_blocking(move || {
        let mut rest = String::new();
        unread.read_to_string(&mut rest).map(|_| rest).unwrap()
    });
    let rest = reading.await.unwrap();
    assert!(rest.contains("event: message"));
    let last = rest.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let said = rest.matches("event: message").count();
    assert!(said < posts);
    let mut again = trial.ada.feed(Some(last)).await;
    let told = told_up_to(&mut again, &large(posts - 1)).await;
    // The console got more than a feed holds back, so some messages come twice.
    assert!(told.len() >= posts - said, "{} of {}", told.len(), posts - said);
    assert!(told == (posts - told.len()..posts).map(large).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_takes_none_of_their_pages_is_refused_more_and_nobody_else_is() {
    let trial = Trial::of(|| posted((0..100).map(long))).await;
    let before = trial.peak();
    let path = format!("/v1/conversations/{CHAT}/transcript?limit=200");
    let ask = |_| ask_and_not_read(trial.program.address, &trial.ada, &path, "");
    let mut unread: Vec<_> = (0..40).map(ask).collect();
    for stream in &mut unread {
        // More than any kernel takes for a client who does not read.
        let request = request(&trial.ada, &path, "");
        stream.write_all(request.repeat(24).as_bytes()).unwrap();
    }
    let begun = Instant::now();
    let refused = loop {
        let answer = trial.ada.get(&path).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody is refused");
    };
    refused.refused(503, "overloaded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Other callers have a share of their own, and a feed needs no share.
    let asked = Instant::now();
    trial.program.admin.get(&path).await.ok();
    assert!(asked.elapsed() < Duration::from_secs(4), "the administrator waited");
    trial.ada.feed(None).await.until("presence").await;
    let grown = trial.peak().saturating_sub(before);
    println!("{grown} B for pages that nobody takes");
    assert!(grown < GROWTH_MAX, "grown by {grown} B");
    drop(unread);
    trial.ada.get(&path).await.ok();
}

/// The texts of the messages that a feed tells, up to this message.
async fn told_up_to(feed: &mut Feed, last: &str) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    while told.last().is_none_or(|text| text != last) {
        let event = feed.until_such(last, |event| event.name == "message").await;
        told.push(event.data["text"].as_str().unwrap().to_owned());
    }
    told
}

#[tokio::test]
async fn a_feed_that_missed_much_is_told_each_message_once_also_those_that_come_meanwhile() {
    let (posts, live) = (1_500, 150);
    let trial = Trial::of(|| posted((0..posts).map(long))).await;
    let ada = trial.ada.clone();
    let speaking = tokio::spawn(async move {
        for number in 0..live {
            ada.say(CHAT, &format!("live-{number}"), &format!("live {number}")).await.ok();
        }
    });
    let mut feed = trial.ada.feed(Some(&trial.beginning())).await;
    let told = told_up_to(&mut feed, &format!("live {}", live - 1)).await;
    speaking.await.unwrap();
    let meanwhile = (0..live).map(|number| format!("live {number}"));
    let expected: Vec<_> = (0..posts).map(long).chain(meanwhile).collect();
    assert!(told.len() == expected.len(), "{} instead of {}", told.len(), expected.len());
    assert!(told == expected, "in their order");

    // A feed that is lost in the middle of this goes on where it was lost.
    let mut again = trial.ada.feed(Some(&trial.beginning())).await;
    let mut first = told_up_to(&mut again, &long(700)).await;
    let mut rest = trial.ada.feed(again.last.as_deref()).await;
    first.extend(told_up_to(&mut rest, &format!("live {}", live - 1)).await);
    assert!(first == expected, "neither a gap nor a repeat");
}

/// Chats of Ada's, each with as much data beside its messages as a chat may have.
fn furnished(count: u128) -> Vec<Batch> {
    let mut batches = Vec::new();
    for number in 1..=count {
        let mut chat = Chat::new(number, "demo", 1_000);
        let large = || format!("{{\"filled in\":\"{number:0>3900}\"}}").into();
        batches.push(chat.go(Asked::Start(StartRequest {
            widget: "demo".parse().unwrap(),
            visitor: VisitorId::from_bits(number),
            start: "start".parse().unwrap(),
            salt: 0,
            name: None,
            form: Some(large()),
            context: Some(large()),
            page: None,
            locale: None,
        })));
        batches.extend([chat.offer("ada"), chat.accept("ada")]);
    }
    batches
}

#[tokio::test]
async fn a_console_with_very_many_chats_is_shown_all_of_them_by_one_feed_as_it_takes_them() {
    let count = 4_000;
    let trial = Trial::of(|| furnished(count)).await;
    let before = trial.peak();
    let unread = open_unread(trial.program.address, &trial.ada, "none");
    let mut feed = trial.ada.feed(None).await;
    let mut shown = std::collections::BTreeSet::new();
    while (shown.len() as u128) < count {
        let event = feed.until("conversation").await;
        shown.insert(event.data["id"].as_str().unwrap().to_owned());
    }
    let list = "/v1/conversations?agent=me&limit=200";
    let page = trial.ada.get(list).await.ok();
    assert!((2..100).contains(&page["conversations"].as_array().unwrap().len()));
    let listed = trial.ada.pages(list, "conversations").await;
    assert_eq!(listed.len() as u128, count);
    let grown = trial.peak().saturating_sub(before);
    println!("{grown} B for {count} chats that are shown");
    assert!(grown < GROWTH_MAX, "grown by {grown} B");
    drop(unread);
}

/// The whole timeline, as `holdline explain` tells it.
fn explained(data: &Path) -> Value {
    let mut program = Command::new(env!("CARGO_BIN_EXE_holdline"));
    program.args(["explain", CHAT, "--json", "--data"]).arg(data);
    serde_json::from_slice(&run(program).stdout).unwrap()
}

#[tokio::test]
async fn pages_of_any_size_are_together_what_one_reading_of_the_whole_says() {
    let texts = || (0..120).map(|number| "🦀".repeat(1 + number * 397 % 6_000));
    let trial = Trial::of(move || posted(texts())).await;
    let whole = explained(trial.data.path());
    let whole = whole["entries"].as_array().unwrap();
    for limit in [1, 2, 7, 50, 200] {
        let path = format!("/v1/conversations/{CHAT}/timeline?limit={limit}");
        let entries = trial.ada.pages(&path, "entries").await;
        let difference = entries.iter().zip(whole).find(|(one, other)| one != other);
        assert_eq!(difference, None, "limit {limit}");
        // Ada has closed her feed, and the chat may have noticed this meanwhile.
        assert!(entries.len() >= whole.len(), "limit {limit}");
        let path = format!("/v1/conversations/{CHAT}/transcript?limit={limit}");
        let entries = trial.ada.pages(&path, "entries").await;
        let said: Vec<_> =
            entries[1..].iter().map(|entry| entry["text"].as_str().unwrap()).collect();
        assert!(said.iter().copied().eq(texts()), "limit {limit}");
    }
}
