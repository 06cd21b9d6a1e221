//! Traces: the tree of a created ticket, and that a collector is neither needed nor waited for.

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

use super::collector::{Collector, attribute};
use super::{incident, metric};
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::peers::port;
use crate::support::place::Database;
use crate::support::wait::until;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn traced(collector: &Collector) -> Vec<(&'static str, String)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.clone()),
        ("OTEL_SERVICE_NAME", "desk-under-test".to_owned()),
    ]
}

fn parts<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    let mut parts: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == parent.span_id).collect();
    parts.sort_by_key(|span| span.start_time_unix_nano);
    parts
}

#[test]
fn a_created_ticket_is_a_tree_of_spans() {
    let collector = Collector::start();
    let desk = Desk::with_environment(Database::Sqlite, example_rules(), traced(&collector));
    let amara = desk.as_role("amara");
    amara.post("/api/v1/tickets", &incident("Before")).expect(201);
    // Whether it is followed is for the desk to say, and no flag of a client says it.
    let header = format!("00-{TRACE}-{CLIENT}-00");
    let ticket = amara.with("traceparent", &header).post("/api/v1/tickets", &incident("Seen")).expect(201);
    let (spans, _) = until("the ticket's spans", || {
        let spans = collector.spans();
        // It ends last: its parts may have left before it.
        spans.iter().any(|span| hex(&span.parent_span_id) == CLIENT).then_some(spans)
    });
    assert_eq!(collector.resource("service.name"), "desk-under-test");
    let spans: Vec<Span> = spans.into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();

    let request = spans.iter().find(|span| hex(&span.parent_span_id) == CLIENT).unwrap();
    assert_eq!(request.name, "POST /api/v1/tickets");
    assert_eq!(request.kind, 2, "it is a server's span");
    assert_eq!(attribute(request, "http.response.status_code"), "201");
    assert_eq!(attribute(request, "ruledesk.ticket.key"), ticket["key"].as_str().unwrap());
    let under = parts(&spans, request);
    assert_eq!(under.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["rules", "write"]);

    let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-2/decisions").expect(200);
    assert_eq!(attribute(under[0], "ruledesk.run.id"), runs[0]["id"].as_str().unwrap());
    let stages = parts(&spans, under[0]);
    let names: Vec<&str> = stages.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["stage intake", "stage categorization", "stage priority", "stage routing"]);
    for (stage, recorded) in stages.into_iter().zip(runs[0]["stages"].as_array().unwrap()) {
        let calls = parts(&spans, stage);
        let rules = recorded["rules"].as_array().unwrap();
        assert_eq!(calls.len(), rules.len(), "{}", stage.name);
        for (call, rule) in calls.into_iter().zip(rules) {
            assert_eq!(call.name, format!("rule {}", rule["rule"].as_str().unwrap()));
            assert_eq!(attribute(call, "ruledesk.rule.digest"), rule["component"].as_str().unwrap());
            assert_eq!(attribute(call, "ruledesk.rule.version"), rule["version"].as_str().unwrap());
            assert_eq!(attribute(call, "ruledesk.rule.outcome"), "answered");
            assert_eq!(attribute(call, "ruledesk.rule.fuel"), rule["fuel"].to_string());
            assert!(attribute(call, "ruledesk.rule.memory_peak_bytes").parse::<u64>().unwrap() > 0);
            assert!(stage.start_time_unix_nano <= call.start_time_unix_nano);
            assert!(call.end_time_unix_nano <= stage.end_time_unix_nano);
        }
    }
    assert_eq!(metric(&desk, "ruledesk_telemetry_spans_total{outcome=\"failed\"}"), 0.0);
}

#[test]
fn a_client_says_whether_it_is_followed_only_where_the_configuration_leaves_that_to_it() {
    for follows in [false, true] {
        let collector = Collector::start();
        let told = format!("\n[telemetry]\nsampling-ratio = 0\nfollow-callers = {follows}\n");
        let mut desk =
            Desk::with_settings_and_environment(example_rules(), traced(&collector), |text| text + told.as_str());
        let header = format!("00-{TRACE}-{CLIENT}-01");
        desk.as_role("amara").with("traceparent", &header).post("/api/v1/tickets", &incident("One")).expect(201);
        desk.as_role("amara").post("/api/v1/tickets", &incident("Two")).expect(201);
        // What waits leaves before the end.
        desk.stop();
        let spans = collector.spans();
        assert_eq!(!spans.is_empty(), follows, "{spans:?}");
        assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE), "{spans:?}");
    }
}

#[test]
fn a_failed_rule_is_a_failed_span_and_what_waits_leaves_before_the_end() {
    let collector = Collector::start();
    let rules = tempfile::TempDir::new().unwrap();
    put(rules.path(), "bad", &hostile_manifest("bad", "priority", "give-up", ""), hostile());
    let mut desk = Desk::with_environment(Database::Sqlite, rules.path(), traced(&collector));
    desk.as_role("amara").post("/api/v1/tickets", &incident("Seen")).expect(201);
    desk.stop();
    let spans = collector.spans();
    let call = spans.iter().find(|span| span.name == "rule bad").unwrap_or_else(|| panic!("{spans:?}"));
    assert_eq!(attribute(call, "ruledesk.rule.outcome"), "rule-error");
    let status = call.status.as_ref().unwrap();
    assert_eq!(status.code, 2, "{status:?}");
    assert!(status.message.contains("the rule gave up"), "{status:?}");
}

#[test]
fn a_collector_that_is_not_there_costs_spans_and_nothing_else() {
    let environment = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{}", port::own()))];
    let mut desk = Desk::with_environment(Database::Sqlite, example_rules(), environment);
    let lost = || metric(&desk, "ruledesk_telemetry_spans_total{outcome=\"failed\"}") > 0.0;
    desk.as_role("amara").post("/api/v1/tickets", &incident("One")).expect(201);
    until("spans to be lost", || lost().then_some(()));
    desk.as_role("amara").post("/api/v1/tickets", &incident("Two")).expect(201);
    let warns = |line: &Value| {
        line["level"] == "WARN" && line["fields"]["message"].as_str().is_some_and(|text| text.contains("collector"))
    };
    until("a line of the log about it", || desk.log().iter().any(warns).then_some(()));
    desk.stop();
}

#[test]
fn nothing_is_traced_unless_somebody_asks_for_it() {
    let desk = House::demo(Database::Sqlite);
    let header = format!("00-{TRACE}-{CLIENT}-01");
    desk.as_role("amara").with("traceparent", &header).post("/api/v1/tickets", &incident("One")).expect(201);
    for outcome in ["exported", "failed", "dropped"] {
        assert_eq!(metric(&desk, &format!("ruledesk_telemetry_spans_total{{outcome=\"{outcome}\"}}")), 0.0);
    }
}

#[test]
fn a_collector_that_cannot_be_one_is_refused_at_the_start() {
    let (data, rules) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap());
    let output = std::process::Command::new(crate::support::components::PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0", "--otlp-endpoint", "grpc://collector:4317", "--config"])
        .arg(crate::support::components::root().join("host/demo"))
        .arg("--data")
        .arg(data.path())
        .arg("--rules")
        .arg(rules.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains("grpc://collector:4317") && error.contains("http://127.0.0.1:4318"), "{error}");
}
