//! Access: asked for by ticket, decided by rules and people, granted in the same transaction.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::peers::smtp::{Relay, decision_page};
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

fn request(app: &str, tier: &str, hours: u32) -> Value {
    json!({ "request_type": "access", "subject": format!("{app} please"), "fields": {
        "app": app, "tier": tier, "duration-hours": hours, "justification": "I join the data project on Monday" } })
}

/// Of one access, one request may wait.
fn cancel_if_waiting(client: &Client, ticket: &Value) {
    if ticket["access"]["state"] == "awaiting" {
        let path = format!("/api/v1/tickets/{}/transitions", ticket["key"].as_str().unwrap());
        client.with("if-match", "\"1\"").post(&path, &json!({ "to": "cancelled" })).expect(200);
    }
}

#[test]
fn the_manager_approves_and_the_grant_is_there_at_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let ticket = amara.post("/api/v1/tickets", &request("github", "write", 240)).expect(201);
        assert_eq!(ticket["state"], "waiting_approval");
        assert_eq!(ticket["access"]["awaited"], json!(["lena"]));
        assert_eq!(amara.get("/api/v1/people/amara/grants").expect(200), json!([]));

        let decisions = "/api/v1/tickets/IT-1/access/decisions";
        assert_eq!(amara.post(decisions, &json!({ "approve": true })).status, 403, "nobody approves their own");
        let mei = desk.as_role("mei").post(decisions, &json!({ "approve": true }));
        assert_eq!(mei.status, 403, "an admin is no approver: {}", mei.text);
        assert_eq!(lena.get("/api/v1/access-requests").expect(200)[0]["key"], "IT-1");
        let longer = lena.post(decisions, &json!({ "approve": true, "hours": 241 }));
        assert_eq!(longer.status, 422, "an approver may shorten, never lengthen");
        let decided = lena.post(decisions, &json!({ "approve": true, "hours": 24 })).expect(200);
        assert_eq!((&decided["state"], &decided["access"]["state"]), (&json!("resolved"), &json!("approved")));
        assert_eq!(lena.post(decisions, &json!({ "approve": true })).status, 409, "a decision stands");

        let grants = amara.get("/api/v1/people/amara/grants").expect(200);
        assert_eq!((&grants[0]["app"], &grants[0]["effective"]), (&json!("github"), &json!(true)));
        let at = |name: &str| grants[0][name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!((at("expires_at") - at("granted_at")).as_secs(), 24 * 3600);
        assert_eq!(lena.get("/api/v1/people/amara/grants").status, 403);
    });
}

#[test]
fn a_denial_needs_a_reason_and_grants_nothing() {
    on_both(|database| {
        let desk = House::demo(database);
        let lena = desk.as_role("lena");
        desk.as_role("amara").post("/api/v1/tickets", &request("github", "write", 240)).expect(201);
        let decisions = "/api/v1/tickets/IT-1/access/decisions";
        assert_eq!(lena.post(decisions, &json!({ "approve": false })).status, 422);
        let denied = lena.post(decisions, &json!({ "approve": false, "reason": "not needed" })).expect(200);
        assert_eq!(denied["access"]["state"], "denied");
        assert_eq!(desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200), json!([]));
    });
}

#[test]
fn cancelling_a_ticket_takes_its_request_back() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        amara.post("/api/v1/tickets", &request("github", "write", 240)).expect(201);
        assert_eq!(lena.get("/api/v1/access-requests").expect(200).as_array().unwrap().len(), 1);
        let cancel = amara.with("if-match", "\"1\"");
        cancel.post("/api/v1/tickets/IT-1/transitions", &json!({ "to": "cancelled" })).expect(200);
        assert_eq!(lena.get("/api/v1/access-requests").expect(200), json!([]));
        let ticket = amara.get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(ticket["access"]["state"], "cancelled");
        let late = lena.post("/api/v1/tickets/IT-1/access/decisions", &json!({ "approve": true }));
        assert!((400..500).contains(&late.status), "{}", late.text);
        assert_eq!(amara.get("/api/v1/people/amara/grants").expect(200), json!([]));
    });
}

