//! The memory for pages that are being made, or are on their way: so many bytes for everybody
//! together, and so many for one caller, so that nobody can take it all. Whoever finds no room
//! waits for a moment, and is then refused.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, ResponseError as _, web};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::HttpState;
use crate::http::auth::{Caller, Identity};
use crate::http::problem::Problem;
use crate::limits;

/// Bytes that are given away together.
const UNIT: usize = 1_024;

/// How much of a page is given to its connection at once: less than that takes before it has sent
/// some.
const WRITTEN_AT_ONCE: usize = 16_384;

/// What there is of it.
#[derive(Clone, Debug)]
pub struct Pages(Arc<Shares>);

#[derive(Debug)]
struct Shares {
    all: Arc<Semaphore>,
    by_caller: Mutex<HashMap<Identity, Arc<Semaphore>>>,
}

/// Room for one page, given back when this is dropped.
#[derive(Debug)]
pub struct Room {
    /// Of all, and of the caller's.
    taken: [OwnedSemaphorePermit; 2],
    _share: Share,
}

/// A caller's share, which is forgotten when nobody has or awaits any of it.
#[derive(Debug)]
struct Share {
    pages: Pages,
    caller: Identity,
    /// Nothing once it is dropped.
    semaphore: Option<Arc<Semaphore>>,
}

impl Default for Pages {
    fn default() -> Self {
        Self(Arc::new(Shares {
            all: Arc::new(Semaphore::new(limits::PAGES_BYTES_MAX / UNIT)),
            by_caller: Mutex::default(),
        }))
    }
}

impl Pages {
    /// Room for a caller's page, for which they may have to wait.
    async fn room(&self, caller: Identity) -> Result<Room, Problem> {
        let share = self.share(caller);
        let taken = async {
            let own = share.semaphore.clone()?.acquire_many_owned(units()).await.ok()?;
            let all = Arc::clone(&self.0.all).acquire_many_owned(units()).await.ok()?;
            Some([all, own])
        };
        let taken = timeout(Duration::from_secs(limits::PAGE_WAIT_SECONDS_MAX), taken).await;
        match taken {
            Ok(Some(taken)) => Ok(Room { taken, _share: share }),
            // The semaphores are never closed.
            Ok(None) | Err(_) => Err(Problem::too_many_pages()),
        }
    }

    fn share(&self, caller: Identity) -> Share {
        let mut by_caller = self.0.by_caller.lock().unwrap_or_else(PoisonError::into_inner);
        let most = limits::PAGES_OF_CALLER_BYTES_MAX / UNIT;
        let semaphore = by_caller.entry(caller).or_insert_with(|| Arc::new(Semaphore::new(most)));
        Share { pages: self.clone(), caller, semaphore: Some(Arc::clone(semaphore)) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut by_caller = self.pages.0.by_caller.lock().unwrap_or_else(PoisonError::into_inner);
        self.semaphore = None;
        if by_caller.get(&self.caller).is_some_and(|known| Arc::strong_count(known) == 1) {
            by_caller.remove(&self.caller);
        }
    }
}

impl Room {
    /// The page for which it was taken.
    pub(super) const fn page<T>(self, content: T) -> Page<T> {
        Page { content, room: self }
    }

    /// Gives back what the page does not need once it is rendered.
    fn shrink(&mut self, bytes: usize) {
        for taken in &mut self.taken {
            let spare = taken.num_permits().saturating_sub(bytes.div_ceil(UNIT));
            drop(taken.split(spare));
        }
    }
}

fn units() -> u32 {
    u32::try_from(limits::PAGE_ROOM_BYTES / UNIT).unwrap_or(u32::MAX)
}

impl FromRequest for Room {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<HttpState>>().cloned();
        let caller = Caller::of(request);
        Box::pin(async move {
            let (identity, _) = caller?.right();
            state.ok_or_else(Problem::internal)?.pages.room(identity).await
        })
    }
}

/// A page that keeps its room until it is sent.
#[derive(Debug)]
pub struct Page<T> {
    content: T,
    room: Room,
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let Self { content, mut room } = self;
        let json = match serde_json::to_vec(&content) {
            Ok(json) => web::Bytes::from(json),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                return Problem::internal().error_response();
            }
        };
        drop(content);
        room.shrink(json.len());
        let body = Written { left: json, _room: room };
        HttpResponse::Ok().content_type("application/json").body(body)
    }
}

/// A page as it is written, piece by piece as its connection takes it.
struct Written {
    left: web::Bytes,
    _room: Room,
}

impl MessageBody for Written {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Infallible>>> {
        let next = self.left.len().min(WRITTEN_AT_ONCE);
        Poll::Ready((next > 0).then(|| Ok(self.left.split_to(next))))
    }
}
