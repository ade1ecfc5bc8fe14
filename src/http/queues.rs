//! Queues as an administrator sets them.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::id::QueueId;
use crate::domain::settings::registry::SettingChange;
use crate::http::auth::Administrator;
use crate::http::pages::{Page, Room};
use crate::http::paging::{AfterId, Parameters, page_by_id};
use crate::http::problem::{Problem, Problems};
use crate::http::settings::{changed, put_answer};
use crate::http::state::HttpState;
use crate::wire::objects::{QueueDocument, QueuePage};

/// Every queue, by id. For administrators.
#[utoipa::path(get, path = "/v1/queues", tag = "settings",
    operation_id = "list_queues",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page of queues", body = QueuePage), Problems))]
pub(super) async fn list(
    _: Administrator,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<QueuePage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<AfterId>());
    parameters.finish()?;
    let settings = state.engine.settings();
    let all = settings.queues.values();
    let (page, next) = page_by_id(
        all,
        |queue| queue.id.as_str(),
        |queue| queue.agents.iter().map(|agent| agent.as_str().len()).sum(),
        after.as_ref(),
        limit,
    );
    let queues = page.into_iter().map(|queue| QueueDocument::from(&**queue)).collect();
    Ok(room.page(QueuePage { queues, next }))
}

/// A queue. For administrators.
#[utoipa::path(get, path = "/v1/queues/{queue}", tag = "settings",
    operation_id = "read_queue", params(("queue" = String, Path)),
    responses((status = 200, description = "The queue", body = QueueDocument), Problems))]
pub(super) async fn read(
    _: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<QueueDocument>, Problem> {
    Parameters::none(&request)?;
    let id: Option<QueueId> = id.parse().ok();
    let settings = state.engine.settings();
    let found = id.and_then(|id| settings.queues.get(&id));
    let found = found.ok_or_else(|| Problem::unknown_setting("queue"))?;
    Ok(web::Json(QueueDocument::from(&**found)))
}

/// Makes or replaces a queue; a field that is absent gets its default. For administrators.
#[utoipa::path(put, path = "/v1/queues/{queue}", tag = "settings",
    operation_id = "put_queue", params(("queue" = String, Path)), request_body = QueueDocument,
    responses((status = 200, description = "Replaced", body = QueueDocument),
        (status = 201, description = "Made", body = QueueDocument), Problems))]
pub(super) async fn put(
    administrator: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let id: QueueId = id.parse().map_err(Problem::malformed_id)?;
    let queue = QueueDocument::read(id.clone(), &body).map_err(Problem::malformed_document)?;
    let answer = QueueDocument::from(&queue);
    let known = state.engine.settings().queues.contains_key(&id);
    changed(&state, administrator.name(), SettingChange::PutQueue(queue)).await?;
    Ok(put_answer(known, &answer))
}

/// Removes a queue that nothing else needs. For administrators.
#[utoipa::path(delete, path = "/v1/queues/{queue}", tag = "settings",
    operation_id = "delete_queue", params(("queue" = String, Path)),
    responses((status = 204, description = "Removed"), Problems))]
pub(super) async fn delete(
    administrator: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
) -> Result<HttpResponse, Problem> {
    let id = id.parse().map_err(|_| Problem::unknown_setting("queue"))?;
    changed(&state, administrator.name(), SettingChange::DeleteQueue(id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
