//! Which askers wait for the answers to which requests.

use std::collections::BTreeMap;

use holdline::behavior::message::{Answered, Denial, RequestId, ToConversation};
use holdline::domain::conversation::command::{Answer, Command};
use holdline::domain::id::ConversationId;

use crate::node::Node;
use crate::server::{Seen, Ticket};

/// An asker that waits for an answer.
#[derive(Debug)]
pub enum Asker {
    /// The maker of a call.
    Call(Ticket),
    /// A supervisor, who gives a chat to an agent if the agent is there.
    Assignment(Ticket, ConversationId, Box<Command>),
    /// An administrator, who wants to delete a setting that no chat depends on.
    Census(ConversationId),
    /// An administrator, until a deleted actor is gone.
    Dismissal,
    /// A console, until its feed is open.
    Console,
    /// An actor that was made anew, and hears all claims first.
    Hearing(u64, ConversationId),
}

/// Every request that is not answered.
#[derive(Debug, Default)]
pub struct Questions {
    asked: BTreeMap<RequestId, Asker>,
    /// Which conversation's actor has taken each request.
    kept: BTreeMap<RequestId, (ConversationId, u64)>,
    next: u64,
}

impl Questions {
    pub fn ask(&mut self, asker: Asker) -> RequestId {
        self.next += 1;
        let request = RequestId::new(self.next);
        self.asked.insert(request, asker);
        request
    }

    /// A conversation's actor has dealt with a question: if it has not answered, it keeps the
    /// question.
    pub fn keep(&mut self, request: RequestId, it: (ConversationId, u64)) {
        if self.asked.contains_key(&request) {
            self.kept.insert(request, it);
        }
    }

    /// The requests that an actor has kept.
    pub fn kept_by(&self, it: (ConversationId, u64)) -> Vec<RequestId> {
        let kept = self.kept.iter().filter(|(_, by)| **by == it);
        kept.map(|(request, _)| *request).collect()
    }

    /// Whether no request waits for an answer.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Whether an asker like this waits.
    pub fn any(&self, is_it: impl Fn(&Asker) -> bool) -> bool {
        self.asked.values().any(is_it)
    }

    /// No request waits any more.
    pub fn clear(&mut self) {
        self.asked.clear();
        self.kept.clear();
    }
}

impl Node {
    /// Answers a request, once.
    pub(super) fn answer(&mut self, request: RequestId, answer: Result<Answered, Denial>) {
        self.questions.kept.remove(&request);
        let Some(asker) = self.questions.asked.remove(&request) else { return };
        match asker {
            Asker::Call(ticket) => self.seen.push(Seen::Answered(ticket, told(answer))),
            Asker::Assignment(ticket, chat, command) => {
                if let Err(denial) = answer {
                    return self.seen.push(Seen::Answered(ticket, told(Err(denial))));
                }
                let request = self.questions.ask(Asker::Call(ticket));
                self.tell_chat(chat, ToConversation::Ask(command, request));
            }
            Asker::Census(id) | Asker::Hearing(_, id) if answer.is_err() => {
                self.ask_again(id, asker);
            }
            Asker::Census(_) => {
                let is_counted = matches!(answer, Ok(Answered::Counted(true)));
                self.changes.counted += u64::from(is_counted);
            }
            Asker::Console | Asker::Dismissal | Asker::Hearing(..) => {}
        }
    }

    /// The actor that was asked is gone, and the question with it.
    pub(super) fn deny(&mut self, request: Option<RequestId>) {
        if let Some(request) = request {
            self.answer(request, Err(Denial::Unavailable));
        }
    }
}

/// What a caller is told: after any fault, to ask again.
fn told(answer: Result<Answered, Denial>) -> Result<Answer, String> {
    match answer {
        Ok(Answered::Command(answer)) => Ok(answer),
        Ok(_) => Ok(Answer::Done),
        Err(Denial::Refused(refusal)) => Err(refusal.code().to_owned()),
        Err(Denial::AgentGone) => Err("agent_gone".to_owned()),
        Err(Denial::Overloaded) => Err("overloaded".to_owned()),
        Err(Denial::FeedEnded | Denial::Unavailable | Denial::Trouble(_)) => {
            Err("fault".to_owned())
        }
    }
}
