//! The `OpenAPI` document, made from the code that it describes.

#![expect(elided_lifetimes_in_paths, reason = "the macro names types without their lifetimes")]

use actix_web::{HttpResponse, web};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{Modify, OpenApi};

use crate::http::problem::KINDS;
use crate::http::state::HttpState;
use crate::http::{
    agents, audit, conversations, feed, figures, health, history, privacy, queues, secrets, tokens,
    widgets, workstreams,
};
use crate::wire::document::FieldError;
use crate::wire::feed::{
    AsleepEvent, AwayEvent, BackEvent, CapacityEvent, MessageEvent, OfferEvent,
    OfferWithdrawnEvent, OpenEvent, PlaceUnknownEvent, PresenceEvent, ReadEvent, TypingEvent,
};
use crate::wire::objects::ExportLine;
use crate::wire::problem::ProblemObject;

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
        agents::choose_presence, tokens::list, tokens::add, tokens::end, feed::open, feed::beat,
        audit::list, audit::read_retention, audit::put_retention, workstreams::list,
        workstreams::read, workstreams::put, workstreams::delete, queues::list, queues::read,
        queues::put, queues::delete, widgets::list, widgets::read, widgets::put, widgets::delete,
        secrets::rotate_administrator, secrets::read_signing, secrets::rotate_signing,
        secrets::end_previous_signing, privacy::visitor, privacy::erase_chat,
        privacy::erase_visitor, privacy::export_chat, privacy::export_visitor,
    ),
    components(schemas(
        ProblemObject, FieldError, OpenEvent, OfferEvent, OfferWithdrawnEvent, MessageEvent,
        AwayEvent, BackEvent, PresenceEvent, CapacityEvent, TypingEvent, ReadEvent,
        AsleepEvent, PlaceUnknownEvent, ExportLine,
    )),
    modifiers(&BearerTokens, &ProblemCodes, &WrittenDocuments),
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

/// The codes that HTTP answers with.
struct ProblemCodes;

impl Modify for ProblemCodes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let Some(RefOr::T(Schema::Object(problem))) = components.schemas.get_mut("Problem") else {
            return;
        };
        if let Some(RefOr::T(Schema::Object(code))) = problem.properties.get_mut("code") {
            code.enum_values = Some(KINDS.iter().map(|kind| kind.code.into()).collect());
        }
    }
}

/// The settings that can be put: the names of each schema for reading and for writing, and the
/// fields that are required in writing. A document that is read is whole; one that is put may leave
/// out every field that has a default.
const WRITTEN: [(&str, &str, &[&str]); 5] = [
    ("Workstream", "WorkstreamToPut", &["queue"]),
    ("Queue", "QueueToPut", &[]),
    ("Widget", "WidgetToPut", &["workstream", "origins"]),
    ("AgentSettings", "AgentToPut", &[]),
    ("AuditRetention", "AuditRetentionToPut", &[]),
];

/// Without it, a client generated from the document would have to give every field, the id too.
struct WrittenDocuments;

impl Modify for WrittenDocuments {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        for (read, written, required) in WRITTEN {
            if let Some(RefOr::T(Schema::Object(shown))) = components.schemas.get(read) {
                let mut put = shown.clone();
                put.properties.retain(|name, _| name != "id");
                put.required = required.iter().map(ToString::to_string).collect();
                let schema = RefOr::T(Schema::Object(put));
                components.schemas.insert(written.to_owned(), schema);
            }
        }
        let puts = openapi.paths.paths.values_mut().filter_map(|path| path.put.as_mut());
        for body in puts.filter_map(|put| put.request_body.as_mut()) {
            let RefOr::T(body) = body else { continue };
            for content in body.content.values_mut() {
                let RefOr::T(content) = content else { continue };
                let Some(RefOr::Ref(reference)) = &content.schema else { continue };
                let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
                if let Some((_, written, _)) = WRITTEN.iter().find(|(read, ..)| *read == name) {
                    content.schema = Some(Ref::from_schema_name(*written).into());
                }
            }
        }
    }
}

/// The document as JSON.
pub fn json() -> String {
    let document = Description::openapi();
    // This cannot fail: the document is made of strings and maps.
    document.to_json().unwrap_or_else(|_| "{}".to_owned())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health", security(()),
    operation_id = "read_openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)))]
pub async fn document(state: web::Data<HttpState>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(state.openapi.to_string())
}
