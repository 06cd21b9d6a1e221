//! The laws of every request and every decision: who decides, what a decision goes by, how long a grant
//! lasts, and that the same request sent again changes nothing.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

fn body(app: &str, tier: &str, hours: u32) -> Value {
    let fields = json!({ "app": app, "tier": tier, "duration-hours": hours,
        "justification": "I move the repositories to the new organisation tonight, change 4711" });
    json!({ "request_type": "access", "subject": format!("{app} please"), "fields": fields })
}

fn asks(client: &Client, app: &str, tier: &str, hours: u32) -> Value {
    client.post("/api/v1/tickets", &body(app, tier, hours)).expect(201)
}

fn says(client: &Client, key: &str, decision: &Value) -> Answer {
    client.post(&format!("/api/v1/tickets/{key}/access/decisions"), decision)
}

fn access(desk: &House, key: &str) -> Value {
    desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200)["access"].clone()
}

fn grants(desk: &House) -> Vec<Value> {
    desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200).as_array().unwrap().clone()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn i03_each_step_has_its_own_person_and_a_decision_is_taken_once_and_never_changed() {
    on_both(|database| {
        let desk = House::demo(database);
        asks(&desk.as_role("amara"), "github", "admin", 24);
        let lena = desk.as_role("lena");
        says(&lena, "IT-1", &json!({ "approve": true })).expect(200);
        let again = says(&lena, "IT-1", &json!({ "approve": false, "reason": "on second thoughts" }));
        assert!((403..=409).contains(&again.status), "{}", again.text);
        assert!(!access(&desk, "IT-1")["awaited"].to_string().contains("lena"), "another person has the next step");
        says(&desk.as_role("priya"), "IT-1", &json!({ "approve": true })).expect(200);
        assert_eq!(access(&desk, "IT-1")["state"], "approved");
        for who in ["lena", "priya", "viktor"] {
            let client = desk.with_roles(who, "requester");
            let late = says(&client, "IT-1", &json!({ "approve": false, "reason": "I take it back" }));
            assert!((400..500).contains(&late.status), "{who}: {}", late.text);
        }
        let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{}", grants(&desk)[0]["id"].as_str().unwrap()));
        let story = story.expect(200);
        let said: Vec<(String, String)> = story["ledger"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["event"] == "approved-by")
            .map(|event| (event["detail"]["step"].to_string(), event["detail"]["approver"].to_string()))
            .collect();
        assert_eq!(said, [("0".to_owned(), "\"lena\"".to_owned()), ("1".to_owned(), "\"priya\"".to_owned())]);
        if database == Database::Postgres {
            desk.sql("update access_decisions set approver = 'omar' where approver = 'lena'");
            assert!(!desk.command(&["decisions", "chain"]).status.success(), "a decision that was changed is found");
        }
        desk.advance(SignedDuration::from_hours(24));
    });
}

#[test]
fn i04_the_same_input_gives_the_same_decision_and_a_rule_that_fails_approves_nothing() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        assert_eq!(asks(&amara, "jira", "user", 4)["access"]["state"], "approved");
        asks(&amara, "github", "write", 4);
        says(&desk.as_role("lena"), "IT-2", &json!({ "approve": true })).expect(200);
        // Other grants, other people, another hour: what was decided is decided again from what was kept.
        desk.advance(SignedDuration::from_hours(5));
        let verified = desk.command(&["decisions", "verify"]);
        let said = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(verified.status.success(), "{said}");
        for (n, deed) in ["panic", "loop"].into_iter().enumerate() {
            let version = format!("9.0.{n}");
            let manifest = hostile_manifest("bad", "access", deed, "[limits]\nfuel = 3_000_000");
            put(&desk.rules, "01-bad", &manifest.replace("1.0.0", &version), hostile());
            until("the rule that fails", || {
                let rules = desk.as_role("kofi").get("/api/v1/rules").json();
                rules["rules"].as_array()?.iter().any(|rule| rule["version"] == version.as_str()).then_some(())
            });
            let ticket = asks(&amara, "jira", "user", 4);
            assert_eq!(ticket["access"]["state"], "awaiting", "{deed}: {ticket}");
            assert_eq!(grants(&desk).iter().filter(|grant| grant["effective"] == true).count(), 0, "{deed}");
            let cancel = json!({ "to": "cancelled" });
            let path = format!("/api/v1/tickets/{}/transitions", ticket["key"].as_str().unwrap());
            amara.with("if-match", "\"1\"").post(&path, &cancel).expect(200);
        }
    });
}

