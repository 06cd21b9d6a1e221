//! The catalog and the guards: what is asked for, by whom, and what no person may hold together; and what an approver sees.

use std::process::Command;

use jiff::SignedDuration;
use ruledesk::rules::load::trust::key::SigningKey;
use serde_json::{Value, json};

use super::ends::rows;
use crate::support::client::{Answer, Client};
use crate::support::components::{PROGRAM, example_rules};
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// A desk with its catalog changed.
fn desk(database: Database, change: impl FnOnce(String) -> String) -> House {
    let desk = House::with_settings(database, example_rules(), |text| text);
    let file = desk.settings().with_file_name("apps.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, change(text)).unwrap();
    let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
    assert_eq!(answer.status, 204, "{}", answer.text);
    desk
}

fn asks(client: &Client, app: &str, tier: &str) -> Answer {
    let fields = json!({ "app": app, "tier": tier, "duration-hours": 4,
        "justification": "I move the repositories to the new organisation tonight, change 4711" });
    let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": fields });
    client.post("/api/v1/tickets", &body)
}

fn says_yes(desk: &House, key: &str, more: &Value) -> Answer {
    let ticket = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200);
    let who = ticket["access"]["awaited"][0].as_str().unwrap().to_owned();
    let mut body = json!({ "approve": true });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    desk.with_roles(&who, "requester").post(&format!("/api/v1/tickets/{key}/access/decisions"), &body)
}

#[test]
fn the_catalog_shows_what_one_may_ask_for_and_holds() {
    let desk = desk(Database::Sqlite, |text| {
        let jira = "id = \"jira\"\ndescription = \"Issues and boards\"\nkeywords = [\"tickets\"]\nalternatives = [\"github\"]\n";
        let text = text.replacen("description = \"Projects, milestones and issues\"\n", "", 1);
        let text = text.replacen("id = \"jira\"\n", jira, 1).replacen("risks =", "currency = \"EUR\"\nrisks =", 1);
        let text = text.replacen("id = \"vpn\"\n", "id = \"vpn\"\nrequestable-by = [\"security-officers\"]\n", 1);
        let user = "id = \"user\"\nname = \"User\"\nseats = 3\nmonthly-cost = 7.5\ndurations = [\"24h\", \"720h\"]\n";
        text.replacen("id = \"user\"\nname = \"User\"\n", user, 1)
    });
    let amara = desk.as_role("amara");
    asks(&amara, "jira", "user").expect(201);
    let found = amara.get("/api/v1/catalog?search=BOARDS%20issues").expect(200);
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    let user = found[0]["tiers"][0].clone();
    let shown = (&user["monthly_cost"], &user["currency"], &user["seats_left"], &user["durations"]);
    assert_eq!(shown, (&json!("7.50"), &json!("EUR"), &json!(2), &json!([24, 720])));
    assert_eq!((&user["held"]["state"], &found[0]["tiers"][1]["held"]), (&json!("active"), &Value::Null));
    assert_eq!((&found[0]["provisioning"], &found[0]["alternatives"]), (&json!("recorded"), &json!(["github"])));
    let all = amara.get("/api/v1/catalog").expect(200).to_string();
    assert!(!all.contains("\"vpn\"") && all.contains("\"workday\""), "{all}");
    let refused = asks(&amara, "vpn", "standard").expect(422);
    assert_eq!(refused["problems"][0]["field"], "app", "{refused}");
    desk.advance(SignedDuration::from_hours(4));
}

