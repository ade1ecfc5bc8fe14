//! How an agent chooses a presence: it is written first, and in force when it is durable.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};

use crate::behavior::message::{Answered, Denial, RequestId, Trouble};
use crate::domain::agent::Presence;
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::AgentId;
use crate::engine::agent::AgentActor;
use crate::journal::{Append, Fault};

impl AgentActor {
    pub(super) fn choose_presence(
        &mut self,
        presence: Presence,
        by: Option<AgentId>,
        request: RequestId,
        context: &mut Context<Self>,
    ) {
        let (done, written) = tokio::sync::oneshot::channel();
        let (agent, at, own) = (self.id().clone(), self.shared.clock.now(), by.is_none());
        self.shared.journal.append(Append::Presence { agent, presence, by, at, done });
        let writing = written.into_actor(self).map(move |written, actor, context| {
            let answer = match written {
                Ok(Ok(_)) => {
                    actor.shared.presences.insert(actor.id().clone(), presence);
                    // Choosing is never refused.
                    let _never = actor.perform(if own {
                        AgentCommand::ChoosePresence(presence)
                    } else {
                        AgentCommand::SetPresence(presence)
                    });
                    actor.rearm(context);
                    Ok(Answered::Agent(Box::new(actor.view())))
                }
                Ok(Err(fault)) => Err(Denial::Trouble(Trouble::from(&fault))),
                Err(_) => Err(Denial::Trouble(Trouble::from(&Fault::Closed))),
            };
            actor.asked.retain(|asked| *asked != request);
            actor.shared.answer(request, answer);
        });
        self.asked.push(request);
        context.spawn(writing);
    }
}
