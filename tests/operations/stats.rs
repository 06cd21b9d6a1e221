//! What a rule did over time, from the records.

use serde_json::{Value, json};

use super::incident;
use crate::support::client::Client;
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::{Place, on_both};
use crate::support::records::into_old_shape;
use crate::support::wait::until;

fn submit(client: &Client, number: usize) {
    for count in 0..number {
        client.post("/api/v1/tickets", &incident(&format!("VPN is down {count}"))).expect(201);
    }
}

fn stats(desk: &Place, rule: &str, window: &str) -> Value {
    desk.as_role("kofi").get(&format!("/api/v1/rules/{rule}/stats?window={window}")).expect(200)
}

#[test]
fn a_rules_records_are_summed_up() {
    on_both(|database| {
        let desk = House::demo(database);
        submit(&desk.as_role("amara"), 12);
        let question = json!({ "request_type": "question", "subject": "Where", "body": "is the canteen?", "fields": { "topic": "other" } });
        desk.as_role("amara").post("/api/v1/tickets", &question).expect(201);
        let found = stats(&desk, "impact-urgency", "hour");
        assert_eq!(found["calls"], 13);
        assert_eq!(found["outcomes"], json!({ "answered": 13 }));
        assert_eq!(found["modes"], json!({ "active": 13 }));
        assert_eq!(found["answers"][0], json!({ "stage": "priority", "answer": "high", "count": 12 }));
        assert_eq!(found["answers"].as_array().unwrap().len(), 2, "{found}");
        assert_eq!(found["differences"], 0);
        assert!(found["memory_peak_bytes"].as_u64().unwrap() > 0);
        // The records themselves say the same.
        let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions").expect(200);
        let recorded = runs[0]["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == "priority").unwrap();
        let fuel = recorded["rules"][0]["fuel"].as_u64().unwrap();
        let within = found["fuel"]["min"].as_u64().unwrap()..=found["fuel"]["max"].as_u64().unwrap();
        assert!(within.contains(&fuel), "{fuel} in {within:?}");
        let latency = |key: &str| found["latency_us"][key].as_u64().unwrap();
        assert!(
            latency("p50") <= latency("p95") && latency("p95") <= latency("p99") && latency("p99") <= latency("max")
        );
        assert_eq!(stats(&desk, "impact-urgency", "week")["calls"], 13);
        // A rule that was never asked is a rule all the same; one that never was is none.
        assert_eq!(stats(&desk, "access-policy", "day")["calls"], 0);
        let kofi = desk.as_role("kofi");
        assert_eq!(kofi.get("/api/v1/rules/nobody-wrote-this/stats").status, 404);
        assert_eq!(kofi.get("/api/v1/rules/impact-urgency/stats?window=month").status, 400);
        assert_eq!(desk.as_role("amara").get("/api/v1/rules/impact-urgency/stats").status, 403);

        let output = desk.command(&["rules", "stats", "impact-urgency", "--window", "day"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("calls        13") && text.contains("priority: high"), "{text}");
    });
}

#[test]
fn more_records_than_a_page_are_all_counted() {
    on_both(|database| {
        let desk = House::demo(database);
        let clients = 4;
        std::thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| submit(&desk.as_role("amara"), 130));
            }
        });
        let found = stats(&desk, "impact-urgency", "hour");
        assert_eq!(found["calls"], 520);
        assert_eq!(found["answers"][0]["count"], 520);
    });
}

#[test]
fn faults_and_the_difference_that_a_shadow_rule_would_make_are_counted() {
    on_both(|database| {
        let rules = tempfile::TempDir::new().unwrap();
        put(rules.path(), "bad", &hostile_manifest("bad", "priority", "give-up", ""), hostile());
        let shadowed = std::fs::read_to_string(example_rules().join("30-impact-urgency/rule.toml")).unwrap();
        let component = std::fs::read(example_rules().join("30-impact-urgency/rule.wasm")).unwrap();
        put(rules.path(), "shadow", &format!("mode = \"shadow\"\n{shadowed}"), &component);
        let desk = House::with_rules(database, rules.path());
        submit(&desk.as_role("amara"), 3);
        assert_eq!(stats(&desk, "bad", "hour")["outcomes"], json!({ "rule-error": 3 }));
        let found = stats(&desk, "impact-urgency", "hour");
        assert_eq!(found["modes"], json!({ "shadow": 3 }));
        // It would have said `high`; the desk's default is `medium`.
        assert_eq!(found["differences"], 3);
        let labels = r#"rule="impact-urgency",stage="priority",mode="shadow""#;
        assert_eq!(super::metric(&desk, &format!("ruledesk_rule_differences_total{{{labels}}}")), 3.0);
    });
}

/// What was counted with the records is what reading all of them comes to, as it does where a desk of before is brought up to
/// date: its records are put into the small shape, and counted meanwhile.
#[test]
fn sums_that_were_written_with_records_are_those_of_reading_them_all() {
    on_both(|database| {
        let rules = tempfile::TempDir::new().unwrap();
        crate::support::place::copy(example_rules(), rules.path());
        put(rules.path(), "bad", &hostile_manifest("bad", "priority", "give-up", ""), hostile());
        let desk = Desk::with_rules(database, rules.path());
        submit(&desk.as_role("amara"), 70);
        let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": {
            "app": "github", "tier": "write", "duration-hours": 240, "justification": "I join the data project" } });
        desk.as_role("amara").post("/api/v1/tickets", &access).expect(201);
        let names = ["impact-urgency", "team-routing", "keyword-category", "access-policy", "bad", "tidy-text"];
        // The hour at which a week begins goes on with the time of day, and is none of what is summed up.
        let all = |desk: &Desk| {
            names.map(|name| {
                let mut found = stats(desk, name, "week");
                assert!(found.as_object_mut().unwrap().remove("since").is_some(), "{found}");
                found
            })
        };
        let (written, decisions) = (all(&desk), desk.as_role("kofi").get("/api/v1/tickets/IT-7/decisions").expect(200));
        assert!(written[4]["outcomes"]["rule-error"].as_u64().unwrap() > 0, "{}", written[4]);
        let before = desk_chain(&desk);
        let target = desk.target();
        let place = desk.crash();
        assert_eq!(into_old_shape(&target), 71);
        let desk = place.start();
        let (rows, _) = until("all records to be small", || {
            let rows = desk.rows();
            (rows["decisions"] == 0).then_some(rows)
        });
        assert!(rows["rule_hours"] > 6, "{rows:?}");
        assert_eq!(all(&desk), written);
        assert_eq!(desk.as_role("kofi").get("/api/v1/tickets/IT-7/decisions").expect(200), decisions);
        assert_eq!(desk_chain(&desk), before, "the records are the same, whatever their shape");
    });
}

fn desk_chain(desk: &Desk) -> String {
    let output = desk.command(&["decisions", "chain"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
