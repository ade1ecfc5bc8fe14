//! Conversations: the lists of them, and what agents and supervisors do with one. Every command
//! that succeeds is durable before it is answered, and is answered with the conversation as it is
//! afterwards.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};

use crate::domain::audit::{Act, AuditKind};
use crate::domain::conversation::State;
use crate::domain::conversation::command::{Authority, Command};
use crate::domain::conversation::event::Author;
use crate::domain::conversation::view::View;
use crate::domain::id::{AgentId, ConversationId, QueueId, WidgetId};
use crate::domain::lease::Purpose;
use crate::domain::rights::ME;
use crate::domain::settings::AgentSettings;
use crate::engine::{AgentSignal, Failure, Filter, ListCursor};
use crate::http::audit::{in_place_of, over};
use crate::http::auth::{Caller, Supervisor};
use crate::http::pages::{Page, Room};
use crate::http::paging::{Cursor, Parameters};
use crate::http::problem::{Problem, Problems};
use crate::http::state::HttpState;
use crate::wire::objects::{
    AssignDocument, AssignedObject, ConversationObject, ConversationPage, MessageDocument,
    PostedObject, ReadDocument, TypingDocument,
};

use crate::wire::time::At;

type Shown = Result<web::Json<ConversationObject>, Problem>;

/// Conversations, the newest first: an agent's own and those that wait in their queues; for a
/// supervisor all. A page ends at its limit, or before it at 262,144 bytes of forms and contexts.
#[utoipa::path(get, path = "/v1/conversations", tag = "conversations",
    operation_id = "list_conversations",
    params(("state" = Option<String>, Query, description = "States, with commas between them"),
        ("agent" = Option<String>, Query, description = "An id, or `me`"),
        ("queue" = Option<String>, Query), ("widget" = Option<String>, Query),
        ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page", body = ConversationPage), Problems))]
pub(super) async fn list(
    caller: Caller,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<ConversationPage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let states = parameters.names("state", &State::ALL, State::name);
    let agent = parameters.text("agent");
    let queues = parameters.parsed::<QueueId>("queue").into_iter().collect();
    let widget = parameters.parsed::<WidgetId>("widget");
    let (limit, after) = (parameters.limit(), parameters.cursor::<ListCursor>());
    parameters.finish()?;
    let named = agent.map(|agent| caller.stands_for(&agent)).transpose()?;
    let (agent, or_waiting_in) = match (named, caller.agent()) {
        (Some(named), _) => (Some(named), Vec::new()),
        (None, Some(own)) if !caller.supervises() => {
            (Some(own.clone()), state.engine.settings().queues_of(own).cloned().collect())
        }
        (None, _) => (None, Vec::new()),
    };
    let filter = Filter { states, agent, queues, widget, or_waiting_in };
    let page = state.engine.list(filter, after, limit).await?;
    Ok(room.page(ConversationPage {
        conversations: page.views.iter().map(ConversationObject::from).collect(),
        next: page.next.map(|next| next.opaque()),
    }))
}

/// A conversation as it is now.
#[utoipa::path(get, path = "/v1/conversations/{conversation}", tag = "conversations",
    operation_id = "read_conversation", params(("conversation" = String, Path)),
    responses((status = 200, description = "It", body = ConversationObject), Problems))]
pub(super) async fn read(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Shown {
    Parameters::none(&request)?;
    let view = seen(&caller, &conversation, &state).await?;
    Ok(web::Json(ConversationObject::from(&view)))
}

/// Takes a chat: one that is offered, or one that waits in a queue that the agent serves.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/accept", tag = "conversations",
    operation_id = "accept_conversation",
    params(("conversation" = String, Path),
        ("agent" = Option<String>, Query, description = "For whom; supervisors only")),
    responses((status = 200, description = "It", body = ConversationObject), Problems))]
pub(super) async fn accept(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Shown {
    let agent = acting(&caller, &state, &request)?;
    let view = state.engine.view(id_of(&conversation)?).await?;
    // The conversation knows what became of it, but not who serves its queue: that is checked here.
    if !caller.rights().know_of(&view, &state.engine.settings()) {
        return Err(Problem::not_yours());
    }
    let id = view.id;
    if caller.agent() != Some(&agent.id) {
        // Nor does it know whether the agent is there. One who takes the chat themselves is there.
        state.engine.expect_agent(&agent.id, id, Purpose::Chat).await?;
    }
    let (agent, name) = (agent.id.clone(), agent.name.clone());
    let (by, act) = (Some(caller.name()), in_place_of(&caller, AuditKind::ChatAccepted, &agent));
    done(&caller, &state, id, Command::Accept { agent, name, by }, act).await
}

/// Does not take an offered chat, which waits in its queue again.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/decline", tag = "conversations",
    operation_id = "decline_conversation",
    params(("conversation" = String, Path),
        ("agent" = Option<String>, Query, description = "For whom; supervisors only")),
    responses((status = 200, description = "It", body = ConversationObject), Problems))]
