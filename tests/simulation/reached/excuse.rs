//! Which cells of the table cannot be reached, or need not be, each group with its reason.

use crate::reached::came::Came;
use crate::reached::standing::{Column, Fate, Journal, Standing};

/// Why a cell need not be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Excuse {
    /// The cell cannot be reached: a seed that reaches it has found a fault.
    Never(&'static str),
    /// The cell is reached only if two things cross on their way, in a moment that few seeds meet.
    Seldom(&'static str),
}

use Excuse::{Never, Seldom};

/// Why a cell need not be reached; none if it must be.
pub fn excuse(came: Came, column: Column) -> Option<Excuse> {
    if let Some(why) = unsaid(came) {
        return Some(Never(why));
    }
    match column {
        Column::Stood(standing) => never_stood(came, standing)
            .map(Never)
            .or_else(|| seldom_stood(came, standing).map(Seldom)),
        Column::Journal(journal) => {
            never_met(came, journal).map(Never).or_else(|| seldom_met(came, journal).map(Seldom))
        }
        Column::Became(fate) => of_fate(came, fate),
    }
}

/// Inputs that never come to a conversation in these worlds.
const fn unsaid(came: Came) -> Option<&'static str> {
    match came {
        Came::LostLeft | Came::LostRestarted => Some("the conversation itself concludes it"),
        Came::LostReplaced => Some("no session takes another's place"),
        Came::Recover => Some("it is done by whoever begins, and asked by nobody"),
        Came::Erased => Some("nothing is erased here"),
        Came::NeverBegins => Some("no visitor claims two chats here in one moment"),
        Came::Typing | Came::Read | Came::AgentTyping | Came::AgentRead => {
            Some("nobody types or reads here")
        }
        Came::Show => Some("nobody looks here"),
        Came::EndBySupervisor | Came::CloseBySupervisor => {
            Some("supervisors only assign, take back and force-close here")
        }
        Came::Unreadable | Came::PageUnreadable => Some("what is on the disk can be read here"),
        _ => None,
    }
}

/// The standings in which an input cannot come.
fn never_stood(came: Came, standing: Standing) -> Option<&'static str> {
    use Standing::{Closed, New, Offered, OfferedAway, Open, Talking, Wrapup};
    let may = match came {
        Came::Start | Came::LoadedSome | Came::LoadedNothing => standing == New,
        Came::Window => standing.is_away(),
        Came::OfferLapse => matches!(standing, Offered | OfferedAway),
        Came::Reminder | Came::Idle => standing == Talking,
        Came::WrapupHold => standing == Wrapup,
        Came::AutoClose => matches!(standing, Open | Talking | Wrapup),
        Came::Silence => matches!(standing, Open | Offered | Talking),
        Came::Written | Came::WrittenInPart | Came::Undone => standing != New,
        Came::Begins => standing != Closed,
        _ => true,
    };
    let why = match came {
        Came::Start => "a start is the first word of a new one",
        Came::LoadedSome | Came::LoadedNothing => "only one that is new is read",
        Came::Written | Came::WrittenInPart | Came::Undone => "nothing of a new one is written",
        Came::Begins => "no actor begins with what is closed",
        _ => "that timer does not run there",
    };
    (!may).then_some(why)
}

/// The standings in which an input comes only if it crosses another on its way.
fn seldom_stood(came: Came, standing: Standing) -> Option<&'static str> {
    use Standing::{Closed, New, Offered, OfferedAway, Open, OpenAway, Talking, Wrapup};
    let (may, why) = match came {
        Came::Begins
        | Came::Start
        | Came::Join
        | Came::LoadedSome
        | Came::LoadedNothing
        | Came::StateClaims
        | Came::Housekeeping => (true, ""),
        _ if standing == New => (false, "it is new only until its first word, or until it is read"),
        Came::HearOnce => (standing.is_over(), "it is asked for of a chat that is over"),
        Came::Again
        | Came::Hear
        | Came::PostByCustomer
        | Came::EndByCustomer
        | Came::Leaving
        | Came::Asleep
        | Came::LostClosed
        | Came::LostReset
        | Came::Heard => (
            matches!(standing, Open | Offered | Talking),
            "whoever says it is in a live chat, and so nobody is away",
        ),
        Came::LostRefused => (
            matches!(standing, Open | Offered | Talking | Wrapup | Closed),
            "whoever says it was there, and so nobody is away",
        ),
        Came::PageOfSome | Came::NoRoom | Came::Slow => {
            (!standing.is_away() && standing != Offered, "who is away is told nothing")
        }
        Came::PageOfNothing => (false, "a page is read where something was missed"),
        Came::Offer => {
            (matches!(standing, Open | OpenAway), "it waits, unless a person was quicker")
        }
        Came::Withdraw => (standing == Open, "it waits, unless a person was quicker"),
        Came::MissAgent => {
            (matches!(standing, Talking | Standing::TalkingAway), "absences are told of in a talk")
        }
        Came::MeetAgent => (
            matches!(standing, Open | Talking | Standing::TalkingAway | Wrapup),
            "absences are told of in a talk",
        ),
        Came::Position => (
            matches!(standing, Open | OpenAway | Offered | Closed),
            "who was found an agent is in no line",
        ),
        Came::ReleaseByAgent
        | Came::ReleaseBySupervisor
        | Came::EndByAgent
        | Came::Assign
        | Came::ForceClose
        | Came::BeCounted => (standing != OfferedAway, "an offer to one who is away lasts seconds"),
        Came::CloseByAgent => (standing.is_over(), "only a wrap-up is closed"),
        Came::ShowTo => (standing != Open && standing != OpenAway, "an agent's chat is shown"),
        _ => (true, ""),
    };
    (!may).then_some(why)
}

