//! Connectors that are published by API: the operator's secrets go where the operator's files send them, and nowhere else.

use serde_json::{Value, json};

use super::super::provisioning::connected;
use super::found::change;
use crate::support::place::Database;

const SCIM: &str = "kind = \"scim\"\nurl = \"https://app.example/scim/v2\"\ntoken-file = \"app.token\"";

#[test]
fn a_published_connector_sends_no_secret_elsewhere_and_asks_no_address_inside_on_its_own_word() {
    let desk = connected(Database::Sqlite, SCIM);
    change(&desk, "desk.toml", |text| format!("{text}\n[configuration]\nby-api = [\"apps\"]\n"));
    let mei = desk.as_role("mei");
    let documents = mei.get("/api/v1/config/documents").expect(200);
    let apps = documents.as_array().unwrap().iter().find(|one| one["document"] == "apps").unwrap();
    let content = apps["content"].as_str().unwrap();
    let with = |from: &str, to: &str| {
        let changed = content.replacen(from, to, 1);
        assert_ne!(changed, content, "{from}");
        changed
    };
    let and = |connector: &str| format!("{content}\n[[connector]]\nid = \"mine\"\n{connector}\n");
    let document = "/api/v1/config/documents/apps";
    let look = |content: &str| mei.post(&format!("{document}/check"), &json!({ "content": content })).expect(200);
    let publish = |revision: i64, content: &str| {
        let body = json!({ "content": content, "why": "the app moves" });
        mei.with("if-match", &format!("\"{revision}\"")).put(document, &body)
    };
    for (content, code) in [
        (with("https://app.example/", "https://mine.example/"), "token-file"),
        (with("https://app.example/", "https://app.example\\\\@mine.example/"), "invalid"),
        (with("https://app.example/", "https://mine.example\\\\app.example/"), "token-file"),
        (with("\"app.token\"", "\"desk.toml\""), "token-file"),
        (and("kind = \"scim\"\nurl = \"https://app.example\"\ntoken-file = \"app.token\""), "token-file"),
        (and("kind = \"webhook\"\nurl = \"https://mine.example\"\nsecret-file = \"app.token\""), "secret-file"),
        (with("token-file", "internal = true\ntoken-file"), "internal"),
        (and("kind = \"scim\"\nurl = \"http://169.254.169.254/latest\"\ninternal = true"), "internal"),
    ] {
        let looked = look(&content);
        assert_eq!(looked["problems"][0]["code"], code, "{looked}");
        assert_eq!(publish(0, &content).status, 422, "{looked}");
    }
    // Another path of the same app keeps its token, and an app outside without one is the administrators'.
    let outside = and("kind = \"scim\"\nurl = \"https://mine.example/scim\"").replacen("/scim/v2", "/scim/v3", 1);
    let published = publish(0, &outside).expect(200);
    let ids: Vec<&Value> = published["changes"].as_array().unwrap().iter().map(|change| &change["id"]).collect();
    assert_eq!(ids, ["peer", "mine"], "{published}");
    assert_eq!(
        (&published["changes"][0]["kind"], &published["changes"][0]["apps"]),
        (&json!("connector"), &json!(["jira"]))
    );
    let later = outside.replacen("https://app.example/", "https://mine.example/", 1);
    assert_eq!(look(&later)["problems"][0]["code"], "token-file");
}
