//! A rule is replaced while requests flow: none fails, each ticket sees one generation, and the new rule is in effect soon.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::json;

use crate::support::house::House;
use crate::support::place::Database;
use crate::support::wait::until;

#[test]
fn rules_change_while_requests_flow() {
    let desk = House::demo(Database::Sqlite);
    let file = desk.rules.join("30-impact-urgency/rule.toml");
    let original = fs::read_to_string(&file).unwrap();
    let (stop, served) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let body = json!({ "request_type": "question", "subject": "flow", "body": "Please tell me.", "fields": { "topic": "howto" } });
                    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let kofi = desk.as_role("kofi");
        let version = |wanted: &str| {
            let rules = kofi.get("/api/v1/rules").json();
            rules["rules"]
                .as_array()?
                .iter()
                .any(|r| r["name"] == "impact-urgency" && r["version"] == wanted)
                .then_some(())
        };
        for n in 1..=3 {
            // Each version must have decided something before the next takes over.
            let before = served.load(Ordering::Relaxed);
            until("tickets", || (served.load(Ordering::Relaxed) >= before + 7).then_some(()));
            let wanted = format!("1.0.{n}");
            fs::write(&file, original.replace("version = \"1.0.0\"", &format!("version = \"{wanted}\""))).unwrap();
            let ((), took) = until("the new version", || version(&wanted));
            println!("in effect after {took:?}, {} served", served.load(Ordering::Relaxed));
        }
        fs::write(&file, "broken").unwrap();
        until("the error", || {
            let rules = kofi.get("/api/v1/rules").json();
            rules["rules"].as_array()?.iter().any(|r| r["last_error"].is_string()).then_some(())
        });
        assert!(version("1.0.3").is_some(), "the last good version serves on");
        let before = served.load(Ordering::Relaxed);
        until("tickets", || (served.load(Ordering::Relaxed) >= before + 7).then_some(()));
        stop.store(true, Ordering::Relaxed);
    });
    let generations: Vec<i64> = (1..=served.load(Ordering::Relaxed))
        .step_by(7)
        .map(|n| {
            let runs = desk.as_role("kofi").get(&format!("/api/v1/tickets/IT-{n}/decisions")).expect(200);
            assert_eq!(runs.as_array().unwrap().len(), 1);
            runs[0]["generation"].as_i64().unwrap()
        })
        .collect();
    assert!(generations.first() < generations.last(), "{generations:?}");
}
