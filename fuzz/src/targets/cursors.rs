//! The places in lists that callers send back, in the query of an address.

use actix_web::test::TestRequest;
use holdline::http::paging::{AfterId, Cursor, Parameters, Place};
use holdline::journal::ListCursor;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(query) = std::str::from_utf8(bytes) else { return };
    let Ok(address) = format!("/v1/agents?{query}").parse::<actix_web::http::Uri>() else { return };
    of_kind::<ListCursor>(&address);
    of_kind::<Place>(&address);
    of_kind::<AfterId>(&address);
}

fn of_kind<C: Cursor>(address: &actix_web::http::Uri) {
    let request = TestRequest::default().uri(&address.to_string()).to_http_request();
    let Ok(mut parameters) = Parameters::of(&request) else { return };
    let limit = parameters.limit();
    assert!((1..=holdline::limits::PAGE_ENTRIES_MAX).contains(&limit), "a page has {limit}");
    if let Some(place) = parameters.cursor::<C>() {
        let opaque = place.opaque();
        let again = TestRequest::default().uri(&format!("/?cursor={opaque}")).to_http_request();
        let again = Parameters::of(&again).ok().and_then(|mut again| again.cursor::<C>());
        assert_eq!(again.map(|again| again.encode()), Some(place.encode()), "{opaque}");
    }
    let _judged = parameters.finish();
}
