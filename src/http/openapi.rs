//! The `OpenAPI` document, made from the code that it describes.

#![expect(elided_lifetimes_in_paths, reason = "the macro names types without their lifetimes")]

use actix_web::{HttpResponse, web};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::http::problem::ProblemObject;
use crate::http::{
    HttpState, agents, conversations, feed, figures, health, history, queues, widgets, workstreams,
};
use crate::wire::document::FieldError;
use crate::wire::feed::{
    AwayEvent, BackEvent, CapacityEvent, MessageEvent, OfferEvent, OfferWithdrawnEvent, OpenEvent,
    PresenceEvent, ReadEvent, TypingEvent,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Holdline", description = "A live-chat engine that knows when the customer is \
        gone: the side of agents, supervisors and administrators. Every write may carry an \
        `Idempotency-Key`. Errors are problem documents (RFC 9457) with a stable `code`."),
    paths(
        health::alive, health::ready, health::metrics, document, figures::read,
        conversations::list, conversations::read, history::transcript, history::timeline,
        conversations::accept, conversations::decline, conversations::post,
        conversations::typing, conversations::have_read, conversations::end,
        conversations::close, conversations::release, conversations::assign,
        conversations::force_close, agents::list, agents::read, agents::put, agents::delete,
        agents::choose_presence, agents::add_token, feed::open, feed::beat, workstreams::list,
        workstreams::read, workstreams::put, workstreams::delete, queues::list, queues::read,
        queues::put, queues::delete, widgets::list, widgets::read, widgets::put, widgets::delete,
    ),
    components(schemas(
        ProblemObject, FieldError, OpenEvent, OfferEvent, OfferWithdrawnEvent, MessageEvent,
        AwayEvent,
        BackEvent, PresenceEvent, CapacityEvent, TypingEvent, ReadEvent,
        TypingEvent, ReadEvent,
    )),
    modifiers(&BearerTokens),
    security(("bearer" = [])),
)]
struct Description;

struct BearerTokens;

impl Modify for BearerTokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The document as JSON.
pub fn json() -> String {
    let document = Description::openapi();
    // It is made of texts and maps by this very program.
    document.to_json().unwrap_or_else(|_| "{}".to_owned())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)))]
pub async fn document(state: web::Data<HttpState>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(state.openapi.to_string())
}
