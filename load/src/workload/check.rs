//! The ranges of a workload's fields, each refused by its name.

use anyhow::bail;

use super::{How, Workload};

/// More customers than this have never been tried.
const SESSIONS_MAX: u32 = 2_000_000;

/// The longest run: thirty days, because the plan counts milliseconds in 32 bits.
const SECONDS_MAX: f64 = 2_592_000.0;

impl Workload {
    /// Checks every field against its range, and the fields against each other.
    ///
    /// # Errors
    /// Names the first field that is out of its range.
    pub fn check(&self) -> anyhow::Result<()> {
        within("sessions", f64::from(self.sessions), 1.0, f64::from(SESSIONS_MAX))?;
        within("servers", f64::from(self.servers), 0.0, 256.0)?;
        within("threads", f64::from(self.threads), 0.0, 256.0)?;
        within("duration_s", self.duration_s, 0.0, SECONDS_MAX)?;
        within("settle_s", self.settle_s, 0.0, 3_600.0)?;
        within("window_s", self.window_s, 0.5, 86_400.0)?;
        within("patience_s", self.patience_s, 0.0, 3_600.0)?;
        within("lateness_p99_ms", self.lateness_p99_ms, 0.001, 60_000.0)?;
        within("ramp.per_s", self.ramp.per_s, 1.0, 100_000.0)?;
        within("ramp.patience_s", self.ramp.patience_s, 1.0, 3_600.0)?;
        within("heartbeat.every_s", self.heartbeat.every_s, 0.001, 3_600.0)?;
        within("padding.bytes", f64::from(self.padding.bytes), 0.0, 1_048_576.0)?;
        // Every server that looks for signs of life needs this; Holdline refuses anything else.
        if self.window_s < 2.0 * self.heartbeat.every_s {
            bail!(
                "window_s must be at least two heartbeats: {} with heartbeat.every_s = {}, and is {}",
                2.0 * self.heartbeat.every_s,
                self.heartbeat.every_s,
                self.window_s
            );
        }
        self.check_posts()?;
        self.check_losses()?;
        self.check_agents()?;
        if let Some(storm) = &self.storm {
            within("storm.from_s", storm.from_s, 0.0, self.duration_s)?;
            within("storm.to_s", storm.to_s, storm.from_s, self.duration_s)?;
        }
        if let Some(restart) = &self.restart {
            within("restart.at_s", restart.at_s, 0.0, self.duration_s)?;
        }
        if let Some(strangers) = &self.strangers {
            within("strangers.attempts", f64::from(strangers.attempts), 0.0, 10_000_000.0)?;
            within("strangers.addresses", f64::from(strangers.addresses), 1.0, 250.0)?;
        }
        Ok(())
    }

    fn check_posts(&self) -> anyhow::Result<()> {
        within("posts.per_s", self.posts.per_s, 0.0, 1_000_000.0)?;
        let [smallest, largest] = self.posts.bytes.map(f64::from);
        within("posts.bytes.0", smallest, 1.0, 6_000.0)?;
        within("posts.bytes.1", largest, smallest, 6_000.0)
    }

    fn check_losses(&self) -> anyhow::Result<()> {
        let mut shares = self.slow.share;
        within("slow.share", self.slow.share, 0.0, 1.0)?;
        within("slow.bytes", f64::from(self.slow.bytes), 1.0, 1_048_576.0)?;
        within("slow.buffer", f64::from(self.slow.buffer), 1_024.0, 4_194_304.0)?;
        within("slow.every_ms", f64::from(self.slow.every_ms), 1.0, 3_600_000.0)?;
        for (number, loss) in self.losses.iter().enumerate() {
            let name = |field| format!("losses.{number}.{field}");
            within(&name("share"), loss.share, 0.0, 1.0)?;
            within(&name("at_s"), loss.at_s, 0.0, self.duration_s)?;
            within(&name("spread_s"), loss.spread_s, 0.0, self.duration_s)?;
            within(&name("back"), loss.back, 0.0, 1.0)?;
            within(&name("back_after_s.0"), loss.back_after_s[0], 0.0, 86_400.0)?;
            within(&name("back_after_s.1"), loss.back_after_s[1], loss.back_after_s[0], 86_400.0)?;
            within(&name("again_s"), loss.again_s, 0.0, 86_400.0)?;
            if loss.how == How::End && loss.back > 0.0 {
                bail!("{}: whoever has ended a chat does not come back to it", name("back"));
            }
            shares += loss.share;
        }
        if shares > 1.000_001 {
            bail!("losses: the shares, with slow.share, are {shares} of the customers in all");
        }
        Ok(())
    }

    fn check_agents(&self) -> anyhow::Result<()> {
        let agents = &self.agents;
        within("agents.count", f64::from(agents.count), 0.0, 10_000.0)?;
        within("agents.chats", f64::from(agents.chats), 1.0, 100_000.0)?;
        within("agents.accept_s.0", agents.accept_s[0], 0.0, 600.0)?;
        within("agents.accept_s.1", agents.accept_s[1], agents.accept_s[0], 600.0)?;
        within("agents.posts_per_s", agents.posts_per_s, 0.0, 100_000.0)?;
        within("agents.post_bytes", f64::from(agents.post_bytes), 1.0, 6_000.0)?;
        within("agents.grace_s", agents.grace_s, 2.0, 3_600.0)?;
        within("agents.leave_share", agents.leave_share, 0.0, 1.0)?;
        within("agents.leave_at_s", agents.leave_at_s, 0.0, SECONDS_MAX)?;
        within("agents.back_after_s", agents.back_after_s, 0.0, SECONDS_MAX)
    }
}

fn within(field: &str, value: f64, least: f64, most: f64) -> anyhow::Result<()> {
    if !(least..=most).contains(&value) {
        bail!("{field} must be from {least} to {most}, and is {value}");
    }
    Ok(())
}
