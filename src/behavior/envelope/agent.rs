//! The forms of what an agent is told.

use crate::behavior::envelope::form::formed;
use crate::behavior::message::{FeedItem, ToAgent};
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::settings::{AgentSettings, Role};
use crate::wire::feed::FeedKind;

formed!(enum ToAgent {
    "command" => Command(command),
    "choose_presence" => ChoosePresence(presence, by, request),
    "show" => Show(request),
    "reserve" => Reserve(queue, conversation, lease),
    "adjust" => Adjust { conversation, seq, lease, repeated },
    "several" => Several(messages),
    "ask_about" => AskAbout(conversation),
    "serve" => Serve(queues),
    "dismiss" => Dismiss(request),
    "tell" => Tell(items),
    "shown" => Shown(feed, items),
    "end_feeds" => EndFeeds,
    "forget_kept" => ForgetKept,
    "lose_place" => LosePlace,
    "beat" => Beat(feed, request),
    "expect" => Expect(grace as "grace_ms", request),
});

formed!(enum AgentCommand {
    "choose_presence" => ChoosePresence(presence),
    "set_presence" => SetPresence(presence),
    "open_feed" => OpenFeed { feed, heartbeat as "heartbeat_ms" },
    "beat" => Beat(feed),
    "close_feed" => CloseFeed(feed),
    "touch" => Touch,
    "reserve" => Reserve { conversation, lease },
    "adjust" => Adjust { conversation, seq, lease },
    "withdraw" => Withdraw { conversation },
    "turn_down" => TurnDown { conversation, reservation },
    "all_heard" => AllHeard,
    "configure" => Configure(settings),
    "wake" => Wake,
});

formed!(struct AgentSettings { id, name, role, units });

formed!(names Role {
    "agent" => Agent,
    "supervisor" => Supervisor,
    "administrator" => Administrator,
});

formed!(struct FeedItem { kind, data, place, passing });

formed!(pair (ConversationId, Seq) { conversation, seq });

formed!(names FeedKind);
