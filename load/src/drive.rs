//! A driver process: reads its plan and its orders from one end of a pipe, and says what it has
//! counted at the other.

use std::io::{self, Write as _};
use std::sync::mpsc::channel;

use anyhow::Context as _;

use crate::driver::Driver;
use crate::plan::Plan;

/// The niceness of a driver, which goes before other programs.
const NICE: i32 = -15;

/// Works as a driver until it is told to stop, or its parent is gone.
///
/// # Errors
/// When the plan cannot be read, or the kernel fails.
pub fn drive() -> anyhow::Result<()> {
    let mut first = String::new();
    io::stdin().read_line(&mut first).context("there is no plan")?;
    let plan: Plan = serde_json::from_str(&first).context("the plan cannot be read")?;
    // A generator that waits for a core measures the machine. So it goes before the server that it
    // measures, where the kernel allows that.
    let _ = rustix::process::nice(NICE);
    let mut driver = Driver::new(plan)?;
    let (sender, orders) = channel();
    std::thread::spawn(move || {
        for line in io::stdin().lines() {
            let order = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            if order.is_none_or(|order| sender.send(order).is_err()) {
                return;
            }
        }
    });
    driver.run(&orders, |line| {
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        io::stdout().write_all(&text)?;
        io::stdout().flush()?;
        Ok(())
    })
}
