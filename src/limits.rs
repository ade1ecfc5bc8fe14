//! Every bound of the engine, with its reason. What happens at the bound is written beside it.

mod documents;
mod engine;
mod journal;
mod pressure;
mod reads;
mod removal;
mod sessions;
mod signed;
mod sockets;
mod strangers;
mod tokens;

pub use documents::*;
pub use engine::*;
pub use journal::*;
pub use pressure::*;
pub use reads::*;
pub use removal::*;
pub use sessions::*;
pub use signed::*;
pub use sockets::*;
pub use strangers::*;
pub use tokens::*;

/// Shards that all conversations are divided into. Fixed for ever, because an id's shard is where
/// its conversation is stored; 256 allows one to be moved without moving much.
pub const SHARDS: usize = 256;

/// Bytes of an id that an administrator chooses, because it stands in every event and address.
/// A longer one is refused.
pub const CHOSEN_ID_BYTES_MAX: usize = 64;

/// Bytes of a message id, because a UUID needs 36 and nothing reasonable needs more than this.
/// A longer one is refused.
pub const MESSAGE_ID_BYTES_MAX: usize = 64;

/// Characters of one message, because an agent reads it. A longer one is refused.
pub const TEXT_CHARS_MAX: usize = 6_000;

/// Bytes of the longest text of a message: four for each character.
pub const TEXT_BYTES_MAX: usize = 4 * TEXT_CHARS_MAX;

/// Characters of a name, because it is shown in a list. A longer one is refused.
pub const NAME_CHARS_MAX: usize = 100;

/// Bytes of the JSON of a pre-chat form or a page's context, because it is kept with the
/// conversation for life. A larger one is refused.
pub const FORM_BYTES_MAX: usize = 4_096;

/// Bytes of a `ref`, because it is echoed. A longer one is refused.
pub const REFERENCE_BYTES_MAX: usize = 64;

/// Bytes of a page address or locale in `hello`, because it is only told to the agent.
/// A longer one is cut.
pub const PAGE_BYTES_MAX: usize = 512;

/// Bytes of one WebSocket frame from a widget: a message of [`TEXT_CHARS_MAX`] characters, each
/// escaped as two `\uXXXX`, and its envelope. A frame that declares more closes the socket (1009)
/// before its payload is read.
pub const FRAME_BYTES_MAX: usize = 81_920;

/// Fragments of one message from a widget, because empty ones would never reach its limit of
/// bytes. A message in more closes the socket (1009).
pub const FRAGMENTS_MAX: u16 = 256;

/// Bytes read from a socket at once, because they are copied from a buffer that a thread shares
/// among all of its sockets.
pub const READ_BYTES_MAX: usize = 16_384;

/// Bytes that are read and thrown away after a socket's farewell, so that the kernel does not
/// answer them with a reset that would overtake it.
pub const DRAINED_BYTES_MAX: usize = 65_536;

/// The largest buffer that a thread keeps for what its sessions say next.
pub const SPARE_BYTES_KEPT: usize = 4_096;

/// Sessions of one conversation, because each costs memory and every message is sent to all.
/// One more replaces the one that was heard of longest ago.
pub const SESSIONS_MAX: usize = 16;

/// Entries of one conversation, because each posted id is remembered (24 bytes). A further post is
/// refused (`conversation_full`).
pub const ENTRIES_MAX: u32 = 20_000;

/// Messages of the customer in one conversation, whatever its workstream says. A tenth of
/// [`ENTRIES_MAX`] is left for the agents, so that no customer can take their room to answer.
pub const CUSTOMER_MESSAGES_MAX: u32 = ENTRIES_MAX / 10 * 9;

/// Lines of the log about refused strangers, in a second. A flood at the doors must not fill the
/// disk of the log as well; the metrics count all refusals.
pub const REFUSALS_TOLD_PER_SECOND: u32 = 10;

/// Seconds a socket may take to say `hello`, because an unused one costs a descriptor.
pub const HELLO_SECONDS_MAX: u64 = 10;

/// Seconds that sent bytes may stay unacknowledged before the kernel gives a connection up,
/// because nothing else notices a peer that has vanished while we write.
pub const UNACKNOWLEDGED_SECONDS_MAX: u64 = 30;

/// The same for plain HTTP, where it is how a cut link to an agent's console is noticed. It is
/// shorter, because a console that comes back misses nothing.
pub const HTTP_UNACKNOWLEDGED_SECONDS_MAX: u64 = 15;

