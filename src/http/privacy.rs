//! What is kept of one person: whose chat it is, the export of everything, and its erasure. For
//! administrators.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::Stream;
use futures_util::stream;

use crate::domain::audit::{Act, AuditKind};
use crate::domain::id::{ConversationId, Seq, VisitorId};
use crate::engine::{Failure, KeptEvent, Which};
use crate::http::auth::Administrator;
use crate::http::pages::Room;
use crate::http::paging::Parameters;
use crate::http::problem::{Problem, Problems};
use crate::http::state::HttpState;
use crate::wire::objects::{ErasedObject, ExportLine, VisitorObject};

/// JSON, one object on each line.
const LINES: &str = "application/x-ndjson";

/// Whose a chat is: the visitor whose other chats are found by this. For administrators.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/visitor", tag = "privacy",
    operation_id = "read_visitor", params(("conversation" = String, Path)),
    responses((status = 200, description = "The visitor", body = VisitorObject), Problems))]
pub(super) async fn visitor(
    _: Administrator,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<web::Json<VisitorObject>, Problem> {
    Parameters::none(&request)?;
    let id = chat_of(&conversation)?;
    let visitor = state.engine.visitor_of(id).await?;
    Ok(web::Json(VisitorObject::new(id, visitor)))
}

/// Erases a closed chat, archived or not. For administrators.
#[utoipa::path(delete, path = "/v1/conversations/{conversation}", tag = "privacy",
    operation_id = "erase_conversation", params(("conversation" = String, Path)),
    responses((status = 200, description = "Erased", body = ErasedObject), Problems))]
pub(super) async fn erase_chat(
    administrator: Administrator,
    conversation: web::Path<String>,
    state: web::Data<HttpState>,
) -> Result<web::Json<ErasedObject>, Problem> {
    state.engine.erase_chat(chat_of(&conversation)?, administrator.name()).await?;
    Ok(web::Json(ErasedObject::new(1)))
}

/// Erases every chat of a visitor, archived or not; nothing while one of them is not closed. For
/// administrators.
#[utoipa::path(delete, path = "/v1/visitors/{visitor}", tag = "privacy",
    operation_id = "erase_visitor", params(("visitor" = String, Path)),
    responses((status = 200, description = "Erased", body = ErasedObject), Problems))]
pub(super) async fn erase_visitor(
    administrator: Administrator,
    visitor: web::Path<String>,
    state: web::Data<HttpState>,
) -> Result<web::Json<ErasedObject>, Problem> {
    let visitor = visitor_of(&visitor)?;
    let erased = state.engine.erase_visitor(visitor, administrator.name()).await?;
    Ok(web::Json(ErasedObject::new(erased)))
}

/// Everything that is kept of a chat, archived or not, as one JSON object on each line. The last
/// has the type `end`; without it the answer is not whole. For administrators.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/export", tag = "privacy",
    operation_id = "export_conversation", params(("conversation" = String, Path)),
    responses((status = 200, description = "Lines", body = String,
        content_type = "application/x-ndjson"), Problems))]
pub(super) async fn export_chat(
    administrator: Administrator,
    conversation: web::Path<String>,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Parameters::none(&request)?;
    let id = chat_of(&conversation)?;
    // A request for a chat that is not there is refused, and not noted.
    state.engine.visitor_of(id).await?;
    let act = Act::new(AuditKind::ChatExported, Some(administrator.name())).about_chat(id);
    let first = ExportLine::of_conversation(id, state.engine.now());
    let chats = Chats { ready: vec![id], source: None };
    answer(state, &request, room, act, first, chats).await
}

/// Everything that is kept of a visitor: each of their chats, as of one. For administrators.
#[utoipa::path(get, path = "/v1/visitors/{visitor}/export", tag = "privacy",
    operation_id = "export_visitor", params(("visitor" = String, Path)),
    responses((status = 200, description = "Lines", body = String,
        content_type = "application/x-ndjson"), Problems))]
pub(super) async fn export_visitor(
    administrator: Administrator,
    visitor: web::Path<String>,
    room: Room,
    state: web::Data<HttpState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Parameters::none(&request)?;
    let visitor = visitor_of(&visitor)?;
    let act = Act::new(AuditKind::VisitorExported, Some(administrator.name()));
    let act = act.about("visitor", &visitor.to_string());
    let first = ExportLine::of_visitor(visitor, state.engine.now());
    let chats = Chats { ready: Vec::new(), source: Some((visitor, Which::InJournal, None)) };
    answer(state, &request, room, act, first, chats).await
}

