//! What a simulated conversation does with each thing it is told.

use holdline::domain::agent::command::AgentCommand;
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::{Answer, Command, Refusal};
use holdline::domain::conversation::event::Author;
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, Seq, SessionId};
use holdline::engine::{Closing, NotJoined, ToSession};
use holdline::wire::client::Reference;
use holdline::wire::refusal::RefusalCode;

use crate::node::Node;
use crate::node::chat::{Chat, Stage, publish};
use crate::node::gate::Then;
use crate::node::mail::{FromSession, Join, Mail};
use crate::server::Ticket;

impl Chat {
    /// Takes one message, and arms the timer for what follows from it.
    pub fn handle(&mut self, node: &mut Node, mail: Mail) {
        match mail {
            Mail::Heard(session) => self.conversation.hear(session, node.clock()),
            Mail::Opened(found) => self.opened(node, found.map(|found| *found)),
            Mail::Page { .. } if matches!(self.stage, Stage::Leaving(_)) => {}
            Mail::Page { session, through, entries } => {
                self.catch_up(node, session, through, &entries);
            }
            mail => {
                self.take(node, mail);
                self.rearm(node);
            }
        }
    }

    pub(super) fn take(&mut self, node: &mut Node, mail: Mail) {
        if let Stage::Entered(_) = self.stage
            && matches!(&mail, Mail::Said(_, FromSession::Join(join)) if join.start.is_some())
            && let Stage::Entered(kept) = std::mem::replace(&mut self.stage, Stage::Serving)
        {
            self.take(node, mail);
            for kept in kept {
                self.take(node, kept);
            }
            return;
        }
        match &mut self.stage {
            Stage::Serving | Stage::Retired => {}
            Stage::Leaving(_) if matches!(mail, Mail::Lost | Mail::Durable(_)) => return,
            Stage::Entered(kept) | Stage::Opening(kept) | Stage::Leaving(kept) => {
                return kept.push(mail);
            }
        }
        match mail {
            Mail::Said(session, said) => self.session_said(node, session, said),
            Mail::Ask(ticket, command) => self.ask(node, ticket, command),
            Mail::Offer(agent, number, units) => self.offer(node, &agent, (number, units)),
            Mail::Withdraw(agent, number) => self.settle_reservation(node, &agent, number),
            Mail::AgentGone(agent) => {
                let _refused_when_new =
                    self.perform(node, Command::AgentGone { agent: agent.clone() });
                self.confirm_lease(node, agent);
            }
            Mail::MissAgent(agent, since) => {
                let _refused_when_new =
                    self.perform(node, Command::MissAgent { agent: agent.clone(), since });
                self.confirm_lease(node, agent);
            }
            Mail::MeetAgent(agent) => {
                let _refused_when_new =
                    self.perform(node, Command::MeetAgent { agent: agent.clone() });
                self.confirm_lease(node, agent);
            }
            Mail::ShowTo(agent) => {
                let theirs = self.conversation.agent() == Some(&agent);
                let told = publish::present_state(&self.conversation, theirs, node.clock());
                self.then(node, Then::Tell(agent, told));
            }
            Mail::ConfirmLease(agent) => self.confirm_lease(node, agent),
            Mail::StateClaims(held) => self.then(node, Then::StateClaims(held)),
            Mail::BeCounted(census) => {
                let opening = self.conversation.opening().filter(|_| self.conversation.is_live());
                if let Some(opening) = opening {
                    census.count(opening);
                }
            }
            Mail::Durable(receipt) => {
                self.durable(node, receipt);
                if self.conversation.is_closed() && self.gate.is_open() && self.timer.is_none() {
                    self.retire_if_over(node);
                }
            }
            Mail::Lost if node.rules.trusts_lost() && self.gate.holds_messages_alone() => {
                self.durable(node, Receipt::issue(self.conversation.seq()));
            }
            Mail::Lost => self.give_up(node),
            other => unreachable!("a conversation is never told {other:?}"),
        }
    }

    fn ask(&mut self, node: &mut Node, ticket: Ticket, command: Command) {
        let answer = if self.conversation.seq() == Seq::ZERO {
            Err(Refusal::UnknownConversation.code().to_owned())
        } else if !node.disk.is_writable() {
            Err("overloaded".to_owned())
        } else {
            self.perform(node, command).map_err(|refusal| refusal.code().to_owned())
        };
        self.then(node, Then::Answer(ticket, answer));
    }

    fn session_said(&mut self, node: &mut Node, session: SessionId, said: FromSession) {
        match said {
            FromSession::Join(join) => return self.join(node, session, *join),
            FromSession::Lost(cause) => return self.lose(node, session, cause),
            _ => {}
        }
        let is_there = self.conversation.attendance().find(session).is_some();
        if self.conversation.is_live() && !is_there {
            let close = ToSession::Close(Closing::Silent);
            return self.then(node, Then::Send(session, close));
        }
        self.conversation.hear(session, node.clock());
        match said {
            FromSession::Post(reference, id, text) => {
                self.conversation.hear_leaving(session, None);
                let command =
                    Command::Post { by: None, from: Author::Customer, id: id.clone(), text };
                let answer = match self.perform_as(node, session, command) {
                    Ok(Answer::Posted { seq, at }) => ToSession::Posted { reference, id, seq, at },
                    Ok(Answer::Done) => return,
                    Err(code) => ToSession::Refused { reference, code },
                };
                self.then(node, Then::Send(session, answer));
            }
            FromSession::End(reference) => self.end(node, session, reference),
            FromSession::Typing => self.conversation.hear_leaving(session, None),
            FromSession::Leaving(leaving) => {
                self.conversation.hear_leaving(session, leaving);
            }
            FromSession::Hear { after, until } => {
                let is_over = !self.conversation.is_live();
                let seen = self.conversation.seen_by_customer();
                let after = if after > seen { Seq::ZERO } else { after };
                self.then(node, Then::Hear { session, after, until, is_over });
                self.retire_if_over(node);
            }
            FromSession::Again(join) => self.join(node, session, *join),
            FromSession::Join(_) | FromSession::Lost(_) => {}
        }
    }

