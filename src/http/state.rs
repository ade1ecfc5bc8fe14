//! What every address needs of the rest of the server.

use std::sync::Arc;

use crate::access::{Access, Keys, SignIn};
use crate::engine::Engine;
use crate::http::bodies::Bodies;
use crate::http::idempotency::memory::Answers;
use crate::http::pages::memory::Pages;
use crate::strangers::Strangers;

/// What every address needs: cheap to clone, the same on every thread.
#[derive(Clone, Debug)]
pub struct HttpState {
    pub(super) engine: Engine,
    pub(super) access: Arc<Access>,
    pub(super) keys: Arc<Keys>,
    pub(super) answers: Answers,
    pub(super) bodies: Bodies,
    pub(super) strangers: Strangers,
    pub(super) has_tls: bool,
    pub(super) sign_in: Option<Arc<SignIn>>,
    pub(super) pages: Pages,
    pub(super) openapi: Arc<str>,
}

impl HttpState {
    /// The edge of this engine, with the secrets that its administrators may replace, and with what
    /// it tells of itself: the `OpenAPI` document.
    pub fn new(engine: Engine, access: Arc<Access>, keys: Arc<Keys>, openapi: String) -> Self {
        Self {
            engine,
            access,
            keys,
            answers: Answers::default(),
            bodies: Bodies::default(),
            strangers: Strangers::default(),
            has_tls: false,
            sign_in: None,
            pages: Pages::default(),
            openapi: Arc::from(openapi),
        }
    }

    /// The same, reached over TLS if `has_tls`.
    #[must_use]
    pub fn with_tls(self, has_tls: bool) -> Self {
        Self { has_tls, ..self }
    }

    /// The same, with bounds for strangers.
    #[must_use]
    pub fn with_strangers(self, strangers: Strangers) -> Self {
        Self { strangers, ..self }
    }

    /// The same, where an issuer signs people in as well.
    #[must_use]
    pub fn with_sign_in(self, sign_in: Option<Arc<SignIn>>) -> Self {
        Self { sign_in, ..self }
    }
}
