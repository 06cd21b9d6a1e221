//! Why a ticket is as it is, as agents, requesters and operators are told.

use serde_json::{Value, json};

use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{copy_demo, on_both};
use crate::support::wait::until;

const EXPLAIN: &str = "/api/v1/tickets/IT-1/explain";

fn submit(desk: &House) {
    let body = json!({ "request_type": "incident", "subject": "  VPN   is down ",
        "body": "Nobody in Berlin can reach the VPN since 9.", "fields": { "service": "vpn", "people-affected": 40 } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
}

fn field<'a>(told: &'a Value, name: &str) -> &'a Value {
    let found = told["fields"].as_array().unwrap().iter().find(|story| story["field"] == name);
    found.unwrap_or_else(|| panic!("{name}: {told}"))
}

#[test]
fn every_field_says_who_set_it_and_who_changed_it_since_even_when_the_rule_is_gone() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        submit(&desk);
        let ticket = kofi.get("/api/v1/tickets/IT-1").expect(200);
        let edit = json!({ "priority": "critical", "team": "desktop", "tags": [], "reason": "all of Berlin" });
        kofi.with("if-match", "\"1\"").patch("/api/v1/tickets/IT-1", &edit).expect(200);
        for folder in std::fs::read_dir(&desk.rules).unwrap() {
            std::fs::remove_dir_all(folder.unwrap().path()).unwrap();
        }
        desk.as_role("mei").post("/api/v1/rules/reload", &json!({})).expect(200);
        assert_eq!(kofi.get("/api/v1/rules").expect(200)["rules"], json!([]));

        let told = kofi.get(EXPLAIN).expect(200);
        for (name, rule, first) in [
            ("priority", "impact-urgency", &ticket["priority"]),
            ("team", "team-routing", &ticket["team"]),
            ("category", "form-category", &ticket["category"]),
            ("subject", "tidy-text", &ticket["subject"]),
        ] {
            let story = field(&told, name);
            assert_eq!(story["set_by"]["kind"], "rule", "{story}");
            assert!(story["set_by"]["name"].as_str().unwrap().starts_with(rule), "{story}");
            assert_eq!(story["set_by"]["component"].as_str().unwrap().len(), 64);
            let stood: Vec<&Value> =
                story["proposals"].as_array().unwrap().iter().filter(|p| p["stood"] == true).collect();
            assert_eq!(stood.len(), 1, "{story}");
            assert_eq!((&stood[0]["value"], &stood[0]["rule"]), (first, &json!(rule)), "{story}");
        }
        let priority = field(&told, "priority");
        assert_eq!(priority["value"], "critical");
        let change = &priority["changes"][0];
        assert_eq!((&change["by"], &change["from"]), (&json!("kofi"), &ticket["priority"]));
        assert_eq!((&change["to"], &change["reason"]), (&json!("critical"), &json!("all of Berlin")));
        assert_eq!(field(&told, "team")["changes"][0]["to"], "desktop");
        let assignee = field(&told, "assignee");
        assert_eq!(assignee["set_by"]["name"], "whose turn it was");
        assert_eq!(assignee["changes"][0]["to"], assignee["value"]);
        assert_eq!(field(&told, "fields.service")["set_by"]["kind"], "requester");
        assert!(field(&told, "resolution")["set_by"]["name"].as_str().unwrap().contains("critical"));

        let one = kofi.get(&format!("{EXPLAIN}?field=team")).expect(200);
        assert_eq!(one["fields"], json!([field(&told, "team")]));
        assert_eq!(kofi.get(&format!("{EXPLAIN}?field=mood")).status, 404);
        let printed = desk.command(&["explain", "IT-1", "--json"]);
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), told);
        let printed = String::from_utf8(desk.command(&["explain", "IT-1", "--field", "priority"]).stdout).unwrap();
        assert!(printed.contains("changed from high to critical by kofi"), "{printed}");
    });
}

