//! The bounds of what is read out: by feeds, and page by page over HTTP.

/// Events that one agent's feed can replay after `Last-Event-ID` without reading the disk.
/// Older ones are read from the journal.
pub const FEED_REPLAY_MAX: usize = 1_024;

/// Bytes of these events, for the same reason and with the same end.
pub const FEED_REPLAY_BYTES_MAX: usize = 262_144;

/// Events on their way to one open feed, because a slow console must not become our memory.
/// One more ends the feed; the console resumes with `Last-Event-ID`.
pub const FEED_WAITING_MAX: usize = 4_096;

/// Bytes on their way to one open feed, for the same reason and with the same end. One event may be
/// beyond it: what an agent with thousands of leases holds is told in one.
pub const FEED_WAITING_BYTES_MAX: usize = 1_048_576;

/// Bytes on their way to all open feeds together. Beyond it a feed ends if its console has not
/// taken what it was told before, so that the feeds that are read go on. What a feed missed, and
/// the present state, wait in the journal and in the chats, and not here.
pub const FEEDS_WAITING_BYTES_MAX: usize = 134_217_728;

/// Bytes of what a feed missed that are read from the journal at once, and that may still wait when
/// more is read for it.
pub const FEED_PART_BYTES_MAX: usize = 131_072;

/// Events that are read from the journal at once for a feed that comes back.
pub const FEED_PART_MAX: usize = 1_024;

/// Events of an agent's feeds in a millisecond, at most. When an agent is made anew, the numbers of
/// their feeds' events begin this much higher for each millisecond since the server's start.
pub const FEED_EVENTS_A_MILLISECOND: u64 = 1_000;

/// Conversations that show themselves to a feed at once, because each may have a form and a context
/// and shows them twice. The next are asked when its console has taken these.
pub const FEED_SHOWN_AT_ONCE: usize = 16;

/// Conversations that a feed was told of from the journal and has not been shown yet. At the bound
/// they are shown before it is told of more.
pub const FEED_TOUCHED_MAX: usize = 1_024;

/// Bytes of the texts in one page of an HTTP list or history, because it is held in memory until it
/// is sent. The rest comes with the next page; at least one entry is always sent.
pub const HTTP_PAGE_BYTES_MAX: usize = 262_144;

/// Bytes that count for a page while it is made: what is read for it, a replayed conversation with
/// all its posts, the page, and its JSON. Once it is rendered its own length counts, until it is
/// sent.
pub const PAGE_ROOM_BYTES: usize = 2_097_152;

/// Bytes of all pages together that are being made or are on their way. More wait.
pub const PAGES_BYTES_MAX: usize = 33_554_432;

/// Bytes of these pages for one token, so that one caller cannot take the others' share. More wait.
pub const PAGES_OF_CALLER_BYTES_MAX: usize = 8_388_608;

/// Seconds for which a page waits for its room, because a console that reloads is better off a
/// little later than refused. Then it is refused (503).
pub const PAGE_WAIT_SECONDS_MAX: u64 = 5;

/// Events of a conversation that are read at once to tell what happened in it, because a page of
/// its timeline replays all of them, and holds only these.
pub const OUTLINE_EVENTS_MAX: usize = 1_000;

/// Reads of the history for one page of a transcript, because many events may make few entries. A
/// page may be short, even empty, and still have a next.
pub const HISTORY_READS_MAX: usize = 20;

/// Bytes of a page that are given to its connection at once: less than the connection takes before
/// it has sent some.
pub const PAGE_BYTES_WRITTEN_AT_ONCE: usize = 16_384;

/// Sessions of a customer that a page of a timeline names, the latest ones, because a page that is
/// reloaded all day joins without end. Earlier ones are counted.
pub const SESSIONS_NAMED_MAX: usize = 200;

const _: () = assert!(
    FEED_REPLAY_MAX + FEED_PART_MAX <= FEED_WAITING_MAX
        && FEED_REPLAY_BYTES_MAX + 4 * FEED_PART_BYTES_MAX <= FEED_WAITING_BYTES_MAX,
    "what was missed and a replay fit the feed"
);