#[test]
fn i05_nothing_is_asked_for_or_given_that_may_not_be_held_together() {
    on_both(|database| {
        let desk = desk(database, |text| {
            text + "\n[[incompatible]]\nname = \"who pays does not sell\"\none = [\"workday\"]\nother = [\"salesforce/user\", \"jira/user\"]\n"
        });
        let amara = desk.as_role("amara");
        let first = asks(&amara, "workday", "manager").expect(201);
        assert_eq!(first["access"]["state"], "awaiting", "{first}");
        // One that is asked for stands in the way of another.
        let second = asks(&amara, "salesforce", "user").expect(201);
        assert_eq!(second["access"]["state"], "denied_by_policy", "{second}");
        assert!(second["access"]["reason"].as_str().unwrap().contains("who pays does not sell"), "{second}");
        assert_eq!(asks(&amara, "salesforce", "viewer").expect(201)["access"]["state"], "approved", "another tier");
        // What was approved at once is held, and the first is looked at again when it is given.
        let jira = asks(&amara, "jira", "user").expect(201);
        assert_eq!(jira["access"]["state"], "approved", "an open request holds nothing yet: {jira}");
        while desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["access"]["state"] == "awaiting" {
            says_yes(&desk, "IT-1", &json!({})).expect(200);
        }
        let first = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(first["access"]["state"], "denied", "{first}");
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn i05_what_one_human_has_by_two_accounts_is_held_together() {
    on_both(|database| {
        let desk = desk(database, |text| {
            text + "\n[[incompatible]]\nname = \"who pays does not sell\"\none = [\"workday\"]\nother = [\"jira/user\"]\n"
        });
        let path = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let linked = text.replacen("id = \"jonas\"\n", "id = \"jonas\"\nsame-as = \"amara\"\n", 1);
        std::fs::write(&path, linked).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let (amara, jonas) = (desk.as_role("amara"), desk.with_roles("jonas", "requester"));
        assert_eq!(asks(&jonas, "jira", "user").expect(201)["access"]["state"], "approved");
        let second = asks(&amara, "workday", "manager").expect(201);
        assert_eq!(second["access"]["state"], "denied_by_policy", "{second}");
        assert!(second["access"]["reason"].as_str().unwrap().contains("who pays does not sell"), "{second}");
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn i05_accounts_that_are_linked_after_both_were_given_something_are_looked_at_again() {
    on_both(|database| {
        let desk = desk(database, |text| {
            text + "\n[[incompatible]]\nname = \"who pays does not sell\"\none = [\"workday\"]\nother = [\"jira/user\"]\n"
        });
        let (amara, jonas) = (desk.as_role("amara"), desk.with_roles("jonas", "requester"));
        assert_eq!(asks(&jonas, "jira", "user").expect(201)["access"]["state"], "approved");
        desk.advance(SignedDuration::from_mins(5));
        asks(&amara, "workday", "manager").expect(201);
        while desk.as_role("kofi").get("/api/v1/tickets/IT-2").expect(200)["access"]["state"] == "awaiting" {
            says_yes(&desk, "IT-2", &json!({})).expect(200);
        }
        let reviewed =
            || rows(&desk, "select g.app from review_items i join grants g on g.id = i.grant_id order by i.id");
        assert_eq!(reviewed(), Vec::<String>::new(), "two people hold one each");
        let path = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let linked = text.replacen("id = \"jonas\"\n", "id = \"jonas\"\nsame-as = \"amara\"\n", 1);
        std::fs::write(&path, linked).unwrap();
        let reload = || assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        reload();
        assert_eq!(reviewed(), ["workday"], "one human holds both, and what came later is looked at");
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-2/timeline").expect(200).to_string();
        assert!(timeline.contains("who pays does not sell; both are held by now"), "{timeline}");
        reload();
        assert_eq!(reviewed(), ["workday"], "it is asked once");
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn i03_two_approvals_by_accounts_that_are_one_human_by_now_are_looked_at_again() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        asks(&desk.as_role("amara"), "workday", "manager").expect(201);
        let mut said = Vec::new();
        loop {
            let ticket = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200);
            let Some(who) = ticket["access"]["awaited"][0].as_str() else { break };
            said.push(who.to_owned());
            says_yes(&desk, "IT-1", &json!({})).expect(200);
        }
        assert!(said.len() >= 2, "{said:?}");
        let reviewed =
            || rows(&desk, "select g.app from review_items i join grants g on g.id = i.grant_id order by i.id");
        assert_eq!(reviewed(), Vec::<String>::new());
        let path = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let id = format!("id = \"{}\"\n", said[1]);
        assert!(text.contains(&id), "{id}");
        std::fs::write(&path, text.replacen(&id, &format!("{id}same-as = \"{}\"\n", said[0]), 1)).unwrap();
        for _ in 0..2 {
            assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
            assert_eq!(reviewed(), ["workday"], "it is asked once");
        }
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("who approved it, are one person"), "{timeline}");
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn an_approver_sees_all_that_counts_and_decides_by_what_was_shown() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        asks(&desk.as_role("amara"), "github", "write").expect(201);
        assert_eq!(
            desk.as_role("amara").get("/api/v1/tickets/IT-1/access").status,
            200,
            "the requester may see it too"
        );
        let lena = desk.as_role("lena");
        let view = lena.get("/api/v1/tickets/IT-1/access").expect(200);
        let shown = &view["shown"];
        assert_eq!(
            (&shown["app"], &shown["tier"], &shown["risk"]),
            (&json!("github"), &json!("write"), &json!("medium"))
        );
        assert_eq!(
            (&shown["provisions"], &shown["department_holders"]),
            (&json!(["account", "tier:write"]), &json!(0))
        );
        assert_eq!(shown["recommendation"], "review", "{view}");
        assert_eq!(shown["reasons"], json!(["unusual-among-peers"]), "all that the word goes by: {view}");
        let seen = json!({ "seen": view["snapshot"], "insights": ["peers", "risk"] });
        // Meanwhile the person gets something else: the view is not what it was.
        asks(&desk.as_role("amara"), "jira", "user").expect(201);
        assert_eq!(says_yes(&desk, "IT-1", &seen).status, 409);
        let again = lena.get("/api/v1/tickets/IT-1/access").expect(200);
        assert_eq!(says_yes(&desk, "IT-1", &json!({ "seen": again["snapshot"], "insights": ["stars"] })).status, 422);
        says_yes(&desk, "IT-1", &json!({ "seen": again["snapshot"], "insights": ["peers"] })).expect(200);
        let grants = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
        let github = grants.as_array().unwrap().iter().find(|grant| grant["app"] == "github").unwrap();
        let story = desk.as_role("mei").get(&format!("/api/v1/grants/{}", github["id"].as_str().unwrap())).expect(200);
        let seen = story["ledger"].as_array().unwrap().iter().find(|event| event["event"] == "seen").unwrap();
        assert_eq!((&seen["detail"]["approver"], &seen["detail"]["insights"]), (&json!("lena"), &json!(["peers"])));
        assert!(seen["detail"]["shown"].as_str().unwrap().contains("jira/user"), "{seen}");
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.advance(SignedDuration::from_hours(4));
    });
}

#[test]
fn i16_an_audit_asks_who_has_access_and_why_as_of_any_day() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        asks(&desk.as_role("amara"), "github", "write").expect(201);
        says_yes(&desk, "IT-1", &json!({})).expect(200);
        let begun = desk.clock.now();
        // The commands go by the machine's clock, for which it is not over yet.
        let at = begun.to_string();
        let csv = desk.command(&["decisions", "access", "--csv", "--at", &at]);
        let csv = String::from_utf8(csv.stdout).unwrap();
        assert!(csv.starts_with("grant,ticket,subject") && csv.contains("IT-1,amara,github,write"), "{csv}");
        let said = desk.command(&["decisions", "access", "--person", "amara", "--at", &at]);
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("amara has github/write until") && said.contains("approved by lena at"), "{said}");
        desk.advance(SignedDuration::from_hours(4));
        let kofi = desk.as_role("kofi");
        // The policy that decided: its version and the digest of its component, when it was asked for and when it was given.
        let runs = kofi.get("/api/v1/tickets/IT-1/decisions").expect(200);
        let stages = runs.as_array().unwrap().iter().flat_map(|run| run["stages"].as_array().unwrap());
        let rules = stages.flat_map(|stage| stage["rules"].as_array().unwrap());
        let policy: Vec<&Value> = rules.filter(|rule| rule["rule"] == "access-policy").collect();
        let digest = |rule: &&Value| rule["component"].as_str().is_some_and(|digest| digest.len() == 64);
        assert!(policy.len() == 2 && policy.iter().all(digest), "{runs}");
        assert!(policy.iter().all(|rule| rule["version"] == "1.0.0"), "{runs}");
        assert_eq!(kofi.get("/api/v1/access?app=github").expect(200), json!([]), "it is over");
        let then = kofi.get(&format!("/api/v1/access?app=github&at={begun}")).expect(200);
        assert_eq!((&then[0]["grant"]["subject"], &then[0]["ticket"]), (&json!("amara"), &json!("IT-1")), "{then}");
        assert_eq!((&then[0]["decisions"][0]["approver"], &then[0]["requester"]), (&json!("lena"), &json!("amara")));
        assert_eq!(desk.as_role("amara").get("/api/v1/access?person=amara").status, 200);
        assert_eq!(desk.as_role("amara").get("/api/v1/access?person=lena").status, 403);
        assert_eq!(desk.as_role("amara").get("/api/v1/access").status, 403);

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (file, key_file, other) = (path("evidence.jsonl"), path("audit.key"), path("other.jsonl"));
        let key = SigningKey::generate().unwrap();
        key.write(std::path::Path::new(&key_file)).unwrap();
        let made = desk.command(&["decisions", "evidence", "export", "--out", &file, "--key", &key_file]);
        assert!(made.status.success(), "{made:?}");
        // It needs no desk.
        let check = |file: &str, key: &SigningKey| {
            let mut command = Command::new(PROGRAM);
            command.args(["decisions", "evidence", "check", file, "--key", &format!("audit:{}", key.public())]);
            let output = command.output().unwrap();
            (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let (whole, said) = check(&file, &key);
        assert!(whole && said.contains("are whole, signed by audit"), "{said}");
        assert!(!check(&file, &SigningKey::generate().unwrap()).0, "another has not signed it");
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() > 5, "{text}");
        let without = |left_out: usize| {
            let kept = lines.iter().enumerate().filter(|(number, _)| *number != left_out).map(|(_, line)| *line);
            kept.collect::<Vec<_>>().join("\n")
        };
        for forged in
            [text.replacen("amara", "jonas", 1), without(1), without(lines.len() - 1), without(lines.len() - 2)]
        {
            std::fs::write(&other, forged).unwrap();
            assert!(!check(&other, &key).0, "it was changed");
        }
    });
}

/// A tier that the catalog has no more is held still by those who had asked for it before.
#[test]
fn an_audit_asks_who_has_a_tier_that_the_catalog_has_no_more() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        asks(&desk.as_role("amara"), "jira", "user").expect(201);
        let file = desk.settings().with_file_name("apps.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let other = text.replacen("id = \"user\"\nname = \"User\"\n", "id = \"member\"\nname = \"Member\"\n", 1);
        assert_ne!(other, text);
        std::fs::write(&file, other).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let kofi = desk.as_role("kofi");
        let gone = kofi.get("/api/v1/catalog/jira/user").expect(200);
        assert_eq!((&gone["in_catalog"], &gone["may_ask"]), (&json!(false), &json!(0)), "{gone}");
        assert_eq!(gone["holders"][0]["person"], "amara", "{gone}");
        assert_eq!(gone["gives"], json!(["account", "tier:user"]), "as her grant says: {gone}");
        for made_up in ["name", "risk", "roles", "requestable_by", "max_duration_hours", "incompatible"] {
            assert_eq!(gone.get(made_up), None, "only the catalog knows it: {gone}");
        }
        let member = kofi.get("/api/v1/catalog/jira/member").expect(200);
        assert_eq!((&member["in_catalog"], &member["holders"]), (&json!(true), &json!([])), "{member}");
        assert_eq!((&member["name"], &member["requestable_by"]), (&json!("Member"), &json!([])), "{member}");
        assert_eq!(kofi.get("/api/v1/catalog/jira/user?role=none").status, 404, "no one has that");
        let printed = desk.command(&["decisions", "role", "--app", "jira", "--tier", "user"]);
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        assert!(printed.contains("the catalog has it no more") && printed.contains("amara"), "{printed}");
        assert!(printed.contains("jira/user gives: account, tier:user"), "{printed}");
    });
}