pub(super) async fn decline(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Shown {
    let agent = acting(&caller, &state, &request)?.id.clone();
    let (by, act) = (Some(caller.name()), in_place_of(&caller, AuditKind::ChatDeclined, &agent));
    done(&caller, &state, id_of(&conversation)?, Command::Decline { agent, by }, act).await
}

/// Says something to the customer. The same id again gets the first answer and posts nothing.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/messages", tag = "conversations",
    operation_id = "post_message",
    params(("conversation" = String, Path),
        ("agent" = Option<String>, Query, description = "For whom; supervisors only")),
    request_body = MessageDocument,
    responses((status = 200, description = "Durable", body = PostedObject), Problems))]
pub(super) async fn post(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<web::Json<PostedObject>, Problem> {
    let agent = acting(&caller, &state, &request)?.id.clone();
    let (id_of_chat, from) = (id_of(&conversation)?, Author::Agent(agent.clone()));
    let MessageDocument { id, text } =
        MessageDocument::read(&body).map_err(Problem::malformed_document)?;
    let command = Command::Post { from, by: Some(caller.name()), id: id.clone(), text };
    let answer = match state.engine.command(id_of_chat, command).await {
        Ok(answer) => answer,
        Err(failure) => return Err(refused(&caller, &state, id_of_chat, failure).await),
    };
    if let Some(act) = in_place_of(&caller, AuditKind::MessagePosted, &agent) {
        state.engine.audit(act.about_chat(id_of_chat)).await?;
    }
    PostedObject::of(&id, answer).map(web::Json).ok_or_else(Problem::internal)
}

/// Shows the customer that the agent types, or does not any more. Nothing of it is kept.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/typing", tag = "conversations",
    operation_id = "tell_typing",
    params(("conversation" = String, Path),
        ("agent" = Option<String>, Query, description = "For whom; supervisors only")),
    request_body = TypingDocument,
    responses((status = 204, description = "Passed on"), Problems))]
pub(super) async fn typing(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let agent = acting(&caller, &state, &request)?;
    let TypingDocument { on } = TypingDocument::read(&body).map_err(Problem::malformed_document)?;
    signal(&caller, &state, &conversation, &agent.id, AgentSignal::Typing(on)).await
}

/// Shows the customer how far the agent has read. Nothing of it is kept.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/read", tag = "conversations",
    operation_id = "tell_read",
    params(("conversation" = String, Path),
        ("agent" = Option<String>, Query, description = "For whom; supervisors only")),
    request_body = ReadDocument,
    responses((status = 204, description = "Passed on"), Problems))]
pub(super) async fn have_read(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let agent = acting(&caller, &state, &request)?;
    let ReadDocument { seq } = ReadDocument::read(&body).map_err(Problem::malformed_document)?;
    signal(&caller, &state, &conversation, &agent.id, AgentSignal::Read(seq)).await
}

/// Ends the chat, which moves to wrap-up.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/end", tag = "conversations",
    operation_id = "end_conversation", params(("conversation" = String, Path)),
    responses((status = 200, description = "It", body = ConversationObject), Problems))]
pub(super) async fn end(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Shown {
    Parameters::none(&request)?;
    let (id, by) = authority(&caller, &conversation, &state).await?;
    let act = over(&by, AuditKind::ChatEnded);
    done(&caller, &state, id, Command::End { by }, act).await
}

/// Closes a chat whose wrap-up is done.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/close", tag = "conversations",
    operation_id = "close_conversation", params(("conversation" = String, Path)),
    responses((status = 200, description = "It", body = ConversationObject), Problems))]
pub(super) async fn close(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Shown {
    Parameters::none(&request)?;
    let (id, by) = authority(&caller, &conversation, &state).await?;
    let act = over(&by, AuditKind::ChatClosed);
    done(&caller, &state, id, Command::Close { by }, act).await
}

/// Gives a chat back to its queue.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/release", tag = "conversations",
    operation_id = "release_conversation", params(("conversation" = String, Path)),
    responses((status = 200, description = "It", body = ConversationObject), Problems))]
pub(super) async fn release(
    caller: Caller,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Shown {
    Parameters::none(&request)?;
    let (id, by) = authority(&caller, &conversation, &state).await?;
    let act = over(&by, AuditKind::ChatReleased);
    done(&caller, &state, id, Command::Release { by }, act).await
}

/// Offers a chat to an agent, whatever their load. One who is away for a moment has to be back by
/// `agent_back_by`; one who has been gone for longer is refused. For supervisors.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/assign", tag = "conversations",
    operation_id = "assign_conversation",
    params(("conversation" = String, Path)), request_body = AssignDocument,
    responses((status = 200, description = "It", body = AssignedObject), Problems))]
