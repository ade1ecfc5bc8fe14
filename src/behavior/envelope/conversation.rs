//! The forms of what a conversation is told.

use crate::behavior::envelope::form::formed;
use crate::behavior::message::{AgentSignal, FromSession, Join, ToConversation};
use crate::domain::settings::registry::Setting;

formed!(enum ToConversation {
    "session" => Session(session, said),
    "ask" => Ask(command, request),
    "show" => Show(request),
    "signal" => Signal(agent, signal, request),
    "offer" => Offer(agent, reservation, units),
    "withdraw" => Withdraw(agent, reservation),
    "agent_gone" => AgentGone(agent),
    "miss_agent" => MissAgent(agent, since),
    "meet_agent" => MeetAgent(agent),
    "show_to" => ShowTo(agent, feed),
    "confirm_lease" => ConfirmLease(agent),
    "state_claims" => StateClaims(request),
    "be_counted" => BeCounted(setting, request),
    "never_begins" => NeverBegins,
    "position" => Position { position, wait as "wait_ms" },
    "erased" => Erased,
});

formed!(enum FromSession {
    "join" => Join(join),
    "again" => Again(join),
    "hear" => Hear { after, until },
    "post" => Post(reference as "ref", id, text),
    "end" => End(reference as "ref"),
    "typing" => Typing(on),
    "read" => Read(seq),
    "leaving" => Leaving(page),
    "asleep" => Asleep(on),
    "lost" => Lost(cause),
});

formed!(struct Join { start, after, heartbeat as "heartbeat_ms", program, of });

formed!(enum AgentSignal {
    "typing" => Typing(on),
    "read" => Read(seq),
});

formed!(enum Setting {
    "queue" => Queue(id),
    "workstream" => Workstream(id),
    "widget" => Widget(id),
});