#[test]
fn what_nobody_decides_in_time_the_desk_denies() {
    on_both(|database| {
        let desk = House::demo(database);
        let submit = |app, tier| desk.as_role("amara").post("/api/v1/tickets", &request(app, tier, 100)).expect(201);
        submit("github", "write");
        desk.advance(SignedDuration::from_mins(1));
        submit("jira", "admin");
        let (amara, kofi, lena) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("lena"));
        let ticket = || amara.get("/api/v1/tickets/IT-1").expect(200);
        // The policy gives approvers three days.
        desk.advance(SignedDuration::from_hours(72) - SignedDuration::from_mins(1) - SignedDuration::from_millis(1));
        assert_eq!(ticket()["access"]["state"], "awaiting", "it has a millisecond");
        desk.advance(SignedDuration::from_millis(1));
        assert_eq!((&ticket()["state"], &ticket()["access"]["state"]), (&json!("resolved"), &json!("denied")));
        assert_eq!(amara.get("/api/v1/people/amara/grants").expect(200), json!([]));
        let timeline = amara.get("/api/v1/tickets/IT-1/timeline").expect(200);
        let denied = timeline.as_array().unwrap().iter().rfind(|entry| entry["kind"] == "access-decided").unwrap();
        assert!(denied.to_string().contains("it was not decided in time"), "{denied}");
        let told = kofi.get("/api/v1/tickets/IT-1/messages").expect(200);
        let to_amara = |message: &&Value| message["kind"] == "resolved" && message["recipient"] == "amara";
        assert_eq!(told.as_array().unwrap().iter().filter(to_amara).count(), 1, "{told}");
        let why = kofi.get("/api/v1/tickets/IT-1/explain").expect(200);
        assert!(why["text"].as_str().unwrap().contains("was not approved (it was not decided in time)"), "{why}");

        let late = lena.post("/api/v1/tickets/IT-1/access/decisions", &json!({ "approve": true }));
        assert_eq!(late.status, 409, "{}", late.text);
        let left = lena.get("/api/v1/access-requests").expect(200);
        assert_eq!((left.as_array().unwrap().len(), &left[0]["key"]), (1, &json!("IT-2")), "it has time");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn a_grant_ends_when_its_time_is_over() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        amara.post("/api/v1/tickets", &request("jira", "user", 100)).expect(201);
        let effective = || amara.get("/api/v1/people/amara/grants").expect(200)[0]["effective"].clone();
        desk.advance(SignedDuration::from_hours(100) - SignedDuration::from_millis(1));
        assert_eq!(effective(), true);
        desk.advance(SignedDuration::from_millis(1));
        assert_eq!(effective(), false);
    });
}

/// Being named decides, not the role.
#[test]
fn a_manager_approves_without_being_made_an_approver_first() {
    on_both(|database| {
        let desk = House::demo(database);
        desk.as_role("amara").post("/api/v1/tickets", &request("github", "write", 240)).expect(201);
        let lena = desk.with_roles("lena", "requester");
        lena.get("/api/v1/tickets/IT-1").expect(200);
        let zero = json!({ "approve": false, "reason": "no\u{0}" });
        lena.post("/api/v1/tickets/IT-1/access/decisions", &zero).expect(422);
        let decided = lena.post("/api/v1/tickets/IT-1/access/decisions", &json!({ "approve": true })).expect(200);
        assert_eq!(decided["access"]["state"], "approved");
        let other = desk.with_roles("priya", "requester");
        assert_eq!(other.get("/api/v1/tickets/IT-1").status, 404);
        let token = other.token.clone().unwrap();
        assert!(desk.command(&["token", "--revoke", &token]).status.success());
        // A host trusts what it knows for a few seconds; by then it has asked again.
        desk.advance(SignedDuration::from_secs(5));
        other.get("/api/v1/tickets").expect(401);
        assert!(!desk.command(&["token", "--revoke", &token]).status.success(), "once is enough");
    });
}

/// A rule that should have been asked and is not there has not agreed.
#[test]
fn an_access_rule_that_never_came_up_leaves_the_decision_to_a_person() {
    let desk = House::demo(Database::Sqlite);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let state = || {
        let ticket = amara.post("/api/v1/tickets", &request("jira", "user", 100)).expect(201);
        cancel_if_waiting(&amara, &ticket);
        ticket["access"]["state"].clone()
    };
    assert_eq!(state(), "approved");
    let refused = |folder: &str| {
        let rules = kofi.get("/api/v1/rules").json();
        rules["folders"].as_array().is_some_and(|all| all.iter().any(|f| f.to_string().contains(folder)))
            || rules.to_string().contains(folder)
    };
    put(&desk.rules, "60-broken-priority", &hostile_manifest("broken-priority", "priority", "pass", ""), b"no wasm");
    until("the broken rule of another stage", || refused("60-broken-priority").then_some(()));
    assert_eq!(state(), "approved");
    put(&desk.rules, "60-duties", &hostile_manifest("duties", "access", "pass", ""), b"no wasm");
    until("the broken rule", || refused("60-duties").then_some(()));
    assert_eq!(state(), "awaiting", "what the list of rules says holds for the next ticket");
    std::fs::remove_dir_all(desk.rules.join("60-duties")).unwrap();
    until("its end", || (!refused("60-duties")).then_some(()));
    until("the rules to be asked again", || (state() == "approved").then_some(()));
}