pub(super) async fn assign(
    supervisor: Supervisor,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<web::Json<AssignedObject>, Problem> {
    let AssignDocument { agent } =
        AssignDocument::read(&body).map_err(Problem::malformed_document)?;
    if !state.engine.settings().agents.contains_key(&agent) {
        return Err(Problem::unknown_agent());
    }
    let id = id_of(&conversation)?;
    let agent_back_by = state.engine.expect_agent(&agent, id, Purpose::Offer).await?.map(At);
    let by = supervisor.name();
    let act = Act::new(AuditKind::ChatAssigned, Some(by.clone())).with("agent", agent.as_str());
    let command = Command::Assign { agent, by };
    let conversation =
        done(supervisor.caller(), &state, id, command, Some(act)).await?.into_inner();
    Ok(web::Json(AssignedObject { conversation, agent_back_by }))
}

/// Closes a chat, whatever its state. For supervisors.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/force-close",
    operation_id = "force_close_conversation",
    tag = "conversations", params(("conversation" = String, Path)),
    responses((status = 200, description = "It", body = ConversationObject), Problems))]
pub(super) async fn force_close(
    supervisor: Supervisor,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
) -> Shown {
    let by = supervisor.name();
    let act = Act::new(AuditKind::ChatForceClosed, Some(by.clone()));
    done(supervisor.caller(), &state, id_of(&conversation)?, Command::ForceClose { by }, Some(act))
        .await
}

/// The conversation that an address means, if the caller may see it. That it exists is no secret:
/// an agent who lost a chat to another is told that it is not theirs.
pub(super) async fn seen(
    caller: &Caller,
    conversation: &str,
    state: &HttpState,
) -> Result<View, Problem> {
    let view = state.engine.view(id_of(conversation)?).await?;
    if caller.rights().see(&view, &state.engine.settings()) {
        Ok(view)
    } else {
        Err(Problem::not_yours())
    }
}

fn id_of(conversation: &str) -> Result<ConversationId, Problem> {
    conversation.parse().map_err(|_| Problem::unknown_conversation())
}

/// The agent for whom a caller acts: themselves or, for a supervisor, the one in `?agent=`.
fn acting(
    caller: &Caller,
    state: &HttpState,
    request: &HttpRequest,
) -> Result<Arc<AgentSettings>, Problem> {
    let mut parameters = Parameters::of(request)?;
    let named = parameters.text("agent");
    parameters.finish()?;
    let agent = caller.stands_for(named.as_deref().unwrap_or(ME))?;
    state.engine.settings().agents.get(&agent).cloned().ok_or_else(Problem::unknown_agent)
}

/// On whose authority a caller acts: as the agent whose chat it is, or else as a supervisor.
async fn authority(
    caller: &Caller,
    conversation: &str,
    state: &HttpState,
) -> Result<(ConversationId, Authority), Problem> {
    let id = id_of(conversation)?;
    if caller.supervises() {
        let view = state.engine.view(id).await?;
        if view.agent.is_none() || view.agent.as_ref() != caller.agent() {
            return Ok((id, Authority::Supervisor(caller.name())));
        }
    }
    Ok((id, Authority::Agent(caller.name())))
}

/// Does something with a chat, and notes `act` before it is answered.
async fn done(
    caller: &Caller,
    state: &HttpState,
    id: ConversationId,
    command: Command,
    act: Option<Act>,
) -> Shown {
    if let Err(failure) = state.engine.command(id, command).await {
        return Err(refused(caller, state, id, failure).await);
    }
    if let Some(act) = act {
        state.engine.audit(act.about_chat(id)).await?;
    }
    Ok(web::Json(ConversationObject::from(&state.engine.view(id).await?)))
}

/// The problem for a command that a rule refused. The chat's present state explains the refusal
/// best, but is not told to a caller who may not know it.
async fn refused(
    caller: &Caller,
    state: &HttpState,
    id: ConversationId,
    failure: Failure,
) -> Problem {
    let problem = Problem::from(failure);
    if problem.status_code() != StatusCode::CONFLICT {
        return problem;
    }
    match state.engine.view(id).await {
        Ok(view) if caller.rights().know_of(&view, &state.engine.settings()) => {
            problem.with_state(&view)
        }
        Ok(_) => Problem::not_yours(),
        Err(_) => problem,
    }
}

async fn signal(
    caller: &Caller,
    state: &HttpState,
    conversation: &str,
    from: &AgentId,
    signal: AgentSignal,
) -> Result<HttpResponse, Problem> {
    let id = id_of(conversation)?;
    match state.engine.signal(id, from.clone(), signal).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(failure) => Err(refused(caller, state, id, failure).await),
    }
}