/// The rules were asked about it so often that their first run is on another page than the last.
#[test]
fn of_many_runs_each_stage_is_told_by_the_last_that_has_it() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        submit(&desk);
        let before = kofi.get(EXPLAIN).expect(200);
        for n in 0..24 {
            desk.clock.advance(jiff::SignedDuration::from_secs(1));
            let category = if n % 2 == 0 { "security" } else { "network.vpn" };
            let edit = json!({ "category": category, "reason": format!("turn {n}"), "ask_rules": true });
            kofi.with("if-match", "*").patch("/api/v1/tickets/IT-1", &edit).expect(200);
        }
        let runs = kofi.get("/api/v1/tickets/IT-1/decisions?limit=200").expect(200);
        assert!(runs.as_array().unwrap().len() > 20, "{runs}");
        let told = kofi.get(EXPLAIN).expect(200);
        for name in ["subject", "category"] {
            assert_eq!(field(&told, name)["set_by"], field(&before, name)["set_by"], "{told}");
        }
        assert!(field(&told, "team")["set_by"]["name"].as_str().unwrap().starts_with("team-routing"), "{told}");
        let case = desk.command(&["rule", "case", "IT-1", "--stage", "intake", "--rule", "tidy-text"]);
        assert!(case.status.success(), "{}", String::from_utf8_lossy(&case.stderr));
        let none = desk.command(&["rule", "case", "IT-1", "--stage", "access"]);
        let said = String::from_utf8_lossy(&none.stderr).into_owned();
        assert!(["categorization", "intake", "priority", "routing"].iter().all(|stage| said.contains(stage)), "{said}");
        let tried = desk.as_role("mei").post("/api/v1/rules/dry-run", &json!({ "ticket": "IT-1" })).expect(200);
        assert_eq!(tried["ticket"]["subject"], "VPN is down");
    });
}

#[test]
fn a_requester_is_told_in_plain_words_and_nothing_internal() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        submit(&desk);
        let note = json!({ "body": "a secret thought", "internal": true });
        kofi.post("/api/v1/tickets/IT-1/comments", &note).expect(201);
        let edit = json!({ "team": "desktop", "reason": "network is overworked" });
        kofi.with("if-match", "\"2\"").patch("/api/v1/tickets/IT-1", &edit).expect(200);
        let edit = json!({ "priority": "critical", "reason": "all of Berlin." });
        kofi.with("if-match", "\"3\"").patch("/api/v1/tickets/IT-1", &edit).expect(200);
        let told = amara.get(EXPLAIN).expect(200);
        assert_eq!(told.get("fields"), None, "{told}");
        let text = told["text"].as_str().unwrap();
        assert!(text.contains("Changed by our staff to Critical (all of Berlin)."), "{text}");
        for hidden in ["Desktop", "desktop", "secret", "overworked", "kofi", "emma", "paul", "team-routing"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        assert_eq!(kofi.get(EXPLAIN).expect(200)["text"], told["text"], "what an agent hands on is the same");
        assert_eq!(desk.as_role("priya").get(EXPLAIN).status, 404);
    });
}

#[test]
fn what_a_shadow_says_is_shown_and_has_no_effect() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        let manifest = hostile_manifest("bystander", "priority", "panic", "mode = \"shadow\"");
        put(&desk.rules, "01-bystander", &manifest, hostile());
        until("the shadow", || {
            let rules = kofi.get("/api/v1/rules").json();
            let shadow = |rule: &Value| rule["name"] == "bystander" && rule["candidate"]["state"] == "shadow";
            rules["rules"].as_array()?.iter().any(shadow).then_some(())
        });
        submit(&desk);
        let told = kofi.get(&format!("{EXPLAIN}?field=priority")).expect(200);
        let proposals = told["fields"][0]["proposals"].as_array().unwrap();
        let shadow = proposals.iter().find(|p| p["rule"] == "bystander").unwrap();
        assert_eq!((&shadow["effect"], &shadow["stood"]), (&json!(false), &json!(false)));
        assert!(shadow["fault"].is_string(), "{shadow}");
        assert!(told["fields"][0]["set_by"]["name"].as_str().unwrap().starts_with("impact-urgency"));
    });
}

