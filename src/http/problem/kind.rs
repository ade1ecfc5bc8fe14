//! The kinds of problem: the code that a program reads, the status, and what people call it.

use crate::wire::problem::Kind;

macro_rules! kinds {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        $(pub(crate) const $name: Kind = Kind { code: $code, status: $status, title: $title };)*

        /// Every kind of problem, by status.
        pub const KINDS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    MALFORMED_DOCUMENT = "malformed_document", 400, "The document cannot be read";
    MALFORMED_PARAMETER = "malformed_parameter", 400, "A parameter cannot be read";
    MALFORMED_KEY = "malformed_idempotency_key", 400, "The Idempotency-Key cannot be read";
    MISSING_TOKEN = "missing_token", 401, "A bearer token is needed";
    TOKEN_EXPIRED = "token_expired", 401, "The bearer token has expired";
    TOKEN_NOT_TAKEN = "token_not_taken", 401, "Only the issuer's tokens let agents in";
    UNKNOWN_TOKEN = "unknown_token", 401, "The bearer token is not known";
    FORBIDDEN = "forbidden", 403, "Your role may not do this";
    NOBODY = "no_agent", 403, "The administrator's token stands for no agent";
    NOT_YOURS = "not_yours", 403, "The chat is not yours";
    UNKNOWN_ROUTE = "unknown_route", 404, "There is nothing at this address";
    UNKNOWN_AGENT = "unknown_agent", 404, "There is no such agent";
    UNKNOWN_CONVERSATION = "unknown_conversation", 404, "There is no such conversation";
    UNKNOWN_SETTING = "unknown_setting", 404, "There is no such thing";
    WRONG_METHOD = "wrong_method", 405, "This address has no such method";
    BODY_TOO_SLOW = "body_too_slow", 408, "The body came too slowly";
    AGENT_GONE = "agent_gone", 409, "The agent is gone";
    ALREADY_ACCEPTED = "already_accepted", 409, "The chat was already accepted";
    ALREADY_CLOSED = "already_closed", 409, "The conversation is closed";
    ALREADY_STARTED = "already_started", 409, "The conversation has already begun";
    CONVERSATION_OPEN = "conversation_open", 409, "A chat that is to be erased is not closed";
    CONVERSATION_FULL = "conversation_full", 409, "The conversation is full";
    CONVERSATION_ENDED = "conversation_ended", 409, "The chat is over";
    FEED_ENDED = "feed_ended", 409, "The feed has ended";
    ID_REUSED = "id_reused", 409, "The message id was used for something else";
    NOT_ACCEPTED = "not_accepted", 409, "The chat is not accepted";
    NOT_IN_WRAPUP = "not_in_wrapup", 409, "The chat is not in wrap-up";
    NOT_OFFERED = "not_offered", 409, "The chat is not offered to you";
    NOT_WAITING = "not_waiting", 409, "The chat does not wait";
    NOT_STARTED = "not_started", 409, "The chat has not begun";
    TOO_MANY_TOKENS = "too_many_tokens", 409, "The agent has as many tokens as one may have";
    AGENT_TOKENS_OFF = "agent_tokens_off", 409, "No tokens of agents are made here";
    GIVEN_ELSEWHERE = "given_by_configuration", 409, "The configuration gives it";
    SHOWN_ONCE = "shown_once", 409, "The first answer held a secret, which is shown once";
    IN_USE = "in_use", 409, "Something else needs it";
    IN_PROGRESS = "idempotency_in_progress", 409, "The first request with this key still runs";
    BODY_TOO_LARGE = "body_too_large", 413, "The body is too large";
    INVALID_SETTINGS = "invalid_settings", 422, "The settings break a rule";
    KEY_REUSED = "idempotency_key_reused", 422, "The Idempotency-Key was used for something else";
    TOO_MANY_ATTEMPTS = "too_many_attempts", 429, "Too many tokens were refused";
    INTERNAL = "internal", 500, "The server failed";
    OVERLOADED = "overloaded", 503, "The server has too much to do";
    UNAVAILABLE = "unavailable", 503, "This cannot be served at the moment";
    NOT_READY = "not_ready", 503, "The server is not ready";
}
