//! What is done to every answer: refusals are counted and logged, and each answer tells a browser
//! what it may do with it.

use std::net::IpAddr;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{ResponseError as _, web};

use crate::clock::Stopwatch;
use crate::domain::text::printable;
use crate::engine::Face;
use crate::http::audit::note_forbidden;
use crate::http::problem::{Kind, Problem};
use crate::http::state::HttpState;
use crate::strangers::Use;
use crate::wire::headers::{ALWAYS, OVER_TLS};

/// Counts refusals, logs those of strangers, and logs every request at the level debug. It must
/// wrap everything else.
pub async fn watch(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let stopwatch = Stopwatch::start();
    let response = next.call(request).await?;
    let Some(state) = response.request().app_data::<web::Data<HttpState>>().cloned() else {
        return Ok(response);
    };
    let asked = response.request();
    let client = state.strangers.client(asked.peer_addr(), asked.headers());
    let mut response = bound_guesses(&state, client, response);
    say_always(response.headers_mut(), state.has_tls);
    let (method, path) = (response.request().method().as_str(), response.request().path());
    let status = response.status().as_u16();
    let kind = response.response().extensions().get::<&'static Kind>().copied();
    let code = kind.map(|kind| kind.code);
    match kind {
        Some(kind) if kind.status == 401 || kind.status == 429 => {
            state.engine.tell_refused(Face::Http, kind.code, client, || {
                format!("{} ({method} {})", kind.title, printable(path))
            });
        }
        Some(kind) => {
            state.engine.note_refused(Face::Http, kind.code);
            if Problem::is_forbidden(kind) {
                note_forbidden(response.request(), &state, kind.code);
            }
        }
        None => {}
    }
    let milliseconds = u64::try_from(stopwatch.time().as_millis()).unwrap_or(u64::MAX);
    let address = state.engine.told_address(client);
    let path = printable(path);
    tracing::debug!(status, code, milliseconds, address, "answered {method} {path}");
    Ok(response)
}

/// Counts a refused token against the address that it comes from. An address that has shown too
/// many is told so instead, and its connection is closed. A good token from it is taken
/// nevertheless.
fn bound_guesses(
    state: &HttpState,
    client: Option<IpAddr>,
    response: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let kind = response.response().extensions().get::<&'static Kind>().copied();
    if !kind.is_some_and(Problem::is_refused_token) {
        return response;
    }
    let parties = state.strangers.parties(client, None, None);
    match state.strangers.spend(Use::RefusedToken, &parties) {
        Ok(()) => response,
        Err(over) => {
            let mut refused = Problem::too_many_attempts(over).error_response();
            refused.head_mut().set_connection_type(ConnectionType::Close);
            response.into_response(refused)
        }
    }
}

/// Adds the headers that every answer has, unless the answer sets them itself.
fn say_always(headers: &mut HeaderMap, has_tls: bool) {
    for (name, value) in ALWAYS.into_iter().chain(has_tls.then_some(OVER_TLS)) {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
