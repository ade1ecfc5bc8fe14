//! Who asks: a bearer token becomes a [`Caller`], a type that cannot be made otherwise, and a
//! caller of sufficient role a [`Supervisor`] or an [`Administrator`].

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::conversation::State;
use crate::domain::conversation::view::View;
use crate::domain::id::AgentId;
use crate::domain::settings::Role;
use crate::domain::settings::registry::{Registry, TokenDigest};
use crate::http::HttpState;
use crate::http::problem::Problem;

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
}

/// A caller who may do everybody's work.
#[derive(Clone, Debug)]
pub struct Supervisor(Caller);

/// A caller who may change the settings.
#[derive(Clone, Debug)]
pub struct Administrator(());

impl Caller {
    /// Whoever the request's token stands for.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let state = request.app_data::<web::Data<HttpState>>().ok_or_else(Problem::internal)?;
        let token = bearer(request).ok_or_else(Problem::missing_token)?;
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if bool::from(digest.ct_eq(&state.administrator)) {
            return Ok(Self { agent: None, role: Role::Administrator });
        }
        // A digest can be looked up as it is: how long that takes tells nothing of the token.
        let settings = state.engine.settings();
        let (agent, _) =
            settings.tokens.get(&TokenDigest(digest)).ok_or_else(Problem::unknown_token)?;
        let role = settings.agents.get(agent).ok_or_else(Problem::unknown_token)?.role;
        Ok(Self { agent: Some(agent.clone()), role })
    }

    /// Notes that they were heard of.
    pub(super) fn touch(&self, state: &HttpState) {
        if let Some(agent) = &self.agent {
            state.engine.touch(agent);
        }
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
                Ok(Self(()))
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
