//! Which versions and cipher suites the server takes, of all that `openssl` knows.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::authority::Authority;
use crate::site::Site;

/// The suites of TLS 1.3. What they encrypt is authenticated, and what is recorded stays secret
/// when the key is lost later.
const OF_TLS_1_3: [&str; 3] =
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/// The suites of TLS 1.2. In their names they follow the kind of the certificate.
const OF_TLS_1_2: [&str; 3] = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"];

fn openssl(words: &[&str]) -> std::process::Output {
    let mut openssl = Command::new("openssl");
    openssl.args(words).stdin(Stdio::null());
    openssl.output().expect("openssl is there")
}

/// Every suite of TLS 1.2 and before that `openssl` knows, however weak.
fn known_of_tls_1_2() -> Vec<String> {
    let output = openssl(&["ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]);
    let names = String::from_utf8(output.stdout).expect("text");
    let names = names.trim().split(':').filter(|name| !name.starts_with("TLS_"));
    names.map(str::to_owned).collect()
}

/// Whether a handshake with these arguments succeeds.
fn is_taken(address: SocketAddr, words: &[&str]) -> bool {
    let address = address.to_string();
    let all = [&["s_client", "-connect", &address], words].concat();
    openssl(&all).status.success()
}

/// The server takes each of these suites by itself. It takes no other, though all others are
/// offered together.
fn only_these_are_taken(address: SocketAddr, of_1_2: &[String]) {
    let of_version_2 =
        |names: &str| is_taken(address, &["-tls1_2", "-cipher", &format!("{names}:@SECLEVEL=0")]);
    let of_version_3 = |names: &str| is_taken(address, &["-tls1_3", "-ciphersuites", names]);
    for name in of_1_2 {
        assert!(of_version_2(name), "{name}");
    }
    for name in OF_TLS_1_3 {
        assert!(of_version_3(name), "{name}");
    }
    let mut others = known_of_tls_1_2();
    others.retain(|name| !of_1_2.contains(name));
    assert!(others.len() > 50, "openssl knows too few to tell: {others:?}");
    for weak in ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"] {
        assert!(others.iter().any(|name| name == weak), "{weak} is not in {others:?}");
    }
    assert!(!of_version_2(&others.join(":")), "one of {others:?}");
    assert!(!of_version_3("TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"));
    for old in ["-tls1", "-tls1_1"] {
        assert!(!is_taken(address, &[old, "-cipher", "ALL:@SECLEVEL=0"]), "{old}");
    }
}

/// With an RSA certificate a server could take suites without forward secrecy. With a certificate
/// of an elliptic curve no server can.
#[tokio::test]
async fn only_suites_that_authenticate_and_keep_the_past_secret_are_taken() {
    for (kind, is_rsa) in [("ECDHE-ECDSA", false), ("ECDHE-RSA", true)] {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let pair = if is_rsa { authority.issue_of_rsa() } else { authority.issue() };
        pair.put(folder.path());
        let site = Site::open_in(folder, authority, &[]);
        let address = site.program.address;
        let expected: Vec<_> = OF_TLS_1_2.iter().map(|name| format!("{kind}-{name}")).collect();
        let asking = move || only_these_are_taken(address, &expected);
        tokio::task::spawn_blocking(asking).await.unwrap();
    }
}
