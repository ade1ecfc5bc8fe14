//! The forms of answers.

use crate::behavior::envelope::form::formed;
use crate::behavior::message::{AgentView, Answered, Denial, Trouble};
use crate::domain::agent::Link;
use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::command::{Answer, Refusal};
use crate::domain::conversation::view::{Customer, Stage, View};
use crate::domain::id::ConversationId;
use crate::domain::lease::Lease;
use crate::domain::queue::{Staffing, Standing};
use crate::wire::document::one_of;

formed!(enum Answered {
    "command" => Command(answer),
    "conversation" => Conversation(view),
    "agent" => Agent(view),
    "expected" => Expected(until),
    "figures" => Figures(waiting, wait as "wait_ms"),
    "standing" => Standing(standing),
    "counted" => Counted(is_counted),
    "done" => Done,
});

formed!(enum Denial {
    "refused" => Refused(code),
    "agent_gone" => AgentGone,
    "feed_ended" => FeedEnded,
    "overloaded" => Overloaded,
    "unavailable" => Unavailable,
    "trouble" => Trouble(trouble),
});

formed!(struct Trouble { is_of_writing, text });

formed!(enum Answer {
    "done" => Done,
    "posted" => Posted { seq, at },
});

formed!(plain Refusal, refusal => refusal.code(), |value| one_of(value, &Self::ALL, Self::code));

formed!(struct View {
    id,
    state,
    stage,
    reason,
    agent,
    agent_away,
    offer_until,
    widget,
    workstream,
    queue,
    seq,
    started_at,
    due_at,
    customer,
});

formed!(names Stage { "offered" => Offered, "talking" => Talking });

formed!(struct Customer { name, connected, asleep, absence, form, context, page, locale });

formed!(struct Absence { since, until, cause });

formed!(struct Standing { position, is_held, is_asked_for, staffing });

formed!(struct Staffing { free, full, not_ready, excluded });

formed!(struct AgentView { settings, presence, chosen, link, used, leases });

formed!(enum Link {
    "feeds" => Feeds(open),
    "requests" => Requests(at),
    "looking" => Looking(at),
    "started" => Started(at),
    "gone" => Gone(since),
});

formed!(pair (ConversationId, Lease) { conversation, lease });
