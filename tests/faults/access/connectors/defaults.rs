//! An end in an app that leaves something: a tier that stays by default, who has it and what that counts for, and sessions that are open.

use serde_json::{Value, json};

use super::super::provisioning::{approved, asks, connected, desk, grants, hours, in_order, now, seconds, states};
use super::found::{change, with};
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{Fault, Phase, ScimApp, rest_calls};

#[test]
fn i11_who_has_no_grant_left_keeps_the_default_tier_while_they_are_here() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        change(&desk, "apps.toml", with("jira", "default-tier = \"user\"\n"));
        asks(&desk.as_role("amara"), "admin", 4);
        approved(&desk, "IT-1");
        now(&desk);
        assert_eq!((states(&desk), app.members("admin")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["ended"]);
        let has = || (app.members("user"), app.members("admin"), app.active("amara"));
        assert_eq!(has(), (vec!["amara".to_owned()], vec![], Some(true)), "back to the tier of all");
        let timeline = desk.as_role("amara").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("keeps the tier `user`"), "{timeline}");
        let report = || desk.as_role("mei").get("/api/v1/people/amara/offboarding").expect(200);
        assert_eq!(report()["holdings"].as_array().map(Vec::len), Some(2), "{}", report());
        in_order(&desk);
        change(&desk, "people.toml", with("amara", "active = false\n"));
        now(&desk);
        assert_eq!(has(), (vec![], vec![], Some(false)), "who leaves keeps nothing");
        assert_eq!(report()["complete"], true, "{}", report());
        in_order(&desk);
    });
}

#[test]
fn an_end_says_until_when_sessions_in_the_app_may_go_on() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        change(&desk, "apps.toml", |text| {
            text.replacen("id = \"jira\"\n", "id = \"jira\"\nsessions-last = \"12h\"\n", 1)
        });
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        let ledger = || {
            let id = grants(&desk)[0]["id"].as_str().unwrap().to_owned();
            let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{id}")).expect(200);
            let all = story["ledger"].as_array().unwrap().clone();
            all.into_iter().filter(|event| event["event"] == "sessions-until").collect::<Vec<_>>()
        };
        assert_eq!(ledger(), Vec::<Value>::new(), "it has not ended");
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["ended"]);
        let said = ledger();
        assert_eq!(said.len(), 1, "{said:?}");
        let ended = said[0]["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let until = (ended + hours(12)).as_millisecond();
        assert_eq!(said[0]["detail"]["until"], until, "{said:?}");
        let timeline = desk.as_role("amara").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("sessions that are open there may go on until"), "{timeline}");
        in_order(&desk);
    });
}

#[test]
fn i23_what_stays_by_default_takes_a_seat_and_is_access_that_a_person_has() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        change(&desk, "apps.toml", |text| {
            let text = with("jira", "default-tier = \"user\"\n")(text);
            let at = text.find("id = \"jira\"").unwrap();
            let (before, after) = text.split_at(at);
            format!("{before}{}", after.replacen("id = \"user\"\n", "id = \"user\"\nseats = 1\n", 1))
        });
        asks(&desk.as_role("amara"), "admin", 4);
        approved(&desk, "IT-1");
        now(&desk);
        let who = || desk.as_role("kofi").get("/api/v1/access?app=jira").expect(200);
        let held = |at: &Value| (at[0]["grant"]["tier"].clone(), at[0]["stays"].clone());
        assert_eq!(held(&who()), (json!("admin"), json!(null)));
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["ended"]);
        assert_eq!(held(&who()), (json!("admin"), json!("user")), "{}", who());
        let of_person = desk.as_role("kofi").get("/api/v1/access?person=amara").expect(200);
        assert_eq!(held(&of_person), (json!("admin"), json!("user")));
        let at = desk.clock.now().to_string();
        let said = desk.command(&["decisions", "access", "--app", "jira", "--tier", "user", "--at", &at]);
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("amara has jira/user since") && said.contains("by-default"), "{said}");
        let before = desk.clock.now() - hours(48);
        let then = desk.as_role("kofi").get(&format!("/api/v1/access?app=jira&at={before}")).expect(200);
        assert_eq!(then, json!([]), "what the app has is known of now alone");
        // The one seat is hers.
        let kofi = desk.as_role("kofi");
        let catalog = kofi.get("/api/v1/catalog?search=jira").expect(200).to_string();
        assert!(catalog.contains("\"seats_left\":0"), "{catalog}");
        asks(&desk.with_roles("sofia", "requester"), "user", 4);
        let second = kofi.get("/api/v1/tickets/IT-2").expect(200);
        assert!(second["access"]["reason"].as_str().unwrap().contains("seats"), "{second}");
        change(&desk, "people.toml", with("amara", "active = false\n"));
        now(&desk);
        assert_eq!(who(), json!([]), "who leaves keeps nothing");
        in_order(&desk);
    });
}

