//! A write that is sent twice is done once: with the same `Idempotency-Key`, the same caller gets
//! the first answer again. Answers are remembered in memory, within bounds, and a restart forgets
//! them; message ids need no key, because the conversation itself remembers those.
//!
//! A write also outlives its connection: it runs on its own, so a client that hangs up in the
//! middle loses the answer and not the work.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError, web};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::problem::Problem;
use crate::limits;

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";

/// The first answers, by caller and key.
#[derive(Clone, Debug)]
pub struct Answers {
    attempts: Cache<(String, String), Arc<Attempt>>,
}

/// One write that was asked for under a key.
#[derive(Debug)]
struct Attempt {
    /// A digest of method, address and body.
    fingerprint: [u8; 32],
    /// Nothing while it runs.
    answer: OnceLock<Answer>,
}

/// What was answered.
#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    location: Option<HeaderValue>,
    body: web::Bytes,
}

impl Answers {
    /// No answers yet.
    pub fn new() -> Self {
        let weigh = |_: &(String, String), attempt: &Arc<Attempt>| {
            let bytes = attempt.answer.get().map_or(0, |answer| answer.body.len());
            u32::try_from(1 + bytes / limits::IDEMPOTENCY_ANSWER_BYTES).unwrap_or(u32::MAX)
        };
        let attempts = Cache::builder()
            .max_capacity(limits::IDEMPOTENCY_ANSWERS_MAX)
            .weigher(weigh)
            // Otherwise a new key could be turned away in favour of an old one.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(Duration::from_secs(limits::IDEMPOTENCY_SECONDS))
            .build();
        Self { attempts }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes the key back when a write ends without an answer worth keeping, even by a panic.
struct Claim {
    answers: Answers,
    key: (String, String),
    attempt: Arc<Attempt>,
}

impl Claim {
    fn keep(self, answer: Answer) {
        let _first = self.attempt.answer.set(answer);
        // Put again, because it weighs more now.
        self.answers.attempts.insert(self.key.clone(), Arc::clone(&self.attempt));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.attempt.answer.get().is_none() {
            self.answers.attempts.invalidate(&self.key);
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
    if request.method().is_safe() {
        return next.call(request).await;
    }
    let body = match read_body(&mut request).await {
        Ok(body) => body,
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let claim = match turn(&request, &body) {
        Ok(None) => None,
        Ok(Some(Turn::First(claim))) => Some(claim),
        Ok(Some(Turn::Again(answer))) => return Ok(request.into_response(replay(answer))),
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    request.set_payload(whole(body));
    let work = actix_web::rt::spawn(async move {
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

fn turn(request: &ServiceRequest, body: &web::Bytes) -> Result<Option<Turn>, Problem> {
    let Some(key) = request.headers().get(KEY) else { return Ok(None) };
    let key = key.to_str().map_err(|_| Problem::malformed_key())?;
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX || !is_visible {
        return Err(Problem::malformed_key());
    }
    // Whoever may not do this is told so by the address itself.
    let Ok(caller) = Caller::of(request.request()) else { return Ok(None) };
    let state = request.app_data::<web::Data<HttpState>>().ok_or_else(Problem::internal)?;
    // One that is only answered again never gets to its address, and is a sign of life as well.
    caller.touch(state);
    let key = (caller.name().to_string(), key.to_owned());
    let attempt =
        Arc::new(Attempt { fingerprint: fingerprint(request, body), answer: OnceLock::new() });
    let entry = state.answers.attempts.entry_by_ref(&key).or_insert_with(|| Arc::clone(&attempt));
    if entry.is_fresh() {
        let answers = state.answers.clone();
        return Ok(Some(Turn::First(Claim { answers, key, attempt })));
    }
    let first = entry.into_value();
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
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|error| {
        tracing::error!(%error, "the answer to an Idempotency-Key could not be kept");
        Problem::internal()
    })?;
    claim.keep(Answer {
        status,
        content_type: head.headers().get(header::CONTENT_TYPE).cloned(),
        location: head.headers().get(header::LOCATION).cloned(),
        body: body.clone(),
    });
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(body))))
}

fn replay(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::build(answer.status);
    response.insert_header((REPLAYED, "true"));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(content_type) = answer.content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    if let Some(location) = answer.location {
        response.insert_header((header::LOCATION, location));
    }
    response.body(answer.body)
}

async fn read_body(request: &mut ServiceRequest) -> Result<web::Bytes, Problem> {
    let most = Duration::from_secs(limits::BODY_SECONDS_MAX);
    let body = actix_web::rt::time::timeout(most, request.extract::<web::Bytes>()).await;
    let body = body.map_err(|_| Problem::body_too_slow())?;
    body.map_err(|error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::body_too_large(),
        _ => Problem::body_cut_short(),
    })
}

/// A body that is here already, for whoever reads it again.
fn whole(body: web::Bytes) -> Payload {
    let (_, mut payload) = actix_http::h1::Payload::create(true);
    payload.unread_data(body);
    Payload::from(payload)
}
