//! Certificates that change while the server runs, and certificates with which it does not start.

use std::time::Instant;

use holdline::limits;

use crate::authority::{Authority, Pair};
use crate::console::PATIENCE;
use crate::program::run;
use crate::site::{Site, asked};

async fn until_shown(site: &Site, pair: &Pair) {
    let began = Instant::now();
    let shown = pair.chain().remove(0);
    while site.client().shown().await != shown {
        assert!(began.elapsed() < PATIENCE, "another certificate is shown: {}", site.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn until_told(site: &Site, sentence: &str) {
    let began = Instant::now();
    while !site.log().contains(sentence) {
        assert!(began.elapsed() < PATIENCE, "it does not say {sentence}: {}", site.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_pair_that_changes_is_taken_for_new_connections_and_old_ones_go_on() {
    let site = Site::open(&[]);
    let mut kim = site.client().browser("demo").await;
    kim.start("start", "Kim").await;
    let next = site.authority.issue();
    next.put(site.folder.path());
    until_shown(&site, &next).await;
    kim.post("k1", "still here").await;
    site.client().browser("demo").await;
    let taken = site.log().matches("is in force for new connections").count();
    assert_eq!(taken, 1, "{}", site.log());
}

/// A tool replaces the certificate, and is stopped before it replaces the key.
#[tokio::test]
async fn half_of_a_new_pair_is_told_once_and_not_taken_and_the_other_half_is() {
    let site = Site::open(&[]);
    let first = site.client().shown().await;
    let next = site.authority.issue();
    next.put_certificate(site.folder.path());
    let sentence = "the certificate that was in force stays so: tls_key";
    until_told(&site, sentence).await;
    // This is until after the next look.
    tokio::time::sleep(std::time::Duration::from_secs(limits::TLS_LOOK_SECONDS + 1)).await;
    assert_eq!(site.client().shown().await, first);
    next.put_key(site.folder.path());
    until_shown(&site, &next).await;
    let told = site.log().matches(sentence).count();
    assert_eq!(told, 1, "that is told once, and not at each look: {}", site.log());
}

/// Files that somebody still writes might be read as half of one pair and half of another.
#[tokio::test]
async fn files_that_still_change_are_not_read() {
    let site = Site::open(&[]);
    let first = site.client().shown().await;
    let next = site.authority.issue();
    let began = Instant::now();
    // This takes as long as two and a half looks.
    while began.elapsed().as_secs_f64() < 2.5 * limits::TLS_LOOK_SECONDS as f64 {
        next.put_certificate(site.folder.path());
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    assert_eq!(site.client().shown().await, first);
    assert!(!site.log().contains("stays so"), "half of it was read: {}", site.log());
    next.put(site.folder.path());
    until_shown(&site, &next).await;
    assert!(!site.log().contains("stays so"), "half of it was read: {}", site.log());
}

#[tokio::test]
async fn a_hangup_has_it_read_at_once_and_a_bad_pair_changes_nothing() {
    let site = Site::open(&[]);
    let first = site.client().shown().await;
    // This is a certificate with the key of another.
    let (one, other) = (site.authority.issue(), site.authority.issue());
    let mixed = Pair { certificate: one.certificate.clone(), key: other.key };
    mixed.put(site.folder.path());
    site.program.hang_up();
    until_told(&site, "the certificate that was in force stays so: tls_key").await;
    until_told(&site, "is not the key of the certificate").await;
    assert_eq!(site.client().shown().await, first);
    std::fs::remove_file(site.folder.path().join("chain.pem")).unwrap();
    site.program.hang_up();
    until_told(&site, "stays so: tls_certificate").await;
    assert_eq!(site.client().shown().await, first);
    one.put(site.folder.path());
    site.program.hang_up();
    until_shown(&site, &one).await;
    site.program.terminate();
    assert!(site.program.ended().await.success());
}

#[test]
fn a_start_without_a_pair_that_can_be_used_names_the_key_and_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let fails = |environment: &[(&str, &str)]| {
        let output = run(asked(folder.path(), environment));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let told = fails(&[]);
    let missing = format!("holdline: tls_certificate ({}) cannot be read", file("chain.pem"));
    assert!(told.contains(&missing), "{told}");
    let authority = Authority::new();
    let (one, other) = (authority.issue(), authority.issue());
    Pair { certificate: one.certificate.clone(), key: other.key }.put(folder.path());
    let told = fails(&[]);
    let wrong = format!("tls_key ({}) is not the key of the certificate", file("key.pem"));
    assert!(told.contains(&wrong), "{told}");
    Pair { certificate: one.certificate.clone(), key: "no key".to_owned() }.put(folder.path());
    let told = fails(&[]);
    assert!(
        told.contains(&format!("tls_key ({}) holds no private key", file("key.pem"))),
        "{told}"
    );
    Pair { certificate: "nothing".to_owned(), key: one.key.clone() }.put(folder.path());
    let told = fails(&[]);
    let none = format!("tls_certificate ({}) holds no certificate", file("chain.pem"));
    assert!(told.contains(&none), "{told}");
    one.put(folder.path());
    let environment = [
        ("HOLDLINE_OPERATOR_LISTEN", "127.0.0.1:0"),
        ("HOLDLINE_TLS_CLIENT_AUTHORITY", &*file("nobody.pem")),
    ];
    let told = fails(&environment);
    let missing = format!("tls_client_authority ({}) cannot be read", file("nobody.pem"));
    assert!(told.contains(&missing), "{told}");
}

#[tokio::test]
async fn a_key_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.issue().put(folder.path());
    let key = folder.path().join("key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let site = Site::open_in(folder, authority, &[]);
    until_told(&site, "is the key of the certificate, and everybody here can read it").await;
}
