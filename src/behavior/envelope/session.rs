//! The forms of what a session is told.

use crate::behavior::envelope::form::formed;
use crate::behavior::message::{Closing, NotJoined, ToSession};

formed!(enum ToSession {
    "joined" => Joined { conversation, state, seq },
    "not_joined" => NotJoined { conversation, why },
    "posted" => Posted { reference as "ref", id, seq, at },
    "done" => Done { reference as "ref", state, seq, reason },
    "refused" => Refused { reference as "ref", code },
    "frame" => Frame { seq, text },
    "over" => Over(conversation),
    "probe" => Probe,
    "close" => Close(why),
});

formed!(enum NotJoined {
    "ended" => Ended { state, reason, seq, redirect, closed_at },
    "unknown" => Unknown,
    "denied" => Denied(code),
});

formed!(names Closing {
    "draining" => Draining,
    "restarted" => Restarted,
    "replaced" => Replaced,
    "silent" => Silent,
    "slow" => Slow,
});
