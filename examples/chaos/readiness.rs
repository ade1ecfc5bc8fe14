//! Somebody who asks all the while whether the server is ready, as a balancer does.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::world::{World, Wrong};

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks, on a connection of its own each time, for as long as it is polled. Whatever is asked of a
/// run of the server that goes on meanwhile must be answered.
pub(crate) async fn ask_on(world: Rc<World>) {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build();
    let client = client.expect("a client");
    let url = format!("http://{}/readyz", world.server);
    loop {
        world.up().await;
        let run = world.runs.borrow().len();
        let asked = Instant::now();
        let answered = client.get(&url).timeout(PATIENCE).send().await;
        let goes_on = *world.up.borrow() && world.runs.borrow().len() == run;
        match answered {
            _ if !goes_on => {}
            Ok(answer) if answer.status() == 200 => world.count(|tally| {
                tally.ready += 1;
                tally.slowest_ready = tally.slowest_ready.max(asked.elapsed());
            }),
            other => world.note(Wrong::Refused, format!("/readyz: {other:?}")),
        }
        sleep(ASK_EVERY).await;
    }
}
