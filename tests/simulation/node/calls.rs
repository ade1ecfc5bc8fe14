//! What people ask of a simulated node.

use holdline::behavior::message::{Denial, ToAgent, ToConversation};
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::conversation::command::Command;
use holdline::domain::id::{AgentId, ConversationId};
use holdline::domain::lease::Purpose;
use holdline::domain::time::Span;

use crate::node::Node;
use crate::node::questions::Asker;
use crate::server::{Call, Ticket};

impl Node {
    /// An agent who asks for something thereby counts as heard of.
    pub(super) fn touch(&mut self, call: &Call) {
        if let Some(agent) = call.caller() {
            self.tell_agent(agent, ToAgent::Command(AgentCommand::Touch));
        }
    }

    /// A person asks something of a chat. A supervisor may give it only to an agent who is there,
    /// or is expected back.
    pub(super) fn call_chat(&mut self, ticket: Ticket, id: ConversationId, command: Command) {
        let Command::Assign { agent, .. } = &command else {
            let request = self.questions.ask(Asker::Call(ticket));
            return self.tell_chat(id, ToConversation::Ask(Box::new(command), request));
        };
        let agent = agent.clone();
        let grace = self.grace_of(id);
        let asker = Asker::Assignment(ticket, id, Box::new(command));
        let request = self.questions.ask(asker);
        self.expect(&agent, grace, request);
    }

    fn expect(
        &mut self,
        agent: &AgentId,
        grace: Span,
        request: holdline::behavior::message::RequestId,
    ) {
        if self.desks.contains_key(agent) {
            self.tell_agent(agent, ToAgent::Expect(grace, request));
        } else {
            self.answer(request, Err(Denial::AgentGone));
        }
    }

    /// How long an agent may be away and still be given this chat.
    fn grace_of(&self, id: ConversationId) -> Span {
        let opening = self.disk.chats.get(&id).and_then(|chat| chat.conversation.opening());
        let workstream = opening.and_then(|it| self.settings.workstreams.get(&it.workstream));
        workstream.map_or(Span::ZERO, |workstream| workstream.grace_for(Purpose::Offer))
    }
}
