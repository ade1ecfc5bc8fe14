//! The configuration: precedence, defaults, and that every mistake is told with its source.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdline::config::{Config, ConfigFault, LogFormat};
use holdline::strangers::{BUDGETS, Scope, Use};

/// A token that is good.
const TOKEN: &str = "hla_Vm9yZGVyLVNjaGx1ZXNzZWw";

fn load(flags: &[&str], environment: &[(&str, &str)], file: &str) -> Result<Config, ConfigFault> {
    let flags = ["holdline"].iter().chain(flags).map(OsString::from);
    let variable = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    Config::load(flags, variable, |path: &Path| {
        if path == Path::new("holdline.toml") {
            Ok(file.to_owned())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    })
}

fn mistakes(result: Result<Config, ConfigFault>) -> Vec<String> {
    match result {
        Err(ConfigFault::Invalid(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
        other => panic!("expected mistakes, got {other:?}"),
    }
}

#[test]
fn nothing_given_is_every_default() {
    let config = load(&[], &[], "").unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.data, PathBuf::from("./holdline-data"));
    assert_eq!((config.threads, config.demo, config.admin_token), (None, None, None));
    assert_eq!((config.log.as_str(), config.log_format), ("info", LogFormat::Text));
    assert_eq!(config.drain, Duration::from_secs(10));
    assert_eq!((config.operator_listen, config.page), (None, true));
}

#[test]
fn a_certificate_and_its_key_go_together() {
    let certificate = ("HOLDLINE_TLS_CERTIFICATE", "chain.pem");
    let key = ("HOLDLINE_TLS_KEY", "key.pem");
    let authority = ("HOLDLINE_TLS_CLIENT_AUTHORITY", "authority.pem");
    let operators = ("HOLDLINE_OPERATOR_LISTEN", "127.0.0.1:9090");
    assert_eq!(load(&[], &[], "").unwrap().tls, None);
    let tls = load(&[], &[certificate, key, authority, operators], "").unwrap().tls.unwrap();
    let found = (tls.certificate, tls.key, tls.client_authority.unwrap());
    assert_eq!(found, ("chain.pem".into(), "key.pem".into(), "authority.pem".into()));
    for (given, told) in [
        (&[certificate][..], "tls_certificate (from HOLDLINE_TLS_CERTIFICATE) needs tls_key"),
        (&[key], "tls_key (from HOLDLINE_TLS_KEY) needs tls_certificate"),
        (
            &[certificate, key, authority],
            "tls_client_authority (from HOLDLINE_TLS_CLIENT_AUTHORITY) needs operator_listen",
        ),
        (
            &[authority, operators],
            "tls_client_authority (from HOLDLINE_TLS_CLIENT_AUTHORITY) needs",
        ),
    ] {
        let mistakes = mistakes(load(&[], given, ""));
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(told), "{mistakes:?}");
    }
}

#[test]
fn the_page_is_there_by_default_where_this_machine_alone_can_see_it() {
    let page = |listen, page| load(&["--listen", listen], &[("HOLDLINE_PAGE", page)], "").unwrap();
    for (listen, said, is_there) in [
        ("127.0.0.1:80", "auto", true),
        ("[::1]:80", "auto", true),
        (":80", "auto", false),
        ("192.0.2.1:80", "", false),
        ("192.0.2.1:80", "on", true),
        ("127.0.0.1:80", "off", false),
    ] {
        assert_eq!(page(listen, said).page, is_there, "{listen} {said}");
    }
    let told = mistakes(load(&[], &[("HOLDLINE_PAGE", "perhaps")], ""));
    assert!(told[0].contains("must be true or false, or auto"), "{told:?}");
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = "listen = '127.0.0.1:1'\nthreads = 1\ndrain_s = 1\ndemo = false";
    let environment = [
        ("HOLDLINE_CONFIG", "holdline.toml"),
        ("HOLDLINE_LISTEN", "127.0.0.1:2"),
        ("HOLDLINE_THREADS", "2"),
    ];
    let config = load(&["--listen", "127.0.0.1:3", "--demo"], &environment, file).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.threads, Some(2));
    assert_eq!(config.drain, Duration::from_secs(1));
    assert_eq!(config.demo, Some(true));
}