/// Seconds of silence before the kernel probes a connection, because one that has not said
/// `hello` has no heartbeat, and plain HTTP has none at all.
pub const KEEPALIVE_SECONDS: u64 = 60;

/// Seconds that a socket's last bytes may take, because the session is over and only its close
/// frame is still on its way. Then the connection is dropped.
pub const FAREWELL_SECONDS_MAX: u64 = 2;

/// Seconds that requests may take to finish once the server stops. Then they are dropped.
pub const HTTP_FINISH_SECONDS_MAX: u64 = 10;

/// Connections waiting to be accepted; the kernel cuts it to `net.core.somaxconn`. It is large
/// because after a network failure everybody comes back at once.
pub const BACKLOG_MAX: i32 = 65_535;

/// Connections accepted before a thread's other sockets get a turn.
pub const ACCEPTS_MAX: usize = 16;

/// Descriptors that each thread keeps, so that it can still tell newcomers when no others are left.
/// More than one, because a file that is opened at the wrong moment may take one.
pub const DESCRIPTORS_RESERVED: usize = 4;

/// Widgets that should come back in one second after a restart, because each costs a connection, a
/// handshake and two events.
pub const RETURNS_PER_SECOND: u64 = 3_000;

/// Entries sent in one page of missed messages, because a page is held in memory while it is sent.
pub const CATCH_UP_ENTRIES_MAX: usize = 100;

/// Bytes of one page of missed messages, for the same reason. At least one entry is always sent.
pub const CATCH_UP_BYTES_MAX: usize = 262_144;

/// Appends in one commit, because all of them wait for its sync.
pub const COMMIT_APPENDS_MAX: usize = 4_096;

/// Appends that share a row of the journal, because a damaged row loses all that is in it, and
/// reading one of them reads them all. Further ones go into another row.
pub const SHARED_ROW_APPENDS_MAX: usize = 128;

/// Bytes of a row that appends share, beyond which no further one goes into it, for the same
/// reason: four pages.
pub const SHARED_ROW_BYTES: usize = 32_768;

/// Milliseconds after which a group of appends is committed even if more could join it.
pub const COMMIT_DELAY_MS_MAX: u64 = 1;

/// Events that the projection takes in one transaction, because readers wait for it, and appends
/// beside it.
pub const PROJECTION_EVENTS_MAX: usize = 1_024;

/// Bytes of the conversations that the projection keeps decoded, by a rough count, because a busy
/// chat is projected again soon, and an idle one should not cost its memory twice. It is room for
/// some 1,000 chats of ten events. One that is not there is read and decoded again.
pub const PROJECTION_CACHE_BYTES_MAX: usize = 2_097_152;

/// Conversations whose last place the journal remembers, to notice when one has a second writer,
/// because each costs 24 bytes. A conversation that shares its slot with a later one is not
/// checked.
pub const CONTINUITY_CONVERSATIONS_MAX: usize = 16_384;

/// Threads that read from the disk: with two, one long read does not hold up the others. Further
/// reads wait.
pub const JOURNAL_READERS: usize = 2;

/// Milliseconds for which the journal waits when its file is locked by another, because all appends
/// wait with it. Then the appends fail; later ones are tried again.
pub const JOURNAL_LOCKED_MS_MAX: u64 = 1_000;

/// Milliseconds between two checkpoints, because an append that meets one waits for as long as it
/// takes: many small ones delay each a little, few large ones some a lot.
pub const CHECKPOINT_EVERY_MS: u64 = 100;

/// Milliseconds for which a checkpoint waits for readers and writers, because others wait behind
/// it. Then it carries over what it can, and is tried again later.
pub const CHECKPOINT_WAIT_MS_MAX: u64 = 20;

/// KiB of pages that SQLite keeps of `journal.db`, which is only appended to.
pub const JOURNAL_CACHE_KIB: i64 = 512;

/// Appends in one commit whose pages may not fit into that cache; it is larger from then on.
pub const LARGE_GROUP_APPENDS: usize = 512;

/// Appends in one commit below which the cache is as small as before.
pub const SMALL_GROUP_APPENDS: usize = 64;

