//! An envelope for everything that actors say to each other, with the values that the dice give.

use holdline::behavior::envelope::Envelope;
use holdline::behavior::message::{
    AgentSignal, Closing, FeedItem, FromSession, Join, NotJoined, ToAgent, ToConversation, ToQueue,
    ToSession,
};
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::agent::{Availability, Presence};
use holdline::domain::conversation::State;
use holdline::domain::conversation::command::{Authority, Command, StartRequest};
use holdline::domain::conversation::event::{Author, Reason};
use holdline::domain::lease::Purpose;
use holdline::domain::queue::{QueueCommand, Waiting};
use holdline::domain::settings::Role;
use holdline::domain::settings::registry::Setting;
use holdline::wire::feed::FeedKind;
use holdline::wire::refusal::RefusalCode;

use super::answers::{answers, denials};
use super::dice::{Dice, LEAVINGS};

/// At least one envelope of every variant.
pub fn examples(dice: &mut Dice) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    for message in conversation(dice) {
        envelopes.push(Envelope::Conversation(dice.conversation(), message));
    }
    for message in agent(dice) {
        envelopes.push(Envelope::Agent(dice.chosen(), message));
    }
    for message in queue(dice) {
        envelopes.push(Envelope::Queue(dice.chosen(), message));
    }
    for message in session(dice) {
        envelopes.push(Envelope::Session(dice.session(), message));
    }
    for answer in answers(dice) {
        envelopes.push(Envelope::Answer(dice.request(), Ok(answer)));
    }
    for denial in denials(dice) {
        envelopes.push(Envelope::Answer(dice.request(), Err(denial)));
    }
    envelopes
}

fn conversation(dice: &mut Dice) -> Vec<ToConversation> {
    let mut messages = Vec::new();
    for said in from_session(dice) {
        messages.push(ToConversation::Session(dice.session(), said));
    }
    for command in commands(dice) {
        messages.push(ToConversation::Ask(Box::new(command), dice.request()));
    }
    for signal in [AgentSignal::Typing(dice.flag()), AgentSignal::Read(dice.seq())] {
        messages.push(ToConversation::Signal(dice.chosen(), signal, dice.request()));
    }
    let settings = [
        Setting::Queue(dice.chosen()),
        Setting::Workstream(dice.chosen()),
        Setting::Widget(dice.chosen()),
    ];
    for setting in settings {
        messages.push(ToConversation::BeCounted(setting, dice.request()));
    }
    messages.extend([
        ToConversation::Show(dice.request()),
        ToConversation::Offer(dice.chosen(), dice.u64(), dice.u32()),
        ToConversation::Withdraw(dice.chosen(), dice.u64()),
        ToConversation::AgentGone(dice.chosen()),
        ToConversation::MissAgent(dice.chosen(), dice.time()),
        ToConversation::MeetAgent(dice.chosen()),
        ToConversation::ShowTo(dice.chosen(), dice.maybe(Dice::u64)),
        ToConversation::ConfirmLease(dice.chosen()),
        ToConversation::StateClaims(dice.maybe(Dice::request)),
        ToConversation::NeverBegins,
        ToConversation::Position {
            position: usize::try_from(dice.u32()).unwrap(),
            wait: dice.maybe(Dice::span),
        },
        ToConversation::Erased,
    ]);
    messages
}

fn from_session(dice: &mut Dice) -> Vec<FromSession> {
    let mut said = vec![
        FromSession::Join(Box::new(join(dice))),
        FromSession::Again(Box::new(join(dice))),
        FromSession::Hear { after: dice.seq(), until: dice.maybe(Dice::seq) },
        FromSession::Post(dice.reference(), dice.message_id(), dice.said()),
        FromSession::End(dice.reference()),
        FromSession::Typing(dice.flag()),
        FromSession::Read(dice.seq()),
        FromSession::Leaving(dice.maybe(|dice| dice.one_of(&LEAVINGS))),
        FromSession::Asleep(dice.flag()),
    ];
    said.extend(dice.causes().into_iter().map(FromSession::Lost));
    said
}

fn join(dice: &mut Dice) -> Join {
    Join {
        start: dice.maybe(start),
        after: dice.maybe(Dice::seq),
        heartbeat: dice.span(),
        program: dice.maybe(Dice::arc),
        of: dice.maybe(|dice| [dice.visitor(), dice.visitor()]),
    }
}

