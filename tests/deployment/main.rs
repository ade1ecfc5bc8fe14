//! Holdline as it is deployed: over TLS, behind nginx and HAProxy with the very configurations of
//! docs/deployment. What else stands there for operators is tried, too.

#![allow(dead_code, reason = "the customer's and the agent's ends are shared with other trials")]

#[path = "../server/console.rs"]
mod console;
#[path = "../server/feed.rs"]
mod feed;
#[path = "../process/program.rs"]
mod program;
#[path = "../server/widget.rs"]
mod widget;

#[path = "../documentation/page.rs"]
mod page;

mod behind;
mod bridge;
mod example;
mod forms;
mod image;
mod proxy;
mod site;
