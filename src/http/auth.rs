//! Who asks: a bearer token becomes a [`Caller`], a type that cannot be made otherwise, and a
//! caller of sufficient role a [`Supervisor`] or an [`Administrator`].

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use crate::access::token;
use crate::domain::conversation::State;
use crate::domain::conversation::view::View;
use crate::domain::id::AgentId;
use crate::domain::settings::Role;
use crate::domain::settings::registry::{Registry, TokenDigest};
use crate::domain::time::Timestamp;
use crate::engine::TokenRefusal;
use crate::http::HttpState;
use crate::http::problem::Problem;
use crate::strangers::Connection;

/// The name under which the administrator's own token acts. No agent may have it as an id.
pub const ADMINISTRATOR: &str = "administrator";

/// The word that stands for the caller in an address. No agent may have it as an id.
pub const ME: &str = "me";

/// Somebody whose token is good.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Nothing for the administrator's own token.
    agent: Option<AgentId>,
    role: Role,
    token: TokenDigest,
}

/// A caller who may do everybody's work.
#[derive(Clone, Debug)]
pub struct Supervisor(Caller);

/// A caller who may change the settings.
#[derive(Clone, Debug)]
pub struct Administrator(Caller);

impl Caller {
    /// Whoever the request's token stands for.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let state = request.app_data::<web::Data<HttpState>>().ok_or_else(Problem::internal)?;
        let token = bearer(request).ok_or_else(Problem::missing_token)?;
        let caller = Self::with(state, token::digest(token))?;
        if let Some(connection) = request.conn_data::<Arc<Connection>>() {
            connection.note_known();
        }
        Ok(caller)
    }

    /// Whoever a token stands for now.
    fn with(state: &HttpState, token: TokenDigest) -> Result<Self, Problem> {
        if state.access.is_administrator(&token) {
            return Ok(Self { agent: None, role: Role::Administrator, token });
        }
        // A digest can be looked up as it is: how long that takes tells nothing of the token.
        let holder = state.engine.holder(&token).map_err(|refusal| match refusal {
            TokenRefusal::Unknown => Problem::unknown_token(),
            TokenRefusal::Expired => Problem::token_expired(),
        })?;
        Ok(Self { agent: Some(holder.id.clone()), role: holder.role, token })
    }

    /// The same caller, as their token lets them in now: it may have been ended meanwhile, or be
    /// somebody's of another role.
    pub(super) fn again(&self, state: &HttpState) -> Result<Self, Problem> {
        Self::with(state, self.token)
    }

    /// Notes that they were heard of.
    pub(super) fn touch(&self, state: &HttpState) {
        if let Some(agent) = &self.agent {
            state.engine.touch(agent);
            state.engine.note_token_use(self.token);
        }
    }

    /// Until when their token is good, if it expires.
    pub(super) fn expires_at(&self, state: &HttpState) -> Option<Timestamp> {
        state.engine.token_expiry(&self.token)
    }

    /// What they may do, and by which token: two requests of which this differs are not the same
    /// caller's.
    pub(super) const fn right(&self) -> (TokenDigest, Role) {
        (self.token, self.role)
    }

    /// The agent whose token it is; nothing for the administrator's own.
    pub const fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// The name under which they act.
    pub fn name(&self) -> AgentId {
        let own = || ADMINISTRATOR.parse().unwrap_or_else(|_| unreachable!("a word is an id"));
        self.agent.clone().unwrap_or_else(own)
    }

    /// Whether they may do everybody's work.
    pub fn supervises(&self) -> bool {
        self.role >= Role::Supervisor
    }

    /// The agent that a part of an address means: the caller for `me`, and for a supervisor
    /// anybody. Whether the agent exists is not said.
    pub fn stands_for(&self, named: &str) -> Result<AgentId, Problem> {
        if named == ME {
            return self.agent.clone().ok_or_else(Problem::no_agent);
        }
        let named: AgentId = named.parse().map_err(|_| Problem::unknown_agent())?;
        if self.supervises() || self.agent.as_ref() == Some(&named) {
            Ok(named)
        } else {
            Err(Problem::forbidden("a supervisor, or the agent themselves,"))
        }
    }

    /// The agent whose tokens a part of an address means: the caller's own, and for an
    /// administrator anybody's. Whether the agent exists is not said.
    pub fn keeps_tokens_of(&self, named: &str) -> Result<AgentId, Problem> {
        if named == ME {
            return self.agent.clone().ok_or_else(Problem::no_agent);
        }
        let named: AgentId = named.parse().map_err(|_| Problem::unknown_agent())?;
        if self.role >= Role::Administrator || self.agent.as_ref() == Some(&named) {
            Ok(named)
        } else {
            Err(Problem::forbidden("an administrator, or the agent themselves,"))
        }
    }

    /// Whether they may see a conversation: a supervisor any, an agent those that are theirs and
    /// those that wait in a queue they serve.
    pub fn may_see(&self, view: &View, settings: &Registry) -> bool {
        let Some(agent) = &self.agent else { return true };
        self.supervises()
            || view.agent.as_ref() == Some(agent)
            || (view.state == State::Open && serves(agent, view, settings))
    }

    /// Whether they may be told what has become of a conversation: whoever may see it, whoever
    /// serves its queue, and anybody once it is over. An agent who takes an offer that was
    /// withdrawn a moment ago is told why, and not that it is none of their business.
    pub fn may_know(&self, view: &View, settings: &Registry) -> bool {
        let is_over = matches!(view.state, State::Wrapup | State::Closed);
        let serves = self.agent.as_ref().is_some_and(|agent| serves(agent, view, settings));
        self.may_see(view, settings) || is_over || serves
    }
}

fn serves(agent: &AgentId, view: &View, settings: &Registry) -> bool {
    settings.queues.get(&view.queue).is_some_and(|queue| queue.agents.contains(agent))
}

impl Supervisor {
    /// The caller.
    pub const fn caller(&self) -> &Caller {
        &self.0
    }

    /// The name under which they act.
    pub fn name(&self) -> AgentId {
        self.0.name()
    }
}

impl Administrator {
    /// The name under which they act.
    pub fn name(&self) -> AgentId {
        self.0.name()
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = Self::of(request);
        if let (Ok(caller), Some(state)) = (&caller, request.app_data::<web::Data<HttpState>>()) {
            caller.touch(state);
        }
        ready(caller)
    }
}

impl FromRequest for Supervisor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Caller::from_request(request, payload).into_inner().and_then(|caller| {
            if caller.supervises() {
                Ok(Self(caller))
            } else {
                Err(Problem::forbidden("a supervisor or an administrator"))
            }
        }))
    }
}

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Caller::from_request(request, payload).into_inner().and_then(|caller| {
            if caller.role >= Role::Administrator {
                Ok(Self(caller))
            } else {
                Err(Problem::forbidden("an administrator"))
            }
        }))
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
