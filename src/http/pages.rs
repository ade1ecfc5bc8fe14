//! A page as it is sent: it takes its room in the memory for pages before it is made, and keeps
//! that room until its connection has taken the whole page.

pub(super) mod memory;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, ResponseError as _, web};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use crate::http::auth::Caller;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::limits;

pub use crate::http::pages::memory::{Pages, Room};

impl Room {
    /// The page for which this room was taken.
    pub(super) const fn page<T>(self, content: T) -> Page<T> {
        Page { content, room: self }
    }
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
        let next = self.left.len().min(limits::PAGE_BYTES_WRITTEN_AT_ONCE);
        Poll::Ready((next > 0).then(|| Ok(self.left.split_to(next))))
    }
}
