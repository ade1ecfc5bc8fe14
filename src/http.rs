//! The HTTP edge, version 1: parse, ask the engine, render. No rule lives here.
//!
//! [`table`] is the whole of it at a glance. Every thread's application calls [`configure`] with
//! the same [`HttpState`]. There is no CORS: a console is served from this origin or speaks to it
//! from a server.

pub mod auth;
pub mod bodies;
pub mod idempotency;
pub mod openapi;
pub mod pages;
pub mod paging;
pub mod problem;

mod agents;
mod audit;
mod conversations;
mod feed;
mod figures;
mod health;
mod history;
mod identity;
mod middleware;
mod privacy;
mod queues;
mod secrets;
mod settings;
mod state;
mod tokens;
mod widgets;
mod workstreams;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::guard;
use actix_web::http::{ConnectionType, Method, Version};
use actix_web::middleware::{Next, from_fn};
use actix_web::{FromRequest, Handler, HttpRequest, Responder, Route, web};

use crate::domain::id::WidgetId;
use crate::http::problem::Problem;
use crate::limits;
use crate::wire::WIDGET_PATH;

pub use crate::http::middleware::watch;
pub use crate::http::state::HttpState;

/// Every address, with its handlers.
pub fn table() -> Vec<Place> {
    vec![
        at("/healthz").get(health::alive).of(Side::Both),
        at("/readyz").get(health::ready).of(Side::Both),
        at("/metrics").get(health::metrics).of(Side::Operators),
        at("/openapi.json").get(openapi::document).of(Side::Operators),
        at("/v1/figures").get(figures::read),
        at("/v1/conversations").get(conversations::list),
        at("/v1/conversations/{conversation}").get(conversations::read).delete(privacy::erase_chat),
        at("/v1/conversations/{conversation}/transcript").get(history::transcript),
        at("/v1/conversations/{conversation}/timeline").get(history::timeline),
        at("/v1/conversations/{conversation}/visitor").get(privacy::visitor),
        at("/v1/conversations/{conversation}/export").get(privacy::export_chat),
        at("/v1/conversations/{conversation}/accept").post(conversations::accept),
        at("/v1/conversations/{conversation}/decline").post(conversations::decline),
        at("/v1/conversations/{conversation}/messages").post(conversations::post),
        at("/v1/conversations/{conversation}/typing").post(conversations::typing),
        at("/v1/conversations/{conversation}/read").post(conversations::have_read),
        at("/v1/conversations/{conversation}/end").post(conversations::end),
        at("/v1/conversations/{conversation}/close").post(conversations::close),
        at("/v1/conversations/{conversation}/release").post(conversations::release),
        at("/v1/conversations/{conversation}/assign").post(conversations::assign),
        at("/v1/conversations/{conversation}/force-close").post(conversations::force_close),
        at("/v1/agents").get(agents::list),
        at("/v1/agents/{agent}").get(agents::read).put(agents::put).delete(agents::delete),
        at("/v1/agents/{agent}/presence").put(agents::choose_presence),
        at("/v1/agents/{agent}/feed").get(feed::open),
        at("/v1/agents/{agent}/beat").post(feed::beat),
        at("/v1/agents/{agent}/tokens").get(tokens::list).post(tokens::add),
        at("/v1/agents/{agent}/tokens/{token}").delete(tokens::end),
        at("/v1/audit").get(audit::list),
        at("/v1/audit/retention").get(audit::read_retention).put(audit::put_retention),
        at("/v1/visitors/{visitor}").delete(privacy::erase_visitor),
        at("/v1/visitors/{visitor}/export").get(privacy::export_visitor),
        at("/v1/workstreams").get(workstreams::list),
        at("/v1/workstreams/{workstream}")
            .get(workstreams::read)
            .put(workstreams::put)
            .delete(workstreams::delete),
        at("/v1/queues").get(queues::list),
        at("/v1/queues/{queue}").get(queues::read).put(queues::put).delete(queues::delete),
        at("/v1/widgets").get(widgets::list),
        at("/v1/widgets/{widget}").get(widgets::read).put(widgets::put).delete(widgets::delete),
        at("/v1/secrets/administrator/rotate").post(secrets::rotate_administrator),
        at("/v1/secrets/signing").get(secrets::read_signing),
        at("/v1/secrets/signing/rotate").post(secrets::rotate_signing),
        at("/v1/secrets/signing/previous").delete(secrets::end_previous_signing),
    ]
}

/// Which addresses an application serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// Every one.
    Whole,
    /// The public addresses, where operators have a listener of their own.
    Public,
    /// The operators' addresses alone.
    Operators,
}

