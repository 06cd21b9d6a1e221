//! The operator's view of a desk: traces, metrics and their dashboard, the log, and what a rule did over time.

mod collector;
mod configuration;
mod exits;
mod forms;
mod jobs;
mod logs;
mod messages;
mod metrics;
mod people;
mod stats;
mod traces;

use serde_json::{Value, json};

use crate::support::place::Place;

/// A ticket that every example rule for incidents has something to say about.
fn incident(subject: &str) -> Value {
    json!({
        "request_type": "incident", "subject": subject, "body": "Nobody in Berlin can reach the VPN since 9.",
        "fields": { "service": "vpn", "people-affected": 40 },
    })
}

/// The value of a line of `/metrics`.
fn metric(desk: &Place, line: &str) -> f64 {
    let text = desk.stranger().get("/metrics").text;
    let found = text.lines().find_map(|each| each.strip_prefix(line)).unwrap_or_else(|| panic!("no {line} in\n{text}"));
    found.trim().parse().unwrap()
}
