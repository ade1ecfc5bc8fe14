//! The hands of the agents: a few threads that ask over HTTP what agents decide to do. One thread
//! does everything that concerns one customer, so that it is done in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::json;

use super::api::{Api, Refused};
use crate::clock;
use crate::driver::filler;
use crate::watch::{Ear, News, Told};

/// Threads, and so the number of requests at once.
const CLERKS: usize = 4;

/// How often a request is tried again while the server is away, and the wait between two tries.
const TRIES_MAX: u32 = 120;
const TRY_EVERY: Duration = Duration::from_millis(250);

/// What is to be done.
#[derive(Debug)]
pub(super) enum Job {
    /// An agent takes a chat.
    Accept { conversation: String },
    /// An agent says something.
    Reply { conversation: String, customer: u32, number: u64, bytes: usize },
}

/// The threads.
#[derive(Debug)]
pub(super) struct Clerks {
    senders: Vec<Sender<(Api, Job)>>,
}

impl Clerks {
    /// Starts the threads. They end when this is dropped and their work is done.
    pub(super) fn start(ear: &Ear, failures: &Arc<AtomicU64>) -> Self {
        let mut senders = Vec::new();
        for _ in 0..CLERKS {
            let (sender, jobs) = channel();
            let (ear, failures) = (ear.clone(), Arc::clone(failures));
            std::thread::spawn(move || work(&jobs, &ear, &failures));
            senders.push(sender);
        }
        Self { senders }
    }

    /// Queues a job of this agent about this customer.
    pub(super) fn give(&self, agent: &Api, customer: u32, job: Job) {
        let clerk = customer as usize % CLERKS;
        // A clerk's thread ends only when this is dropped.
        let _ = self.senders[clerk].send((agent.clone(), job));
    }
}

fn work(jobs: &Receiver<(Api, Job)>, ear: &Ear, failures: &AtomicU64) {
    for (api, job) in jobs {
        let (path, body) = match &job {
            Job::Accept { conversation } => {
                (format!("/v1/conversations/{conversation}/accept"), None)
            }
            Job::Reply { conversation, number, bytes, .. } => {
                let body = json!({"id": format!("a-{number}"), "text": filler(*bytes)});
                (format!("/v1/conversations/{conversation}/messages"), Some(body))
            }
        };
        let mut tries = 0;
        let answer = loop {
            let answer = api.post(&path, body.as_ref());
            tries += 1;
            if tries == TRIES_MAX || !is_passing(&answer) {
                break answer;
            }
            std::thread::park_timeout(TRY_EVERY);
        };
        match (answer, job) {
            (Ok(_), Job::Reply { customer, number, .. }) => {
                let told = Told { customer, news: News::Replied(number), at: clock::now() };
                if ear.send(told).is_err() {
                    return;
                }
            }
            (Ok(_), Job::Accept { .. }) => {}
            // A refusal by a rule is no failure: the customer was quicker.
            (Err(error), _) if error.downcast_ref::<Refused>().is_some_and(is_a_rule) => {}
            (Err(_), _) => {
                failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn is_a_rule(refused: &Refused) -> bool {
    refused.status == 409 || refused.code == "not_yours"
}

/// Whether the server could not answer, and may be able to later.
fn is_passing(answer: &anyhow::Result<serde_json::Value>) -> bool {
    answer.as_ref().is_err_and(|error| {
        error.downcast_ref::<Refused>().is_none_or(|refused| refused.status == 503)
    })
}
