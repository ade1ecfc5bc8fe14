//! The tokens that let agents in: made, listed, and ended one by one.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::access::token::{digest, mint_token};
use crate::domain::id::AgentId;
use crate::domain::settings::registry::{SettingChange, Token, TokenId};
use crate::http::auth::{Administrator, Caller};
use crate::http::idempotency::ShownOnce;
use crate::http::paging::Parameters;
use crate::http::problem::{Problem, Problems};
use crate::http::settings::changed;
use crate::http::state::HttpState;
use crate::wire::objects::{KeptTokenObject, TokenDocument, TokenList, TokenObject};

/// Lets an agent in with one more token, which is shown this once. An agent has at most ten that
/// are good. For administrators.
#[utoipa::path(post, path = "/v1/agents/{agent}/tokens", tag = "agents",
    operation_id = "add_token", params(("agent" = String, Path)),
    request_body = TokenDocument,
    responses((status = 201, description = "The token", body = TokenObject), Problems))]
pub(super) async fn add(
    administrator: Administrator,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let agent: AgentId = agent.parse().map_err(|_| Problem::unknown_agent())?;
    let asked = TokenDocument::read(&body).map_err(Problem::malformed_document)?;
    if !state.engine.takes_agent_tokens() {
        return Err(Problem::agent_tokens_off());
    }
    let secret = mint_token("hlt_").map_err(|fault| {
        tracing::error!(error = %fault, "no token could be made");
        Problem::internal()
    })?;
    let digest = digest(&secret);
    let made_at = state.engine.now();
    let expires_at = asked.expires_s.map(|life| made_at + life.0);
    let token = Token { name: asked.name, expires_at, ..Token::new(agent, made_at) };
    changed(&state, administrator.name(), SettingChange::AddToken { digest, token: token.clone() })
        .await?;
    let shown = TokenObject::new(secret, &digest, &token);
    let mut response = HttpResponse::Created().json(shown);
    response.extensions_mut().insert(ShownOnce);
    Ok(response)
}

/// The tokens of an agent, without what is secret of them. For administrators, and for the agent.
#[utoipa::path(get, path = "/v1/agents/{agent}/tokens", tag = "agents",
    operation_id = "list_tokens",
    params(("agent" = String, Path, description = "An id, or `me`")),
    responses((status = 200, description = "The tokens", body = TokenList), Problems))]
pub(super) async fn list(
    caller: Caller,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<TokenList>, Problem> {
    Parameters::none(&request)?;
    let agent = known(&state, caller.keeps_tokens_of(&agent)?)?;
    let tokens = state.engine.tokens_of(&agent);
    let tokens = tokens.iter().map(|(digest, token)| KeptTokenObject::new(digest, token));
    Ok(web::Json(TokenList { tokens: tokens.collect() }))
}

/// Ends a token: nobody is let in with it any more, and the feeds that were opened with it end.
/// For administrators, and for the agent.
#[utoipa::path(delete, path = "/v1/agents/{agent}/tokens/{token}", tag = "agents",
    operation_id = "end_token",
    params(("agent" = String, Path, description = "An id, or `me`"),
        ("token" = String, Path, description = "The id of the token, not the token")),
    responses((status = 204, description = "Ended"), Problems))]
pub(super) async fn end(
    caller: Caller,
    place: web::Path<(String, String)>,
    state: web::Data<HttpState>,
) -> Result<HttpResponse, Problem> {
    let (agent, token) = place.into_inner();
    let agent = known(&state, caller.keeps_tokens_of(&agent)?)?;
    let token: Option<TokenId> = token.parse().ok();
    let digest = token.and_then(|token| state.engine.find_token(&agent, token));
    let digest = digest.ok_or_else(|| Problem::unknown_setting("token"))?;
    changed(&state, caller.name(), SettingChange::EndToken(digest)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn known(state: &HttpState, agent: AgentId) -> Result<AgentId, Problem> {
    let is_known = state.engine.settings().agents.contains_key(&agent);
    if is_known { Ok(agent) } else { Err(Problem::unknown_agent()) }
}