/// Bytes of a log that are kept to be written over once it begins anew: as many as it has in
/// everyday work, [`LOG_PAGES_MAX`] and one batch beyond it. Giving back 60 MB takes the file
/// system 40 ms and more, in which every append waits, and taking them again costs each commit its
/// metadata. What a burst has added is given back: the part that the system's cache has dropped
/// meanwhile would have to be read before it could be written over, because records in a log do not
/// begin where blocks of the disk do.
pub const LOG_BYTES_KEPT: i64 = LOG_PAGES_MAX as i64 * 10_240;

/// KiB of pages that one transaction may have written before some go to the log ahead of its end.
/// At the end those, and all that follow them, are read again because of the log's checksums. While
/// groups are large the writer's cache has this size as well.
pub const SPILLED_BEYOND_KIB: i64 = 2_048;

/// KiB of pages that SQLite keeps of `chats.db` for the projector, because a page that is not here
/// is in the system's cache, which is shared and given back.
pub const PROJECTION_CACHE_KIB: i64 = 2_048;

/// KiB of pages that SQLite keeps of `chats.db` for each reader, for the same reason.
pub const READER_CACHE_KIB: i64 = 512;

/// Pages (of 8 KiB) of a write-ahead log, because reading searches it and a start replays it. At
/// the bound a checkpoint makes writers wait for it, which lets the log begin anew.
pub const LOG_PAGES_MAX: u32 = 8_192;

/// Pages of the journal's log while many appends wait, because copying them would take the disk
/// from those appends. Beyond the bound they are copied all the same. So a burst of a million
/// appends, which is a few hundred MB, is copied after it.
pub const BUSY_LOG_PAGES_MAX: u32 = 65_536;

/// Pages of the journal's log at which appends wait until it is copied, because beside appends
/// without end a checkpoint never gets to the end of the log.
pub const JOURNAL_LOG_PAGES_MAX: u32 = 131_072;

/// Milliseconds between two tries to take a data directory that is in use.
pub const LOCK_LOOK_MS: u64 = 10;

/// Further tries before the directory counts as in use: a command that only looks whether it is in
/// use lets go of it at once.
pub const LOCK_LOOKS_MAX: u32 = 10;

/// Milliseconds after which writing is tried again while the disk is full or locked, because only
/// trying tells whether it has passed.
pub const WRITE_AGAIN_MS: u64 = 500;

/// Events that one step of the retention takes out, because appends wait for its transaction. A
/// conversation that has more is a step of its own.
pub const RETENTION_EVENTS_MAX: usize = 256;

/// Conversations that one step of the retention takes out, because each is looked up in two files.
pub const RETENTION_CONVERSATIONS_MAX: usize = 32;

/// Events by which `chats.db` may be behind when the retention takes a step, because the writer
/// looks through them for what a chat has done since. Further behind, the step takes nothing.
pub const RETENTION_LAG_MAX: u64 = 4_096;

/// Entries of the audit stream that one page looks through, because a filter has no index. A page
/// that finds less in them is short, and the next goes on behind them.
pub const AUDIT_LOOKED_AT_MAX: usize = 20_000;

/// Old entries of the audit stream that are dropped at once, because appends wait for that.
pub const AUDIT_DROPPED_AT_ONCE: usize = 1_000;

/// Different acts that are gathered for the audit stream in a minute, because each is held in
/// memory. A further read is noted each time.
pub const AUDIT_GATHERED_MAX: usize = 10_000;

/// Addresses and widgets of strangers that the audit stream tells apart in a minute, because
/// strangers must not be able to fill the disk. Refusals of further ones are counted by their code.
pub const AUDIT_STRANGERS_MAX: usize = 32;

/// Forbidden requests that the audit stream tells apart in a minute, and callers whom it still
/// names beyond that, because a console that is wrong must not be able to fill the disk. The rest
/// is counted by its code.
pub const AUDIT_FORBIDDEN_MAX: usize = 32;

/// Milliseconds between two steps of the retention while there is more to do, so that it has the
/// disk for the smaller part of the time.
pub const RETENTION_PAUSE_MS: u64 = 100;

/// Seconds after which the retention looks again when it had nothing to do, because its rules
/// count in days.
pub const RETENTION_EVERY_SECONDS: u64 = 60;

/// Conversations waiting in one queue. A further chat is refused (`queue_full`).
pub const QUEUE_WAITING_MAX: usize = 200_000;

/// Open feeds of one agent at their own consoles. One more ends the oldest of these.
pub const FEEDS_MAX: usize = 8;

