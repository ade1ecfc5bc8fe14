//! A caller who keeps asking whether the server is ready, as a balancer does.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::world::{World, Wrong};

/// How much time passes between two questions.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for as long as it is polled, each time on a connection of its own. If the run of the server
/// goes on meanwhile, it must answer every question.
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