/// The states of the journal that an input cannot meet.
fn never_met(came: Came, journal: Journal) -> Option<&'static str> {
    match (came, journal) {
        (Came::Written | Came::WrittenInPart, Journal::Settled) => {
            Some("it is said of what is being written")
        }
        (Came::Begins | Came::LoadedSome | Came::LoadedNothing | Came::Start, Journal::Writing) => {
            Some("it has decided nothing")
        }
        (Came::Undone, Journal::Writing | Journal::Refusing) => Some("the node is down"),
        _ => None,
    }
}

/// The states of the journal that an input meets only if things cross on their way.
fn seldom_met(came: Came, journal: Journal) -> Option<&'static str> {
    match (came, journal) {
        (
            Came::Window
            | Came::OfferLapse
            | Came::Reminder
            | Came::Idle
            | Came::WrapupHold
            | Came::AutoClose,
            Journal::Writing,
        ) => Some("a timer is over long after what was decided last, but for a slow disk"),
        (Came::Lost, Journal::Settled) => Some("a second append is lost behind the first"),
        (Came::Withdraw, Journal::Settled | Journal::Refusing) => {
            Some("it follows an offer that is being written")
        }
        (
            Came::HearOnce | Came::CloseByAgent | Came::ReleaseBySupervisor | Came::Slow,
            Journal::Writing,
        ) => Some("it comes where little is decided"),
        (Came::PageOfNothing, _) => Some("a page is read where something was missed"),
        (Came::Written | Came::WrittenInPart, Journal::Refusing) => {
            Some("what is written is heard of before the disk refuses")
        }
        (
            Came::Start
            | Came::Join
            | Came::Again
            | Came::Hear
            | Came::HearOnce
            | Came::PageOfSome
            | Came::NoRoom
            | Came::Slow
            | Came::LostRefused,
            Journal::Refusing,
        ) => Some("nobody is let in while the disk refuses"),
        (
            Came::LostSilent
            | Came::MissAgent
            | Came::MeetAgent
            | Came::Reminder
            | Came::Idle
            | Came::WrapupHold
            | Came::Decline
            | Came::LoadedNothing,
            Journal::Refusing,
        ) => Some("it comes seldom, and a disk refuses for seconds"),
        _ => None,
    }
}

/// Which fates of a decision are seldom reached.
fn of_fate(came: Came, fate: Fate) -> Option<Excuse> {
    if !decides(came) {
        return Some(Seldom("nothing is decided by it, but for a restart that is not written"));
    }
    let comes_seldom = matches!(
        came,
        Came::LostRefused
            | Came::ReleaseBySupervisor
            | Came::Assign
            | Came::MissAgent
            | Came::MeetAgent
            | Came::Reminder
            | Came::Idle
            | Came::WrapupHold
    );
    match fate {
        Fate::Failed if comes_seldom => Some(Seldom("it comes seldom, and few writes fail")),
        Fate::Written | Fate::Failed => None,
        Fate::FailedButKept | Fate::Killed | Fate::KilledButKept | Fate::Died => {
            Some(Seldom("of little that fails a whole record is kept"))
        }
    }
}

/// Whether this input makes a conversation decide something.
const fn decides(came: Came) -> bool {
    matches!(
        came,
        Came::Start
            | Came::Join
            | Came::PostByCustomer
            | Came::PostByAgent
            | Came::EndByCustomer
            | Came::LostClosed
            | Came::LostReset
            | Came::LostRefused
            | Came::Offer
            | Came::Accept
            | Came::Decline
            | Came::ReleaseByAgent
            | Came::ReleaseBySupervisor
            | Came::EndByAgent
            | Came::EndBySupervisor
            | Came::CloseByAgent
            | Came::CloseBySupervisor
            | Came::Assign
            | Came::ForceClose
            | Came::AgentGone
            | Came::MissAgent
            | Came::MeetAgent
            | Came::Window
            | Came::OfferLapse
            | Came::Reminder
            | Came::Idle
            | Came::WrapupHold
            | Came::AutoClose
            | Came::Silence
            | Came::LoadedSome
    )
}