#[test]
fn what_is_not_in_the_catalog_cannot_be_asked_for() {
    let desk = House::demo(Database::Sqlite);
    let answer = desk.as_role("amara").post("/api/v1/tickets", &request("gitlab", "write", 240)).expect(422);
    assert_eq!(answer["problems"][0]["field"], "app", "{answer}");
}

#[test]
fn a_failing_access_rule_never_approves() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        for (n, deed) in ["panic", "loop", "give-up", "huge-answer", "unknown-name"].into_iter().enumerate() {
            let manifest = hostile_manifest("bad-access", "access", deed, "[limits]\nfuel = 3_000_000")
                .replace("1.0.0", &format!("9.0.{n}"));
            put(&desk.rules, "01-bad-access", &manifest, hostile());
            until("the hostile rule", || {
                let rules = kofi.get("/api/v1/rules").json();
                let live = rules["rules"].as_array()?.iter().any(|r| r["version"] == format!("9.0.{n}"));
                live.then_some(())
            });
            let amara = desk.as_role("amara");
            let ticket = amara.post("/api/v1/tickets", &request("jira", "user", 100)).expect(201);
            cancel_if_waiting(&amara, &ticket);
            let failed = deed != "unknown-name";
            if failed {
                assert_eq!(ticket["access"]["state"], "awaiting", "{deed}: {ticket}");
                assert!(!ticket["access"]["awaited"].as_array().unwrap().is_empty(), "{deed}");
            }
        }
    });
}

/// Ninety days that become thirty are no surprise of the thirty-first.
#[test]
fn a_requester_is_told_what_is_narrowed() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    let ticket = amara.post("/api/v1/tickets", &request("jira", "admin", 2160)).expect(201);
    let hours = ticket["access"]["scope"]["duration_hours"].as_u64().unwrap();
    assert!(hours < 2160, "{ticket}");
    let text = amara.get("/api/v1/tickets/IT-1/explain").expect(200)["text"].as_str().unwrap().to_owned();
    assert!(text.contains(&format!("It gives {hours} hours instead of 2160.")), "{text}");
}

fn submission(people: &[&str], items: &Value) -> Value {
    json!({ "people": people, "items": items, "justification": "the audit begins on Monday" })
}

