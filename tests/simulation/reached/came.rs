//! What comes to a conversation: a row for each command, signal, timer, loss and word of the disk.
//! Every match is exhaustive, so that no new input is without a row.

use holdline::behavior::message::{AgentSignal, FromSession, ToConversation};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::conversation::event::Author;
use holdline::domain::conversation::timers::Timer;
use holdline::domain::time::Timestamp;

use crate::node::chat::{Chat, Input};

macro_rules! rows {
    ($($variant:ident = $name:literal,)+) => {
        /// Something that comes to a conversation.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Came {
            $($variant,)+
        }

        impl Came {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name, for people.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

rows! {
    Begins = "its actor begins",
    Start = "a start",
    Join = "a session joins",
    Again = "a second start",
    Hear = "a session resumes",
    HearOnce = "a session asks for what it missed",
    PostByCustomer = "a customer posts",
    PostByAgent = "an agent posts",
    EndByCustomer = "a customer ends",
    Typing = "a customer types",
    Read = "a customer has read",
    Leaving = "a page is left",
    Asleep = "a page falls asleep",
    LostLeft = "lost: left",
    LostClosed = "lost: closed",
    LostReset = "lost: reset",
    LostSilent = "lost: silent",
    LostReplaced = "lost: replaced",
    LostDraining = "lost: draining",
    LostRestarted = "lost: restarted",
    LostRefused = "lost: refused",
    Heard = "signs of one who goes",
    Offer = "an offer",
    Withdraw = "an offer is withdrawn",
    Accept = "an agent accepts",
    Decline = "an agent declines",
    ReleaseByAgent = "an agent releases",
    ReleaseBySupervisor = "a supervisor takes back",
    EndByAgent = "an agent ends",
    EndBySupervisor = "a supervisor ends",
    CloseByAgent = "an agent closes",
    CloseBySupervisor = "a supervisor closes",
    Assign = "a supervisor assigns",
    ForceClose = "a supervisor force-closes",
    AgentGone = "an agent is gone",
    MissAgent = "an agent is missed",
    MeetAgent = "an agent is back",
    AgentTyping = "an agent types",
    AgentRead = "an agent has read",
    Show = "somebody looks",
    ShowTo = "a console wants to see it",
    ConfirmLease = "a lease is asked for",
    StateClaims = "claims are asked for",
    BeCounted = "it is counted",
    NeverBegins = "it never begins",
    Position = "its place in the line",
    Erased = "it is erased",
    Window = "timer: window",
    OfferLapse = "timer: offer",
    Reminder = "timer: reminder",
    Idle = "timer: idle",
    WrapupHold = "timer: wrap-up hold",
    AutoClose = "timer: auto-close",
    Silence = "timer: silence",
    Housekeeping = "timer: its own",
    Recover = "it recovers",
    Written = "all is written",
    WrittenInPart = "a part is written",
    Lost = "a write failed",
    LoadedSome = "it was read",
    LoadedNothing = "nothing was read",
    Unreadable = "it cannot be read",
    PageOfSome = "a page of entries",
    PageOfNothing = "an empty page",
    PageUnreadable = "a page cannot be read",
    NoRoom = "no room for a page",
    Slow = "no room for a frame",
    Killed = "the node is killed",
    Undone = "a backup is restored",
}

impl Came {
    /// What an input is to this conversation at this time.
    pub fn of(input: &Input, chat: &Chat, now: Timestamp) -> Self {
        match input {
            Input::Begin => Self::Begins,
            Input::Told(told) => Self::of_told(told),
            Input::Heard(_) => Self::Heard,
            Input::Durable(receipt) if receipt.through() >= chat.conversation().seq() => {
                Self::Written
            }
            Input::Durable(_) => Self::WrittenInPart,
            Input::Lost(_) => Self::Lost,
            Input::Loaded(Ok(Some(_))) => Self::LoadedSome,
            Input::Loaded(Ok(None)) => Self::LoadedNothing,
            Input::Loaded(Err(_)) => Self::Unreadable,
            Input::Page { entries: Ok(entries), .. } if entries.is_empty() => Self::PageOfNothing,
            Input::Page { entries: Ok(_), .. } => Self::PageOfSome,
            Input::Page { entries: Err(_), .. } => Self::PageUnreadable,
            Input::NoRoom(_) => Self::NoRoom,
            Input::Slow(_) => Self::Slow,
            Input::Wake => Self::of_wake(chat, now),
        }
    }

    fn of_wake(chat: &Chat, now: Timestamp) -> Self {
        let conversation = chat.conversation();
        let over = conversation.timers().find(|(_, deadline)| deadline.is_over(now));
        match over {
            Some((timer, _)) => Self::of_timer(timer),
            None if conversation.wake_at().is_some_and(|at| at <= now) => Self::Silence,
            None => Self::Housekeeping,
        }
    }

    const fn of_timer(timer: Timer) -> Self {
        match timer {
            Timer::Window => Self::Window,
            Timer::Offer => Self::OfferLapse,
            Timer::Reminder => Self::Reminder,
            Timer::Idle => Self::Idle,
            Timer::WrapupHold => Self::WrapupHold,
            Timer::AutoClose => Self::AutoClose,
        }
    }

    fn of_told(told: &ToConversation) -> Self {
        match told {
            ToConversation::Session(_, said) => Self::of_session(said),
            ToConversation::Ask(command, _) => Self::of_command(command),
            ToConversation::Show(_) => Self::Show,
            ToConversation::Signal(_, AgentSignal::Typing(_), _) => Self::AgentTyping,
            ToConversation::Signal(_, AgentSignal::Read(_), _) => Self::AgentRead,
            ToConversation::Offer(..) => Self::Offer,
            ToConversation::Withdraw(..) => Self::Withdraw,
            ToConversation::AgentGone(_) => Self::AgentGone,
            ToConversation::MissAgent(..) => Self::MissAgent,
            ToConversation::MeetAgent(_) => Self::MeetAgent,
            ToConversation::ShowTo(..) => Self::ShowTo,
            ToConversation::ConfirmLease(_) => Self::ConfirmLease,
            ToConversation::StateClaims(_) => Self::StateClaims,
            ToConversation::BeCounted(..) => Self::BeCounted,
            ToConversation::NeverBegins => Self::NeverBegins,
            ToConversation::Position { .. } => Self::Position,
            ToConversation::Erased => Self::Erased,
        }
    }

    fn of_session(said: &FromSession) -> Self {
        match said {
            FromSession::Join(join) if join.start.is_some() => Self::Start,
            FromSession::Join(_) => Self::Join,
            FromSession::Again(_) => Self::Again,
            FromSession::Hear { until: None, .. } => Self::Hear,
            FromSession::Hear { until: Some(_), .. } => Self::HearOnce,
            FromSession::Post(..) => Self::PostByCustomer,
            FromSession::End(_) => Self::EndByCustomer,
            FromSession::Typing(_) => Self::Typing,
            FromSession::Read(_) => Self::Read,
            FromSession::Leaving(_) => Self::Leaving,
            FromSession::Asleep(_) => Self::Asleep,
            FromSession::Lost(cause) => Self::of_cause(*cause),
        }
    }

    const fn of_cause(cause: Cause) -> Self {
        match cause {
            Cause::Left(_) => Self::LostLeft,
            Cause::Closed(_) => Self::LostClosed,
            Cause::Reset => Self::LostReset,
            Cause::Silent => Self::LostSilent,
            Cause::Replaced => Self::LostReplaced,
            Cause::Draining => Self::LostDraining,
            Cause::Restarted => Self::LostRestarted,
            Cause::Refused(_) => Self::LostRefused,
        }
    }

    /// A command has the same row whoever gives it.
    const fn of_command(command: &Command) -> Self {
        match command {
            Command::Start(_) => Self::Start,
            Command::Join { .. } => Self::Join,
            Command::Lose { cause, .. } => Self::of_cause(*cause),
            Command::Post { from: Author::Customer, .. } => Self::PostByCustomer,
            Command::Post { from: Author::Agent(_), .. } => Self::PostByAgent,
            Command::EndByCustomer => Self::EndByCustomer,
            Command::Offer { .. } => Self::Offer,
            Command::Accept { .. } => Self::Accept,
            Command::Decline { .. } => Self::Decline,
            Command::Release { by: Authority::Agent(_) } => Self::ReleaseByAgent,
            Command::Release { by: Authority::Supervisor(_) } => Self::ReleaseBySupervisor,
            Command::End { by: Authority::Agent(_) } => Self::EndByAgent,
            Command::End { by: Authority::Supervisor(_) } => Self::EndBySupervisor,
            Command::Close { by: Authority::Agent(_) } => Self::CloseByAgent,
            Command::Close { by: Authority::Supervisor(_) } => Self::CloseBySupervisor,
            Command::Assign { .. } => Self::Assign,
            Command::ForceClose { .. } => Self::ForceClose,
            Command::AgentGone { .. } => Self::AgentGone,
            Command::MissAgent { .. } => Self::MissAgent,
            Command::MeetAgent { .. } => Self::MeetAgent,
            Command::Wake => Self::Housekeeping,
            Command::Recover => Self::Recover,
        }
    }
}