#[test]
fn an_audit_asks_what_a_person_could_do_with_a_role_and_who_has_it() {
    on_both(|database| {
        let desk = desk(database, |text| text);
        asks(&desk.as_role("amara"), "github", "write").expect(201);
        says_yes(&desk, "IT-1", &json!({})).expect(200);
        let kofi = desk.as_role("kofi");
        let write = kofi.get("/api/v1/catalog/github/write").expect(200);
        let holder = &write["holders"][0];
        assert_eq!((&holder["person"], &holder["approved_by"]), (&json!("amara"), &json!(["lena"])), "{write}");
        assert_eq!((&holder["steps"][0][0], &write["complete"]), (&json!("lena"), &json!(true)), "{write}");
        let has = |list: &str, one: &Value| write[list].as_array().unwrap().contains(one);
        assert!(has("gives", &json!("account")) && has("gives", &json!("tier:write")), "{write}");
        assert!(write["rules"].as_array().unwrap().iter().any(|rule| rule["rule"] == "access-policy"), "{write}");
        assert!(write["may_ask"].as_u64().unwrap() > 1, "{write}");
        for (path, status) in [("github/none", 404), ("none/write", 404), ("github/write?role=none", 404)] {
            assert_eq!(kofi.get(&format!("/api/v1/catalog/{path}")).status, status, "{path}");
        }
        assert_eq!(desk.as_role("amara").get("/api/v1/catalog/github/write").status, 403);

        let holds = |agent: &Value, person: &str| {
            agent["holders"].as_array().unwrap().iter().any(|one| one["person"] == person)
        };
        let before = kofi.get("/api/v1/access/roles/agent").expect(200);
        let note = json!({ "act": "read-internal", "text": "read internal notes", "on": "any" });
        assert!(before["may"].as_array().unwrap().contains(&note), "{before}");
        assert!(!before["may"].as_array().unwrap().iter().any(|may| may["act"] == "administer"), "{before}");
        assert!(!holds(&before, "jonas"), "{before}");
        desk.with_roles("jonas", "agent");
        let after = kofi.get("/api/v1/access/roles/agent").expect(200);
        assert!(holds(&after, "jonas"), "{after}");
        assert_eq!(kofi.get("/api/v1/access/roles/auditor").status, 404);
        assert_eq!(desk.as_role("amara").get("/api/v1/access/roles/agent").status, 403);

        let said = desk.command(&["decisions", "role", "--app", "github", "--tier", "write"]);
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("amara until") && said.contains("approved by lena"), "{said}");
        let said = desk.command(&["decisions", "role", "agent"]);
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("read internal notes") && said.contains("jonas (by token)"), "{said}");
    });
}

