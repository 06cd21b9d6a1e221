//! Where a rule for access fails, more is asked than it would have asked, and less is given.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// A desk with one rule for access besides the policy, which fails.
fn desk(database: Database) -> House {
    let desk = House::demo(database);
    put(&desk.rules, "60-fails", &hostile_manifest("fails", "access", "give-up", ""), hostile());
    desk.until_active("fails");
    desk
}

fn asked(desk: &House, app: &str, tier: &str, hours: u32) -> Value {
    let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": {
        "app": app, "tier": tier, "duration-hours": hours,
        "justification": "I move the repositories to the new organisation tonight, change 4711" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)
}

/// Lets all who are awaited approve, one after the other; who that was.
fn approved_by(desk: &House, key: &str) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        let ticket = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200);
        let Some(who) = ticket["access"]["awaited"][0].as_str().map(str::to_owned) else { return said };
        let client = desk.with_roles(&who, "requester");
        client.post(&format!("/api/v1/tickets/{key}/access/decisions"), &json!({ "approve": true })).expect(200);
        said.push(who);
    }
}

fn hours(desk: &House) -> i64 {
    let grant = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200)[0].clone();
    let at = |name: &str| grant[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    at("expires_at").duration_since(at("granted_at")).as_hours()
}

#[test]
fn the_manager_the_owner_and_by_risk_the_access_approvers_are_asked_for_a_day() {
    on_both(|database| {
        let desk = desk(database);
        asked(&desk, "jira", "user", 1000);
        assert_eq!(approved_by(&desk, "IT-1"), ["lena", "chloe"], "low risk: manager and owner");
        assert_eq!(hours(&desk), 24);
        let ticket = asked(&desk, "github", "admin", 72);
        assert_eq!(ticket["access"]["state"], "awaiting");
        let said = approved_by(&desk, "IT-2");
        // The policy's own steps, and those of the fallback: each another person.
        assert!(said.len() >= 4 && said.contains(&"lena".to_owned()) && said.contains(&"ravi".to_owned()), "{said:?}");
        let distinct: std::collections::BTreeSet<&String> = said.iter().collect();
        assert_eq!(distinct.len(), said.len(), "{said:?}");
    });
}

#[test]
fn approvers_have_the_hours_of_the_calendar_that_is_named_for_all_for_an_app_or_for_a_tier() {
    on_both(|database| {
        // Open on Saturdays alone: of a week, two hours.
        let calendar =
            "[[other-calendar]]\nid = \"clinic\"\ntime-zone = \"Europe/Berlin\"\nsaturday = [\"08:00-10:00\"]\n";
        let named = "[defaults]\naccess-deadlines = \"clinic\"\n";
        let (all, clinic, clock) =
            ("[defaults]\n", "access-deadlines = \"clinic\"\n", "access-deadlines = \"clock\"\n");
        for (line, own, of_tier) in [(named, "", ""), (all, clinic, ""), (all, clock, clinic)] {
            let desk = House::with_settings(database, example_rules(), |text| {
                format!("{}\n{calendar}", text.replacen("[defaults]\n", line, 1))
            });
            let apps = desk.settings().with_file_name("apps.toml");
            let text = std::fs::read_to_string(&apps).unwrap();
            let (id, tier) = ("id = \"github\"\n", "id = \"write\"\n");
            assert!(text.contains(id) && text.contains(tier));
            let text = text.replacen(id, &format!("{id}{own}"), 1);
            std::fs::write(&apps, text.replacen(tier, &format!("{tier}{of_tier}"), 1)).unwrap();
            assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
            assert_eq!(asked(&desk, "github", "write", 48)["access"]["state"], "awaiting");
            let case = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["access"].clone();
            desk.advance(SignedDuration::from_hours(24 * 7 * 2));
            let state = || desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["access"]["state"].clone();
            assert_eq!(state(), "awaiting", "the clock would have counted it as over: {case}");
        }
        let desk = House::demo(database);
        let apps = desk.settings().with_file_name("apps.toml");
        let text = std::fs::read_to_string(&apps).unwrap();
        let wrong = text.replacen("id = \"github\"\n", "id = \"github\"\naccess-deadlines = \"clinics\"\n", 1);
        std::fs::write(&apps, wrong).unwrap();
        assert_ne!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204, "no such calendar");
    });
}

#[test]
fn approvers_have_the_hours_in_which_the_desk_is_open_where_the_configuration_says_so() {
    on_both(|database| {
        for (deadlines, after) in [("clock", "denied"), ("business-hours", "awaiting")] {
            let line = format!("[defaults]\naccess-deadlines = \"{deadlines}\"\n");
            let desk = House::with_settings(database, example_rules(), |text| text.replacen("[defaults]\n", &line, 1));
            assert_eq!(asked(&desk, "github", "write", 48)["access"]["state"], "awaiting");
            let state = || desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["access"]["state"].clone();
            desk.advance(SignedDuration::from_hours(71));
            assert_eq!(state(), "awaiting", "{deadlines}");
            // Of three days the desk is open for thirty hours at most.
            desk.advance(SignedDuration::from_hours(2));
            assert_eq!(state(), after, "{deadlines}");
            desk.advance(SignedDuration::from_hours(24 * 28));
            assert_eq!(state(), "denied", "{deadlines}");
        }
    });
}
