//! One customer on a blocking socket, who speaks any dialect.

use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use holdline_load::clock::{self, Moment};
use holdline_load::dialect::{Dialect, Heard, Link};
use holdline_load::peer::client::Client;
pub use holdline_load::watch::{News, Told};

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Customer {
    client: Client,
    dialect: Box<dyn Dialect>,
    link: Link,
}

impl Customer {
    pub fn connect(address: SocketAddr, dialect: Box<dyn Dialect>, number: u32) -> Self {
        Self::return_with(address, dialect, number, None)
    }

    /// Connects with the token that the customer was given before.
    pub fn return_with(
        address: SocketAddr,
        mut dialect: Box<dyn Dialect>,
        number: u32,
        token: Option<Box<str>>,
    ) -> Self {
        let mut link = Link { customer: number, token, ..Link::default() };
        let mut client = Client::open(address, &dialect.upgrade(&link)).expect("it connects");
        client.say(|say| dialect.open(&mut link, say)).expect("it opens");
        Self { client, dialect, link }
    }

    /// Waits until the customer is ready, and tells whether the customer was there before.
    pub fn ready(&mut self) -> Result<bool, String> {
        let mut ready = None;
        self.until(|heard| {
            if let Heard::Ready { is_resumed } = heard {
                ready = Some(is_resumed);
            }
            ready.is_some()
        })?;
        ready.ok_or_else(|| "never ready".into())
    }

    /// Beats, or waits until the server does, until the sign of life has come around.
    pub fn beat(&mut self) {
        self.client.say(|say| self.dialect.beat(&mut self.link, say)).expect("it can be said");
        self.until(|heard| heard == Heard::Beat).expect("the heartbeat is answered");
    }

    /// Posts, and waits for the acknowledgement.
    pub fn post(&mut self, number: u64) {
        let text = "The parcel \\\"left\\\" on Monday";
        self.client
            .say(|say| self.dialect.post(&mut self.link, number, text, say))
            .expect("it can be said");
        self.until(|heard| heard == Heard::Posted { number }).expect("the post is acknowledged");
    }

    /// Loses the customer without a word; gives the token for a return, and the moment of the loss.
    pub fn lose(self) -> (Option<Box<str>>, Moment) {
        // The time is read before the loss, because on a busy machine much may happen in between.
        let at = clock::now();
        drop(self.client);
        (self.link.token, at)
    }

    fn until(&mut self, mut is_enough: impl FnMut(Heard) -> bool) -> Result<(), String> {
        let Self { client, dialect, link } = self;
        let mut refused = None;
        client
            .hear_until(PATIENCE, |message, say| {
                let mut enough = false;
                dialect.hear(link, message, say, &mut |heard| {
                    if let Heard::Refused { code } = &heard {
                        refused = Some(code.clone());
                    }
                    enough |= is_enough(heard);
                });
                Ok(enough || refused.is_some())
            })
            .map_err(|error| error.to_string())?;
        refused.map_or(Ok(()), Err)
    }
}

/// The first thing that is told within this time and counts.
pub fn within(
    told: &Receiver<Told>,
    patience: Duration,
    counts: impl Fn(&Told) -> bool,
) -> Option<Told> {
    let until = clock::now().after(patience);
    loop {
        match told.recv_timeout(until.since(clock::now())) {
            Ok(told) if counts(&told) => return Some(told),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}
