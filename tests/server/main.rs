//! The server from outside. The tests use real sockets and HTTP against a server that is started as
//! the program starts it, and nothing of its inside is in reach.

mod console;
mod feed;
mod issuer;
mod shop;
mod signer;
mod widget;

mod acting;
mod admission;
mod agents;
mod audit;
mod chat;
mod headers;
mod limited;
mod line;
mod liveness;
mod missed;
mod misuse;
mod moving;
mod once;
mod operators;
mod problems;
mod quoting;
mod resuming;
mod roles;
mod rotation;
mod sign_in;
mod silence;
mod stopping;
mod strangers;
mod tabs;
mod tokens;
mod twice;
mod windows;
