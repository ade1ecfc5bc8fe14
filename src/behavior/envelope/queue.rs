//! The forms of what a queue is told.

use crate::behavior::envelope::form::formed;
use crate::behavior::message::ToQueue;
use crate::domain::agent::Availability;
use crate::domain::queue::{QueueCommand, Waiting};

formed!(enum ToQueue {
    "command" => Command(command),
    "several" => Several(commands),
    "figures" => Figures(request),
    "explain" => Explain(conversation, request),
    "dismiss" => Dismiss(request),
});

formed!(enum QueueCommand {
    "join" => Join(conversation, waiting),
    "leave" => Leave(conversation),
    "agent_changed" => AgentChanged(availability),
    "agent_left" => AgentLeft(agent),
    "granted" => Granted(conversation, agent),
    "refused" => Refused(conversation, agent),
    "all_heard" => AllHeard,
    "locate" => Locate(conversation),
    "match" => Match,
});

formed!(struct Waiting { since, entered_at, units, is_held, excluded, not_first });

formed!(struct Availability { agent, free, ready, assigned_at });
