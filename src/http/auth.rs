//! Who asks. A bearer token, made here or signed by an issuer, becomes a [`Caller`], a type that
//! cannot be made otherwise. A caller of sufficient role becomes a [`Supervisor`] or an
//! [`Administrator`].

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use crate::access::{SignIn, SignedIn, token};
use crate::domain::id::AgentId;
use crate::domain::rights::{self, ADMINISTRATOR, ME, Rights};
use crate::domain::settings::Role;
use crate::domain::settings::registry::TokenDigest;
use crate::domain::sign_in::{NotSignedIn, Person};
use crate::domain::time::Timestamp;
use crate::engine::TokenRefusal;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::strangers::Connection;

pub use crate::http::identity::Identity;

/// Somebody whose token is good.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Nothing for the administrator's own token, and for a signed-in person who is no agent.
    agent: Option<AgentId>,
    role: Role,
    by: Credential,
}

/// What lets a caller in.
#[derive(Clone, Debug)]
enum Credential {
    /// A token that was made here, or given as the administrator's.
    Token(TokenDigest),
    /// A token that an issuer has signed.
    SignedIn(Arc<SignedIn>),
}

/// A caller who may do everybody's work.
#[derive(Clone, Debug)]
pub struct Supervisor(Caller);

/// A caller who may change the settings.
#[derive(Clone, Debug)]
pub struct Administrator(Caller);