#[test]
fn every_mistake_is_told_with_its_source() {
    let file = "listen = 'here'\ndrain_s = 301\nwindow = 3\nlog_format = ['text']";
    let environment = [("HOLDLINE_THREADS", "257"), ("HOLDLINE_DEMO", "maybe")];
    let told = mistakes(load(&["--config", "holdline.toml"], &environment, file)).join("\n");
    for part in [
        "listen (from holdline.toml) must be an address and a port",
        "drain_s (from holdline.toml) must be a whole number of seconds from 0 to 300",
        "window (from holdline.toml) is not known; known are: listen, data",
        "log_format (from holdline.toml) must be a text in quotes, and is of the type array",
        "threads (from HOLDLINE_THREADS) must be from 1 to 256",
        "demo (from HOLDLINE_DEMO) must be true, false",
    ] {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
}

#[test]
fn a_file_that_is_no_toml_or_is_not_there_is_told() {
    let told = mistakes(load(&["--config", "holdline.toml"], &[], "listen = "));
    assert!(told[0].starts_with("the file (from holdline.toml) must be TOML"), "{told:?}");
    let missing = load(&["--config", "nowhere.toml"], &[], "").unwrap_err();
    assert!(missing.to_string().contains("nowhere.toml cannot be read"), "{missing}");
}

#[test]
fn unknown_flags_and_contradictions_are_told() {
    for flags in [&["--window", "3"][..], &["--demo", "--no-demo"]] {
        assert!(matches!(load(flags, &[], ""), Err(ConfigFault::Usage(_))), "{flags:?}");
    }
}

#[test]
fn the_administrators_token_is_never_shown() {
    let config = load(&[], &[("HOLDLINE_ADMIN_TOKEN", TOKEN)], "").unwrap();
    assert_eq!(config.admin_token.as_ref().unwrap().as_str(), TOKEN);
    assert!(!format!("{config:?}").contains(TOKEN));
    let told = mistakes(load(&[], &[("HOLDLINE_ADMIN_TOKEN", "let me in")], ""));
    assert!(!told.join("\n").contains("let me in"), "{told:?}");
}

#[test]
fn a_mistake_in_the_file_is_told_without_what_stands_there() {
    for wrong in [format!("\nadmin_token = {TOKEN}"), format!("\nadmin_token = \"{TOKEN}")] {
        let told = mistakes(load(&["--config", "holdline.toml"], &[], &wrong)).join("\n");
        assert!(told.contains("must be TOML: line 2: "), "{told}");
        assert!(!told.contains(TOKEN), "{told}");
    }
}

#[test]
fn a_token_that_can_be_guessed_is_refused() {
    for short in ["a", "let-me-in", "0123456789abcdef0123456789abcde"] {
        let told = mistakes(load(&[], &[("HOLDLINE_ADMIN_TOKEN", short)], "")).join("\n");
        let part = "admin_token (from HOLDLINE_ADMIN_TOKEN) must have at least 128 bits";
        assert!(told.contains(part), "{told}");
        assert!(!told.contains(short) || short == "a", "{told}");
    }
}

#[test]
fn a_demo_is_asked_for_only_where_this_machine_alone_can_reach_it() {
    for here in ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost:1"] {
        assert_eq!(load(&["--listen", here, "--demo"], &[], "").unwrap().demo, Some(true));
    }
    for elsewhere in ["0.0.0.0:1", ":1", "[::]:1", "192.0.2.1:1"] {
        let told = mistakes(load(&["--listen", elsewhere, "--demo"], &[], "")).join("\n");
        assert!(told.starts_with("demo (from --demo) must not be on where"), "{told}");
        for asked in ["auto", "off"] {
            let environment = [("HOLDLINE_DEMO", asked)];
            assert!(load(&["--listen", elsewhere], &environment, "").is_ok());
        }
    }
    let told = mistakes(load(
        &["--config", "holdline.toml"],
        &[("HOLDLINE_LISTEN", "0.0.0.0:1")],
        "demo = true",
    ));
    assert!(told[0].starts_with("demo (from holdline.toml) must not be on"), "{told:?}");
}

