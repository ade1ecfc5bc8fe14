//! What a journal in memory keeps.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::domain::agent::Presence;
use crate::domain::conversation::event::{Audience, Event, Recorded};
use crate::domain::conversation::{Conversation, State};
use crate::domain::decision::Receipt;
use crate::domain::id::{AgentId, ConversationId, Seq, VisitorId};
use crate::domain::settings::Disposal;
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::time::Timestamp;
use crate::journal::audit::{self, AuditFilter, AuditPage, AuditRow, Tail};
use crate::journal::chats::{part_begins, part_ends};
use crate::journal::record::Record;
use crate::journal::{
    Append, Confirmed, Done, Erasure, Fault, Filter, ListCursor, Listing, Located, Position,
    Retained, RetentionRule, Which, page,
};

/// What has become durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Durable {
    pub(super) head: u64,
    /// The time of the last event.
    pub(super) latest: Timestamp,
    pub(super) settings: Registry,
    pub(super) presences: BTreeMap<AgentId, Presence>,
    pub(super) conversations: HashMap<ConversationId, (Conversation, Vec<Located>)>,
    /// Where each agent's part in a conversation begins.
    parts: HashMap<AgentId, HashMap<ConversationId, Vec<Part>>>,
    /// Where each event of a conversation is, in the order of the journal.
    order: Vec<(Position, ConversationId, usize)>,
    /// What the last step of the retention has taken out.
    pub(super) taken: Vec<ConversationId>,
    /// The audit stream, and where it ends.
    audit: VecDeque<AuditRow>,
    tail: Tail,
}

/// A stretch of a conversation that is an agent's.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: Seq,
    until: Option<Seq>,
}

impl Part {
    fn holds(self, seq: Seq) -> bool {
        seq >= self.from && self.until.is_none_or(|until| seq <= until)
    }
}

impl Durable {
    /// Takes an append, and returns what of a conversation is then durable.
    pub(super) fn take(
        &mut self,
        append: Append,
        answers: &mut Vec<(Done, Position)>,
    ) -> Option<Confirmed> {
        match append {
            Append::Conversation { id, first, at, events, ticket } => {
                let mut seq = first;
                for event in &*events {
                    self.take_event(id, Recorded { seq, at, event: event.clone() });
                    seq = seq.next();
                }
                let through = Seq::new(seq.number().saturating_sub(1));
                Some(Confirmed { id, ticket, receipt: Receipt::issue(through) })
            }
            Append::Presence { agent, presence, done, .. } => {
                self.head += 1;
                self.presences.insert(agent, presence);
                answers.push((done, Position(self.head)));
                None
            }
            Append::Setting { change, by, at, done } => {
                self.head += 1;
                let record = Record::of_setting(&change, by.as_ref());
                let noted = audit::of_change(&change, by.as_ref(), at, &record);
                self.audit.extend(noted.map(|entry| self.tail.append(entry)));
                if let SettingChange::DeleteAgent(agent) = &*change {
                    self.presences.remove(agent);
                }
                self.settings.apply(*change);
                answers.push((done, Position(self.head)));
                None
            }
            Append::Audit { entry, done } => {
                self.audit.push_back(self.tail.append(*entry));
                answers.push((done, Position(self.head)));
                None
            }
        }
    }

