//! Text that looks like a question to a database is only what somebody said. The server keeps it as
//! it is, and it matches nothing but itself.

use holdline::journal::sqlite::check;
use serde_json::json;

use crate::shop::Shop;

const WORDS: [&str; 6] = [
    "'; DROP TABLE conversations; --",
    "\" OR 1=1 --",
    "' OR ''='",
    "%",
    "_",
    "\\' || (SELECT body FROM audit) || '",
];

fn escaped(word: &str) -> String {
    word.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn what_looks_like_sql_is_kept_as_it_is_and_matches_nothing_else() {
    let shop = Shop::open(json!({})).await;
    let ada = shop.hire("ada", 1).await;
    ada.choose("available").await;
    let mut kim = shop.talking(&ada).await;
    let id = kim.conversation.clone();
    for (turn, word) in WORDS.into_iter().enumerate() {
        kim.post(&format!("k{turn}"), word).await;
        ada.say(&id, &format!("a{turn}"), word).await.ok();
        kim.expect_text("agent", word).await;
        let named = json!({ "name": word, "agents": ["ada"] });
        assert_eq!(shop.admin.put("/v1/queues/sales", named).await.ok()["name"], word);
        // The filter takes any text. It finds what has exactly this name, and nothing has it.
        let word = escaped(word);
        let found = shop.admin.get(&format!("/v1/audit?about={word}")).await.ok();
        assert_eq!(found["entries"], json!([]));
        let found = shop.admin.get(&format!("/v1/audit?about=queue%3A{word}")).await.ok();
        assert_eq!(found["entries"], json!([]));
        for path in [format!("/v1/conversations/{word}"), format!("/v1/agents/{word}/tokens")] {
            assert_eq!(shop.admin.get(&path).await.status, 404, "{path}");
        }
        // These filters take ids. Of the words, only the underscore has the form of an id.
        for path in ["/v1/conversations?queue=", "/v1/conversations?widget=", "/v1/audit?by="] {
            let found = shop.admin.get(&format!("{path}{word}")).await;
            if word == escaped("_") {
                let found = found.ok();
                assert!(found["conversations"] == json!([]) || found["entries"] == json!([]));
            } else {
                found.refused(400, "malformed_parameter");
            }
        }
        let visitor = format!("/v1/visitors/{word}");
        let exported = shop.admin.get(&format!("{visitor}/export")).await;
        exported.refused(400, "malformed_parameter");
        shop.admin.delete(&visitor).await.refused(400, "malformed_parameter");
    }
    let expected: Vec<_> = WORDS.into_iter().flat_map(|word| [word, word]).collect();
    let shop = shop.restart().await;
    let said = shop.admin.transcript(&id, "customer").await;
    assert_eq!(said.iter().filter(|text| WORDS.contains(&text.as_str())).count(), expected.len());
    assert!(said.ends_with(&expected.iter().map(ToString::to_string).collect::<Vec<_>>()));
    let queues = shop.admin.get("/v1/queues").await.ok();
    assert!(queues.to_string().contains("SELECT body FROM audit"), "{queues}");
    let list = shop.admin.get("/v1/conversations").await.ok();
    assert_eq!(list["conversations"].as_array().map(Vec::len), Some(1), "{list}");
    let directory = shop.server.stop().await;
    let checked = check::check(directory.path()).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
}
