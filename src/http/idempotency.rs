//! A write that is sent twice is done once: with the same `Idempotency-Key`, the same caller gets
//! the first answer again. Answers are remembered in memory, within bounds, and a restart forgets
//! them; message ids need no key, because the conversation itself remembers those.
//!
//! A write also outlives its connection: it runs on its own, so a client that hangs up in the
//! middle loses the answer and not the work.

pub(super) mod memory;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError, web};
use sha2::{Digest, Sha256};

use crate::http::auth::Caller;
use crate::http::bodies::Room;
use crate::http::idempotency::memory::{Answer, Attempt, Right};
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::limits;

pub use crate::http::idempotency::memory::Answers;

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";

/// A handler puts this into an answer that holds a secret, and so must not be kept.
#[derive(Clone, Copy, Debug)]
pub struct ShownOnce;

/// Takes the key back when a write ends without an answer worth keeping, even by a panic.
struct Claim {
    answers: Answers,
    right: Right,
    key: String,
    attempt: Arc<Attempt>,
}

impl Claim {
    fn keep(self, answer: Answer) {
        let bytes = answer.body.as_ref().map_or(0, web::Bytes::len);
        let _first = self.attempt.answer.set(answer);
        self.answers.memory.weigh(self.right, &self.key, &self.attempt, bytes);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.attempt.answer.get().is_none() {
            self.answers.memory.forget(self.right, &self.key, &self.attempt);
        }
    }
}

/// What to do about a request with a key.
enum Turn {
    First(Claim),
    Again(Answer),
}

/// Wraps every address: reads are passed on, writes are done once and to their end.
pub async fn once(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // An address outside /v1/ is for everybody, and has no writes.
    if request.method().is_safe() || !request.path().starts_with("/v1/") {
        return next.call(request).await;
    }
    // A request without a good token is refused before its body is read.
    let (caller, state) = match admitted(&request) {
        Ok(admitted) => admitted,
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let (body, room) = match read_body(&mut request, &caller, &state).await {
        Ok(read) => read,
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let claim = match turn(&request, &body, &caller, &state) {
        Ok(None) => None,
        Ok(Some(Turn::First(claim))) => Some(claim),
        Ok(Some(Turn::Again(answer))) => {
            let replayed = match refuse_gone(&request, &state).await {
                Ok(()) => replay(answer),
                Err(problem) => Err(problem),
            };
            let response = replayed.unwrap_or_else(|problem| problem.error_response());
            return Ok(request.into_response(response));
        }
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    request.set_payload(whole(body));
    let work = actix_web::rt::spawn(async move {
        let _room = room;
        let response = next.call(request).await?;
        match claim {
            Some(claim) => remember(response, claim).await,
            None => Ok(response),
        }
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request that writes broke off");
        Err(Problem::internal().into())
    })
}

/// Refuses to repeat an answer about a chat that is gone meanwhile: it may hold what was erased.
/// The answer to the erasure itself is repeated.
async fn refuse_gone(request: &ServiceRequest, state: &HttpState) -> Result<(), Problem> {
    let chat = request.path().strip_prefix("/v1/conversations/").filter(|rest| rest.contains('/'));
    let id = chat.and_then(|rest| rest.split('/').next()?.parse().ok());
    match id {
        Some(id) => Ok(state.engine.view(id).await.map(drop)?),
        None => Ok(()),
    }
}

fn admitted(request: &ServiceRequest) -> Result<(Caller, web::Data<HttpState>), Problem> {
    let state = request.app_data::<web::Data<HttpState>>().ok_or_else(Problem::internal)?;
    Ok((Caller::of(request.request())?, state.clone()))
}

fn turn(
    request: &ServiceRequest,
    body: &web::Bytes,
    caller: &Caller,
    state: &HttpState,
) -> Result<Option<Turn>, Problem> {
    let Some(key) = request.headers().get(KEY) else { return Ok(None) };
    let key = key.to_str().map_err(|_| Problem::malformed_key())?;
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX || !is_visible {
        return Err(Problem::malformed_key());
    }
    // A repeated request never reaches its handler, but is a sign of life as well.
    caller.touch(state);
    // A caller with another token or role now may not get the answer that they got before.
    let (right, key) = (caller.right(), key.to_owned());
    let attempt =
        Arc::new(Attempt { fingerprint: fingerprint(request, body), answer: OnceLock::new() });
    let first = state.answers.memory.begin(right, &key, &attempt);
    if Arc::ptr_eq(&first, &attempt) {
        let answers = state.answers.clone();
        return Ok(Some(Turn::First(Claim { answers, right, key, attempt })));
    }
    if first.fingerprint != attempt.fingerprint {
        return Err(Problem::key_reused());
    }
    let answer = first.answer.get().cloned().ok_or_else(Problem::in_progress)?;
    Ok(Some(Turn::Again(answer)))
}

fn fingerprint(request: &ServiceRequest, body: &web::Bytes) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [request.method().as_str(), request.path(), request.query_string()] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.update(body);
    digest.finalize().into()
}

/// Keeps what was decided: a success, or a rule's no. A mistake in the request, or a failure of
/// the server, decided nothing and may be tried again under the same key.
async fn remember(
    response: ServiceResponse<BoxBody>,
    claim: Claim,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let status = response.status();
    if !status.is_success() && status != StatusCode::CONFLICT {
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let is_secret = response.extensions().contains::<ShownOnce>();
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|error| {
        tracing::error!(%error, "the answer to an Idempotency-Key could not be kept");
        Problem::internal()
    })?;
    claim.keep(Answer {
        status,
        content_type: head.headers().get(header::CONTENT_TYPE).cloned(),
        location: head.headers().get(header::LOCATION).cloned(),
        body: (!is_secret).then(|| body.clone()),
    });
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(body))))
}

fn replay(answer: Answer) -> Result<HttpResponse, Problem> {
    let body = answer.body.ok_or_else(Problem::shown_once)?;
    let mut response = HttpResponse::build(answer.status);
    response.insert_header((REPLAYED, "true"));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(content_type) = answer.content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    if let Some(location) = answer.location {
        response.insert_header((header::LOCATION, location));
    }
    Ok(response.body(body))
}

async fn read_body(
    request: &mut ServiceRequest,
    caller: &Caller,
    state: &HttpState,
) -> Result<(web::Bytes, Room), Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let (identity, _) = caller.right();
    let room = state.bodies.take(identity, length)?;
    let most = Duration::from_secs(limits::BODY_SECONDS_MAX);
    let body = actix_web::rt::time::timeout(most, request.extract::<web::Bytes>()).await;
    let body = body.map_err(|_| Problem::body_too_slow())?;
    let body = body.map_err(|error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::body_too_large(),
        _ => Problem::body_cut_short(),
    })?;
    Ok((body, room))
}

/// A body that was read already, as a payload that the handler can read.
fn whole(body: web::Bytes) -> Payload {
    let (_, mut payload) = actix_http::h1::Payload::create(true);
    payload.unread_data(body);
    Payload::from(payload)
}