#[test]
fn i06_a_grant_is_never_longer_than_what_was_asked_the_tier_the_policy_and_the_approver_allow() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        // Asked for 100 hours, the tier allows 72, the policy 24.
        asks(&amara, "github", "admin", 100);
        let scope = access(&desk, "IT-1")["scope"]["duration_hours"].clone();
        assert_eq!(scope, 24);
        for hours in [0, 25, 100] {
            let longer = says(&desk.as_role("lena"), "IT-1", &json!({ "approve": true, "hours": hours }));
            assert!((400..500).contains(&longer.status), "{hours}: {}", longer.text);
        }
        says(&desk.as_role("lena"), "IT-1", &json!({ "approve": true, "hours": 6 })).expect(200);
        let longer = says(&desk.as_role("priya"), "IT-1", &json!({ "approve": true, "hours": 7 }));
        assert!((400..500).contains(&longer.status), "who comes later does not lengthen it: {}", longer.text);
        desk.advance(SignedDuration::from_hours(3));
        says(&desk.as_role("priya"), "IT-1", &json!({ "approve": true })).expect(200);
        let grant = grants(&desk)[0].clone();
        let (begins, ends) = (instant(&grant["granted_at"]), instant(&grant["expires_at"]));
        assert_eq!(ends.duration_since(begins).as_hours(), 6);
        assert_eq!(begins, desk.clock.now(), "the time begins when it is given, not when it was asked for");
        // Less than the policy allows was asked for.
        asks(&amara, "jira", "user", 2);
        let short = grants(&desk).into_iter().find(|grant| grant["app"] == "jira").unwrap();
        assert_eq!(instant(&short["expires_at"]).duration_since(instant(&short["granted_at"])).as_hours(), 2);
        desk.advance(SignedDuration::from_hours(6));
    });
}

/// More time was asked for, and the access is taken back before it is decided: an approval of more time does not give it once more.
#[test]
fn i07_what_was_taken_back_meanwhile_is_not_extended() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let yes = json!({ "approve": true });
        let newest = || grants(&desk)[0]["id"].as_str().unwrap().to_owned();
        let effective = || grants(&desk).iter().filter(|grant| grant["effective"] == true).count();
        let more = json!({ "hours": 4, "justification": "the move of the repositories takes longer, change 4711" });
        asks(&amara, "github", "write", 4);
        says(&lena, "IT-1", &yes).expect(200);
        let made = amara.post(&format!("/api/v1/grants/{}/extend", newest()), &more).expect(201);
        assert_eq!(made["access"]["state"], "awaiting", "{made}");
        let reason = json!({ "reason": "the account is misused" });
        desk.as_role("mei").post(&format!("/api/v1/grants/{}/revoke", newest()), &reason).expect(200);
        says(&lena, "IT-2", &yes).expect(200);
        assert_eq!((&access(&desk, "IT-2")["state"], effective()), (&json!("denied"), 0));
        let timeline = amara.get("/api/v1/tickets/IT-2/timeline").expect(200).to_string();
        assert!(timeline.contains("was taken back at"), "{timeline}");
        // Asked for once more it is a decision of its own; and what has only run out meanwhile goes on.
        asks(&amara, "github", "write", 4);
        says(&lena, "IT-3", &yes).expect(200);
        assert_eq!((&access(&desk, "IT-3")["state"], effective()), (&json!("approved"), 1));
        amara.post(&format!("/api/v1/grants/{}/extend", newest()), &more).expect(201);
        desk.advance(SignedDuration::from_hours(5));
        assert_eq!(effective(), 0);
        says(&lena, "IT-4", &yes).expect(200);
        assert_eq!((&access(&desk, "IT-4")["state"], effective()), (&json!("approved"), 1));
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.advance(SignedDuration::from_hours(5));
    });
}

const POLICY: &str = r#"name = "github-policy"
version = "1.0.0"
stages = ["access"]
order = 10
[settings]
stage = "access"
otherwise = "pass"
[[settings.row]]
when.request.app = "github"
then = "deny"
reason = "github is frozen while it is audited"
"#;