/// Who an address is for, where operators have a listener of their own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    /// For everybody.
    Public,
    /// For operators alone.
    Operators,
    /// It is answered on both.
    Both,
}

impl Part {
    const fn has(self, side: Side) -> bool {
        match self {
            Self::Whole => true,
            Self::Public => !matches!(side, Side::Operators),
            Self::Operators => !matches!(side, Side::Public),
        }
    }
}

/// Puts the addresses of this part into an application. Every other path gets a problem document,
/// so whatever else the application serves must be registered before.
pub fn configure(state: &HttpState, part: Part) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let state = web::Data::new(state.clone());
    move |application| {
        application.app_data(state);
        application.app_data(web::PayloadConfig::new(limits::BODY_BYTES_MAX));
        for place in table().into_iter().filter(|place| part.has(place.side)) {
            place.register(application);
        }
        if part.has(Side::Public) {
            let handshake = web::resource(WIDGET_PATH).default_service(web::to(no_handshake));
            application.service(handshake);
        }
        application.default_service(web::to(move |request: HttpRequest| {
            let problem = Problem::unknown_route(request.path(), part.has(Side::Operators));
            std::future::ready(Err::<&'static str, Problem>(problem))
        }));
    }
}

/// An address with its methods.
#[expect(missing_debug_implementations, reason = "a route cannot be shown")]
pub struct Place {
    path: &'static str,
    side: Side,
    routes: Vec<(Method, Route)>,
}

fn at(path: &'static str) -> Place {
    Place { path, side: Side::Public, routes: Vec::new() }
}

impl Place {
    /// The address, with the names of its parts in braces.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The methods that the address has.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().map(|(method, _)| method)
    }

    fn of(self, side: Side) -> Self {
        Self { side, ..self }
    }

    fn get<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        self.with(Method::GET, handler)
    }

    fn put<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        self.with(Method::PUT, handler)
    }

    fn post<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        self.with(Method::POST, handler)
    }

    fn delete<H, Args>(self, handler: H) -> Self
    where
        H: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        self.with(Method::DELETE, handler)
    }

    fn with<H, Args>(mut self, method: Method, handler: H) -> Self
    where
        H: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        // HEAD is answered with the headers of GET: the HTTP encoder leaves the body out.
        let route = if method == Method::GET {
            web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            web::method(method.clone())
        };
        self.routes.push((method, route.to(handler)));
        self
    }

    fn register(self, application: &mut web::ServiceConfig) {
        let mut allowed: Vec<_> = self.methods().map(ToString::to_string).collect();
        if self.methods().any(|method| method == Method::GET) {
            allowed.push(Method::HEAD.to_string());
        }
        let allowed = allowed.join(", ");
        let wrong = move |request: HttpRequest| {
            let problem = Problem::wrong_method(request.method().as_str(), allowed.clone());
            std::future::ready(Err::<&'static str, Problem>(problem))
        };
        let mut resource = web::resource(self.path).default_service(web::to(wrong));
        for (_, route) in self.routes {
            resource = resource.route(route);
        }
        application
            .service(resource.wrap(from_fn(idempotency::once)).wrap(from_fn(end_by_closing)));
    }
}

/// Closes the connection after an answer of unknown length to an HTTP/1.0 client.
async fn end_by_closing(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_old = request.version() == Version::HTTP_10;
    auth::look_for_key(request.request()).await;
    let mut response = next.call(request).await?;
    if is_old && matches!(response.response().body().size(), BodySize::Stream) {
        // An HTTP/1.0 client reads no chunks: the end of the connection ends the answer.
        let head = response.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Answers at the widgets' address. A handshake never comes here: the listener takes it away
/// before.
async fn no_handshake(
    request: HttpRequest,
    state: web::Data<HttpState>,
) -> Result<&'static str, Problem> {
    // A browser does not tell a page why its socket was refused. The page may send a plain GET here
    // to learn whether the widget exists at all.
    let is_unknown = || {
        let named = web::Query::<Vec<(String, String)>>::from_query(request.query_string()).ok()?;
        let (_, widget) = named.iter().find(|(name, _)| name == "widget")?;
        let widget = widget.parse::<WidgetId>().ok();
        Some(!widget.is_some_and(|widget| state.engine.settings().widgets.contains_key(&widget)))
    };
    Err(match *request.method() {
        Method::GET if is_unknown() == Some(true) => Problem::unknown_widget(),
        Method::GET => Problem::no_handshake(),
        _ => Problem::no_handshake_method(),
    })
}
