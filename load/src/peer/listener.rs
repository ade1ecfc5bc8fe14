//! A second party on a thread of its own: it hears what the server says, and tells it on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock;
use crate::dialect::{Message, Say};
use crate::peer::client::Client;
use crate::watch::{Ear, News, Told, Watch};

/// How long it waits for a message before it checks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How a second party understands its protocol.
pub trait Listen: Send + 'static {
    /// A message came: answers it, and tells what it means.
    fn hear(
        &mut self,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(u32, News),
    ) -> anyhow::Result<()>;

    /// A sign of life is due.
    fn beat(&mut self, _say: &mut dyn Say) {}
}

/// A second party that runs; it stops when it is dropped.
#[derive(Debug)]
pub struct Listener {
    stops: Arc<AtomicBool>,
    fault: Arc<Mutex<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts to listen with a client that is ready; it gives a sign of life this often.
    pub fn start(client: Client, listen: impl Listen, every: Duration, ear: Ear) -> Self {
        let stops = Arc::new(AtomicBool::new(false));
        let fault = Arc::new(Mutex::new(None));
        let (is_stopped, faults) = (Arc::clone(&stops), Arc::clone(&fault));
        let thread = std::thread::spawn(move || {
            if let Err(error) = run(client, listen, every, &ear, &is_stopped) {
                *faults.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
        });
        Self { stops, fault, thread: Some(thread) }
    }
}

fn run(
    mut client: Client,
    mut listen: impl Listen,
    every: Duration,
    ear: &Ear,
    stops: &AtomicBool,
) -> anyhow::Result<()> {
    let mut beat_due = clock::now().after(every);
    while !stops.load(Ordering::Relaxed) {
        client.hear(LOOK_EVERY, |message, say| {
            let at = clock::now();
            listen.hear(message, say, &mut |customer, news| {
                // If nobody receives this any more, the listener will soon be stopped.
                let _ = ear.send(Told { customer, news, at });
            })
        })?;
        if clock::now() >= beat_due {
            beat_due = clock::now().after(every);
            client.say(|say| listen.beat(say))?;
        }
    }
    Ok(())
}

impl Watch for Listener {
    fn fault(&mut self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}
