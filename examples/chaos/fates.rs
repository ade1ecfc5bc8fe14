//! How a widget's chat ends, and how a widget goes away.

use std::rc::Rc;
use std::time::Duration;

use futures_util::SinkExt;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::agent::{Act, perform};
use super::customer::Customer;
use super::server::now_ms;
use super::talk::{End, Socket};
use super::world::millis;

/// How long a customer waits for the end that they asked for before they ask again.
const PATIENCE: Duration = Duration::from_secs(2);

impl Customer {
    /// Goes away in one of the ways in which widgets do.
    async fn leave(&mut self, socket: Option<Socket>) {
        if let Some(mut socket) = socket {
            match self.random.between(0, 4) {
                // The page is closed, and says so.
                0 => {
                    let leaving = Message::text(r#"{"type":"leaving","cause":"unloaded"}"#);
                    let _dead = timeout(PATIENCE, socket.send(leaving)).await;
                }
                1 => {
                    let _dead = timeout(PATIENCE, socket.close(None)).await;
                }
                // The page falls silent, and its socket stays open.
                2 => {
                    let silence = self.world.plan.window * 2;
                    tokio::task::spawn_local(async move {
                        sleep(silence).await;
                        drop(socket);
                    });
                }
                _ => drop(socket),
            }
        }
        self.left_at = now_ms();
    }

    /// Goes away on purpose, and comes back before the window is over.
    pub(crate) async fn stay_away_briefly(&mut self, socket: Option<Socket>) -> Option<Socket> {
        let longest = self.world.plan.window.saturating_sub(Duration::from_millis(1_500));
        let pause = self.pause(Duration::from_millis(100), longest);
        self.leave(socket).await;
        sleep(pause).await;
        let back = self.come_back().await;
        if back.is_some() {
            self.world.count(|tally| tally.returns += 1);
        }
        back
    }

    /// Goes away for good.
    pub(crate) async fn go(&mut self, socket: Option<Socket>) {
        self.leave(socket).await;
        self.chat.gone_at.set(Some(self.left_at));
        self.world.count(|tally| tally.gone += 1);
    }

    /// Comes back after the window is over. Only a restart can have held the chat for so long.
    pub(crate) async fn return_too_late(&mut self, socket: Option<Socket>) {
        let window = self.world.plan.window;
        let longest = window + self.world.plan.tolerance + Duration::from_secs(2);
        let pause = self.pause(window, longest);
        self.leave(socket).await;
        sleep(pause).await;
        self.world.count(|tally| tally.late += 1);
        let socket = self.come_back().await;
        if socket.is_some() {
            self.end(socket).await;
        }
    }

    /// Presses End again and again until the chat is over.
    pub(crate) async fn end(&mut self, mut socket: Option<Socket>) {
        while !self.is_over {
            let mut open = match socket.take() {
                Some(open) => open,
                None => match self.come_back().await {
                    Some(open) => open,
                    None => return,
                },
            };
            let end = Message::text(r#"{"type":"end","ref":"end"}"#);
            let asked = timeout(PATIENCE, open.send(end)).await.is_ok_and(|sent| sent.is_ok());
            if asked {
                self.wait_for_the_end(&mut open).await;
            }
            self.left_at = now_ms();
        }
    }

    /// Asks the agent to end the chat, and listens until it is over. If no agent has taken the chat
    /// yet, the customer ends it.
    pub(crate) async fn be_ended(&mut self, mut socket: Option<Socket>) {
        let name = self.chat.agent.borrow().clone();
        let Some(agent) = name.and_then(|name| self.world.agent_named(&name)) else {
            return self.end(socket).await;
        };
        let (world, id) = (Rc::clone(&self.world), self.chat.id.clone());
        let ending = tokio::task::spawn_local(async move {
            perform(&world, &agent, &id, Act::End).await;
        });
        let mut was_asked = false;
        // An agent who has given the chat back meanwhile cannot end it; then the customer does.
        while !self.is_over && !was_asked {
            was_asked = ending.is_finished();
            let mut open = match socket.take() {
                Some(open) => open,
                None => match self.come_back().await {
                    Some(open) => open,
                    None => break,
                },
            };
            self.wait_for_the_end(&mut open).await;
            self.left_at = now_ms();
        }
        ending.await.expect("the agent's task runs to its end");
        self.end(None).await;
    }

    /// Listens for a while and beats, without saying anything more.
    async fn wait_for_the_end(&mut self, socket: &mut Socket) -> Option<End> {
        timeout(PATIENCE, self.talk(socket, u32::MAX)).await.ok()
    }

    fn pause(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let (low, high) = (millis(shortest).unsigned_abs(), millis(longest).unsigned_abs());
        Duration::from_millis(self.random.between(low, high))
    }
}