fn start(dice: &mut Dice) -> StartRequest {
    StartRequest {
        widget: dice.chosen(),
        visitor: dice.visitor(),
        start: dice.message_id(),
        salt: dice.u64(),
        name: dice.maybe(Dice::name),
        form: dice.maybe(Dice::arc),
        context: dice.maybe(Dice::arc),
        page: dice.maybe(Dice::arc),
        locale: dice.maybe(Dice::arc),
    }
}

fn commands(dice: &mut Dice) -> Vec<Command> {
    let post = |from, dice: &mut Dice| Command::Post {
        from,
        by: dice.maybe(Dice::chosen),
        id: dice.message_id(),
        text: dice.said(),
    };
    vec![
        Command::Start(start(dice)),
        Command::Join {
            session: dice.session(),
            heartbeat: dice.span(),
            program: dice.maybe(Dice::arc),
        },
        Command::Lose { session: dice.session(), cause: dice.cause() },
        post(Author::Customer, dice),
        post(Author::Agent(dice.chosen()), dice),
        Command::EndByCustomer,
        Command::Offer { agent: dice.chosen() },
        Command::Accept { agent: dice.chosen(), name: dice.name(), by: dice.maybe(Dice::chosen) },
        Command::Decline { agent: dice.chosen(), by: dice.maybe(Dice::chosen) },
        Command::Release { by: Authority::Agent(dice.chosen()) },
        Command::End { by: Authority::Agent(dice.chosen()) },
        Command::End { by: Authority::Supervisor(dice.chosen()) },
        Command::Close { by: Authority::Supervisor(dice.chosen()) },
        Command::Assign { agent: dice.chosen(), by: dice.chosen() },
        Command::ForceClose { by: dice.chosen() },
        Command::AgentGone { agent: dice.chosen() },
        Command::MissAgent { agent: dice.chosen(), since: dice.time() },
        Command::MeetAgent { agent: dice.chosen() },
        Command::Wake,
        Command::Recover,
    ]
}

fn agent(dice: &mut Dice) -> Vec<ToAgent> {
    let mut messages: Vec<_> = agent_commands(dice).into_iter().map(ToAgent::Command).collect();
    for presence in Presence::ALL {
        let by = dice.maybe(Dice::chosen);
        messages.push(ToAgent::ChoosePresence(presence, by, dice.request()));
    }
    for purpose in [Purpose::Offer, Purpose::Chat, Purpose::Wrapup] {
        let lease = dice.lease_for(purpose);
        messages.push(ToAgent::Reserve(dice.chosen(), dice.conversation(), lease));
    }
    messages.extend([
        ToAgent::Show(dice.request()),
        adjust(dice),
        ToAgent::Several(dice.list(adjust)),
        ToAgent::AskAbout(dice.conversation()),
        ToAgent::Serve(dice.list(Dice::chosen)),
        ToAgent::Dismiss(dice.request()),
        ToAgent::Tell(FeedKind::ALL.into_iter().map(|kind| item(kind, dice)).collect()),
        ToAgent::Shown(dice.u64(), dice.list(|dice| item(FeedKind::Conversation, dice))),
        ToAgent::EndFeeds,
        ToAgent::ForgetKept,
        ToAgent::LosePlace,
        ToAgent::Beat(dice.text(), dice.request()),
        ToAgent::Expect(dice.span(), dice.request()),
    ]);
    messages
}

fn adjust(dice: &mut Dice) -> ToAgent {
    ToAgent::Adjust {
        conversation: dice.conversation(),
        seq: dice.seq(),
        lease: dice.maybe(Dice::lease),
        repeated: dice.flag(),
    }
}

fn item(kind: FeedKind, dice: &mut Dice) -> FeedItem {
    FeedItem {
        kind,
        data: dice.text().into(),
        place: dice.maybe(|dice| (dice.conversation(), dice.seq())),
        passing: dice.flag(),
    }
}

