//! The forms of what is asked of a conversation.

use crate::behavior::envelope::form::formed;
use crate::domain::conversation::command::{Authority, Command, StartRequest};
use crate::domain::conversation::event::Author;

formed!(enum Command {
    "start" => Start(start),
    "join" => Join { session, heartbeat as "heartbeat_ms", program },
    "lose" => Lose { session, cause },
    "post" => Post { from, by, id, text },
    "end_by_customer" => EndByCustomer,
    "offer" => Offer { agent },
    "accept" => Accept { agent, name, by },
    "decline" => Decline { agent, by },
    "release" => Release { by },
    "end" => End { by },
    "close" => Close { by },
    "assign" => Assign { agent, by },
    "force_close" => ForceClose { by },
    "agent_gone" => AgentGone { agent },
    "miss_agent" => MissAgent { agent, since },
    "meet_agent" => MeetAgent { agent },
    "wake" => Wake,
    "recover" => Recover,
});

formed!(struct StartRequest {
    widget,
    visitor,
    start,
    salt,
    name,
    form,
    context,
    page,
    locale,
});

formed!(enum Author {
    "customer" => Customer,
    "agent" => Agent(agent),
});

formed!(enum Authority {
    "agent" => Agent(agent),
    "supervisor" => Supervisor(agent),
});
