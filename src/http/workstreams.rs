//! Workstreams as an administrator sets them.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::id::WorkstreamId;
use crate::domain::settings::registry::SettingChange;
use crate::http::auth::Administrator;
use crate::http::pages::{Page, Room};
use crate::http::paging::{AfterId, Parameters, page_by_id};
use crate::http::problem::{Problem, Problems};
use crate::http::settings::{changed, put_answer};
use crate::http::state::HttpState;
use crate::wire::objects::{WorkstreamDocument, WorkstreamPage};

/// Every workstream, by id. For administrators.
#[utoipa::path(get, path = "/v1/workstreams", tag = "settings",
    operation_id = "list_workstreams",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page of workstreams", body = WorkstreamPage),
        Problems))]
pub(super) async fn list(
    _: Administrator,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<WorkstreamPage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<AfterId>());
    parameters.finish()?;
    let settings = state.engine.settings();
    let all = settings.workstreams.values();
    let (page, next) =
        page_by_id(all, |workstream| workstream.id.as_str(), |_| 0, after.as_ref(), limit);
    let workstreams =
        page.into_iter().map(|workstream| WorkstreamDocument::from(&**workstream)).collect();
    Ok(room.page(WorkstreamPage { workstreams, next }))
}

/// A workstream. For administrators.
#[utoipa::path(get, path = "/v1/workstreams/{workstream}", tag = "settings",
    operation_id = "read_workstream", params(("workstream" = String, Path)),
    responses((status = 200, description = "The workstream", body = WorkstreamDocument), Problems))]
pub(super) async fn read(
    _: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<WorkstreamDocument>, Problem> {
    Parameters::none(&request)?;
    let id: Option<WorkstreamId> = id.parse().ok();
    let settings = state.engine.settings();
    let found = id.and_then(|id| settings.workstreams.get(&id));
    let found = found.ok_or_else(|| Problem::unknown_setting("workstream"))?;
    Ok(web::Json(WorkstreamDocument::from(&**found)))
}

/// Makes or replaces a workstream; a field that is absent gets its default, but `retention` stays
/// as it was. For administrators.
#[utoipa::path(put, path = "/v1/workstreams/{workstream}", tag = "settings",
    operation_id = "put_workstream",
    params(("workstream" = String, Path)), request_body = WorkstreamDocument,
    responses((status = 200, description = "Replaced", body = WorkstreamDocument),
        (status = 201, description = "Made", body = WorkstreamDocument), Problems))]
pub(super) async fn put(
    administrator: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let id: WorkstreamId = id.parse().map_err(Problem::malformed_id)?;
    let settings = state.engine.settings();
    let before = settings.workstreams.get(&id).map(AsRef::as_ref);
    let workstream =
        WorkstreamDocument::read(id, &body, before).map_err(Problem::malformed_document)?;
    let answer = WorkstreamDocument::from(&workstream);
    let known = before.is_some();
    changed(&state, administrator.name(), SettingChange::PutWorkstream(workstream)).await?;
    Ok(put_answer(known, &answer))
}

/// Removes a workstream that nothing else needs. For administrators.
#[utoipa::path(delete, path = "/v1/workstreams/{workstream}", tag = "settings",
    operation_id = "delete_workstream", params(("workstream" = String, Path)),
    responses((status = 204, description = "Removed"), Problems))]
pub(super) async fn delete(
    administrator: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
) -> Result<HttpResponse, Problem> {
    let id = id.parse().map_err(|_| Problem::unknown_setting("workstream"))?;
    changed(&state, administrator.name(), SettingChange::DeleteWorkstream(id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
