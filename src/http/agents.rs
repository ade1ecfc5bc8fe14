//! Agents: who they are, their presence, and the tokens that let them in.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::audit::{Act, AuditKind};
use crate::domain::id::AgentId;
use crate::domain::rights::{ADMINISTRATOR, ME, is_reserved};
use crate::domain::settings::registry::SettingChange;
use crate::engine::AgentView;
use crate::http::auth::{Administrator, Caller, Supervisor};
use crate::http::pages::{Page, Room};
use crate::http::paging::{AfterId, Cursor as _, Parameters, page_by_id};
use crate::http::problem::{Problem, Problems};
use crate::http::settings::{changed, put_answer};
use crate::http::state::HttpState;
use crate::limits;
use crate::wire::objects::{AgentDocument, AgentObject, AgentPage, PresenceDocument};

/// About how many bytes a lease of an agent's takes in a list.
const BYTES_OF_LEASE: usize = 100;

/// Every agent, by id. For supervisors.
#[utoipa::path(get, path = "/v1/agents", tag = "agents",
    operation_id = "list_agents",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page of agents", body = AgentPage), Problems))]
pub(super) async fn list(
    _: Supervisor,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<AgentPage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<AfterId>());
    parameters.finish()?;
    let settings = state.engine.settings();
    let ids = settings.agents.keys();
    let (ids, mut next) = page_by_id(ids, |id| id.as_str(), |_| 0, after.as_ref(), limit);
    let mut agents: Vec<AgentObject> = Vec::new();
    let mut bytes = 0;
    for id in ids {
        // An agent that was removed meanwhile is left out.
        let Ok(view) = state.engine.agent(id).await else { continue };
        let agent = object(&view);
        bytes += agent.leases.len() * BYTES_OF_LEASE;
        if bytes > limits::HTTP_PAGE_BYTES_MAX
            && let Some(last) = agents.last()
        {
            next = Some(AfterId(last.id.clone()).opaque());
            break;
        }
        agents.push(agent);
    }
    Ok(room.page(AgentPage { agents, next }))
}

/// An agent as they are now. `me` is the caller; anybody else is for supervisors.
#[utoipa::path(get, path = "/v1/agents/{agent}", tag = "agents",
    operation_id = "read_agent", params(("agent" = String, Path, description = "An id, or `me`")),
    responses((status = 200, description = "The agent", body = AgentObject), Problems))]
pub(super) async fn read(
    caller: Caller,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<AgentObject>, Problem> {
    Parameters::none(&request)?;
    let agent = caller.stands_for(&agent)?;
    Ok(web::Json(object(&state.engine.agent(&agent).await?)))
}

/// Makes or replaces an agent. For administrators.
#[utoipa::path(put, path = "/v1/agents/{agent}", tag = "agents",
    operation_id = "put_agent", params(("agent" = String, Path)), request_body = AgentDocument,
    responses((status = 200, description = "Replaced", body = AgentObject),
        (status = 201, description = "Made", body = AgentObject), Problems))]
pub(super) async fn put(
    administrator: Administrator,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let id: AgentId = agent.parse().map_err(Problem::malformed_id)?;
    if is_reserved(&id) {
        let message = format!("must not be {ME} or {ADMINISTRATOR}, which mean somebody else");
        return Err(Problem::malformed_parameter("id", message));
    }
    let settings = AgentDocument::read(id.clone(), &body).map_err(Problem::malformed_document)?;
    let known = state.engine.settings().agents.contains_key(&id);
    changed(&state, administrator.name(), SettingChange::PutAgent(settings)).await?;
    Ok(put_answer(known, &object(&state.engine.agent(&id).await?)))
}

/// Removes an agent, their tokens, and their place in every queue. For administrators.
#[utoipa::path(delete, path = "/v1/agents/{agent}", tag = "agents",
    operation_id = "delete_agent", params(("agent" = String, Path)),
    responses((status = 204, description = "Removed"), Problems))]
pub(super) async fn delete(
    administrator: Administrator,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
) -> Result<HttpResponse, Problem> {
    let id = agent.parse().map_err(|_| Problem::unknown_agent())?;
    changed(&state, administrator.name(), SettingChange::DeleteAgent(id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Chooses a presence. It is seen while a feed is open, or requests keep coming; one that a
/// supervisor chooses for somebody else does not show that they are there.
#[utoipa::path(put, path = "/v1/agents/{agent}/presence", tag = "agents",
    operation_id = "choose_presence",
    params(("agent" = String, Path, description = "An id, or `me`")),
    request_body = PresenceDocument,
    responses((status = 200, description = "The agent", body = AgentObject), Problems))]
pub(super) async fn choose_presence(
    caller: Caller,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<web::Json<AgentObject>, Problem> {
    let agent = caller.stands_for(&agent)?;
    let chosen = PresenceDocument::read(&body).map_err(Problem::malformed_document)?;
    let view = if caller.agent() == Some(&agent) {
        state.engine.choose_presence(&agent, chosen.presence).await?
    } else {
        let view = state.engine.set_presence(&agent, chosen.presence, caller.name()).await?;
        let act = Act::new(AuditKind::PresenceSet, Some(caller.name())).about_agent(&agent);
        state.engine.audit(act.with("presence", chosen.presence.name())).await?;
        view
    };
    Ok(web::Json(object(&view)))
}

/// Notes that somebody watches another agent's feed.
pub(super) async fn note_watching(
    state: &HttpState,
    caller: &Caller,
    agent: &AgentId,
) -> Result<(), Problem> {
    state.engine.agent(agent).await?;
    let act = Act::new(AuditKind::FeedWatched, Some(caller.name())).about_agent(agent);
    state.engine.audit_gathered(act).await;
    Ok(())
}

/// An agent as they are shown.
pub(super) fn object(agent: &AgentView) -> AgentObject {
    let leases = agent.leases.iter().map(|(conversation, lease)| (*conversation, lease));
    AgentObject::new(&agent.settings, agent.presence, agent.chosen, agent.used, leases)
}
