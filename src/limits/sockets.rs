//! Bounds of one socket's bytes: of its frames, and of what is done for it before others get their
//! turn.

/// Turns that a socket takes before the other sockets of its thread get theirs.
pub const SOCKET_TURNS_MAX: usize = 8;

/// Reads from a socket that bring nothing to read, because TLS needs more, before others get their
/// turn.
pub const EMPTY_READS_MAX: usize = 8;

/// Bytes that TLS takes before the socket has taken them, because they are held in memory.
pub const TLS_TAKEN_BYTES_MAX: usize = 16_384;

/// Frames that a session may say in one turn before they are counted in its outbox, which lies
/// elsewhere in memory: nearly always the socket takes them at once.
pub const LIGHT_FRAMES_MAX: u8 = 8;

/// Bytes of such frames, for the same reason and with the same end.
pub const LIGHT_BYTES_MAX: u16 = 2_048;

/// Bytes of the longest header of a frame, as the protocol says: two, eight of length, four of
/// mask.
pub const FRAME_HEADER_BYTES_MAX: usize = 14;

/// Bytes of the longest payload of a control frame, as the protocol says. A longer one closes the
/// socket (1002).
pub const CONTROL_FRAME_BYTES_MAX: usize = 125;