#[test]
fn several_items_for_several_people_are_decided_one_by_one_and_none_is_made_where_one_cannot_be_asked_for() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let items = |second: &str| {
            json!([{ "app": "jira", "tier": "user", "duration_hours": 24 },
                { "app": "github", "tier": second, "duration_hours": 240 }])
        };
        let post =
            |key: &str, body: &Value| amara.with("idempotency-key", key).post("/api/v1/access/submissions", body);
        let wrong = post("a", &submission(&["amara", "nemo"], &items("root")));
        assert_eq!(wrong.status, 422, "{}", wrong.text);
        let fields: Vec<String> = wrong.json()["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|problem| problem["field"].as_str().unwrap().to_owned())
            .collect();
        assert!(fields.contains(&"people[1]".to_owned()) && fields.contains(&"items[1].tier".to_owned()), "{fields:?}");
        assert_eq!(amara.get("/api/v1/tickets/IT-1").status, 404, "nothing was made");

        let both = submission(&["amara", "jonas"], &items("write"));
        let made = post("b", &both).expect(201);
        let of = |answer: &Value, name: &str| -> Vec<Value> {
            answer["requests"].as_array().unwrap().iter().map(|part| part[name].clone()).collect()
        };
        assert_eq!(of(&made, "state"), ["approved", "approved", "awaiting", "awaiting"]);
        assert_eq!(of(&made, "person"), ["amara", "jonas", "amara", "jonas"]);
        assert_eq!(post("b", &both).expect(201), made, "sent again, it makes nothing twice");
        assert_eq!(post("b", &submission(&[], &items("write"))).status, 422, "the key is of another submission");
        let ticket = made["requests"][2]["ticket"].as_str().unwrap().to_owned();
        let denied = json!({ "approve": false, "reason": "not before the audit" });
        lena.post(&format!("/api/v1/tickets/{ticket}/access/decisions"), &denied).expect(200);
        let path = format!("/api/v1/access/submissions/{}", made["id"].as_str().unwrap());
        assert_eq!(of(&amara.get(&path).expect(200), "state"), ["approved", "approved", "denied", "awaiting"]);
        assert_eq!(lena.get(&path).status, 404, "it is not theirs");
        assert_eq!(desk.as_role("kofi").get(&path).status, 200);
        let twice = json!([{ "app": "jira", "tier": "admin" }, { "app": "jira", "tier": "admin" }]);
        assert!(post("c", &submission(&[], &twice)).text.contains("repeated"));
        assert_eq!(post("d", &submission(&[], &json!([]))).status, 422);
        let week = (desk.clock.now() + SignedDuration::from_hours(7 * 24)).to_string();
        let (day, _) = week.split_once('T').unwrap();
        let later = json!([{ "app": "datadog", "tier": "viewer", "duration_hours": 24, "starts": day }]);
        assert_eq!(of(&post("e", &submission(&["jonas"], &later)).expect(201), "state"), ["approved"]);
        let held = desk.as_role("kofi").get("/api/v1/people/jonas/grants").expect(200);
        let begins = held.as_array().unwrap().iter().find(|grant| grant["app"] == "datadog").unwrap();
        assert_eq!(begins["state"], "scheduled", "{begins}");
        let never = json!([{ "app": "datadog", "tier": "viewer", "starts": "soon" }]);
        assert!(post("f", &submission(&["amara"], &never)).text.contains("items[0].starts"));

        // Sent again it is what came of it, also where the same could not be asked for any more.
        let people = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&people).unwrap();
        std::fs::write(&people, text.replace("id = \"jonas\"\n", "id = \"jonas\"\nactive = false\n")).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(post("g", &both).status, 422);
        assert_eq!(of(&post("b", &both).expect(201), "ticket"), of(&made, "ticket"));
        assert_eq!(post("b", &submission(&[], &items("write"))).status, 422, "the key is still of another submission");
    });
}

