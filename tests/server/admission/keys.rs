//! The keys of a widget: which are taken, and how one takes the place of another.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{begun, claims, refused, set, shop_that_asks, vouched};
use crate::shop::Shop;
use crate::signer::Signer;

#[tokio::test]
async fn keys_are_replaced_while_both_are_good() {
    let (old, new) = (Signer::rsa(Algorithm::RS256), Signer::ed25519());
    let shop = shop_that_asks(&old).await;
    let kim = begun(&shop, vouched(old.sign(&claims("kim")))).await;
    refused(&shop, new.sign(&claims("kim")), "admission_invalid").await;
    set(&shop, true, &[&old.pem, &new.pem]).await;
    for signer in [&old, &new] {
        let back = shop.visit(vouched(signer.sign(&claims("kim")))).await;
        assert_eq!(back.conversation, kim.conversation);
    }
    set(&shop, true, &[&new.pem]).await;
    refused(&shop, old.sign(&claims("kim")), "admission_invalid").await;
    let shop = shop.restart().await;
    let back = shop.visit(vouched(new.sign(&claims("kim")))).await;
    assert_eq!(back.conversation, kim.conversation);
}

/// A public RSA key of 1,024 bits.
const SHORT: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDNZvmCZBRFE5aRfw4qgqfwszeq
rD5NKkh1tlJSEDVhhXpJRuKDcXe5y2knuira4QqNhhz7hpAqyxx7aTd8RbpGACyP
lb0Yr48nd2YjqAboka5+9Z3cscIdPjECPwQSRpTK0RVIg1AnEH8nsWHrhvkNVWIu
WbPiboMEhGhgQaFJQwIDAQAB
-----END PUBLIC KEY-----
";

#[tokio::test]
async fn a_key_that_is_none_is_refused_by_its_name() {
    let shop = Shop::open(json!({})).await;
    let signer = Signer::rsa(Algorithm::RS256);
    let put = |admission: Value| {
        let widget = json!({ "workstream": "sales", "origins": ["*"], "admission": admission });
        let admin = shop.admin.clone();
        async move { admin.put("/v1/widgets/shop", widget).await }
    };
    let pem = |signer: &Signer| signer.pem.clone();
    for (admission, field) in [
        (json!({ "required": true, "keys": ["a key"] }), "admission.keys"),
        (
            json!({ "required": true, "keys": [pem(&signer), Signer::p256().private_pem] }),
            "admission.keys",
        ),
        (
            json!({ "required": true, "keys": [pem(&signer).replace("MII", "MIJ")] }),
            "admission.keys",
        ),
        (json!({ "required": true, "keys": [SHORT] }), "admission.keys"),
        (json!({ "required": true, "keys": [7] }), "admission.keys"),
        (json!({ "required": true }), "admission.keys"),
        (json!({ "keys": [pem(&signer)] }), "admission.required"),
        (json!({ "required": true, "keys": [pem(&signer)], "secret": "s" }), "admission.secret"),
        (json!("yes"), "admission"),
    ] {
        let problem = put(admission.clone()).await.refused(400, "malformed_document");
        assert_eq!(problem["errors"][0]["field"], field, "{admission}: {problem}");
    }
    for keys in [Vec::new(), vec![pem(&signer); 5], vec!["k".repeat(1_025)]] {
        let problem = put(json!({ "required": true, "keys": keys })).await;
        let problem = problem.refused(422, "invalid_settings");
        assert_eq!(problem["errors"][0]["field"], "admission.keys", "{problem}");
    }
    assert_eq!(shop.admin.get("/v1/widgets/shop").await.ok()["admission"], Value::Null);
}