    fn join(&mut self, node: &mut Node, session: SessionId, join: Join) {
        let Join { start, mut after, heartbeat } = join;
        if let Some(request) = start
            && self.conversation.seq() == Seq::ZERO
        {
            let settings = node.settings.clone();
            let workstream = settings.workstream_of_widget(&request.widget);
            let Some(workstream) = workstream else {
                return self.turn_away(node, session, RefusalCode::UnknownWidget);
            };
            if !node.disk.is_writable() {
                return self.turn_away(node, session, RefusalCode::Overloaded);
            }
            if self.perform_for(node, Command::Start(request), None, workstream).is_err() {
                return self.turn_away(node, session, RefusalCode::Unavailable);
            }
            after = Some(self.conversation.seq());
        }
        let conversation = self.id;
        let then = match self.perform(node, Command::Join { session, heartbeat, program: None }) {
            Ok(_) => {
                self.conversation.hear(session, node.clock());
                let Some(state) = self.conversation.state_for_customer() else { return };
                let seq = self.conversation.seen_by_customer();
                let joined = ToSession::Joined { conversation, state, seq };
                let after = after.map(|after| node.rules.resumes_after(after).min(seq));
                Then::Joined(session, after, joined)
            }
            Err(refusal) => {
                let why = self.not_joined(refusal);
                Then::Send(session, ToSession::NotJoined { conversation, why })
            }
        };
        self.then(node, then);
        self.retire_if_over(node);
    }

    fn not_joined(&self, refusal: Refusal) -> NotJoined {
        let Some(state) = self.conversation.state() else { return NotJoined::Unknown };
        match refusal {
            Refusal::AlreadyClosed | Refusal::ConversationEnded => NotJoined::Ended {
                state,
                reason: self.conversation.reason(),
                seq: self.conversation.seen_by_customer(),
                redirect: None,
                closed_at: self.conversation.closed_at(),
            },
            other => NotJoined::Denied(RefusalCode::Conversation(other)),
        }
    }

    fn turn_away(&mut self, node: &mut Node, session: SessionId, code: RefusalCode) {
        let why = NotJoined::Denied(code);
        let told = ToSession::NotJoined { conversation: self.id, why };
        self.then(node, Then::Send(session, told));
        self.retire_if_over(node);
    }

    fn lose(&mut self, node: &mut Node, session: SessionId, cause: Cause) {
        self.audience.remove(session);
        let _refused_when_new = self.perform(node, Command::Lose { session, cause });
    }

    fn end(&mut self, node: &mut Node, session: SessionId, reference: Reference) {
        let answer = match self.perform_as(node, session, Command::EndByCustomer) {
            Ok(_) => {
                let Some(state) = self.conversation.state_for_customer() else { return };
                let seq = self.conversation.seen_by_customer();
                ToSession::Done { reference, state, seq, reason: self.conversation.reason() }
            }
            Err(code) => ToSession::Refused { reference, code },
        };
        self.then(node, Then::Send(session, answer));
    }

    fn perform_as(
        &mut self,
        node: &mut Node,
        session: SessionId,
        command: Command,
    ) -> Result<Answer, RefusalCode> {
        if !node.disk.is_writable() {
            return Err(RefusalCode::Overloaded);
        }
        let workstream = self.workstream(node);
        self.perform_for(node, command, Some(session), &workstream)
            .map_err(RefusalCode::Conversation)
    }

    fn offer(&mut self, node: &mut Node, agent: &AgentId, (reservation, units): (u64, u32)) {
        let fits = node.rules.ignores_units() || units == self.workstream(node).units;
        if fits && self.perform(node, Command::Offer { agent: agent.clone() }).is_ok() {
            return;
        }
        self.settle_reservation(node, agent, reservation);
    }

    /// An offer is not made, unless it was made before.
    fn settle_reservation(&mut self, node: &mut Node, agent: &AgentId, reservation: u64) {
        if self.conversation.lease().is_some_and(|lease| lease.agent == *agent) {
            return self.confirm_lease(node, agent.clone());
        }
        let turned_down = AgentCommand::TurnDown { conversation: self.id, reservation };
        self.then(node, Then::Adjust(agent.clone(), turned_down));
        self.then(node, Then::StateClaims(None));
        self.retire_if_over(node);
    }

    /// Tells an agent what this conversation holds of them now.
    fn confirm_lease(&mut self, node: &mut Node, agent: AgentId) {
        let lease = self.conversation.lease().filter(|lease| lease.agent == agent).cloned();
        let seq = self.conversation.seq();
        let adjust = AgentCommand::Adjust { conversation: self.id, seq, lease };
        self.then(node, Then::Adjust(agent, adjust));
    }

    /// Holds `then` back until everything before it is durable.
    pub(super) fn then(&mut self, node: &mut Node, then: Then) {
        if let Some(then) = self.gate.after(self.conversation.seq(), then) {
            self.follow(node, then);
        }
    }
}
