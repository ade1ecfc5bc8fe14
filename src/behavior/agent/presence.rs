//! How an agent chooses a presence: it is written first, and in force when it is durable.

use crate::behavior::agent::commitment::Behavior;
use crate::behavior::agent::input::Choice;
use crate::behavior::agent::output::Output;
use crate::behavior::agent::turn::Turn;
use crate::behavior::message::{AgentView, Answered, Denial, Trouble};
use crate::domain::agent::command::AgentCommand;

impl Behavior {
    pub(super) fn choose_presence(choice: Choice, turn: &mut Turn<'_>) {
        turn.out.push(Output::WritePresence(choice, turn.now));
    }

    /// A choice is on the disk, or could not be written.
    pub(super) fn note_presence_written(
        &mut self,
        choice: &Choice,
        written: Result<(), Trouble>,
        turn: &mut Turn<'_>,
    ) {
        let answer = match written {
            Ok(()) => {
                // Choosing is never refused.
                let command = match choice.by {
                    None => AgentCommand::ChoosePresence(choice.presence),
                    Some(_) => AgentCommand::SetPresence(choice.presence),
                };
                self.must_perform(command, turn);
                Ok(Answered::Agent(Box::new(self.view())))
            }
            Err(trouble) => Err(Denial::Trouble(trouble)),
        };
        turn.answer(choice.request, answer);
    }

    pub(super) fn view(&self) -> AgentView {
        let leases = self.agent.leases().iter();
        AgentView {
            settings: self.agent.settings().clone(),
            presence: self.agent.presence(),
            chosen: self.agent.chosen(),
            link: self.agent.link(),
            used: self.agent.used(),
            leases: leases.map(|(id, held)| (*id, held.lease.clone())).collect(),
        }
    }
}