#[test]
fn i05_who_is_in_none_of_an_apps_groups_any_more_is_given_nothing_of_it() {
    on_both(|database| {
        let desk = desk(database, |text| {
            let only = |id: &str| format!("{id}requestable-by = [\"security-officers\"]\n");
            let (github, jira) = ("id = \"github\"\n", "id = \"jira\"\n");
            text.replacen(github, &only(github), 1).replacen(jira, &only(jira), 1)
        });
        let in_groups = |groups: &str| {
            let file = desk.settings().with_file_name("people.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            let at = text.find("id = \"amara\"").unwrap();
            let from = at + text[at..].find("groups = ").unwrap();
            let to = from + text[from..].find('\n').unwrap();
            std::fs::write(&file, format!("{}groups = {groups}{}", &text[..from], &text[to..])).unwrap();
            assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        };
        in_groups("[\"staff\", \"security-officers\"]");
        let amara = desk.as_role("amara");
        assert_eq!(asks(&amara, "github", "write").expect(201)["access"]["state"], "awaiting");
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let starts = zone.to_datetime(desk.clock.now() + SignedDuration::from_hours(48)).date().to_string();
        let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 100, "starts": starts,
            "justification": "the project begins then" });
        let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
        assert_eq!(amara.post("/api/v1/tickets", &body).expect(201)["access"]["state"], "approved");

        in_groups("[\"staff\"]");
        says_yes(&desk, "IT-1", &json!({})).expect(200);
        let kofi = desk.as_role("kofi");
        assert_eq!(kofi.get("/api/v1/tickets/IT-1").expect(200)["access"]["state"], "denied");
        let timeline = kofi.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("GitHub is only for those of certain groups"), "{timeline}");
        desk.advance(SignedDuration::from_hours(48));
        let grants = kofi.get("/api/v1/people/amara/grants").expect(200);
        assert_eq!((&grants[0]["state"], &grants[0]["end_reason"]), (&json!("ended"), &json!("not-begun")), "{grants}");
        // Its time had come before that was found, and it was held at no time.
        let from = grants[0]["granted_at"].as_str().unwrap();
        let then = kofi.get(&format!("/api/v1/access?person=amara&at={from}")).expect(200);
        assert_eq!(then, json!([]));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn i06_time_that_was_given_for_less_gives_no_time_to_more() {
    on_both(|database| {
        let desk = desk(database, |text| {
            let write = "id = \"write\"\nname = \"Write\"\n";
            text.replacen(write, &format!("{write}groups = [\"finance-approvers\", \"it-admins\"]\n"), 1)
        });
        let amara = desk.as_role("amara");
        let wants = |hours: u32| {
            let fields = json!({ "app": "github", "tier": "write", "duration-hours": hours,
                "justification": "I move the repositories to the new organisation tonight, change 4711" });
            let body = json!({ "request_type": "access", "subject": "github please", "fields": fields });
            amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
        };
        let key = wants(100);
        says_yes(&desk, &key, &json!({ "groups": ["finance-approvers"] })).expect(200);
        let key = wants(4);
        says_yes(&desk, &key, &json!({})).expect(200);
        let held = || {
            let grants = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
            let all = grants.as_array().unwrap().iter().filter(|grant| grant["effective"] == true);
            let mut groups: Vec<String> = all.map(|grant| grant["groups"].to_string()).collect();
            groups.sort();
            groups
        };
        let (less, more) = ("[\"finance-approvers\"]".to_owned(), "[\"finance-approvers\",\"it-admins\"]".to_owned());
        assert_eq!(held(), [more, less.clone()]);
        desk.advance(SignedDuration::from_hours(4));
        assert_eq!(held(), std::slice::from_ref(&less), "what was narrowed to less lasts, and nothing more does");
        // The same or less for longer is one access, as ever.
        let key = wants(200);
        says_yes(&desk, &key, &json!({ "groups": ["finance-approvers"] })).expect(200);
        assert_eq!(held(), [less]);
        desk.advance(SignedDuration::from_hours(200));
        assert_eq!(held(), Vec::<String>::new());
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}
