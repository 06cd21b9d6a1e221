//! A wrong rule on a Friday at noon: caught by a backtest, seen in the shadow, taken back as a canary; and afterwards the
//! records tell the story.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

fn routing_rule(desk: &House) -> Value {
    let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
    let all = rules["rules"].as_array().unwrap();
    all.iter().find(|rule| rule["name"] == "team-routing").unwrap().clone()
}

/// A ticket of one person after the other: what one of them meets says little about a version.
fn vpn_ticket(desk: &House) -> Value {
    static TICKETS: AtomicUsize = AtomicUsize::new(0);
    let person = ["amara", "lena", "priya"][TICKETS.fetch_add(1, Ordering::Relaxed) % 3];
    let body = json!({ "request_type": "incident", "subject": "VPN is down", "body": "Nobody can reach the VPN.",
        "fields": { "service": "vpn", "people-affected": 4 } });
    let made = desk.as_role(person).post("/api/v1/tickets", &body).expect(201);
    desk.as_role("kofi").get(&format!("/api/v1/tickets/{}", made["key"].as_str().unwrap())).expect(200)
}

fn run(desk: &House, arguments: &[&str], code: i32) -> String {
    let output = desk.command(arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

#[test]
fn a_wrong_rule_is_caught_shadowed_taken_back_and_explained() {
    on_both(|database| {
        let desk = House::demo(database);
        (0..12).for_each(|_| assert_eq!(vpn_ticket(&desk)["team"], "network"));

        // Subtly wrong: what is about the network goes to whoever mends desktop computers.
        let file = desk.rules.join("40-team-routing/rule.toml");
        let good = std::fs::read_to_string(&file).unwrap();
        let (head, _) = good.split_once("[[example]]").unwrap();
        let wrong = head.replace("network = \"network\"", "network = \"desktop\"").replace("1.0.0", "1.1.0");
        assert_ne!(wrong, head);
        let candidate = desk.rules.with_file_name("candidate");
        std::fs::create_dir(&candidate).unwrap();
        std::fs::copy(file.with_file_name("rule.wasm"), candidate.join("rule.wasm")).unwrap();
        std::fs::write(candidate.join("rule.toml"), &wrong).unwrap();
        let report = run(&desk, &["rules", "backtest", candidate.to_str().unwrap(), "--max-changed", "2%"], 3);
        assert!(report.contains("network") && report.contains("desktop"), "{report}");

        // Somebody ships it all the same, in the shadow: it has no effect and shows its disagreement.
        let shadow = wrong.replace("order = 40", "order = 40\nmode = \"shadow\"");
        std::fs::write(&file, &shadow).unwrap();
        until("the shadow", || (routing_rule(&desk)["candidate"]["state"] == "shadow").then_some(()));
        (0..4).for_each(|_| assert_eq!(vpn_ticket(&desk)["team"], "network"));
        let arms = routing_rule(&desk)["arms"].clone();
        let arm = arms.as_array().unwrap().iter().find(|arm| arm["part"] == "shadow").unwrap().clone();
        assert_eq!((&arm["calls"], &arm["disagreements"]), (&json!(4), &json!(4)), "{arms}");

        // As a canary it is taken back by itself.
        let limits = "mode = \"canary\"\n[canary]\npercent = 50\nafter-calls = 10\ndisagreement-max-percent = 20\n";
        let (before, settings) = wrong.split_once("[settings]").unwrap();
        let canary = format!("{before}{limits}\n[settings]{settings}").replace("1.1.0", "1.2.0");
        std::fs::write(&file, canary).unwrap();
        until("the canary", || (routing_rule(&desk)["candidate"]["state"] == "canary").then_some(()));
        let mut misrouted = None;
        until("the canary to be taken back", || {
            let ticket = vpn_ticket(&desk);
            if ticket["team"] == "desktop" {
                misrouted = Some(ticket["key"].as_str().unwrap().to_owned());
            }
            (routing_rule(&desk)["candidate"]["state"] == "loaded").then_some(())
        });
        let misrouted = misrouted.expect("a ticket was in the canary's share");
        until("the earlier version alone", || (vpn_ticket(&desk)["team"] == "network").then_some(()));

        // Afterwards the records tell the story.
        let why = run(&desk, &["explain", &misrouted, "--field", "team"], 0);
        assert!(why.contains("team-routing") && why.contains("1.2.0"), "{why}");
        let events = run(&desk, &["rules", "events", "team-routing"], 0);
        assert!(events.lines().count() >= 4, "{events}");
        run(&desk, &["decisions", "verify"], 0);
        run(&desk, &["decisions", "chain"], 0);
    });
}
