//! Where the levels of pressure begin, and how long whatever can wait stands back for the disk.

/// Appends that wait for the disk, beyond which the projection, the checkpoints and whatever else
/// is not urgent leave the disk and the processors to the appends, because people wait for those. A
/// steady load of a few ten thousand a second keeps fewer waiting.
pub const BUSY_APPENDS: usize = 512;

/// Milliseconds for which appends still count as many after a group of more than [`BUSY_APPENDS`],
/// because between two groups few may wait for a moment.
pub const BUSY_FOR_MS: u64 = 50;

/// Commands of people that wait for the disk in the whole engine, because they are held in memory.
/// A further one is refused (`overloaded`). What the engine itself has to note (a loss, a timer)
/// passes, and is bounded by the number of conversations.
pub const APPENDS_WAITING_MAX: usize = 200_000;

/// Appends that wait for the disk while windows go on ending at full speed: two groups of a commit.
/// More would be held in memory that no cache holds, and cost twice as much.
pub const APPENDS_CROWD: usize = 8_192;

/// Milliseconds for which alarms that are due pause between two batches, for each [`APPENDS_CROWD`]
/// that waits. A decision made a moment later waits less, in memory that is still near.
pub const ALARMS_PAUSE_MS: u64 = 1;

/// Milliseconds for which they pause at most, because every other alarm is as late.
pub const ALARMS_PAUSE_MS_MAX: u64 = 50;

/// Milliseconds that one look takes whether many appends still wait.
pub const STAND_BACK_MS: u64 = 5;

/// Looks for which the projection leaves everything to the appends, because what is not projected
/// cannot be read: 5 seconds. Then it goes on beside them.
pub const STAND_BACK_LOOKS_MAX: u32 = 1_000;

/// Events that the projection must have projected for each further look. At its usual speed that
/// leaves the appends an eighth of the time while they never end.
pub const STAND_BACK_EVENTS_FOR_LOOK: u64 = 1_024;