/// The chats to export, looked up some at a time.
struct Chats {
    /// The chats found so far, the next one last.
    ready: Vec<ConversationId>,
    /// Where to look for more: whose chats, of which kind, and after which chat.
    source: Option<(VisitorId, Which, Option<ConversationId>)>,
}

impl Chats {
    async fn next(&mut self, state: &HttpState) -> Result<Option<ConversationId>, Failure> {
        while self.ready.is_empty()
            && let Some((visitor, which, after)) = self.source
        {
            let found = state.engine.chats_of_visitor(visitor, which, after).await?;
            self.source = match (found.last(), which) {
                (Some(last), _) => Some((visitor, which, Some(*last))),
                // The retention may archive a chat meanwhile. In this order such a chat is given
                // out twice, and never missed.
                (None, Which::InJournal) => Some((visitor, Which::Archived, None)),
                (None, Which::Open | Which::Archived) => None,
            };
            self.ready = found.into_iter().rev().collect();
        }
        Ok(self.ready.pop())
    }
}

/// What is still to be written of an export.
struct Export {
    state: web::Data<HttpState>,
    chats: Chats,
    /// The chat that is being written, up to which place.
    current: Option<(ConversationId, Seq)>,
    conversations: u64,
    events: u64,
    is_over: bool,
    /// Room for one part of the export: no more is in memory at once.
    _room: Room,
}

async fn answer(
    state: web::Data<HttpState>,
    request: &HttpRequest,
    room: Room,
    act: Act,
    first: ExportLine,
    chats: Chats,
) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponse::Ok();
    response.content_type(LINES);
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    state.engine.audit(act).await?;
    let export = Export {
        state,
        chats,
        current: None,
        conversations: 0,
        events: 0,
        is_over: false,
        _room: room,
    };
    Ok(response.streaming(written(first, export)))
}

/// The export as it is written, part by part as its connection takes it. A failed read ends it
/// without its last line.
fn written(
    first: ExportLine,
    export: Export,
) -> impl Stream<Item = Result<web::Bytes, actix_web::Error>> {
    stream::unfold((Some(first), export), |(first, mut export)| async move {
        if let Some(first) = first {
            return Some((Ok(line(&first).into()), (None, export)));
        }
        if export.is_over {
            return None;
        }
        let part = export.next().await.map_err(|failure| {
            export.is_over = true;
            Problem::from(failure).into()
        });
        Some((part.map(web::Bytes::from), (None, export)))
    })
}

impl Export {
    async fn next(&mut self) -> Result<String, Failure> {
        loop {
            let current = match self.current {
                Some(current) => Some(current),
                None => self.chats.next(&self.state).await?.map(|id| (id, Seq::ZERO)),
            };
            let Some((id, after)) = current else {
                self.is_over = true;
                let Self { conversations, events, .. } = *self;
                return Ok(line(&ExportLine::end(conversations, events)));
            };
            let part = self.state.engine.kept(id, after).await?;
            let Some(last) = part.last() else {
                // A chat that was erased meanwhile fails the export: it would not be whole.
                self.state.engine.visitor_of(id).await?;
                self.current = None;
                continue;
            };
            self.conversations += u64::from(after == Seq::ZERO);
            self.events += part.len() as u64;
            self.current = Some((id, last.seq));
            let told = |event: &KeptEvent| {
                let (place, stored) = ((event.seq, event.at), (event.kind, event.body.as_str()));
                line(&ExportLine::event(id, place, stored, event.is_seen_by_customer))
            };
            return Ok(part.iter().map(told).collect());
        }
    }
}

fn line(line: &ExportLine) -> String {
    let mut text = line.text();
    text.push('\n');
    text
}

fn chat_of(conversation: &str) -> Result<ConversationId, Problem> {
    conversation.parse().map_err(|_| Problem::unknown_conversation())
}

fn visitor_of(visitor: &str) -> Result<VisitorId, Problem> {
    visitor
        .parse()
        .map_err(|_| Problem::malformed_parameter("visitor", "must be 32 hexadecimal digits"))
}
