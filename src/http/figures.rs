//! Live figures for supervisors.

use actix_web::{HttpRequest, web};

use crate::http::agents::object;
use crate::http::auth::Supervisor;
use crate::http::pages::{Page, Room};
use crate::http::paging::Parameters;
use crate::http::problem::{Problem, Problems};
use crate::http::state::HttpState;
use crate::wire::objects::{FiguresObject, QueueFigures, StateFigures};

/// How the whole engine is doing. For supervisors.
#[utoipa::path(get, path = "/v1/figures", tag = "figures",
    operation_id = "read_figures",
    responses((status = 200, description = "The figures", body = FiguresObject), Problems))]
pub(super) async fn read(
    _: Supervisor,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<Page<FiguresObject>, Problem> {
    Parameters::none(&request)?;
    let figures = state.engine.figures().await?;
    Ok(room.page(FiguresObject {
        sessions: figures.sessions,
        conversations: StateFigures::from(figures.conversations),
        away: figures.away,
        queues: figures
            .queues
            .iter()
            .map(|(id, waiting, average_wait)| QueueFigures::new(id, *waiting, *average_wait))
            .collect(),
        agents: figures.agents.iter().map(object).collect(),
    }))
}
