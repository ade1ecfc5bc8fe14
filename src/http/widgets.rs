//! Widgets as an administrator sets them.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::access::AdmissionKeys;
use crate::domain::id::WidgetId;
use crate::domain::settings::AdmissionRule;
use crate::domain::settings::registry::SettingChange;
use crate::http::auth::Administrator;
use crate::http::pages::{Page, Room};
use crate::http::paging::{AfterId, Parameters, page_by_id};
use crate::http::problem::{Problem, Problems};
use crate::http::settings::{changed, put_answer};
use crate::http::state::HttpState;
use crate::wire::document::FieldError;
use crate::wire::objects::{WidgetDocument, WidgetPage};

/// Every widget, by id. For administrators.
#[utoipa::path(get, path = "/v1/widgets", tag = "settings",
    operation_id = "list_widgets",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page of widgets", body = WidgetPage), Problems))]
pub(super) async fn list(
    _: Administrator,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<WidgetPage>, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<AfterId>());
    parameters.finish()?;
    let settings = state.engine.settings();
    let all = settings.widgets.values();
    let (page, next) = page_by_id(
        all,
        |widget| widget.id.as_str(),
        |widget| {
            let keys = widget.admission.as_ref().map_or(0, AdmissionRule::bytes);
            widget.origins.iter().map(|origin| origin.len()).sum::<usize>() + keys
        },
        after.as_ref(),
        limit,
    );
    let widgets = page.into_iter().map(|widget| WidgetDocument::from(&**widget)).collect();
    Ok(room.page(WidgetPage { widgets, next }))
}

/// A widget. For administrators.
#[utoipa::path(get, path = "/v1/widgets/{widget}", tag = "settings",
    operation_id = "read_widget", params(("widget" = String, Path)),
    responses((status = 200, description = "The widget", body = WidgetDocument), Problems))]
pub(super) async fn read(
    _: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<WidgetDocument>, Problem> {
    Parameters::none(&request)?;
    let id: Option<WidgetId> = id.parse().ok();
    let settings = state.engine.settings();
    let found = id.and_then(|id| settings.widgets.get(&id));
    let found = found.ok_or_else(|| Problem::unknown_setting("widget"))?;
    Ok(web::Json(WidgetDocument::from(&**found)))
}

/// Makes or replaces a widget; a field that is absent gets its default. For administrators.
#[utoipa::path(put, path = "/v1/widgets/{widget}", tag = "settings",
    operation_id = "put_widget", params(("widget" = String, Path)), request_body = WidgetDocument,
    responses((status = 200, description = "Replaced", body = WidgetDocument),
        (status = 201, description = "Made", body = WidgetDocument), Problems))]
pub(super) async fn put(
    administrator: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let id: WidgetId = id.parse().map_err(Problem::malformed_id)?;
    let widget = WidgetDocument::read(id.clone(), &body).map_err(Problem::malformed_document)?;
    let answer = WidgetDocument::from(&widget);
    let known = state.engine.settings().widgets.contains_key(&id);
    let keys = widget.admission.as_ref().map(|rule| rule.keys.clone());
    let change = SettingChange::PutWidget(widget);
    // Too many keys, or too long ones, are refused before any key is read.
    state.engine.settings().check(&change)?;
    AdmissionKeys::check(keys.as_deref().unwrap_or_default()).map_err(|(number, problem)| {
        let message = format!("item {number}: {problem}");
        Problem::malformed_document(vec![FieldError::new("admission.keys", message)])
    })?;
    changed(&state, administrator.name(), change).await?;
    Ok(put_answer(known, &answer))
}

/// Removes a widget that nothing else needs. For administrators.
#[utoipa::path(delete, path = "/v1/widgets/{widget}", tag = "settings",
    operation_id = "delete_widget", params(("widget" = String, Path)),
    responses((status = 204, description = "Removed"), Problems))]
pub(super) async fn delete(
    administrator: Administrator,
    id: web::Path<String>,
    state: web::Data<HttpState>,
) -> Result<HttpResponse, Problem> {
    let id = id.parse().map_err(|_| Problem::unknown_setting("widget"))?;
    changed(&state, administrator.name(), SettingChange::DeleteWidget(id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
