//! The program itself, as an operator meets it: what it prints, how it stops, what it refuses, and
//! what is left when it is killed in the middle of everything.

#![allow(dead_code, reason = "the customer's and the agent's ends are shared with other trials")]

#[path = "../server/console.rs"]
mod console;
#[path = "../server/feed.rs"]
mod feed;
#[path = "../server/widget.rs"]
mod widget;

#[path = "../documentation/page.rs"]
mod page;

mod crash;
mod descriptors;
mod diary;
mod documented;
mod faces;
mod generated;
mod logs;
mod operator;
mod places;
mod program;
mod rotation;
mod secrets;
mod traces;
mod understood;
mod why;
