//! Bounds of what one widget's session says and is told.

/// Messages on their way to one socket, because a slow reader must not become our memory. One more
/// closes the socket; the widget resumes.
pub const OUTBOX_FRAMES_MAX: usize = 256;

/// Bytes on their way to one socket, for the same reason and with the same end. It must hold the
/// largest page of missed messages.
pub const OUTBOX_BYTES_MAX: usize = 1_048_576;

/// Frames from one socket that wait for its conversation, because a widget has no reason to run
/// ahead of its answers. Reading from the socket stops until they are answered.
pub const INBOX_FRAMES_MAX: usize = 32;

/// Frames a second that one socket may send for long, because a person types slower.
/// More are refused (`rate_limited`).
pub const FRAMES_PER_SECOND_MAX: u32 = 20;

/// Frames that one socket may send at once, because a widget that comes back re-sends its outbox.
pub const FRAMES_BURST_MAX: u32 = 200;

/// Refused frames after which a socket is closed (4008), because a program that is refused this
/// often does not listen.
pub const REFUSALS_MAX: u32 = 100;

/// Tries of one start, because the chat that it led to may have ended in that moment, but not again
/// and again. After the last one it is refused (`unavailable`).
pub const START_TRIES_MAX: u8 = 3;
