//! The demo of a server: when it is set up, when it ends, and what the person who started the
//! server is told of it and of the tokens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::absolute;
use std::sync::Arc;
use std::time::Duration;

use crate::access::token::digest;
use crate::access::{Access, Origin};
use crate::config::{Config, is_loopback};
use crate::demo::{self, Keys, PEOPLE, Told};
use crate::domain::id::AgentId;
use crate::domain::settings::registry::{Registry, TokenDigest};
use crate::engine::Engine;
use crate::server::fault::ServerFault;

/// How long to wait before another attempt to end the demo, when one could not be written.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why there is no demo any more.
const COMPANY: &str = "there is an agent who is not of it";

/// The demo, as long as it goes on.
pub(super) struct Demonstration {
    access: Arc<Access>,
    is_on: bool,
}

impl Demonstration {
    /// Sets the demo up, lets it go on or ends it, and returns what to tell about that.
    pub(super) async fn begin(
        config: &Config,
        engine: &Engine,
        access: Arc<Access>,
        address: SocketAddr,
    ) -> Result<(Self, String), ServerFault> {
        let settings = engine.settings();
        let asked = config.demo;
        let origin = origin(config, address);
        let is_fresh = demo::is_wanted(&settings);
        let mut demo = Self { access, is_on: false };
        let was_there = demo::is_there(&settings, &demo.tokens());
        let is_wanted = asked.unwrap_or(is_fresh || was_there);
        if let Some(reason) = hindrance(asked, address, &settings) {
            demo.end(engine, &settings, &reason).await?;
            let greeting = demo.greet_plainly(&origin);
            let told = if is_wanted { format!("no demo: {reason}\n") } else { String::new() };
            return Ok((demo, format!("{told}{greeting}")));
        }
        if !is_wanted {
            let greeting = demo.greet_plainly(&origin);
            return Ok((demo, greeting));
        }
        demo.is_on = true;
        let mut tokens = Vec::new();
        for (agent, _, _) in PEOPLE {
            tokens.push(demo.access.demo_token(agent)?);
        }
        if !was_there || asked == Some(true) {
            let digests = [0, 1, 2].map(|index: usize| digest(&tokens[index].0));
            for change in demo::changes(&settings, digests, engine.now()) {
                engine.change(change).await.map_err(ServerFault::Demo)?;
            }
        }
        let people = [0, 1, 2].map(|index: usize| told(&tokens[index].0, &tokens[index].1));
        let greeting = demo.greet(people, |keys| demo::welcome(&origin, keys));
        Ok((demo, greeting))
    }

    /// Ends the demo as soon as somebody puts an agent who is not of it. Returns when the demo is
    /// over.
    pub(super) async fn go_on(mut self, engine: Engine) {
        let mut changes = engine.settings_changes();
        while self.is_on {
            let settings = engine.settings();
            if !demo::has_company(&settings) {
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            }
            // A failure is tried again: because of it the demo's tokens must not let people in for
            // ever.
            if let Err(error) = self.end(&engine, &settings, COMPANY).await {
                tracing::error!(%error, "the demo cannot be ended");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }

    /// Ends the demo if it is there: its tokens let nobody in any more, and nothing keeps them.
    async fn end(
        &mut self,
        engine: &Engine,
        settings: &Registry,
        reason: &str,
    ) -> Result<(), ServerFault> {
        let changes = demo::ending(settings, &self.tokens());
        let was_there = !changes.is_empty();
        for change in changes {
            engine.change(change).await.map_err(ServerFault::DemoEnd)?;
        }
        self.access.forget_demo()?;
        self.is_on = false;
        if was_there {
            tracing::warn!("the demo has ended, and its tokens let nobody in: {reason}");
        }
        Ok(())
    }

    /// The digests of the kept tokens of the demo's people.
    fn tokens(&self) -> Vec<(AgentId, TokenDigest)> {
        let kept = self.access.demo_tokens();
        let known = kept.into_iter();
        let known = known.filter_map(|(id, token)| Some((id.parse().ok()?, digest(&token))));
        known.collect()
    }

    fn greet_plainly(&self, origin: &str) -> String {
        self.greet([Told::Kept; PEOPLE.len()], |keys| demo::plain(origin, keys))
    }

    /// What is told with the tokens of these people, and the administrator's.
    fn greet(
        &self,
        people: [Told<'_>; PEOPLE.len()],
        tell: impl FnOnce(&Keys<'_>) -> String,
    ) -> String {
        let administrator = self.access.administrator();
        let administrator = told(administrator.token(), administrator.origin());
        tell(&Keys { administrator, people, file: &self.file() })
    }

    /// The file that keeps what was made, by a path that is good in any directory.
    fn file(&self) -> String {
        let path = self.access.path();
        absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
    }
}

/// Why there may be no demo.
fn hindrance(asked: Option<bool>, address: SocketAddr, settings: &Registry) -> Option<String> {
    if asked == Some(false) {
        Some("it is switched off (demo = false)".to_owned())
    } else if !is_loopback(address) {
        Some(format!(
            "connections are taken at {address}, where others than this machine can reach it"
        ))
    } else {
        demo::has_company(settings).then(|| COMPANY.to_owned())
    }
}

fn told<'a>(token: &'a str, origin: &Origin) -> Told<'a> {
    match origin {
        Origin::Made => Told::Made(token),
        Origin::Kept => Told::Kept,
        Origin::Given(_) => Told::Given,
    }
}

/// Where the person who started the server reaches one of its addresses.
pub(super) fn origin(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", reachable(address))
}

/// An address at which the person who started the server reaches it. The address that stands for
/// all of the machine's cannot be opened, so the loopback address takes its place.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}