impl Caller {
    /// The caller whom the request's token stands for.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let state = request.app_data::<web::Data<HttpState>>().ok_or_else(Problem::internal)?;
        let token = bearer(request).ok_or_else(Problem::missing_token)?;
        let caller = Self::showing(state, token)?;
        if let Some(connection) = request.conn_data::<Arc<Connection>>() {
            connection.note_known();
        }
        Ok(caller)
    }

    /// The caller who shows this token.
    fn showing(state: &HttpState, token: &str) -> Result<Self, Problem> {
        let digest = token::digest(token);
        let own = Self::with(state, digest);
        let Some(sign_in) = state.sign_in.as_ref().filter(|_| SignIn::has_form(token)) else {
            return own;
        };
        // A token that the operator gave may have any form, this one too.
        own.or_else(|_| match sign_in.admit(token, digest, state.engine.now()) {
            Ok(signed_in) => Self::signed_in(state, signed_in),
            Err(NotSignedIn::Expired(of)) => {
                state.engine.audit_expired_sign_in(of);
                Err(Problem::sign_in_expired())
            }
            Err(why) => Err(Problem::not_signed_in(&why.to_string())),
        })
    }

    /// The caller whom an issuer has signed in, with the agent that they are now, if any.
    fn signed_in(state: &HttpState, signed_in: Arc<SignedIn>) -> Result<Self, Problem> {
        let Person { id, role, .. } = &signed_in.person;
        if rights::is_reserved(id) {
            return Err(Problem::not_signed_in("the token names somebody who means somebody else"));
        }
        let (id, role) = (id.clone(), *role);
        let agent = Some(id).filter(|id| state.engine.settings().agents.contains_key(id));
        if agent.is_none() && role == Role::Agent {
            return Err(Problem::not_signed_in("there is no agent of the id that the token names"));
        }
        Ok(Self { agent, role, by: Credential::SignedIn(signed_in) })
    }

    /// The caller whom a token that was made here stands for now.
    fn with(state: &HttpState, token: TokenDigest) -> Result<Self, Problem> {
        let by = Credential::Token(token);
        if state.access.is_administrator(&token) {
            return Ok(Self { agent: None, role: Role::Administrator, by });
        }
        // The lookup need not be constant-time: timing a digest tells nothing of the token.
        let holder = state.engine.holder(&token).map_err(|refusal| match refusal {
            TokenRefusal::Unknown => Problem::unknown_token(),
            TokenRefusal::Expired => Problem::token_expired(),
            TokenRefusal::NotTaken => Problem::token_not_taken(),
        })?;
        Ok(Self { agent: Some(holder.id.clone()), role: holder.role, by })
    }

    /// The same caller, as their token lets them in now: meanwhile the token may have been ended,
    /// or its holder's role may have changed.
    pub(super) fn again(&self, state: &HttpState) -> Result<Self, Problem> {
        match &self.by {
            Credential::Token(token) => Self::with(state, *token),
            Credential::SignedIn(signed_in) => {
                let now = state.engine.now();
                let is_good = state.sign_in.as_ref().is_some_and(|it| it.is_good(signed_in, now));
                if is_good {
                    Self::signed_in(state, signed_in.clone())
                } else {
                    Err(Problem::sign_in_expired())
                }
            }
        }
    }

    /// Notes that the caller was heard from.
    pub(super) fn touch(&self, state: &HttpState) {
        if let Some(agent) = &self.agent {
            state.engine.touch(agent);
            if let Credential::Token(token) = self.by {
                state.engine.note_token_use(token);
            }
        }
    }

    /// Until when their token is good, if it expires.
    pub(super) fn expires_at(&self, state: &HttpState) -> Option<Timestamp> {
        match &self.by {
            Credential::Token(token) => state.engine.token_expiry(token),
            Credential::SignedIn(signed_in) => Some(signed_in.person.good_until),
        }
    }

    /// Who the caller is, and what they may do. Two requests that differ in this are not from the
    /// same caller.
    pub(super) fn right(&self) -> (Identity, Role) {
        let identity = match &self.by {
            Credential::Token(token) => token.0,
            Credential::SignedIn(signed_in) => signed_in.identity,
        };
        (Identity(identity), self.role)
    }

    /// The agent whose token it is. Nothing for the administrator's own token, and for a signed-in
    /// person who is no agent.
    pub const fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// The name under which they act.
    pub fn name(&self) -> AgentId {
        if let Credential::SignedIn(signed_in) = &self.by {
            return signed_in.person.id.clone();
        }
        let own = || ADMINISTRATOR.parse().unwrap_or_else(|_| unreachable!("a word is an id"));
        self.agent.clone().unwrap_or_else(own)
    }

    /// What they may do.
    pub const fn rights(&self) -> Rights<'_> {
        Rights { agent: self.agent.as_ref(), role: self.role }
    }

    /// Whether they may do everybody's work.
    pub fn supervises(&self) -> bool {
        self.rights().supervise()
    }

    /// The agent that a part of an address names, where the caller may act for them: the caller,
    /// also as `me`, or, for a supervisor, any agent. Whether the agent exists is not checked.
    pub fn stands_for(&self, named: &str) -> Result<AgentId, Problem> {
        let named = self.named(named)?;
        if self.rights().stand_for(&named) {
            Ok(named)
        } else {
            Err(Problem::forbidden("a supervisor, or the agent themselves,"))
        }
    }

    /// The agent that a part of an address names, where the caller may keep their tokens: the
    /// caller, or, for an administrator, any agent. Whether the agent exists is not checked.
    pub fn keeps_tokens_of(&self, named: &str) -> Result<AgentId, Problem> {
        let named = self.named(named)?;
        if self.rights().keep_tokens_of(&named) {
            Ok(named)
        } else {
            Err(Problem::forbidden("an administrator, or the agent themselves,"))
        }
    }

    fn named(&self, named: &str) -> Result<AgentId, Problem> {
        if named == ME {
            return self.agent.clone().ok_or_else(Problem::no_agent);
        }
        named.parse().map_err(|_| Problem::unknown_agent())
    }
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

/// Fetches the issuer's keys when a token names an unknown one, so that no caller is refused
/// because the issuer has begun to sign with a new key.
pub(super) async fn look_for_key(request: &HttpRequest) {
    let Some(state) = request.app_data::<web::Data<HttpState>>() else { return };
    let Some(sign_in) = &state.sign_in else { return };
    let Some(token) = bearer(request) else { return };
    if sign_in.look_for_key_of(token, state.engine.now()).await {
        state.engine.note_ended_token();
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut given = request.headers().get_all(header::AUTHORIZATION);
    // If there are two, a proxy on the way may have judged the other one.
    let (value, None) = (given.next()?.to_str().ok()?, given.next()) else { return None };
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