/// It brings no person back in: who sets it reads how many it comes too late for.
#[test]
fn a_default_tier_that_comes_later_says_for_how_many_it_orders_nothing() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        change(&desk, "desk.toml", |text| format!("{text}\n[configuration]\nby-api = [\"apps\"]\n"));
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["active"]);
        let mei = desk.as_role("mei");
        let look = || {
            let documents = mei.get("/api/v1/config/documents").expect(200);
            let apps = documents.as_array().unwrap().iter().find(|one| one["document"] == "apps").unwrap();
            let content = with("jira", "default-tier = \"user\"\n")(apps["content"].as_str().unwrap().to_owned());
            let checked = mei.post("/api/v1/config/documents/apps/check", &json!({ "content": content })).expect(200);
            let changes = checked["changes"].as_array().unwrap();
            assert_eq!((changes.len(), &changes[0]["id"]), (1, &json!("jira")), "{checked}");
            changes[0]["out_before_default"].clone()
        };
        assert_eq!(look(), json!(null), "she is in the app");
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["ended"]);
        assert_eq!(look(), json!(1));
        change(&desk, "people.toml", with("amara", "active = false\n"));
        now(&desk);
        assert_eq!(look(), json!(null), "who has left keeps nothing anyway");
        in_order(&desk);
    });
}

/// A desk whose app has calls of its own, one of which ends the sessions of an account.
fn with_sessions(database: Database, app: &ScimApp) -> House {
    let ends = "end-sessions = { method = \"DELETE\", path = \"plain/sessions/{user}\" }\n";
    let rest = format!("kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n", app.url);
    let (account, tier) = (rest_calls("account", "plain/account/{user}"), rest_calls("tier", "plain/{value}/{user}"));
    connected(database, &[&rest, &account, ends, &tier].concat())
}

/// The account is seen to be gone before it is known that its sessions have ended: the order is not done with that.
#[test]
fn i12_sessions_end_with_the_account_also_where_answers_are_lost() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let desk = with_sessions(database, &app);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        assert_eq!((states(&desk), app.effects().len()), (vec!["active".to_owned()], 2));
        app.fail("DELETE", "/plain/account", 1, Phase::After, Fault::Drop);
        app.fail("DELETE", "/plain/sessions", 1, Phase::Before, Fault::Status(503, None));
        let id = grants(&desk)[0]["id"].as_str().unwrap().to_owned();
        let reason = json!({ "reason": "the account is misused" });
        desk.as_role("mei").post(&format!("/api/v1/grants/{id}/revoke"), &reason).expect(200);
        now(&desk);
        assert_eq!(states(&desk), ["deprovisioning"]);
        for _ in 0..4 {
            desk.advance(seconds(30));
        }
        assert_eq!(states(&desk), ["ended"]);
        let effects = app.effects();
        let sessions = effects.iter().filter(|effect| *effect == "DELETE sessions amara").count();
        assert_eq!((sessions, effects.last().map(String::as_str)), (1, Some("DELETE sessions amara")), "{effects:?}");
        let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{id}")).expect(200).to_string();
        assert!(story.contains("plain/sessions/amara: 404"), "it is on the ledger: {story}");
        in_order(&desk);
        desk.advance(hours(24));
        assert_eq!(app.effects(), effects, "it is done once");
    });
}

/// The account is taken away and its sessions are not ended yet when it is given again: it is not there, and the grant does not say so.
#[test]
fn i12_what_was_taken_away_by_half_is_given_anew_and_not_taken_for_held() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let desk = with_sessions(database, &app);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        app.fail("DELETE", "/plain/sessions", 1, Phase::Before, Fault::Status(429, Some(1_800)));
        let id = grants(&desk)[0]["id"].as_str().unwrap().to_owned();
        let reason = json!({ "reason": "the project is over" });
        desk.as_role("mei").post(&format!("/api/v1/grants/{id}/revoke"), &reason).expect(200);
        now(&desk);
        assert_eq!((states(&desk), app.effects()[2..].len()), (vec!["deprovisioning".to_owned()], 2));
        asks(&desk.as_role("amara"), "user", 48);
        for _ in 0..3 {
            desk.advance(seconds(1_801));
        }
        assert_eq!(states(&desk), ["active", "ended"]);
        let effects = app.effects();
        let last = |effect: &str| effects.iter().rposition(|one| one == effect);
        assert!(last("PUT account amara") > last("DELETE account amara"), "{effects:?}");
        assert!(last("DELETE account amara") < last("DELETE sessions amara"), "{effects:?}");
        in_order(&desk);
    });
}

#[test]
fn i14_the_report_about_a_leaver_says_until_when_sessions_go_on_that_no_call_ends() {
    on_both(|database| {
        for ends in [false, true] {
            let app = ScimApp::start(&["user", "admin"]);
            let desk = if ends { with_sessions(database, &app) } else { desk(database, &app) };
            change(&desk, "apps.toml", with("jira", "sessions-last = \"12h\"\n"));
            asks(&desk.as_role("amara"), "user", 48);
            now(&desk);
            let sessions = || {
                let report = desk.as_role("mei").get("/api/v1/people/amara/offboarding").expect(200);
                report["sessions"].clone()
            };
            assert_eq!(sessions(), json!([]));
            change(&desk, "people.toml", with("amara", "active = false\n"));
            now(&desk);
            assert_eq!((states(&desk), &grants(&desk)[0]["end_reason"]), (vec!["ended".to_owned()], &json!("left")));
            let left = sessions();
            if ends {
                assert_eq!(left, json!([]));
                assert!(app.effects().contains(&"DELETE sessions amara".to_owned()), "{:?}", app.effects());
            } else {
                let until: jiff::Timestamp = left[0]["until"].as_str().unwrap().parse().unwrap();
                let after = until.duration_since(desk.clock.now());
                assert!(left[0]["app"] == "jira" && after > hours(11) && after <= hours(12), "{left}");
                desk.advance(hours(13));
                assert_eq!(sessions(), json!([]), "they are over");
            }
            in_order(&desk);
        }
    });
}
