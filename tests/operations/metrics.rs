//! `/metrics`, and that the dashboard asks for what is there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{incident, metric};
use crate::support::components::{hostile, hostile_manifest, put, root};
use crate::support::house::House;
use crate::support::place::Database;

/// Every query of a dashboard.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("expr").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| queries(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

/// The desk's metrics that a query names.
fn named(query: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    query.match_indices("ruledesk_").map(|(at, _)| word(&query[at..])).collect()
}

#[test]
fn the_dashboard_asks_for_metrics_that_the_desk_has() {
    let text = std::fs::read_to_string(root().join("host/grafana/ruledesk.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut asked = Vec::new();
    queries(&dashboard["panels"], &mut asked);
    assert!(asked.len() >= 20, "{asked:?}");
    let desk = House::demo(Database::Sqlite);
    desk.as_role("amara").post("/api/v1/tickets", &incident("VPN is down")).expect(201);
    let metrics = desk.stranger().get("/metrics").text;
    let there: BTreeSet<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    for query in &asked {
        let named = named(query);
        assert!(!named.is_empty(), "{query}");
        for name in named {
            assert!(there.contains(name.as_str()), "`{query}` asks for {name}; there are {there:?}");
        }
    }
    for panel in dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{}", panel["title"]);
    }
}

#[test]
fn requests_are_counted_by_route_and_never_by_what_clients_make_up() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    for subject in ["One", "Two"] {
        amara.post("/api/v1/tickets", &incident(subject)).expect(201);
    }
    amara.get("/api/v1/tickets/IT-1").expect(200);
    amara.get("/api/v1/tickets/IT-99").expect(404);
    amara.get("/made/up/by-a-client").expect(404);
    let requests = |labels: &str| metric(&desk, &format!("ruledesk_http_requests_total{{{labels}}}"));
    assert_eq!(requests(r#"method="POST",route="/api/v1/tickets",status="201""#), 2.0);
    assert_eq!(requests(r#"method="GET",route="/api/v1/tickets/{key}",status="200""#), 1.0);
    assert_eq!(requests(r#"method="GET",route="/api/v1/tickets/{key}",status="404""#), 1.0);
    assert_eq!(requests(r#"method="GET",route="none",status="404""#), 1.0);
    let took = r#"ruledesk_http_request_seconds_count{method="POST",route="/api/v1/tickets"}"#;
    assert_eq!(metric(&desk, took), 2.0);
    assert!(!desk.stranger().get("/metrics").text.contains("made/up"));
}

#[test]
fn a_rules_calls_memory_and_cut_logs_are_counted_by_mode() {
    let rules = tempfile::TempDir::new().unwrap();
    put(rules.path(), "bad", &hostile_manifest("bad", "priority", "flood-log", ""), hostile());
    let desk = House::with_rules(Database::Sqlite, rules.path());
    desk.as_role("amara").post("/api/v1/tickets", &incident("Anything")).expect(201);
    let labels = r#"rule="bad",stage="priority",mode="active""#;
    assert_eq!(metric(&desk, &format!("ruledesk_rule_calls_total{{{labels},outcome=\"answered\"}}")), 1.0);
    assert_eq!(metric(&desk, &format!("ruledesk_rule_log_cuts_total{{{labels}}}")), 1.0);
    assert_eq!(metric(&desk, &format!("ruledesk_rule_memory_peak_bytes_count{{{labels}}}")), 1.0);
    assert!(metric(&desk, &format!("ruledesk_rule_memory_peak_bytes_sum{{{labels}}}")) > 0.0);
    let build = format!("ruledesk_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(metric(&desk, &build), 1.0);
}
