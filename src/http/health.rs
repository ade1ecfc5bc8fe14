//! Whether the server lives, whether it can take new chats, and its metrics. No token is needed.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::http::problem::{Problem, Problems};
use crate::http::state::HttpState;

/// The server lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    operation_id = "read_health",
    responses((status = 200, description = "It lives", body = String,
        content_type = "text/plain")))]
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// The server can take new chats: its journal can be written, and it is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    operation_id = "read_readiness", responses(
    (status = 200, description = "It is ready", body = String, content_type = "text/plain"),
    Problems))]
pub(super) async fn ready(state: web::Data<HttpState>) -> Result<&'static str, Problem> {
    if state.engine.is_ready() { Ok("ready\n") } else { Err(Problem::not_ready()) }
}

/// Metrics in the form that Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()),
    operation_id = "read_metrics", responses(
    (status = 200, description = "OpenMetrics", body = String,
        content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(state: web::Data<HttpState>) -> HttpResponse {
    const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, FORM)).body(state.engine.metrics())
}