#[test]
fn access_says_what_the_rules_asked_and_what_people_decided() {
    on_both(|database| {
        let desk = House::demo(database);
        let body = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
            "tier": "write", "duration-hours": 240, "justification": "I join the data project on Monday" } });
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
        let text = |told: &Value| told["text"].as_str().unwrap().to_owned();
        let told = desk.as_role("kofi").get(EXPLAIN).expect(200);
        assert!(text(&told).contains("Access to GitHub (write) waits for approval"), "{}", text(&told));
        let word = json!({ "approve": true, "hours": 24, "reason": "for a day" });
        desk.as_role("lena").post("/api/v1/tickets/IT-1/access/decisions", &word).expect(200);
        let told = desk.as_role("kofi").get(&format!("{EXPLAIN}?field=access")).expect(200);
        let story = &told["fields"][0];
        assert_eq!(story["value"], "approved github: write for 24 hours");
        assert_eq!(story["proposals"][0]["value"], "require-approval: write for 240 hours");
        assert_eq!((&story["changes"][0]["by"], &story["changes"][0]["reason"]), (&json!("lena"), &json!("for a day")));
        assert!(text(&told).contains("Access to GitHub (write) is granted"), "{}", text(&told));
        assert!(!text(&told).contains("lena"));
    });
}

/// A field that no one filled in, words that were not found, and two findings alike are three things.
#[test]
fn defaults_nothing_found_and_two_alike_are_told_apart() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let told = |subject: &str| {
            let body =
                json!({ "request_type": "question", "subject": subject, "body": "Could you call me?", "fields": {} });
            let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
            kofi.get(&format!("/api/v1/tickets/{key}/explain")).expect(200)
        };
        for (subject, expected) in [
            ("Hello", "no keyword stands in the text"),
            ("Monitor, laptop", "the text speaks as much of hardware.laptop as of hardware.monitor"),
        ] {
            let told = told(subject);
            let category = field(&told, "category");
            let proposal = category["proposals"].as_array().unwrap().iter().find(|p| p["rule"] == "keyword-category");
            assert_eq!(proposal.unwrap()["reason"], expected, "{category}");
            assert_eq!(category["set_by"]["kind"], "desk", "{category}");
            let reason = category["set_by"]["reason"].as_str().unwrap();
            assert!(reason.starts_with("no rule decided (") && reason.contains(expected), "{category}");
            let priority = field(&told, "priority")["set_by"]["reason"].as_str().unwrap();
            assert!(priority.ends_with("(nothing was said of either)"), "{priority}");
            let text = told["text"].as_str().unwrap();
            assert!(text.contains("nothing was said of either"), "its requester is told so as well: {text}");
        }
    });
}

