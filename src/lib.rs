//! Holdline: a live-chat engine that knows when the customer is gone.

#![warn(unreachable_pub)]

pub mod access;
pub mod behavior;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod http;
pub mod journal;
pub mod limits;
pub mod private;
pub mod server;
pub mod socket;
pub mod strangers;
pub mod tls;
pub mod web;
pub mod wire;
