//! Who waits for the answer to which request.

use std::collections::BTreeMap;

use holdline::behavior::message::{Answered, Denial, RequestId, ToConversation};
use holdline::domain::conversation::command::{Answer, Command};
use holdline::domain::id::ConversationId;

use crate::node::Node;
use crate::server::{Seen, Ticket};

/// Somebody who waits for an answer.
#[derive(Debug)]
pub enum Asker {
    /// Whoever called.
    Call(Ticket),
    /// A supervisor, who gives a chat to an agent if the agent is there.
    Assignment(Ticket, ConversationId, Box<Command>),
    /// An administrator, who wants to take something away that nobody goes by.
    Census,
    /// An administrator, until somebody has gone.
    Dismissal,
    /// A console, until its feed is open.
    Console,
    /// Who was made anew, and hears all claims first.
    Hearing(u64),
}

/// Every request that is not answered.
#[derive(Debug, Default)]
pub struct Questions {
    asked: BTreeMap<RequestId, Asker>,
    next: u64,
}

impl Questions {
    pub fn ask(&mut self, asker: Asker) -> RequestId {
        self.next += 1;
        let request = RequestId::new(self.next);
        self.asked.insert(request, asker);
        request
    }

    /// Whether anybody waits who is like this.
    pub fn any(&self, is_it: impl Fn(&Asker) -> bool) -> bool {
        self.asked.values().any(is_it)
    }

    /// Nobody waits any more.
    pub fn clear(&mut self) {
        self.asked.clear();
    }
}

impl Node {
    /// Answers a request, once.
    pub(super) fn answer(&mut self, request: RequestId, answer: Result<Answered, Denial>) {
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
            Asker::Census => {
                let is_counted = matches!(answer, Ok(Answered::Counted(true)));
                self.changes.counted += u64::from(is_counted);
            }
            Asker::Console | Asker::Dismissal | Asker::Hearing(_) => {}
        }
    }

    /// Who was asked has gone with the question.
    pub(super) fn deny(&mut self, request: Option<RequestId>) {
        if let Some(request) = request {
            self.answer(request, Err(Denial::Unavailable));
        }
    }
}

/// What a caller is told: of a fault, whatever it was, to ask again.
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