/// Open feeds of one agent at the consoles of others, who watch. One more ends the oldest of these,
/// and never one of the agent's own: watching must not disturb the agent who is watched.
pub const WATCHING_FEEDS_MAX: usize = 8;

/// Bytes of an HTTP body: the largest configuration document fits. A larger one is refused (413).
pub const BODY_BYTES_MAX: usize = 262_144;

/// Bytes of all HTTP bodies together that are being read or worked on: a start of a shift is some
/// thousand small ones. More are refused (503).
pub const BODIES_BYTES_MAX: usize = 67_108_864;

/// Bytes of these bodies for one token, so that one caller cannot take the others' share.
pub const BODIES_OF_CALLER_BYTES_MAX: usize = 4_194_304;

/// Seconds that an HTTP body may take to arrive, because a request holds a connection. A slower one
/// is refused (408).
pub const BODY_SECONDS_MAX: u64 = 30;

/// Seconds between the comment lines of an open feed, because only writing to it shows that its
/// connection is cut. Together with [`HTTP_UNACKNOWLEDGED_SECONDS_MAX`] less than two heartbeats.
pub const FEED_KEEP_SECONDS: u64 = 10;

/// Seconds between two beats of a console that names no other number.
pub const FEED_HEARTBEAT_SECONDS: u64 = 15;

/// Seconds between two beats that a console may name at most, because it counts as there for twice
/// that time.
pub const FEED_HEARTBEAT_SECONDS_MAX: u64 = 120;

/// Entries in one page of an HTTP list. More are cut to this.
pub const PAGE_ENTRIES_MAX: usize = 200;

/// Entries in one page of an HTTP list when the caller names no limit.
pub const PAGE_ENTRIES_DEFAULT: usize = 50;

/// Bytes of an `Idempotency-Key`. A longer one is refused.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;

/// Answers remembered for their `Idempotency-Key`; the oldest of the caller that has most are
/// forgotten first.
pub const IDEMPOTENCY_ANSWERS_MAX: u64 = 10_000;

/// Answers remembered for one token; its oldest are forgotten first.
pub const IDEMPOTENCY_ANSWERS_OF_CALLER_MAX: u64 = 1_000;

/// Bytes of an answer that count as one of [`IDEMPOTENCY_ANSWERS_MAX`], because few answers are
/// large. A larger one counts as several.
pub const IDEMPOTENCY_ANSWER_BYTES: usize = 4_096;

/// Seconds for which such an answer is remembered.
pub const IDEMPOTENCY_SECONDS: u64 = 86_400;

/// Agents of one queue, because each change of an agent is told to the queue. More are refused.
pub const QUEUE_AGENTS_MAX: usize = 10_000;

/// Origins of one widget. More are refused.
pub const WIDGET_ORIGINS_MAX: usize = 100;

/// Tokens of one agent that are good. A further one is refused (`too_many_tokens`).
pub const AGENT_TOKENS_MAX: usize = 10;

/// Seconds a token is still answered with `ended` after its conversation has closed; later it is
/// refused (`token_expired`).
pub const TOKEN_AFTER_CLOSE_SECONDS: u64 = 86_400;

/// Seconds for which tokens that the previous key has signed are good when a rotation names no
/// time: the longest window, so that no customer who is held loses their chat by it.
pub const SIGNING_PREVIOUS_SECONDS: u64 = 86_400;

/// The longest such time that a rotation may name, because a key that has leaked must end. A longer
/// one is refused.
pub const SIGNING_PREVIOUS_SECONDS_MAX: u64 = 2_592_000;

/// Times an actor is opened again within a minute after it panicked. Then its id is refused
/// (`unavailable`) until the minute has passed, because the next try would fail like the last.
pub const REOPENINGS_MAX: u32 = 5;

const _: () =
    assert!(FRAME_BYTES_MAX >= TEXT_CHARS_MAX * 12 + 1_024, "the longest text fits a frame");
const _: () =
    assert!(CATCH_UP_BYTES_MAX + FRAME_BYTES_MAX <= OUTBOX_BYTES_MAX, "a page fits the outbox");
const _: () = assert!(2 * CATCH_UP_ENTRIES_MAX < OUTBOX_FRAMES_MAX, "a page fits the outbox");
const _: () = assert!(
    FEED_KEEP_SECONDS + HTTP_UNACKNOWLEDGED_SECONDS_MAX < 2 * FEED_HEARTBEAT_SECONDS,
    "a cut link is noticed within two heartbeats"
);