fn agent_commands(dice: &mut Dice) -> Vec<AgentCommand> {
    let mut commands = vec![
        AgentCommand::ChoosePresence(dice.one_of(&Presence::ALL)),
        AgentCommand::SetPresence(dice.one_of(&Presence::ALL)),
        AgentCommand::OpenFeed { feed: dice.u64(), heartbeat: dice.span() },
        AgentCommand::Beat(dice.u64()),
        AgentCommand::CloseFeed(dice.u64()),
        AgentCommand::Touch,
        AgentCommand::Reserve { conversation: dice.conversation(), lease: dice.lease() },
        AgentCommand::Adjust {
            conversation: dice.conversation(),
            seq: dice.seq(),
            lease: dice.maybe(Dice::lease),
        },
        AgentCommand::Withdraw { conversation: dice.conversation() },
        AgentCommand::TurnDown { conversation: dice.conversation(), reservation: dice.u64() },
        AgentCommand::AllHeard,
        AgentCommand::Wake,
    ];
    for role in [Role::Agent, Role::Supervisor, Role::Administrator] {
        commands.push(AgentCommand::Configure(dice.settings(role)));
    }
    commands
}

fn queue(dice: &mut Dice) -> Vec<ToQueue> {
    let mut messages: Vec<_> = queue_commands(dice).into_iter().map(ToQueue::Command).collect();
    messages.extend([
        ToQueue::Several(dice.list(|dice| QueueCommand::Leave(dice.conversation()))),
        ToQueue::Figures(dice.request()),
        ToQueue::Explain(dice.conversation(), dice.request()),
        ToQueue::Dismiss(dice.request()),
    ]);
    messages
}

fn queue_commands(dice: &mut Dice) -> [QueueCommand; 9] {
    let waiting = Waiting {
        since: dice.time(),
        entered_at: dice.time(),
        units: dice.u32(),
        is_held: dice.flag(),
        excluded: dice.list(Dice::chosen),
        not_first: dice.list(Dice::chosen),
    };
    let availability = Availability {
        agent: dice.chosen(),
        free: dice.u64().cast_signed(),
        ready: dice.flag(),
        assigned_at: dice.time(),
    };
    [
        QueueCommand::Join(dice.conversation(), waiting),
        QueueCommand::Leave(dice.conversation()),
        QueueCommand::AgentChanged(availability),
        QueueCommand::AgentLeft(dice.chosen()),
        QueueCommand::Granted(dice.conversation(), dice.chosen()),
        QueueCommand::Refused(dice.conversation(), dice.chosen()),
        QueueCommand::AllHeard,
        QueueCommand::Locate(dice.conversation()),
        QueueCommand::Match,
    ]
}

fn session(dice: &mut Dice) -> Vec<ToSession> {
    let mut messages = vec![
        ToSession::Posted {
            reference: dice.reference(),
            id: dice.message_id(),
            seq: dice.seq(),
            at: dice.time(),
        },
        ToSession::Frame { seq: dice.seq(), text: dice.text().into() },
        ToSession::Over(dice.conversation()),
        ToSession::Probe,
    ];
    for state in State::ALL {
        let (conversation, seq) = (dice.conversation(), dice.seq());
        messages.push(ToSession::Joined { conversation, state, seq });
    }
    for reason in Reason::ALL.into_iter().map(Some).chain([None]) {
        let (reference, state) = (dice.reference(), dice.one_of(&State::ALL));
        messages.push(ToSession::Done { reference, state, seq: dice.seq(), reason });
    }
    for code in RefusalCode::all() {
        messages.push(ToSession::Refused { reference: dice.reference(), code });
    }
    for why in not_joined(dice) {
        messages.push(ToSession::NotJoined { conversation: dice.conversation(), why });
    }
    let closings =
        [Closing::Draining, Closing::Restarted, Closing::Replaced, Closing::Silent, Closing::Slow];
    messages.extend(closings.map(ToSession::Close));
    messages
}

fn not_joined(dice: &mut Dice) -> [NotJoined; 3] {
    let ended = NotJoined::Ended {
        state: dice.one_of(&State::ALL),
        reason: dice.maybe(|dice| dice.one_of(&Reason::ALL)),
        seq: dice.seq(),
        redirect: dice.maybe(Dice::arc),
        closed_at: dice.maybe(Dice::time),
    };
    [ended, NotJoined::Unknown, NotJoined::Denied(RefusalCode::Unavailable)]
}
