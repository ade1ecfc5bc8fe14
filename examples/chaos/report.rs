//! What a trial says while it runs and at its end.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::proxy::Faults;
use super::world::{Tally, World, Wrong};

/// Prints a line every few seconds, for as long as it is polled.
pub(crate) async fn progress(world: Rc<World>, start: Instant) {
    let mut ticks = interval(world.plan.progress_every);
    let mut before = 0;
    loop {
        ticks.tick().await;
        let tally = world.tally.borrow();
        let acknowledged = tally.acknowledged();
        let rate = (acknowledged - before) as f64 / world.plan.progress_every.as_secs_f64();
        before = acknowledged;
        println!(
            "{:>4} s  kills {:>3}  chats {:>6}  gone {:>5}  returned {:>5}  acknowledged {:>8} \
             ({rate:.0} a second)  wrong {}",
            start.elapsed().as_secs(),
            tally.kills,
            tally.chats,
            tally.gone,
            tally.returns,
            acknowledged,
            tally.wrongs.len(),
        );
    }
}

/// Prints the table.
pub(crate) fn table(tally: &Tally, faults: &Faults, seed: u64, length: Duration) {
    let mut starts = tally.starts.clone();
    starts.sort_unstable();
    let middle = starts.get(starts.len() / 2).copied().unwrap_or(0);
    let most = starts.last().copied().unwrap_or(0);
    let broken = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!("\nseed {seed}, {} s in all", length.as_secs());
    println!("killed and started again      {}", tally.kills);
    println!("ready again after             p50 {middle} ms, most {most} ms");
    println!("connections through the proxy {}", broken(&faults.connections));
    println!(
        "  cut {}, reset {}, stalled {}, one-way up {}, one-way down {}",
        broken(&faults.cut),
        broken(&faults.reset),
        broken(&faults.stalled),
        broken(&faults.deaf),
        broken(&faults.mute)
    );
    println!("chats                         {}", tally.chats);
    println!("  widgets gone for good       {}", tally.gone);
    println!("  returned in time on purpose {}", tally.returns);
    println!("  returned late on purpose    {}", tally.late);
    println!("  resumed, for whatever cause {}", tally.resumes);
    println!(
        "windows that ended            {} (at most {} ms late)",
        tally.expiries, tally.latest_end
    );
    println!(
        "feeds opened again            {} ({} repeats)",
        tally.feeds_reopened, tally.feed_repeats
    );
    println!("  told late of others' chats  {}", tally.strays);
    println!("chats given back to a queue   {}", tally.released);
    println!("audits of all agents          {}", tally.audits);
    println!("  leases found as they must be {}", tally.leases);
    println!(
        "messages acknowledged         {} ({} to widgets, {} to agents)",
        tally.acknowledged(),
        tally.posted,
        tally.said
    );
    println!("  read again over HTTP        {} (by two audiences)", tally.read_over_http);
    println!("  read again on the disk      {}", tally.read_on_disk);
    println!("  told in feeds               {}", tally.told_in_feeds);
    println!("posts refused                 {}", tally.refused);
    println!(
        "told to be ready              {} times, within {} ms",
        tally.ready,
        tally.slowest_ready.as_millis()
    );
    println!("attempts of strangers         {}", tally.strangers.attempts());
    for (outcome, count) in &tally.strangers.outcomes {
        println!("  {count:>7} {outcome}");
    }
    println!("  chats of theirs on the disk {}", tally.strangers_chats);
    println!("chats that nobody learnt of   {}", tally.orphans);
    println!("complaints in the server's log {}", tally.complaints);
    for wrong in Wrong::ALL {
        println!("{:<30}{}", wrong.name(), tally.wrong(wrong));
    }
}
