//! Who is let in at a door, and who is not.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use crate::domain::id::WidgetId;
use crate::domain::text::printable;
use crate::engine::{Engine, Face};
use crate::socket::admission::{Admission, Asked, Rejection, UpgradeRequest};
use crate::socket::line::Line;
use crate::socket::session::actor::SocketSession;
use crate::socket::session::door::Door;
use crate::socket::session::guest::Guest;
use crate::socket::session::routes::Origin;
use crate::strangers::{NotTaken, Strangers};
use crate::tls::HandshakeFault;
use crate::wire::problem::{ORIGIN_NOT_ALLOWED, TOO_MANY_CONNECTIONS, UNAVAILABLE, UNKNOWN_WIDGET};

/// Counts that a TLS handshake failed, and tells of it. A client that only looks whether the server
/// listens is counted and not told of: probes do so all the time.
pub(super) fn tell_not_secured(engine: &Engine, peer: Option<SocketAddr>, why: &HandshakeFault) {
    if matches!(why, HandshakeFault::CutShort) {
        engine.note_refused(Face::Tls, why.code());
    } else {
        let client = peer.map(|peer| peer.ip());
        engine.tell_refused(Face::Tls, why.code(), client, || {
            printable(&why.to_string()).to_string()
        });
    }
}

impl Admission for Rc<Door> {
    type Session = SocketSession;

    fn admit(&self, request: &UpgradeRequest, line: Line) -> Result<SocketSession, Rejection> {
        if !self.engine.is_ready() {
            let message = "the server takes no sessions at the moment; try again in a moment";
            return Err(Rejection::new(&UNAVAILABLE, message));
        }
        let settings = self.engine.settings();
        let widget = request.widget.parse::<WidgetId>().ok();
        let widget = widget.and_then(|id| settings.widgets.get(&id));
        let Some(widget) = widget else {
            return Err(Rejection::new(&UNKNOWN_WIDGET, "there is no such widget"));
        };
        if !widget.admits(request.origin.as_deref()) {
            let message = "this widget may not be opened from pages of this origin";
            let code = ORIGIN_NOT_ALLOWED.code;
            self.engine.audit_page_refused(code, &widget.id, request.client);
            return Err(Rejection::new(&ORIGIN_NOT_ALLOWED, message));
        }
        let Some(workstream) = settings.workstreams.get(&widget.workstream) else {
            return Err(Rejection::new(&UNKNOWN_WIDGET, "the widget has no workstream"));
        };
        let guest = Guest::admit(&self.strangers, request, widget)?;
        if let Some(address) = self.engine.told_address(request.client) {
            let widget = &widget.id;
            tracing::debug!(%widget, address, "a socket of widget {widget} comes from {address}");
        }
        let program = request.user_agent.as_deref().map(Arc::from);
        let (widget, heartbeat) = (widget.id.clone(), workstream.heartbeat);
        let origin = Origin { widget, heartbeat, program, guest: Arc::new(guest) };
        Ok(SocketSession::new(self.clone(), line, origin))
    }

    fn strangers(&self) -> &Strangers {
        &self.strangers
    }

    fn note_not_taken(&self, peer: Option<SocketAddr>, why: &NotTaken) {
        let code = match why {
            NotTaken::OverBudget(_) => TOO_MANY_CONNECTIONS.code,
            NotTaken::Header(_) => "proxy_header_malformed",
        };
        let client = peer.map(|peer| peer.ip());
        self.engine.tell_refused(Face::Upgrade, code, client, || why.to_string());
    }

    fn note_not_secured(&self, peer: Option<SocketAddr>, why: &HandshakeFault) {
        tell_not_secured(&self.engine, peer, why);
    }

    fn note_unreadable(&self) {
        self.engine.note_refused(Face::Http, "unreadable_request");
    }

    fn note_rejected(&self, asked: &Asked<'_>, rejection: &Rejection) {
        let Rejection { kind, message, .. } = rejection;
        self.engine.tell_refused(Face::Upgrade, kind.code, asked.client, || {
            let page = asked.origin.as_deref().unwrap_or("no page");
            let (address, page) = (printable(&asked.address), printable(page));
            format!("{message} (asked for {address} from {page})")
        });
    }

    fn note_turned_away(&self) {
        self.engine.note_turned_away();
    }
}
