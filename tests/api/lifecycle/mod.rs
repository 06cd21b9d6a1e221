//! The later life of tickets over HTTP: changes by hand, resolution and closure, links, promises, escalation.

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::house::House;

mod attachments;
mod edits;
mod handover;
mod knowledge;
mod links;
mod promises;
mod reports;
mod resolution;
mod steps;
mod walk;
mod watchers;

/// The words of each message that a ticket has queued, with its recipient, in order.
pub fn messages(desk: &House, key: &str) -> Vec<(String, String)> {
    let queued = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    queued.as_array().unwrap().iter().map(|one| (text(&one["kind"]), text(&one["recipient"]))).collect()
}

/// How many messages of this kind a ticket has queued.
pub fn count(desk: &House, key: &str, kind: &str) -> usize {
    messages(desk, key).iter().filter(|(found, _)| found == kind).count()
}

/// A broken VPN, submitted by a person; its key.
pub fn incident(client: &Client, subject: &str) -> String {
    let body = json!({ "request_type": "incident", "subject": subject, "body": "Nobody in Berlin can reach the VPN since 9.",
        "fields": { "service": "vpn", "people-affected": 40 } });
    client.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
}

/// Asks for another state, at the version that the client sees.
pub fn step(client: &Client, key: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/tickets/{key}");
    let etag = client.get(&path).etag.unwrap_or_default();
    client.with("if-match", &etag).post(&format!("{path}/transitions"), body)
}

pub fn comment(client: &Client, key: &str, body: &str) -> Answer {
    client.post(&format!("/api/v1/tickets/{key}/comments"), &json!({ "body": body }))
}

pub fn state(client: &Client, key: &str) -> String {
    client.get(&format!("/api/v1/tickets/{key}")).expect(200)["state"].as_str().unwrap().to_owned()
}
