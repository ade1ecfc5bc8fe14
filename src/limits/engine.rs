//! Bounds of what actors do and keep.

/// Requests that may run at once. More are refused as overloaded, because each waits for an actor
/// or for the disk in memory.
pub const REQUESTS_MAX: usize = 20_000;

/// Conversations that are asked together before any more are, so that what is asked takes little
/// memory however many there are.
pub const ASKED_AT_ONCE: usize = 10_000;

/// How often conversations are asked when some do not answer because their actors die.
pub const ASKED_AGAIN_MAX: u32 = 10;

/// What a mailbox is said to hold: actix's own bound, which does not bind senders that only tell.
pub const MAILBOX: usize = 16;

/// Appends that a thread gathers at most, while very many wait for the disk, before it gives them
/// to the journal. Their content must still be in a near cache when it is written out, and the disk
/// should have something to do meanwhile.
pub const APPENDS_GATHERED_MAX: usize = 128;

/// Alarms that a thread looks at, of many that are due at once, before others get their turn.
pub const ALARMS_AT_ONCE: usize = 256;

/// Parts of a figure that many threads change at once, at 128 bytes each: twice as many as most
/// servers have threads. With more threads than parts, some share one.
pub const FIGURE_PARTS: usize = 32;

/// Conversations with something in flight that a thread keeps room for while none has.
pub const FLIGHTS_ROOM_KEPT: usize = 1_024;

/// Messages to one agent or queue that gathered mail has room for from the beginning.
pub const MAIL_ROOM: usize = 16;

/// Visitors whose chats are over that are freed before others get their turn.
pub const VISITORS_FREED_AT_ONCE: usize = 1_024;

/// How often a thread looks whether visitors can be freed. After that they are freed, however many
/// appends wait for the disk.
pub const VISITORS_LOOKS_MAX: u32 = 250;

/// How many of a queue's line are told where they stand. Further back a position says little, and
/// telling all of a long line would cost more than serving it.
pub const POSITIONS_MOST: usize = 1_000;

/// Messages that a conversation keeps while it is read from the journal. More are dropped, and
/// their askers learn that nobody answered.
pub const OPENING_MESSAGES_MAX: usize = 1_024;

/// Timers of a conversation that one wake serves before others get their turn.
pub const TIMERS_SERVED_AT_ONCE: usize = 32;

/// How often room in a socket is waited for, 50 ms each time, before its reader counts as slow: 30
/// seconds in all.
pub const PAGE_RETRIES_MAX: u32 = 600;

/// Outputs of one turn of a conversation that a thread keeps room for.
pub const OUTPUTS_ROOM_KEPT: usize = 256;

/// Conversations that an agent asks for their leases at once, in turn: an audit of thousands goes
/// round in several steps.
pub const LEASES_AUDITED_AT_ONCE: usize = 100;

/// Leases of an agent up to which their feeds are told of every change at once. With more leases
/// the feeds are told from time to time, because each time all leases are named.
pub const LEASES_TOLD_AT_ONCE: usize = 64;

/// Outputs that an agent keeps room for between two turns.
pub const AGENT_OUTPUTS_ROOM_KEPT: usize = 16;

/// Seconds by which the last event of a journal may be later than the wall clock. Time goes on from
/// there. If it is later by more, the start is refused, because a person who knows which clock was
/// wrong must set it right.
pub const CLOCK_AHEAD_SECONDS_MAX: u64 = 86_400;

/// Bytes of a message in the form in which it goes to another node. The longest is the view of an
/// agent with all their leases: some 20,000 fit, more than anybody holds. A longer one is refused,
/// because whatever it says is built in memory before it is looked at.
pub const ENVELOPE_BYTES_MAX: usize = 4 << 20;