    pub(super) fn audit_page(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        most: usize,
    ) -> AuditPage {
        let earlier = |row: &&AuditRow| before.is_none_or(|before| row.number < before);
        let found = self.audit.iter().rev().filter(earlier).filter(|row| filter.matches(row));
        let mut rows: Vec<_> = found.take(most + 1).cloned().collect();
        let has_more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| has_more).map(|last| last.number);
        AuditPage { rows, next }
    }

    /// Drops all of the old entries at once.
    pub(super) fn drop_audit(&mut self, before: Timestamp, at: Timestamp) -> bool {
        let count = self.audit.iter().take_while(|row| row.at < before).count();
        let Some(last) = self.audit.drain(..count).next_back() else { return false };
        let last = Tail { number: last.number, hash: last.hash };
        let told = audit::of_dropping(&last, count as u64, at);
        self.audit.push_back(self.tail.append(told));
        true
    }

    fn take_event(&mut self, id: ConversationId, recorded: Recorded) {
        self.latest = self.latest.max(recorded.at);
        self.head += 1;
        let position = Position(self.head);
        let (conversation, located) =
            self.conversations.entry(id).or_insert_with(|| (Conversation::new(id), Vec::new()));
        conversation.apply(&recorded.event, recorded.at);
        if let Some(agent) = part_begins(&recorded.event) {
            let parts = self.parts.entry(agent.clone()).or_default().entry(id).or_default();
            if parts.last().is_none_or(|part| part.until.is_some()) {
                parts.push(Part { from: recorded.seq, until: None });
            }
        }
        let ending = part_ends(&recorded.event).and_then(|agent| self.parts.get_mut(agent));
        if let Some(part) = ending.and_then(|parts| parts.get_mut(&id)?.last_mut()) {
            part.until.get_or_insert(recorded.seq);
        }
        self.order.push((position, id, located.len()));
        located.push(Located { position, conversation: id, recorded });
    }

    /// Takes all of the retention's steps at once. What was taken out is in `taken`.
    pub(super) fn retain(&mut self, rules: &[RetentionRule], now: Timestamp) -> Retained {
        let mut retained = Retained::default();
        let mut taken = Vec::new();
        for (id, (conversation, events)) in &self.conversations {
            let workstream = conversation.opening().map(|opening| &opening.workstream);
            let rule = rules.iter().find(|rule| Some(&rule.workstream) == workstream);
            let (Some(rule), Some(closed)) = (rule, closed_at(conversation, events)) else {
                continue;
            };
            if closed + rule.retention.after() > now {
                continue;
            }
            taken.push(*id);
            match rule.retention.then {
                Disposal::Archive => retained.archived += 1,
                Disposal::Delete => retained.deleted += 1,
            }
        }
        self.take_out(&taken);
        self.taken = taken;
        retained
    }

    fn take_out(&mut self, taken: &[ConversationId]) {
        if taken.is_empty() {
            return;
        }
        // The note of it has a place, like any other record.
        self.head += 1;
        for id in taken {
            self.conversations.remove(id);
            self.parts.values_mut().for_each(|parts| parts.retain(|of, _| of != id));
        }
        self.order.retain(|(_, id, _)| !taken.contains(id));
    }

    /// Erases these, or nothing while one of them is not closed.
    pub(super) fn erase(&mut self, ids: &[ConversationId]) -> Erasure {
        let is_closed = |id: &ConversationId| Some(self.conversations.get(id)?.0.is_closed());
        let those = |closed| ids.iter().copied().filter(move |id| is_closed(id) == Some(closed));
        let open: Vec<_> = those(false).collect();
        if !open.is_empty() {
            return Erasure { erased: Vec::new(), open };
        }
        let erased: Vec<_> = those(true).collect();
        self.take_out(&erased);
        Erasure { erased, open }
    }

    pub(super) fn of_visitor(
        &self,
        visitor: VisitorId,
        which: Which,
        after: Option<ConversationId>,
        most: usize,
    ) -> Vec<ConversationId> {
        let is_meant = |one: &Conversation| match which {
            Which::Open => !one.is_closed(),
            Which::InJournal => true,
            Which::Archived => false,
        };
        let of_them = |one: &&Conversation| {
            one.opening().is_some_and(|opening| opening.visitor == visitor) && is_meant(one)
        };
        let all = self.conversations.values().map(|(one, _)| one);
        let ids = all.filter(of_them).map(Conversation::id);
        let mut ids: Vec<_> = ids.filter(|id| Some(*id) > after).collect();
        ids.sort_unstable();
        ids.truncate(most);
        ids
    }

    pub(super) fn read(
        &self,
        id: ConversationId,
        after: Seq,
        audience: Audience,
        entries: usize,
        bytes: usize,
    ) -> Result<Vec<Recorded>, Fault> {
        let Some((_, located)) = self.conversations.get(&id) else { return Ok(Vec::new()) };
        let seen = located
            .iter()
            .map(|located| &located.recorded)
            .filter(|recorded| recorded.seq > after && recorded.event.is_seen_by(audience));
        page::fill(seen.cloned().map(Ok), entries, bytes, page::weight)
    }

    pub(super) fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        entries: usize,
    ) -> Result<Vec<Recorded>, Fault> {
        let events = self.read(id, after, Audience::Agent, entries, usize::MAX)?;
        Ok(events.into_iter().map(page::without_text).collect())
    }

    pub(super) fn list(
        &self,
        filter: &Filter,
        after: Option<ListCursor>,
        most: usize,
        bytes: usize,
    ) -> Result<Listing, Fault> {
        let place = |one: &Conversation| (one.started_at(), one.id());
        let mut found: Vec<_> = self
            .conversations
            .values()
            .map(|(conversation, _)| conversation)
            .filter(|one| matches(filter, one))
            .filter(|one| after.is_none_or(|after| place(one) < (after.started_at, after.id)))
            .collect();
        found.sort_unstable_by_key(|one| std::cmp::Reverse(place(one)));
        let views = found.iter().filter_map(|one| one.view()).map(Ok);
        let views = page::fill(views, most, bytes, page::weight_of_view)?;
        let last = views.last().filter(|_| views.len() < found.len());
        let next = last.map(|last| ListCursor { started_at: last.started_at, id: last.id });
        Ok(Listing { views, next })
    }

    pub(super) fn of_agent(
        &self,
        agent: &AgentId,
        after: Position,
        most: usize,
        bytes: usize,
    ) -> Result<Vec<Located>, Fault> {
        let Some(parts) = self.parts.get(agent) else { return Ok(Vec::new()) };
        let start = self.order.partition_point(|(position, _, _)| *position <= after);
        let later = self.order[start..].iter();
        let of_them = later.filter_map(|(_, id, index)| {
            let parts = parts.get(id)?;
            let (_, located) = self.conversations.get(id)?;
            let located = located.get(*index)?;
            parts.iter().any(|part| part.holds(located.recorded.seq)).then_some(located)
        });
        let weight = |located: &Located| page::weight(&located.recorded);
        page::fill(of_them.cloned().map(Ok), most, bytes, weight)
    }
}

/// When a conversation was closed; nothing while it is not.
fn closed_at(conversation: &Conversation, events: &[Located]) -> Option<Timestamp> {
    let is_close =
        |located: &&Located| matches!(located.recorded.event, Event::ConversationClosed { .. });
    let close = || events.iter().rev().find(is_close);
    conversation.is_closed().then(close)?.map(|located| located.recorded.at)
}

fn matches(filter: &Filter, conversation: &Conversation) -> bool {
    let (Some(opening), Some(state)) = (conversation.opening(), conversation.state()) else {
        return false;
    };
    let agent = match &filter.agent {
        None => true,
        Some(agent) => {
            let waits = state == State::Open && filter.or_waiting_in.contains(&opening.queue);
            conversation.agent() == Some(agent) || waits
        }
    };
    agent
        && (filter.states.is_empty() || filter.states.contains(&state))
        && (filter.queues.is_empty() || filter.queues.contains(&opening.queue))
        && filter.widget.as_ref().is_none_or(|widget| *widget == opening.widget)
}