#[test]
fn an_approver_asks_back_the_requester_answers_and_the_deadline_goes_on() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        amara.post("/api/v1/tickets", &request("github", "write", 240)).expect(201);
        let (ask, answer) = ("/api/v1/tickets/IT-1/access/questions", "/api/v1/tickets/IT-1/access/answers");
        let question = json!({ "question": "For which repository?" });
        let words = json!({ "answer": "For the ledger's." });
        assert_eq!(amara.post(ask, &question).status, 403, "who asks for access does not question it");
        assert_eq!(amara.post(answer, &words).status, 409, "there is no question");
        let before = lena.get("/api/v1/tickets/IT-1/access").expect(200);
        assert_eq!(lena.post(ask, &json!({ "question": " " })).status, 422);
        assert_eq!(lena.post(ask, &question).status, 204);
        assert_eq!(lena.post(ask, &question).status, 409, "one at a time");
        let shown = |name: &str| lena.get("/api/v1/tickets/IT-1/access").expect(200)["shown"][name].clone();
        assert_eq!((shown("state"), &shown("questions")[0]["answer"]), (json!("asked"), &Value::Null));
        assert_eq!(lena.post(answer, &words).status, 409, "the approver does not answer it");
        assert_eq!(amara.post(answer, &words).status, 204);
        assert_eq!((shown("state"), &shown("questions")[0]["answer"]), (json!("awaiting"), &words["answer"]));
        let seen = json!({ "approve": true, "seen": before["snapshot"] });
        let decisions = "/api/v1/tickets/IT-1/access/decisions";
        assert_eq!(lena.post(decisions, &seen).status, 409, "the answer was not in what was seen");
        // At one instant: one question stands, and of two answers the first.
        let at_once = |send: &(dyn Fn(usize) -> u16 + Sync)| {
            let mut came: Vec<u16> = std::thread::scope(|scope| {
                let sent: Vec<_> = (0..4).map(|n| scope.spawn(move || send(n))).collect();
                sent.into_iter().map(|one| one.join().unwrap()).collect()
            });
            came.sort_unstable();
            came
        };
        let one = [204, 409, 409, 409];
        assert_eq!(at_once(&|n| lena.post(ask, &json!({ "question": format!("Until when? {n}") })).status), one);
        assert_eq!(at_once(&|n| amara.post(answer, &json!({ "answer": format!("Until May {n}") })).status), one);
        assert_eq!(shown("questions").as_array().unwrap().len(), 2);
        assert_eq!(lena.post(ask, &json!({ "question": "Until when?" })).status, 204);
        desk.advance(SignedDuration::from_hours(73));
        let ticket = amara.get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(ticket["access"]["state"], "denied", "a question gains no time, and is no approval");
        assert_eq!(amara.post(answer, &words).status, 409);
        let timeline = amara.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("For which repository?") && timeline.contains("For the ledger's."), "{timeline}");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn a_candidate_for_the_policy_is_held_against_the_history_and_against_what_is_held_today() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, mei) = (desk.as_role("amara"), desk.as_role("mei"));
        amara.post("/api/v1/tickets", &request("jira", "user", 48)).expect(201);
        amara.post("/api/v1/tickets", &request("datadog", "viewer", 48)).expect(201);
        amara.post("/api/v1/tickets", &request("github", "write", 240)).expect(201);
        let text = std::fs::read_to_string(desk.rules.join("50-access-policy/rule.toml")).unwrap();
        let (settings, _) = text.split_once("[[example]]").unwrap();
        let low = "decide = \"approve\"\nbecause = \"every member of staff may use it at low risk\"\n";
        let asks = "decide = \"ask\"\napprovers = [\"manager\"]\nbecause = \"Jira is expensive\"\napps = [\"jira\"]\n";
        let denies = "decide = \"deny\"\nbecause = \"nobody looks there\"\napps = [\"datadog\"]\n";
        assert!(settings.contains(low));
        let (before, after) = settings.split_once("[[settings.policies]]").unwrap();
        let manifest = format!(
            "{before}[[settings.policies]]\n{asks}\n[[settings.policies]]\n{denies}\n[[settings.policies]]{after}"
        );
        let body = json!({ "rule": "access-policy", "manifest": manifest });
        let report = mei.post("/api/v1/access/policy/backtest", &body).expect(200);
        let access = &report["access"];
        assert_eq!((&access["requests"], &access["lose-approval"]), (&json!(3), &json!(1)), "{report}");
        assert_eq!((&access["denied"], &access["given-at-once"]), (&json!(1), &json!(0)));
        assert_eq!(access["approvers"], json!([{ "person": "lena", "before": 1, "after": 2 }]));
        let standing: Vec<(&str, &str)> = access["standing"]
            .as_array()
            .unwrap()
            .iter()
            .map(|grant| (grant["app"].as_str().unwrap(), grant["would_be"].as_str().unwrap()))
            .collect();
        assert_eq!(standing, [("jira", "awaiting"), ("datadog", "denied")]);
        if database == Database::Sqlite {
            let folder = tempfile::tempdir().unwrap();
            let (other, page) = (folder.path().join("rule.toml"), folder.path().join("report.html"));
            std::fs::write(&other, &manifest).unwrap();
            let (other, html) = (other.to_str().unwrap(), page.to_str().unwrap());
            let tried = ["rules", "backtest", "--rule", "access-policy", "--settings", other, "--html", html];
            let tried = desk.command(&tried);
            let page = std::fs::read_to_string(page).unwrap_or_else(|_| panic!("{tried:?}"));
            assert!(page.contains("<section class=\"access\">") && page.contains("Held today"), "{page}");
            assert!(page.contains("<td>jira/user</td>") && page.contains("<td>lena</td>"), "{page}");
        }
        let now = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
        assert_eq!(now.as_array().unwrap().len(), 2, "nothing was changed");
        assert_eq!(amara.post("/api/v1/access/policy/backtest", &body).status, 403);
        assert_eq!(mei.post("/api/v1/access/policy/backtest", &json!({ "rule": "access-policy" })).status, 422);
        let another = manifest.replace("name = \"access-policy\"", "name = \"another-policy\"");
        assert_ne!(another, manifest);
        let refused =
            mei.post("/api/v1/access/policy/backtest", &json!({ "rule": "access-policy", "manifest": another }));
        assert!(refused.expect(422).to_string().contains("another-policy"), "it would not stand in its place");
    });
}

