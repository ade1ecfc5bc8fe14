//! Refusals at a door: counted, told in the log, and noted in the audit stream.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use crate::domain::id::WidgetId;
use crate::domain::settings::NotVouched;
use crate::engine::refusals::Face;
use crate::engine::requests::Engine;

impl Engine {
    /// Has the log tell from where strangers come.
    pub fn tell_addresses(&self) {
        self.shared().refusals.tells_addresses.store(true, Ordering::Relaxed);
    }

    /// Where a client comes from, as far as the log may tell it.
    pub fn told_address(&self, client: Option<IpAddr>) -> Option<String> {
        let may = self.shared().refusals.tells_addresses.load(Ordering::Relaxed);
        client.filter(|_| may).map(|client| client.to_string())
    }

    /// Counts that something was refused.
    pub fn note_refused(&self, face: Face, code: &'static str) {
        self.shared().metrics.refused(face.name(), code);
    }

    /// Tells that a widget has shown a token that is not ours. The refusal itself is counted where
    /// the widget is told of it.
    pub fn tell_invalid_token(&self, widget: &WidgetId) {
        self.tell_shown(widget, "token_invalid", || "a token that is not ours".to_owned());
    }

    /// Tells that what a widget has shown vouches for nobody, and why. The refusal itself is
    /// counted where the widget is told of it.
    pub fn tell_not_vouched(&self, widget: &WidgetId, code: &'static str, why: NotVouched) {
        self.tell_shown(widget, code, || format!("an admission that vouches for nobody: {why}"));
    }

    fn tell_shown(&self, widget: &WidgetId, code: &'static str, what: impl FnOnce() -> String) {
        self.audit_shown(code, widget);
        if self.shared().refusals.admit(self.now()) {
            let (face, what) = (Face::Widget.name(), what());
            tracing::info!(face, code, %widget, "refused: widget {widget} showed {what}");
        }
    }

    /// Counts that a stranger was refused, and tells it. What `sentence` says of them must be
    /// printable.
    pub fn tell_refused(
        &self,
        face: Face,
        code: &'static str,
        client: Option<IpAddr>,
        sentence: impl FnOnce() -> String,
    ) {
        self.note_refused(face, code);
        // The holders of some tokens are known: those refusals are noted where the tokens are
        // looked up.
        let is_known = matches!(code, "token_expired" | "token_not_taken");
        if face == Face::Http && !is_known {
            self.audit_refused(code, client);
        }
        if self.shared().refusals.admit(self.now()) {
            let (address, face) = (self.told_address(client), face.name());
            tracing::info!(face, code, address, "refused: {}", sentence());
        }
    }
}