#[test]
fn i19_a_policy_is_two_peoples_and_one_that_comes_later_only_makes_an_open_request_stricter() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
        });
        let (mei, noor) = (desk.as_role("mei"), desk.with_roles("noor", "admin"));
        let approve_all = || {
            let rules = mei.get("/api/v1/rules").expect(200)["rules"].as_array().unwrap().clone();
            for rule in rules.iter().filter(|rule| rule["candidate"]["proposed_by"].is_string()) {
                let body = json!({ "version": rule["candidate"]["id"], "why": "read line by line" });
                let path = format!("/api/v1/rules/{}/approve", rule["name"].as_str().unwrap());
                noor.post(&path, &body).expect(200);
            }
            until("all to be in effect", || {
                let rules = mei.get("/api/v1/rules").expect(200);
                let waits = |rule: &Value| rule["candidate"]["proposed_by"].is_string();
                (!rules["rules"].as_array()?.iter().any(waits)).then_some(())
            });
        };
        approve_all();
        let ticket = asks(&mei, "github", "write", 4);
        assert_eq!(ticket["access"]["state"], "awaiting", "{ticket}");
        let awaited = access(&desk, "IT-1")["awaited"].clone();
        // The person who asks publishes a policy that lets them in; it is not in effect, and no open request hears of it.
        let table = std::fs::read(example_rules().join("60-decision-table/rule.wasm")).unwrap();
        let open = POLICY.replace("then = \"deny\"", "then = \"approve\"").replace("1.0.0", "0.9.0");
        let publish = |manifest: &str| {
            let parts: [(&str, &[u8]); 3] =
                [("manifest", manifest.as_bytes()), ("component", &table), ("why", b"because")];
            mei.send_parts("/api/v1/rules", &parts).expect(201)
        };
        publish(&open);
        let rule = |name: &str| {
            let rules = mei.get("/api/v1/rules").expect(200)["rules"].as_array().unwrap().clone();
            rules.into_iter().find(|rule| rule["name"] == name).unwrap()
        };
        let version = rule("github-policy")["candidate"]["id"].clone();
        let own = json!({ "version": version, "why": "I agree with myself" });
        assert_eq!(mei.post("/api/v1/rules/github-policy/approve", &own).status, 409);
        approve_all();
        assert_eq!(access(&desk, "IT-1")["awaited"], awaited, "a looser policy changes no open request");
        assert_eq!(access(&desk, "IT-1")["state"], "awaiting");
        // A stricter one holds when access is about to be given.
        publish(POLICY);
        approve_all();
        let who = access(&desk, "IT-1")["awaited"][0].as_str().unwrap().to_owned();
        says(&desk.with_roles(&who, "requester"), "IT-1", &json!({ "approve": true })).expect(200);
        let denied = access(&desk, "IT-1");
        assert_eq!(denied["state"], "denied", "{denied}");
        let timeline = mei.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("github is frozen while it is audited"), "{timeline}");
    });
}

#[test]
fn i21_a_request_or_decision_that_is_sent_again_is_made_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara").with("idempotency-key", "ask-1");
        let first = amara.post("/api/v1/tickets", &body("github", "write", 4)).expect(201);
        let again = amara.post("/api/v1/tickets", &body("github", "write", 4)).expect(200);
        assert_eq!(first["key"], again["key"]);
        let other = amara.post("/api/v1/tickets", &body("github", "write", 5));
        assert!((400..500).contains(&other.status), "another request under the same key: {}", other.text);
        let open = desk.as_role("amara").post("/api/v1/tickets", &body("github", "write", 5)).expect(422);
        assert!(open.to_string().contains("IT-1"), "one open request for a person and a tier: {open}");
        let lena = desk.as_role("lena").with("idempotency-key", "yes-1");
        let yes = json!({ "approve": true });
        for _ in 0..2 {
            assert_eq!(says(&lena, "IT-1", &yes).expect(200)["access"]["state"], "approved");
        }
        assert_eq!(
            says(&lena, "IT-1", &json!({ "approve": false, "reason": "no" })).status,
            422,
            "another under the key"
        );
        assert_eq!(grants(&desk).len(), 1);
        let second = desk.as_role("amara").post("/api/v1/tickets", &body("github", "admin", 4)).expect(201);
        let path = format!("/api/v1/tickets/{}/transitions", second["key"].as_str().unwrap());
        let cancel = desk.as_role("amara").with("idempotency-key", "stop-1").with("if-match", "\"1\"");
        for _ in 0..2 {
            assert_eq!(cancel.post(&path, &json!({ "to": "cancelled" })).expect(200)["state"], "cancelled");
        }
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn i22_what_happens_to_a_ticket_gives_no_access_only_a_decision_does() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        asks(&amara, "github", "write", 4);
        // Words in a ticket decide nothing, not even those of the person who may decide.
        let approved = json!({ "body": "approved" });
        for client in [&desk.as_role("lena"), &kofi, &amara] {
            client.post("/api/v1/tickets/IT-1/comments", &approved).expect(201);
        }
        assert_eq!(access(&desk, "IT-1")["state"], "awaiting");
        let stranger = desk.stranger().post("/api/v1/tickets/IT-1/access/decisions", &json!({ "approve": true }));
        assert_eq!(stranger.status, 401, "without a person there is no decision");
        // Neither an agent nor an admin approves by a state, an edit or a decision of their own.
        for client in [&kofi, &desk.as_role("mei")] {
            assert_eq!(says(client, "IT-1", &json!({ "approve": true })).status, 403);
            let tag = client.get("/api/v1/tickets/IT-1").etag.unwrap();
            let resolve = crate::support::client::resolved();
            let moved = client.with("if-match", &tag).post("/api/v1/tickets/IT-1/transitions", &resolve);
            assert!((400..500).contains(&moved.status), "{}", moved.text);
        }
        assert_eq!((access(&desk, "IT-1")["state"].clone(), grants(&desk).len()), (json!("awaiting"), 0));
        says(&desk.as_role("lena"), "IT-1", &json!({ "approve": true })).expect(200);
        assert_eq!(grants(&desk).len(), 1);
        desk.advance(SignedDuration::from_hours(4));
    });
}
