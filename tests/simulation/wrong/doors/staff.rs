//! The doors of agents and queues.

use std::sync::Arc;

use holdline::behavior::message::{ToAgent, ToConversation, ToQueue};
use holdline::behavior::queue;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::AgentSettings;
use holdline::wire::feed::FeedKind;

use crate::node::desk::{Desk, Input, Output};
use crate::wrong::Wrong;
use crate::wrong::doors::Doors;

impl Doors {
    /// An agent's settings, as they reach the agent.
    pub fn settings_of_agent(&self, settings: Arc<AgentSettings>) -> Arc<AgentSettings> {
        if self.wrong != Some(Wrong::OffersBeyond) {
            return settings;
        }
        let units = settings.units + 2;
        Arc::new(AgentSettings { units, ..AgentSettings::clone(&settings) })
    }

    /// What an agent is given in place of this input.
    pub fn into_agent(&self, input: Input) -> Input {
        match input {
            Input::Told(ToAgent::Command(AgentCommand::Configure(settings))) => {
                let configure = AgentCommand::Configure(self.settings_of_agent(settings));
                Input::Told(ToAgent::Command(configure))
            }
            input => input,
        }
    }

    /// What is done in place of an agent's outputs, and the inputs that the agent is given at once.
    pub fn out_of_agent(&mut self, desk: &Desk, out: &mut Vec<Output>) -> Vec<Input> {
        let Some(wrong) = self.wrong else { return Vec::new() };
        let mut given = Vec::new();
        for output in out.iter_mut() {
            let Output::ToConversation(chat, told) = output else { continue };
            let ToConversation::Withdraw(agent, number) = &**told else { continue };
            let (conversation, reservation) = (*chat, *number);
            let told = match wrong {
                Wrong::OffersLate => {
                    let held = desk.agent().leases().get(chat);
                    let units = held.map_or(0, |held| held.lease.units);
                    ToConversation::Offer(agent.clone(), reservation, units)
                }
                Wrong::TurnsDownEarly => {
                    let turn_down = AgentCommand::TurnDown { conversation, reservation };
                    given.push(Input::Told(ToAgent::Command(turn_down)));
                    ToConversation::StateClaims(None)
                }
                _ => continue,
            };
            *output = Output::ToConversation(conversation, Box::new(told));
        }
        let is_return = |output: &Output| match output {
            Output::ToConversation(_, told) => matches!(**told, ToConversation::MeetAgent(_)),
            _ => false,
        };
        out.retain(|output| match output {
            Output::Feed { kind: FeedKind::Message, .. } if wrong == Wrong::SkipsFeeds => {
                self.messages_fed += 1;
                !self.messages_fed.is_multiple_of(3)
            }
            output => wrong != Wrong::ForgetsReturns || !is_return(output),
        });
        given
    }

    /// Whether a queue that is told this asks no agent for its waiting chats.
    pub fn asks_nobody(&self, input: &queue::Input) -> bool {
        let is_told =
            matches!(input, queue::Input::Told(ToQueue::Command(QueueCommand::AgentChanged(_))));
        is_told && self.wrong == Some(Wrong::ForgetsWaiting)
    }
}
