//! Which variants were seen. A match over each type keeps a new variant from compiling before it is
//! listed here. A list of each type makes sure that the variant has an example.

use std::collections::BTreeSet;

use holdline::behavior::envelope::Envelope;
use holdline::behavior::message::{
    AgentSignal, Answered, Closing, Denial, FromSession, NotJoined, ToAgent, ToConversation,
    ToQueue, ToSession,
};
use holdline::domain::agent::Link;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::{Answer, Authority, Command};
use holdline::domain::conversation::event::Author;
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::registry::Setting;

/// The variants of the examples, each with its type.
#[derive(Default)]
pub struct Seen(BTreeSet<(&'static str, &'static str)>);

/// A type of which every variant must be seen.
trait Variants {
    fn variant(&self) -> (&'static str, &'static str);
}

macro_rules! variants {
    ($($type:ident { $($variant:ident),+ $(,)? })+) => {
        /// All variants that must be seen.
        const ALL: &[(&str, &str)] = &[$($((stringify!($type), stringify!($variant)),)+)+];

        $(impl Variants for $type {
            fn variant(&self) -> (&'static str, &'static str) {
                let variant = match self { $(Self::$variant { .. } => stringify!($variant)),+ };
                (stringify!($type), variant)
            }
        })+
    };
}

variants! {
    Envelope { Conversation, Agent, Queue, Session, Answer }
    ToConversation {
        Session, Ask, Show, Signal, Offer, Withdraw, AgentGone, MissAgent, MeetAgent, ShowTo,
        ConfirmLease, StateClaims, BeCounted, NeverBegins, Position, Erased,
    }
    FromSession { Join, Again, Hear, Post, End, Typing, Read, Leaving, Asleep, Lost }
    AgentSignal { Typing, Read }
    Setting { Queue, Workstream, Widget }
    Command {
        Start, Join, Lose, Post, EndByCustomer, Offer, Accept, Decline, Release, End, Close,
        Assign, ForceClose, AgentGone, MissAgent, MeetAgent, Wake, Recover,
    }
    Author { Customer, Agent }
    Authority { Agent, Supervisor }
    Cause { Left, Closed, Reset, Silent, Replaced, Draining, Restarted, Refused }
    ToAgent {
        Command, ChoosePresence, Show, Reserve, Adjust, Several, AskAbout, Serve, Dismiss, Tell,
        Shown, EndFeeds, ForgetKept, LosePlace, Beat, Expect,
    }
    AgentCommand {
        ChoosePresence, SetPresence, OpenFeed, Beat, CloseFeed, Touch, Reserve, Adjust, Withdraw,
        TurnDown, AllHeard, Configure, Wake,
    }
    ToQueue { Command, Several, Figures, Explain, Dismiss }
    QueueCommand {
        Join, Leave, AgentChanged, AgentLeft, Granted, Refused, AllHeard, Locate, Match,
    }
    ToSession { Joined, NotJoined, Posted, Done, Refused, Frame, Over, Probe, Close }
    NotJoined { Ended, Unknown, Denied }
    Closing { Draining, Restarted, Replaced, Silent, Slow }
    Answered { Command, Conversation, Agent, Expected, Figures, Standing, Counted, Done }
    Answer { Done, Posted }
    Link { Feeds, Requests, Looking, Started, Gone }
    Denial { Refused, AgentGone, FeedEnded, Overloaded, Unavailable, Trouble }
}

impl Seen {
    fn note(&mut self, value: &impl Variants) {
        self.0.insert(value.variant());
    }

    /// Notes the variant of an envelope, and the variants of what is in it.
    pub fn look_at(&mut self, envelope: &Envelope) {
        self.note(envelope);
        match envelope {
            Envelope::Conversation(_, message) => self.look_at_conversation(message),
            Envelope::Agent(_, message) => {
                self.note(message);
                if let ToAgent::Command(command) = message {
                    self.note(command);
                }
            }
            Envelope::Queue(_, message) => {
                self.note(message);
                if let ToQueue::Command(command) = message {
                    self.note(command);
                }
            }
            Envelope::Session(_, message) => {
                self.note(message);
                match message {
                    ToSession::NotJoined { why, .. } => self.note(why),
                    ToSession::Close(why) => self.note(why),
                    _ => {}
                }
            }
            Envelope::Answer(_, Ok(answer)) => {
                self.note(answer);
                match answer {
                    Answered::Command(answer) => self.note(answer),
                    Answered::Agent(view) => self.note(&view.link),
                    _ => {}
                }
            }
            Envelope::Answer(_, Err(denial)) => self.note(denial),
        }
    }

    fn look_at_conversation(&mut self, message: &ToConversation) {
        self.note(message);
        match message {
            ToConversation::Session(_, said) => {
                self.note(said);
                if let FromSession::Lost(cause) = said {
                    self.note(cause);
                }
            }
            ToConversation::Ask(command, _) => {
                self.note(&**command);
                match &**command {
                    Command::Post { from, .. } => self.note(from),
                    Command::End { by } => self.note(by),
                    _ => {}
                }
            }
            ToConversation::Signal(_, signal, _) => self.note(signal),
            ToConversation::BeCounted(setting, _) => self.note(setting),
            _ => {}
        }
    }

    /// The variants that should have been seen and were not.
    pub fn missing(&self) -> Vec<(&'static str, &'static str)> {
        ALL.iter().filter(|variant| !self.0.contains(variant)).copied().collect()
    }
}
