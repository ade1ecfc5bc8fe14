//! The requests that wait for an actor's answer, by number. Messages carry only the number, and the
//! way to answer stays here.
//!
//! ```text
//!   asked ──> waiting ──answered, or denied──> gone
//!                │
//!                └──whoever asked goes away──> gone
//! ```
//!
//! No request waits in vain. A [`Question`] is denied when it is dropped: because nobody took it
//! out of a mailbox, or because its actor died while it had it in hand. A request that an actor
//! keeps is denied when the actor ends. An agent's actor knows which requests it keeps; those that
//! a conversation's actor keeps are known here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::Message;
use dashmap::DashMap;
use foldhash::fast::RandomState;
use tokio::sync::{mpsc, oneshot};

use crate::behavior::message::{Answered, Denial, RequestId};

/// The requests that wait. The callers bound them: at most
/// [`limits::REQUESTS_MAX`](crate::limits::REQUESTS_MAX) requests run at once, and at most
/// [`limits::ASKED_AT_ONCE`](crate::limits::ASKED_AT_ONCE) conversations are asked together.
#[derive(Debug, Default)]
pub(super) struct Answers {
    next: AtomicU64,
    waiting: DashMap<RequestId, Waiting, RandomState>,
}

#[derive(Debug)]
struct Waiting {
    answer: Answer,
    /// The epoch of the conversation's actor that keeps it, once one does.
    kept_by: Option<u32>,
}

#[derive(Debug)]
enum Answer {
    /// Awaited by itself.
    Alone(oneshot::Sender<Result<Answered, Denial>>),
    /// Awaited with all that were asked together.
    Together(Together),
}

/// Held by each of several requests until it is answered.
#[derive(Clone, Debug)]
struct Together {
    said: Arc<Saying>,
    #[expect(dead_code, reason = "its only use is to be dropped")]
    held: mpsc::Sender<()>,
}

/// What several actors have answered so far.
#[derive(Debug, Default)]
struct Saying {
    counted: AtomicU64,
    denied: AtomicU64,
}

/// What all actors that were asked together have answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// How many are to be counted.
    pub(super) counted: u64,
    /// How many could not answer.
    pub(super) denied: u64,
}

/// A request that was made. The caller may go away before it is answered.
#[derive(Debug)]
pub(super) struct Asked {
    id: RequestId,
    answers: Arc<Answers>,
    answer: oneshot::Receiver<Result<Answered, Denial>>,
}

/// Several requests that were made together.
#[derive(Debug)]
pub(super) struct AskedTogether {
    answers: Arc<Answers>,
    together: Together,
    all_answered: mpsc::Receiver<()>,
}

impl Answers {
    /// A new request.
    pub(super) fn ask(self: &Arc<Self>) -> Asked {
        let (tell, answer) = oneshot::channel();
        let id = self.enter(Answer::Alone(tell));
        Asked { id, answers: Arc::clone(self), answer }
    }

    /// Several requests whose answers are awaited together.
    pub(super) fn ask_together(self: &Arc<Self>) -> AskedTogether {
        // Nothing is ever sent: the channel ends when the last sender is dropped.
        let (held, all_answered) = mpsc::channel(1);
        let together = Together { said: Arc::default(), held };
        AskedTogether { answers: Arc::clone(self), together, all_answered }
    }

    /// Answers a request. Only the first answer counts; a caller that has gone away gets none.
    pub(super) fn answer(&self, id: RequestId, answer: Result<Answered, Denial>) {
        let Some((_, waiting)) = self.waiting.remove(&id) else { return };
        match (waiting.answer, answer) {
            (Answer::Alone(tell), answer) => drop(tell.send(answer)),
            (Answer::Together(together), Ok(Answered::Counted(true))) => {
                together.said.counted.fetch_add(1, Ordering::Relaxed);
            }
            (Answer::Together(_), Ok(_)) => {}
            (Answer::Together(together), Err(_)) => {
                together.said.denied.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Denies a request whose actor has died with it.
    pub(super) fn deny(&self, id: RequestId) {
        self.answer(id, Err(Denial::Unavailable));
    }

    /// Denies every request that was kept by an actor that has died.
    pub(super) fn deny_kept_by(&self, epoch: u32) {
        let kept = self.waiting.iter().filter(|waiting| waiting.kept_by == Some(epoch));
        let kept: Vec<_> = kept.map(|waiting| *waiting.key()).collect();
        for request in kept {
            self.deny(request);
        }
    }

    fn enter(&self, answer: Answer) -> RequestId {
        let id = RequestId::new(self.next.fetch_add(1, Ordering::Relaxed));
        self.waiting.insert(id, Waiting { answer, kept_by: None });
        id
    }
}

impl Asked {
    /// Its number.
    pub(super) const fn id(&self) -> RequestId {
        self.id
    }

    /// Resolves with the answer.
    pub(super) async fn answer(mut self) -> Result<Answered, Denial> {
        (&mut self.answer).await.unwrap_or(Err(Denial::Unavailable))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.answers.waiting.remove(&self.id);
    }
}

impl AskedTogether {
    /// The number of one more request.
    pub(super) fn one_more(&self) -> RequestId {
        self.answers.enter(Answer::Together(self.together.clone()))
    }

    /// Resolves when all are answered, with what they answered.
    pub(super) async fn all_answered(self) -> Said {
        let Self { together, mut all_answered, .. } = self;
        let said = Arc::clone(&together.said);
        drop(together);
        all_answered.recv().await;
        let (counted, denied) = (&said.counted, &said.denied);
        Said { counted: counted.load(Ordering::Relaxed), denied: denied.load(Ordering::Relaxed) }
    }
}

/// A message on its way to the actor that answers it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Question<M> {
    message: M,
    unanswered: Unanswered,
}

/// Denies a request when it is dropped, unless an actor has taken it over.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// Nothing once it was taken over.
    request: Option<RequestId>,
    answers: Arc<Answers>,
}

impl<M> Question<M> {
    /// A message that asks for an answer to this request.
    pub(super) fn new(message: M, request: RequestId, answers: &Arc<Answers>) -> Self {
        let unanswered = Unanswered { request: Some(request), answers: Arc::clone(answers) };
        Self { message, unanswered }
    }

    /// The message, and what denies the request until it has been dealt with.
    pub(super) fn open(self) -> (M, Unanswered) {
        (self.message, self.unanswered)
    }
}

impl Unanswered {
    /// The actor has answered, or keeps the request and denies it when it ends.
    pub(super) fn take_over(mut self) {
        self.request = None;
    }

    /// The actor of a conversation has answered, or keeps the request. When it dies, its requests
    /// are found by this epoch, and not by what it had in hand.
    pub(super) fn be_kept_by(mut self, epoch: u32) {
        let Some(request) = self.request.take() else { return };
        if let Some(mut waiting) = self.answers.waiting.get_mut(&request) {
            waiting.kept_by = Some(epoch);
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(request) = self.request {
            self.answers.deny(request);
        }
    }
}
