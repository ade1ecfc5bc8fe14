//! The demo page: one file with a working chat in it, which speaks `holdline.v1` as any widget
//! does. It is served under a content security policy that admits its own script and style only.

use std::fmt::Write;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, guard, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("web/demo.html");

/// Made of what the page holds, so that changing the page cannot break its policy.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let script = hash_of(PAGE, "<script>", "</script>");
    let style = hash_of(PAGE, "<style>", "</style>");
    let mut policy = String::from("default-src 'none'; base-uri 'none'; form-action 'none'; ");
    // Writing to a text cannot fail. Not every browser counts a socket as 'self'.
    let _ = write!(
        policy,
        "frame-ancestors 'none'; img-src data:; connect-src 'self' ws: wss:; \
         script-src 'sha256-{script}'; style-src 'sha256-{style}'"
    );
    policy
});

/// Puts the page at `/`. Must come before the HTTP edge, which answers whatever is left.
pub fn configure(application: &mut web::ServiceConfig) {
    let asked = guard::Any(guard::Get()).or(guard::Head());
    application.route("/", web::route().guard(asked).to(page));
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(PAGE)
}

/// The digest of the page's text between two tags, as a policy names it.
fn hash_of(page: &str, open: &str, close: &str) -> String {
    let text = page
        .split_once(open)
        .and_then(|(_, after)| after.split_once(close))
        .map_or("", |(text, _)| text);
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
