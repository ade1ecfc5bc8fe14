//! The workloads that come with the program.

const SCENARIOS: [(&str, &str); 15] = [
    ("idle", include_str!("../../scenarios/idle.toml")),
    ("posts", include_str!("../../scenarios/posts.toml")),
    ("steady", include_str!("../../scenarios/steady.toml")),
    ("mass-drop-10", include_str!("../../scenarios/mass-drop-10.toml")),
    ("mass-drop-50", include_str!("../../scenarios/mass-drop-50.toml")),
    ("mass-drop-100", include_str!("../../scenarios/mass-drop-100.toml")),
    ("storm", include_str!("../../scenarios/storm.toml")),
    ("storm-posts", include_str!("../../scenarios/storm-posts.toml")),
    ("slow-readers", include_str!("../../scenarios/slow-readers.toml")),
    ("flapping", include_str!("../../scenarios/flapping.toml")),
    ("agents-leaving", include_str!("../../scenarios/agents-leaving.toml")),
    ("one-agent", include_str!("../../scenarios/one-agent.toml")),
    ("rolling-restart", include_str!("../../scenarios/rolling-restart.toml")),
    ("strangers", include_str!("../../scenarios/strangers.toml")),
    ("soak", include_str!("../../scenarios/soak.toml")),
];

/// The text of a workload that comes with the program.
pub fn named(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Their names, in the order in which they are told.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}