#[test]
fn an_address_may_have_a_name_or_none() {
    let listen = |given: &str| load(&["--listen", given], &[], "").map(|config| config.listen);
    assert_eq!(listen("localhost:8080").unwrap(), "127.0.0.1:8080".parse().unwrap());
    assert_eq!(listen(":8080").unwrap(), "0.0.0.0:8080".parse().unwrap());
    assert_eq!(listen("[::1]:80").unwrap(), "[::1]:80".parse().unwrap());
    for wrong in ["localhost", "8080", "localhost:http", "localhost:70000"] {
        let told = mistakes(listen(wrong).map(|_| unreachable!())).join("\n");
        assert!(told.contains("must be an address and a port"), "{told}");
    }
    let told = mistakes(load(&["--listen", "no-such-host.invalid:80"], &[], "")).join("\n");
    assert!(told.contains("must name a host that is known here"), "{told}");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_and_a_wrong_name_has_its_nearest() {
    let file = "data = 3\nthreads = '2'\ndrain_s = true\nadmin_token = 12345\nlisten_at = 'x'\n\
                log_adresses = true\n";
    let told = mistakes(load(&["--config", "holdline.toml"], &[], file)).join("\n");
    for part in [
        "data (from holdline.toml) must be a text in quotes, and is 3",
        "threads (from holdline.toml) must be a whole number, and is \"2\"",
        "drain_s (from holdline.toml) must be a whole number, and is true",
        "admin_token (from holdline.toml) must be a text in quotes, and is of the type integer",
        "log_adresses (from holdline.toml) is not known; did you mean log_addresses?",
    ] {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
    assert!(!told.contains("12345"), "{told}");
}

#[test]
fn an_empty_variable_is_none() {
    let config = load(&[], &[("HOLDLINE_ADMIN_TOKEN", ""), ("HOLDLINE_LISTEN", "")], "").unwrap();
    assert_eq!(config.admin_token, None);
}

#[test]
fn every_setting_is_documented() {
    let page = std::fs::read_to_string("docs/configuration.md").unwrap();
    for name in [
        "listen",
        "data",
        "threads",
        "demo",
        "admin_token",
        "log",
        "log_format",
        "log_addresses",
        "drain_s",
        "trusted_proxies",
        "forwarded_header",
        "proxy_protocol",
        "oidc_issuer",
        "oidc_audience",
        "oidc_role_claim",
        "oidc_id_claim",
        "oidc_keys",
        "oidc_authority",
        "agent_tokens",
    ] {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
        let variable = format!("HOLDLINE_{}", name.to_uppercase());
        assert!(page.contains(&variable), "{variable}");
    }
    assert!(page.contains(&format!("[{} keys more]", BUDGETS.len())));
    for budget in BUDGETS {
        assert_eq!(budget.variable, format!("HOLDLINE_{}", budget.key.to_uppercase()));
        let line = page.lines().find(|line| line.starts_with(&format!("| `{}` |", budget.key)));
        let line = line.unwrap_or_else(|| panic!("{} is not told", budget.key)).replace(',', "");
        assert!(line.contains(&format!("| {}", budget.default)), "{line}: {}", budget.default);
    }
}

#[test]
fn an_issuer_is_named_as_a_whole_and_nobody_can_answer_in_its_place() {
    let rules =
        |file: &str| load(&["--config", "holdline.toml"], &[], file).map(|config| config.sign_in);
    assert_eq!(rules("").unwrap(), None);
    let issuer = "oidc_issuer = \"https://login.example/realms/one\"\n";
    let whole = format!("{issuer}oidc_audience = \"holdline\"\n");
    let read = rules(&whole).unwrap().unwrap();
    assert_eq!((&*read.issuer, &*read.audience), ("https://login.example/realms/one", "holdline"));
    assert_eq!((&*read.role_claim, &*read.id_claim), ("roles", "sub"));
    assert_eq!((read.keys, read.authority), (None, None));
    for here in ["http://127.0.0.1:8081", "http://[::1]:8081/realm", "http://localhost"] {
        let file = format!("oidc_issuer = \"{here}\"\noidc_audience = \"a\"");
        assert_eq!(rules(&file).unwrap().unwrap().issuer, here);
    }
    let with = |more: &str| format!("{whole}{more}");
    for (wrong, key, told) in [
        (issuer.to_owned(), "oidc_issuer", "needs oidc_audience"),
        ("oidc_audience = \"a\"".to_owned(), "oidc_audience", "without oidc_issuer"),
        ("oidc_keys = \"https://a.example\"".to_owned(), "oidc_keys", "without oidc_issuer"),
        (with("oidc_keys = \"http://login.example/keys\""), "oidc_keys", "https://"),
        (with("oidc_keys = \"http://127.0.0.1.example/keys\""), "oidc_keys", "https://"),
        (with("oidc_keys = \"https://a:b@login.example/\""), "oidc_keys", "without a user"),
        (with("oidc_keys = \"file:///etc/passwd\""), "oidc_keys", "https://"),
        (with("oidc_keys = \"keys\""), "oidc_keys", "https://"),
        (with("oidc_role_claim = \"\""), "oidc_role_claim", "not be empty"),
    ] {
        let found = load(&["--config", "holdline.toml"], &[], &wrong);
        let found = mistakes(found).join("\n");
        assert!(found.starts_with(&format!("{key} (from ")), "{wrong}: {found}");
        assert!(found.contains(told), "{wrong}: {found}");
    }
}

#[test]
fn tokens_of_agents_are_switched_off_only_beside_an_issuer_and_then_there_is_no_demo() {
    let issuer = "oidc_issuer = \"https://login.example\"\noidc_audience = \"holdline\"\n";
    let with = |more: &str| load(&["--config", "holdline.toml"], &[], &format!("{issuer}{more}"));
    let agent_tokens = |more: &str| with(more).unwrap().sign_in.unwrap().agent_tokens;
    assert!(agent_tokens("") && agent_tokens("agent_tokens = true"));
    assert!(!agent_tokens("agent_tokens = false"));
    assert_eq!(with("").unwrap().demo, None);
    assert_eq!(with("agent_tokens = false").unwrap().demo, Some(false));
    let alone = |file: &str| load(&["--config", "holdline.toml"], &[], file);
    alone("agent_tokens = true").unwrap();
    for (found, key, told) in [
        (alone("agent_tokens = false"), "agent_tokens", "only with oidc_issuer"),
        (with("agent_tokens = \"perhaps\""), "agent_tokens", "true or false"),
        (with("agent_tokens = false\ndemo = true"), "demo", "agent_tokens = false"),
    ] {
        let found = mistakes(found).join("\n");
        assert!(found.starts_with(&format!("{key} (from ")), "{found}");
        assert!(found.contains(told), "{found}");
    }
}

#[test]
fn strangers_are_treated_as_the_file_or_the_environment_says() {
    let rules =
        |file: &str| load(&["--config", "holdline.toml"], &[], file).map(|config| config.strangers);
    let rules_of = |file: &str| rules(file).unwrap();
    assert_eq!(rules_of("").budgets.most(Scope::Address, Use::Start), Some(60));
    let file = "starts_per_address = 7\nwaiting_chats_per_widget = 0\n";
    let read = rules_of(file).budgets;
    assert_eq!(read.most(Scope::Address, Use::Start), Some(7));
    assert_eq!(read.most(Scope::Widget, Use::WaitingChat), None);
    let of_environment =
        load(&["--config", "holdline.toml"], &[("HOLDLINE_STARTS_PER_ADDRESS", "8")], file)
            .unwrap();
    assert_eq!(of_environment.strangers.budgets.most(Scope::Address, Use::Start), Some(8));
    let list = rules_of("trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\nproxy_protocol = true");
    assert!(list.proxy_protocol);
    for (address, is_trusted) in
        [("127.0.0.1", true), ("::ffff:10.1.2.3", true), ("127.0.0.2", false)]
    {
        assert_eq!(list.proxies.trust(address.parse().unwrap()), is_trusted, "{address}");
    }
    for (wrong, key, told) in [
        ("trusted_proxies = [\"proxy.example\"]", "trusted_proxies", "addresses and networks"),
        ("trusted_proxies = [1]", "trusted_proxies", "list of texts"),
        ("forwarded_header = \"X-Real-IP\"", "forwarded_header", "X-Forwarded-For or Forwarded"),
        ("proxy_protocol = true", "proxy_protocol", "needs trusted_proxies"),
        ("starts_per_address = -1", "starts_per_address", "0 for no bound"),
    ] {
        let refused = rules(wrong).unwrap_err().to_string();
        assert!(refused.contains(key) && refused.contains(told), "{wrong}: {refused}");
    }
}
