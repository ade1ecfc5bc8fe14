//! The server's own secrets, replaced while it runs. A new secret is on the disk and in force on
//! every thread before the request is answered.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use crate::access::{Access, Keys};
use crate::domain::audit::{Act, AuditKind};
use crate::http::auth::Administrator;
use crate::http::idempotency::ShownOnce;
use crate::http::paging::Parameters;
use crate::http::problem::{Problem, Problems};
use crate::http::state::HttpState;
use crate::wire::document::Document;
use crate::wire::objects::{AdministratorTokenObject, RotationDocument, SigningKeyObject};

/// Replaces the administrator's own token, and shows the new one this once. The old one lets nobody
/// in any more, and the feeds that were opened with it end. One that the configuration gives is
/// changed there. For administrators.
#[utoipa::path(post, path = "/v1/secrets/administrator/rotate", tag = "secrets",
    operation_id = "rotate_administrator_token",
    responses((status = 200, description = "The new token", body = AdministratorTokenObject),
        Problems))]
pub(super) async fn rotate_administrator(
    administrator: Administrator,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    read_nothing(&body)?;
    let made_at = state.engine.now();
    let token = on_disk(&state.access, Access::rotate_administrator).await??;
    state.engine.note_ended_token();
    note(&administrator, &state, AuditKind::SecretReplaced, "administrator").await?;
    tracing::info!("the administrator's token was rotated");
    let mut response = HttpResponse::Ok().json(AdministratorTokenObject::new(token, made_at));
    response.extensions_mut().insert(ShownOnce);
    Ok(response)
}

/// What is known of the key that signs the tokens of conversations. For administrators.
#[utoipa::path(get, path = "/v1/secrets/signing", tag = "secrets",
    operation_id = "read_signing_key",
    responses((status = 200, description = "The key", body = SigningKeyObject), Problems))]
pub(super) async fn read_signing(
    _: Administrator,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<SigningKeyObject>, Problem> {
    Parameters::none(&request)?;
    let key = state.keys.signing(state.engine.now());
    Ok(web::Json(SigningKeyObject::new(key.made_at, key.previous_until)))
}

/// Replaces the key that signs the tokens of conversations. Widgets go on with tokens of the one
/// before as long as those are good, and are given new ones when they come back; tokens that are
/// older still are good no more. For administrators.
#[utoipa::path(post, path = "/v1/secrets/signing/rotate", tag = "secrets",
    operation_id = "rotate_signing_key", request_body = RotationDocument,
    responses((status = 200, description = "The new key", body = SigningKeyObject), Problems))]
pub(super) async fn rotate_signing(
    administrator: Administrator,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<web::Json<SigningKeyObject>, Problem> {
    let asked = RotationDocument::read(&body).map_err(Problem::malformed_document)?;
    let now = state.engine.now();
    let rotate = move |keys: &Keys| keys.rotate(now, asked.previous_s.0);
    let key = on_disk(&state.keys, rotate).await??;
    note(&administrator, &state, AuditKind::SecretReplaced, "signing").await?;
    tracing::info!("the key that signs the tokens of conversations was rotated");
    Ok(web::Json(SigningKeyObject::new(key.made_at, key.previous_until)))
}

/// Ends the tokens at once that the key before has signed. For administrators.
#[utoipa::path(delete, path = "/v1/secrets/signing/previous", tag = "secrets",
    operation_id = "end_previous_signing_key",
    responses((status = 204, description = "Ended"), Problems))]
pub(super) async fn end_previous_signing(
    administrator: Administrator,
    state: web::Data<HttpState>,
) -> Result<HttpResponse, Problem> {
    let now = state.engine.now();
    if on_disk(&state.keys, move |keys: &Keys| keys.end_previous(now)).await?? {
        note(&administrator, &state, AuditKind::SecretEnded, "signing").await?;
        tracing::info!("the key before that signed the tokens of conversations was ended");
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::unknown_setting("key before"))
    }
}

/// Notes in the audit stream what was done with a secret, before it is answered.
async fn note(
    administrator: &Administrator,
    state: &HttpState,
    kind: AuditKind,
    secret: &str,
) -> Result<(), Problem> {
    let act = Act::new(kind, Some(administrator.name())).about("secret", secret);
    Ok(state.engine.audit(act).await?)
}

/// Does work that waits for the disk, on a thread that may block.
async fn on_disk<S, T>(
    secrets: &Arc<S>,
    work: impl FnOnce(&S) -> T + Send + 'static,
) -> Result<T, Problem>
where
    S: Send + Sync + 'static,
    T: Send + 'static,
{
    let secrets = secrets.clone();
    web::block(move || work(&secrets)).await.map_err(|error| {
        tracing::error!(%error, "a secret could not be replaced");
        Problem::internal()
    })
}

/// Refuses a body that is neither absent nor an empty object.
fn read_nothing(body: &web::Bytes) -> Result<(), Problem> {
    let read = Document::parse(body).and_then(Document::finish);
    read.map_err(Problem::malformed_document)
}