/// The priority counts first, then what is due first; the place is counted when it is asked for.
#[test]
fn the_queue_goes_by_priority_and_then_by_what_is_due_first_and_says_so_on_request() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        let submit = |subject: &str, level: &str| {
            let fields = json!({ "service": "intranet", "impact": level, "urgency": level });
            let body = json!({ "request_type": "incident", "subject": subject, "body": "It hangs.", "fields": fields });
            let key = kofi.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
            // Longer than the desk is ever closed, so that each is due at another time.
            desk.clock.advance(jiff::SignedDuration::from_hours(7 * 24));
            key
        };
        let (first, second, low) = (submit("one", "medium"), submit("two", "medium"), submit("three", "low"));
        let (late, last) = (submit("four", "high"), submit("five", "medium"));
        let listed = kofi.get("/api/v1/tickets").expect(200);
        let keys: Vec<&str> =
            listed["tickets"].as_array().unwrap().iter().map(|t| t["key"].as_str().unwrap()).collect();
        assert_eq!(keys, [&late, &first, &second, &last, &low], "{listed}");
        let why = |key: &str| {
            let told = kofi.get(&format!("/api/v1/tickets/{key}/explain?field=queue")).expect(200);
            let story = &told["fields"][0];
            let reason = story["set_by"]["reason"].as_str().unwrap().to_owned();
            (story["value"].as_str().unwrap_or_default().to_owned(), reason)
        };
        let (place, reason) = why(&last);
        assert_eq!(place, "3 tickets come before it");
        assert!(reason.contains("with a higher priority: 1;") && reason.contains("due earlier: 2;"), "{reason}");
        assert_eq!(why(&late).0, "0 tickets come before it");
        assert!(why(&low).1.contains("with a higher priority: 4;"));
        let printed = String::from_utf8(desk.command(&["explain", &last, "--field", "queue"]).stdout).unwrap();
        assert!(printed.contains("3 tickets come before it") && printed.contains("due earlier: 2"), "{printed}");
        let over = json!({ "to": "cancelled", "reason": "it is solved" });
        kofi.with("if-match", "*").post(&format!("/api/v1/tickets/{first}/transitions"), &over).expect(200);
        assert_eq!(why(&last).0, "2 tickets come before it");
        assert_eq!(why(&first), (String::new(), "it is finished, and comes after all that are not".to_owned()));
        assert!(desk.as_role("amara").get(&format!("/api/v1/tickets/{last}/explain?field=queue")).status != 200);
        desk.do_what_is_due();
    });
}

/// How many it hits, whether customers notice it, compliance, and what a day of it costs: rules for priority read each, and the
/// explanation says which of them counted. The field for the cost is the organisation's own.
#[test]
fn the_impact_on_the_business_counts_and_is_said() {
    on_both(|database| {
        const COSTS: &str = "name = \"costs\"\nversion = \"1.0.0\"\ndescription = \"By what a delay costs.\"\nstages = [\"priority\"]\n\
        order = 31\n\n[settings]\nstage = \"priority\"\nlevels = [\"critical\", \"high\", \"medium\", \"low\"]\notherwise = \"pass\"\n\n\
        [[settings.row]]\nwhen.ticket.fields.cost-of-delay.at-least = 5000\nthen.level = \"critical\"\n\
        reason = \"a day of it costs {ticket.fields.cost-of-delay}\"\n";
        let config = tempfile::tempdir().unwrap();
        copy_demo(config.path());
        let file = config.path().join("request-types.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let last = "    { name = \"since\", label = \"Since\", kind = \"date\" },\n";
        let cost = "    { name = \"cost-of-delay\", label = \"Cost of a day\", kind = \"number\", min = 0 },\n";
        assert!(text.contains(last));
        std::fs::write(&file, text.replacen(last, &format!("{last}{cost}"), 1)).unwrap();
        let desk = House::with_config(database, example_rules(), config.path());
        let component = std::fs::read(example_rules().join("60-decision-table/rule.wasm")).unwrap();
        put(&desk.rules, "31-costs", COSTS, &component);
        desk.until_active("costs");
        let kofi = desk.as_role("kofi");
        let told = |more: &Value, body: &str| {
            let mut fields = json!({ "service": "intranet" });
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let body = json!({ "request_type": "incident", "subject": "It hangs", "body": body, "fields": fields });
            let key = kofi.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
            let told = kofi.get(&format!("/api/v1/tickets/{key}/explain?field=priority")).expect(200);
            let story = &told["fields"][0];
            (story["value"].as_str().unwrap().to_owned(), story["set_by"]["reason"].as_str().unwrap().to_owned())
        };
        let (plain, _) = told(&json!({}), "Since noon.");
        for (more, body, said) in [
            (json!({ "people-affected": 60 }), "Since noon.", "people are affected"),
            (json!({ "customer-facing": true }), "Since noon.", "customers notice it"),
            (json!({}), "It holds up the audit.", "compliance"),
            (json!({ "cost-of-delay": 9000 }), "Since noon.", "a day of it costs 9000"),
        ] {
            let (level, why) = told(&more, body);
            assert_ne!(level, plain, "{more}, {body}: {why}");
            assert!(why.contains(said), "{more}, {body}: {why}");
        }
    });
}
