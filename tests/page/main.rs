//! The demo page in a real browser: what a customer sees and does, and what the agent is told.

#![allow(dead_code, reason = "the agent's end and the shop are shared with other trials")]

#[path = "../server/console.rs"]
mod console;
#[path = "../server/feed.rs"]
mod feed;
#[path = "../server/shop.rs"]
mod shop;
#[path = "../server/widget.rs"]
mod widget;

mod browser;
mod customer;
mod lifecycle;
