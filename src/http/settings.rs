//! What the settings' addresses have in common: how a change is made, and how it is answered.

use actix_web::HttpResponse;
use serde::Serialize;

use crate::domain::id::AgentId;
use crate::domain::settings::registry::SettingChange;
use crate::http::problem::Problem;
use crate::http::state::HttpState;

/// Makes a change in somebody's name; it is durable and in force when this returns.
pub(super) async fn changed(
    state: &HttpState,
    by: AgentId,
    change: SettingChange,
) -> Result<(), Problem> {
    // Checked first, so that a change that breaks a rule costs the engine nothing. The engine
    // checks again.
    state.engine.settings().check(&change)?;
    Ok(state.engine.change_by(by, change).await?)
}

/// The answer to a `PUT` of something that was known before, or is new.
pub(super) fn put_answer(known: bool, object: &impl Serialize) -> HttpResponse {
    if known { HttpResponse::Ok().json(object) } else { HttpResponse::Created().json(object) }
}
