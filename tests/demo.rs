//! The demo: it keeps the rules, makes only what is missing, and tells how to try it.

use holdline::demo::{self, Keys, Told};
use holdline::domain::id::AgentId;
use holdline::domain::settings::registry::{Registry, SettingChange, Token, TokenDigest};
use holdline::domain::time::Timestamp;

const TOKENS: [TokenDigest; 3] = [TokenDigest([1; 32]), TokenDigest([2; 32]), TokenDigest([3; 32])];

#[test]
fn each_change_keeps_the_rules_and_a_second_start_changes_nothing() {
    let mut settings = Registry::default();
    assert!(demo::is_wanted(&settings));
    for change in demo::changes(&settings.clone(), TOKENS, Timestamp::default()) {
        settings.check(&change).unwrap();
        settings.apply(change);
    }
    assert!(!demo::is_wanted(&settings));
    assert_eq!(settings.queues.values().next().unwrap().agents.len(), 2);
    assert_eq!(settings.tokens.len(), 3);
    assert_eq!(demo::changes(&settings, TOKENS, Timestamp::default()), []);
}

#[test]
fn the_welcome_has_what_is_needed_to_paste() {
    let keys = Keys {
        administrator: Told::Made("hla_x"),
        people: ["hlt_a", "hlt_b", "hlt_s"].map(Told::Made),
        file: "/data/access.json",
    };
    let text = demo::welcome("http://127.0.0.1:8080", &keys);
    for part in ["http://127.0.0.1:8080/", "hla_x", "hlt_a", "hlt_b", "hlt_s"] {
        assert!(text.contains(part), "{part}");
    }
    for step in ["presence", "feed", "accept", "messages", "end", "close", "transcript", "timeline"]
    {
        assert!(text.contains(&format!("/{step}")), "{step}");
    }
    assert!(text.contains("window_s"));
    assert!(text.contains("ADA=hlt_a SUE=hlt_s ADMIN=hla_x"), "{text}");
}

#[test]
fn what_was_told_before_is_read_from_the_file() {
    let keys = Keys {
        administrator: Told::Given,
        people: [Told::Made("hlt_a"), Told::Made("hlt_b"), Told::Kept],
        file: "/it's a place/access.json",
    };
    let text = demo::welcome("http://127.0.0.1:8080", &keys);
    let line = text.lines().find(|line| line.contains("export URL=")).unwrap();
    assert!(line.contains(" ADA=hlt_a ADMIN=$HOLDLINE_ADMIN_TOKEN $(sed -n"), "{line}");
    assert!(line.contains("SUE=") && line.ends_with(r"'/it'\''s a place/access.json')"), "{line}");
}

fn digests() -> Vec<(AgentId, TokenDigest)> {
    let people = demo::PEOPLE.iter().zip(TOKENS);
    people.map(|((id, _, _), digest)| (id.parse().unwrap(), digest)).collect()
}

fn put_in_force(settings: &mut Registry, changes: Vec<SettingChange>) {
    for change in changes {
        settings.check(&change).unwrap();
        settings.apply(change);
    }
}

#[test]
fn its_end_takes_its_people_and_tokens_and_leaves_what_is_somebodys() {
    let mut settings = Registry::default();
    put_in_force(&mut settings, demo::changes(&Registry::default(), TOKENS, Timestamp::default()));
    assert!(!demo::has_company(&settings) && demo::is_there(&settings, &digests()));
    let mut whole = settings.clone();
    put_in_force(&mut whole, demo::ending(&settings, &digests()));
    assert!(whole.agents.is_empty() && whole.tokens.is_empty());
    assert_eq!(demo::ending(&whole, &digests()), []);

    // Ada has another token, and Ben takes more.
    let ada: AgentId = "ada".parse().unwrap();
    let digest = TokenDigest([9; 32]);
    let token = Token::new(ada.clone(), Timestamp::default());
    settings.apply(SettingChange::AddToken { digest, token });
    let mut ben = (*settings.agents[&"ben".parse::<AgentId>().unwrap()]).clone();
    ben.units += 1;
    settings.apply(SettingChange::PutAgent(ben.clone()));
    let before = settings.clone();
    put_in_force(&mut settings, demo::ending(&before, &digests()));
    assert_eq!(settings.agents.keys().map(AgentId::as_str).collect::<Vec<_>>(), ["ada", "ben"]);
    assert_eq!(*settings.agents[&ben.id], ben);
    assert_eq!(settings.tokens.keys().collect::<Vec<_>>(), [&digest]);
    assert_eq!(settings.queues.values().next().unwrap().agents, [ada, ben.id]);
    assert!(!demo::is_there(&settings, &digests()));
    // A crash in the middle of the demo's end may leave only the first changes.
    for count in 1..5 {
        let mut half = before.clone();
        let all = demo::ending(&before, &digests());
        put_in_force(&mut half, all.into_iter().take(count).collect());
        assert!(!demo::has_company(&half));
        let rest = demo::ending(&half.clone(), &digests());
        put_in_force(&mut half, rest);
        assert_eq!(half, settings, "after {count} changes");
    }
}
