//! An agent's feed as server-sent events. The open feed is the agent's liveness, so its end must be
//! noticed. A closed connection is noticed at once; a cut link, because it does not take the
//! comment line written every few seconds; a hung console, because its beats stop.

use std::future::pending;
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::Stream;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::clock;
use crate::domain::id::AgentId;
use crate::domain::time::Span;
use crate::engine::{Feed, FeedEvent};
use crate::http::agents;
use crate::http::auth::Caller;
use crate::http::paging::Parameters;
use crate::http::problem::{Problem, Problems};
use crate::http::state::HttpState;
use crate::limits;
use crate::wire::feed::{self as wire, Rendered};
use crate::wire::objects::BeatDocument;

/// How soon a console that lost its feed comes back, and what is written at once so that the
/// console knows that the feed is open.
const OPENING: &str = "retry: 2000\n: open\n\n";
const KEEP: &str = ": keep\n\n";

/// Opens an agent's feed: everything after the event with the id `Last-Event-ID`, or, without one,
/// the agent's present state first. While it is open, the agent is there.
#[utoipa::path(get, path = "/v1/agents/{agent}/feed", tag = "agents",
    operation_id = "open_feed",
    params(("agent" = String, Path, description = "An id, or `me`"),
        ("Last-Event-ID" = Option<String>, Header),
        ("last_event_id" = Option<String>, Query, description = "The same, for curl"),
        ("heartbeat_s" = Option<u64>, Query, description = "How often the console will beat: \
            1 to 120 s, 15 when absent")),
    responses((status = 200, description = "Server-sent events: `open` (OpenEvent), \
        `offer` (OfferEvent), \
        `offer_withdrawn` (OfferWithdrawnEvent), `conversation` (Conversation), `message` \
        (MessageEvent), `away` (AwayEvent), `back` (BackEvent), `presence` (PresenceEvent), \
        `capacity` (CapacityEvent), and, passing and without an id, `typing` (TypingEvent), \
        `asleep` (AsleepEvent), `read` (ReadEvent) and `place_unknown` (PlaceUnknownEvent)",
        body = String, content_type = "text/event-stream"), Problems))]
pub(super) async fn open(
    caller: Caller,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let asked = parameters.text("last_event_id");
    let most = limits::FEED_HEARTBEAT_SECONDS_MAX;
    let heartbeat = parameters.whole("heartbeat_s", 1..=most, limits::FEED_HEARTBEAT_SECONDS);
    parameters.finish()?;
    let agent = caller.stands_for(&agent)?;
    // Another person who watches an agent's feed does not make that agent present.
    let watching = caller.agent() != Some(&agent);
    let resumed = request.headers().get("last-event-id");
    let resumed = resumed.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut response = HttpResponse::Ok();
    response.content_type("text/event-stream");
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    // A proxy that collects an answer before it passes it on would keep the feed to itself.
    response.insert_header(("x-accel-buffering", "no"));
    if request.method() == Method::HEAD {
        // A client that asks only for the headers is no console.
        state.engine.agent(&agent).await?;
        return Ok(response.finish());
    }
    if watching {
        agents::note_watching(&state, &caller, &agent).await?;
    }
    let heartbeat = Span::from_secs(heartbeat);
    let feed = state.engine.open_feed(&agent, resumed.or(asked), watching, heartbeat).await?;
    Ok(response.streaming(written(feed, Right::new(state, caller, agent))))
}

/// The console of a feed says that it is there. Once it has, it must go on every `heartbeat_ms`;
/// one that does not for two of them is taken for hung, and its feed is lost.
#[utoipa::path(post, path = "/v1/agents/{agent}/beat", tag = "agents",
    params(("agent" = String, Path, description = "An id, or `me`")),
    request_body = BeatDocument,
    responses((status = 204, description = "It counts as there"), Problems))]
pub(super) async fn beat(
    caller: Caller,
    agent: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let agent = caller.stands_for(&agent)?;
    let BeatDocument { feed } = BeatDocument::read(&body).map_err(Problem::malformed_document)?;
    state.engine.beat(&agent, feed).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A caller's right to read a feed. It ends when the caller's token does, when their role no longer
/// allows it, or when the agent is removed.
struct Right {
    state: web::Data<HttpState>,
    caller: Caller,
    agent: AgentId,
    changes: watch::Receiver<()>,
    /// When their token expires.
    expiry: Option<Instant>,
}

impl Right {
    fn new(state: web::Data<HttpState>, caller: Caller, agent: AgentId) -> Self {
        let changes = state.engine.settings_changes();
        let expiry = caller.expires_at(&state).map(|at| state.engine.instant(at));
        Self { state, caller, agent, changes, expiry }
    }

    fn holds(&self) -> bool {
        let again = self.caller.again(&self.state);
        again.and_then(|caller| caller.stands_for(self.agent.as_str())).is_ok()
    }

    /// Waits until the right is over.
    async fn is_over(&mut self) {
        while self.holds() {
            let expiry = self.expiry;
            let expires = async move {
                match expiry {
                    Some(expiry) => sleep_until(expiry).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                // An engine that is gone tells nothing more, and its feeds end by themselves.
                changed = self.changes.changed() => if changed.is_err() { pending().await },
                () = expires => {}
            }
        }
    }
}

/// The feed as it is written. It ends when the engine ends it, or when the right to read it ends.
/// Dropping this stream closes the feed.
fn written(feed: Feed, right: Right) -> impl Stream<Item = Result<web::Bytes, actix_web::Error>> {
    let every = Duration::from_secs(limits::FEED_KEEP_SECONDS);
    let mut keep = interval_at(clock::reading() + every, every);
    keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    stream::unfold(
        (feed, right, keep, false),
        |(mut feed, mut right, mut keep, opened)| async move {
            let text =
                if opened { next(&mut feed, &mut right, &mut keep).await? } else { opening(&feed) };
            Some((Ok(text), (feed, right, keep, true)))
        },
    )
}

fn opening(feed: &Feed) -> web::Bytes {
    let Rendered { kind, data } = wire::open(&feed.id, feed.heartbeat);
    let first = block(&FeedEvent { id: None, kind, data });
    web::Bytes::from([OPENING.as_bytes(), &first].concat())
}

async fn next(feed: &mut Feed, right: &mut Right, keep: &mut Interval) -> Option<web::Bytes> {
    tokio::select! {
        biased;
        () = right.is_over() => None,
        event = feed.next() => Some(block(&event?)),
        _ = keep.tick() => Some(web::Bytes::from_static(KEEP.as_bytes())),
    }
}

fn block(event: &FeedEvent) -> web::Bytes {
    let FeedEvent { id, kind, data } = event;
    // A passing event has no id: no console can resume after it.
    let id = id.as_ref().map_or_else(String::new, |id| format!("id: {id}\n"));
    let name = kind.name();
    web::Bytes::from(format!("{id}event: {name}\ndata: {data}\n\n"))
}
