//! Certificates that operators show at the address of the operators.

use std::net::SocketAddr;

use rustls::version::{TLS12, TLS13};
use tokio_tungstenite::tungstenite::Error;

use crate::authority::Authority;
use crate::client::Client;
use crate::console::PATIENCE;
use crate::site::Site;

const STRICT: &str = "strict-transport-security";
const ONE_YEAR: &str = "max-age=31536000";

async fn open(listen: &str) -> (Site, SocketAddr) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.issue().put(folder.path());
    let pem = folder.path().join("authority.pem");
    std::fs::write(&pem, &authority.pem).unwrap();
    let environment = [
        ("HOLDLINE_LISTEN", listen),
        ("HOLDLINE_OPERATOR_LISTEN", listen),
        ("HOLDLINE_TLS_CLIENT_AUTHORITY", pem.to_str().unwrap()),
    ];
    let mut site = Site::open_in(folder, authority, &environment);
    let operators = site.program.operators_address();
    (site, operators)
}

#[tokio::test]
async fn operators_show_a_certificate_and_customers_need_none() {
    let (site, operators) = open("127.0.0.1:0").await;
    let (ours, theirs) = (site.authority.issue_to_client(), Authority::new().issue_to_client());
    let mut missing = 0;
    for version in [&TLS12, &TLS13] {
        let with = |pair| Client::with_certificate(operators, &site.authority, pair, &[version]);
        let scraper = with(&ours);
        let metrics = scraper.get("/metrics").await.unwrap();
        assert_eq!(metrics.status, 200);
        // A client that was taken before comes back with a ticket, and the server still demands its
        // certificate.
        assert_eq!(scraper.get("/healthz").await.unwrap().status, 200);
        let nobody = Client::of_versions(operators, &site.authority, &[version]);
        // In TLS 1.3 the handshake is over for the client before the server judges its certificate.
        assert!(nobody.get("/metrics").await.is_err());
        assert!(with(&theirs).get("/metrics").await.is_err());
        missing += 1;
        let began = std::time::Instant::now();
        for code in ["client_certificate_missing", "client_certificate_refused"] {
            while scraper.refusals(code).await != missing {
                assert!(began.elapsed() < PATIENCE, "{code}");
            }
        }
    }
    let scraper = Client::with_certificate(operators, &site.authority, &ours, rustls::ALL_VERSIONS);
    assert_eq!(scraper.get("/metrics").await.unwrap().header(STRICT), Some(ONE_YEAR));
    let customer = site.client();
    assert_eq!(customer.get("/healthz").await.unwrap().status, 200);
    assert_eq!(customer.get("/metrics").await.unwrap().status, 404);
    customer.browser("demo").await.start("start", "Kim").await;
}

#[tokio::test]
async fn what_is_secured_and_asks_for_certificates_is_not_warned_of() {
    let (site, _) = open("0.0.0.0:0").await;
    let log = site.log();
    assert!(log.contains("listens on 0.0.0.0"), "{log}");
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    // The directory of the test is open to others before the server starts.
    assert!(warnings.iter().all(|line| line.contains("was open to others")), "{warnings:?}");
}

#[tokio::test]
async fn whoever_came_over_tls_is_told_to_come_back_so() {
    let site = Site::open(&[]);
    for path in ["/", "/healthz", "/metrics", "/v1/agents", "/v1/agents/nobody", "/nowhere"] {
        let reply = site.client().get(path).await.unwrap();
        assert_eq!(reply.header(STRICT), Some(ONE_YEAR), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    match site.client().try_widget("nothing").await {
        Err(Error::Http(refused)) => assert_eq!(refused.headers()[STRICT], ONE_YEAR),
        other => panic!("it is refused: {:?}", other.map(|_| ())),
    }
}