#[test]
fn the_policy_of_a_day_answers_with_the_versions_that_were_live_then() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        let ask =
            |at: &str| kofi.get(&format!("/api/v1/access/policy/at?at={at}&person=amara&app=jira&tier=user&hours=48"));
        let before = desk.clock.now().to_string();
        let then = ask(&before).expect(200);
        assert_eq!(
            (&then["outcome"], &then["hours"], &then["input"]),
            (&json!("approved"), &json!(48), &json!("today")),
            "{then}"
        );
        desk.advance(SignedDuration::from_hours(48));
        let file = desk.rules.join("50-access-policy/rule.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let (settings, _) = text.split_once("[[example]]").unwrap();
        let (head, policies) = settings.split_once("[[settings.policies]]").unwrap();
        let denies = "decide = \"deny\"\nbecause = \"Jira is frozen\"\napps = [\"jira\"]\n";
        std::fs::write(&file, format!("{head}[[settings.policies]]\n{denies}\n[[settings.policies]]{policies}"))
            .unwrap();
        until("the other settings to be live", || {
            (ask(&desk.clock.now().to_string()).expect(200)["outcome"] == "denied").then_some(())
        });
        let now = ask(&desk.clock.now().to_string()).expect(200);
        assert_eq!((&now["outcome"], &now["steps"]), (&json!("denied"), &json!([])), "{now}");
        assert!(now["reason"].as_str().unwrap().contains("Jira is frozen"), "{now}");
        let again = ask(&before).expect(200);
        assert_eq!((&again["outcome"], &again["rules"]), (&json!("approved"), &then["rules"]), "as it was");
        let next = (desk.clock.now() - SignedDuration::from_hours(24)).to_string();
        let day = next.split_once('T').unwrap().0;
        assert_eq!(ask(day).expect(200)["outcome"], "approved", "a day counts by its end");
        let long_ago = ask("2020-01-01").expect(200);
        assert_eq!(
            (&long_ago["rules"], &long_ago["outcome"]),
            (&json!([]), &json!("awaiting")),
            "no rule: people decide"
        );
        assert_eq!(ask("then").status, 400);
        assert_eq!(
            desk.as_role("amara")
                .get(&format!("/api/v1/access/policy/at?at={day}&person=amara&app=jira&tier=user"))
                .status,
            403
        );
        let args =
            ["decisions", "policy", "--at", &before, "--person", "amara", "--app", "jira", "--tier", "user", "--json"];
        let told = desk.command(&args);
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        assert_eq!((&told["outcome"], &told["rules"]), (&json!("approved"), &then["rules"]));
        let [text @ .., _] = args;
        let told = String::from_utf8(desk.command(&text).stdout).unwrap();
        assert!(told.contains(" hours\n") && !told.contains("groups"), "it gives no groups: {told}");
    });
}

#[test]
fn a_link_decides_once_for_one_approver_and_looking_at_it_decides_nothing() {
    let relay = Relay::start();
    let url = "\n[outgoing]\npublic-url = \"https://desk.example/\"\n";
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &relay.settings() + url);
    let amara = desk.as_role("amara");
    amara.post("/api/v1/tickets", &request("github", "write", 240)).expect(201);
    desk.advance(SignedDuration::ZERO);
    let page = decision_page(&relay.taken());
    assert!(page.ends_with(".lena"), "{page}");
    let stranger = amara.bearing("none");
    for _ in 0..3 {
        let shown = stranger.get(&page);
        assert_eq!((shown.status, shown.text.contains("GitHub")), (200, true), "{}", shown.text);
    }
    let state = || amara.get("/api/v1/tickets/IT-1").expect(200)["access"]["state"].clone();
    assert_eq!(state(), "awaiting", "looking decides nothing");
    let form = stranger.with("sec-fetch-site", "same-origin");
    let send = |path: &str, decision: &str| {
        form.send_text(path, &format!("decision={decision}&reason="), "application/x-www-form-urlencoded").status
    };
    assert_eq!(send(&page, "deny"), 409, "a denial says why");
    assert_eq!(send(&page.replace(".lena", ".kofi"), "approve"), 404, "it is for one person");
    assert_eq!(send(&page.replace(".0.", ".1."), "approve"), 404, "and for one step");
    assert_eq!(state(), "awaiting");
    let click = || {
        let sent = form.send_text(&page, "decision=approve&reason=&key=k1", "application/x-www-form-urlencoded");
        (sent.status, sent.text.contains("GitHub"))
    };
    assert_eq!((click(), click()), ((200, false), (200, false)), "who clicks twice has clicked once");
    assert_eq!(state(), "approved");
    assert_eq!((send(&page, "deny"), stranger.get(&page).status), (404, 404), "it is good for one decision");
    desk.advance(SignedDuration::ZERO);
}
