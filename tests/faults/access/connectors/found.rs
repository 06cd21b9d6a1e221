//! Answers of apps about what they have, and who may say that it is right: an answer that is none proves nothing, and no person speaks for what is
//! their own.

use serde_json::{Value, json};

use super::super::ends::{rows, write};
use super::super::provisioning::{asks, connect, connected, desk, grants, hours, in_order, now, seconds, states};
use crate::support::client::Client;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{Fault, Phase, ScimApp, rest_calls};

/// Changes a file of the configuration and has it read again.
pub(super) fn change(desk: &House, file: &str, change: impl FnOnce(String) -> String) {
    let path = desk.settings().with_file_name(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "{file} is as it was");
    std::fs::write(&path, changed).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
}

#[test]
fn a_word_about_access_that_no_grant_gives_is_compared_with_the_audit() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        app.has_already("jonas", "jonas@meridian.example", "admin");
        app.has_already("a stranger", "stranger@example.org", "user");
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        desk.advance(hours(5));
        desk.advance(hours(25));
        let found = desk.as_role("kofi").get("/api/v1/access/findings").expect(200);
        let stranger = found.as_array().unwrap().iter().find(|one| one["account"] == "a stranger").unwrap();
        let path = format!("/api/v1/access/findings/{}/settle", stranger["id"].as_str().unwrap());
        let body = json!({ "accept": true, "reason": "as agreed" });
        desk.as_role("mei").post(&path, &body).expect(200);
        in_order(&desk);
        let named = |what: &str| {
            let chain = desk.command(&["decisions", "chain"]);
            let said = String::from_utf8(chain.stdout).unwrap();
            assert!(!chain.status.success() && said.contains(what), "{what}: {said}");
        };
        for (edit, back) in [
            ("settled_by = 'ben' where account = 'a stranger'", "settled_by = 'mei' where account = 'a stranger'"),
            ("reason = 'for ever' where account = 'a stranger'", "reason = 'as agreed' where account = 'a stranger'"),
            ("account = 'another' where account = 'a stranger'", "account = 'a stranger' where account = 'another'"),
            (
                "settled_at = settled_at + 1 where verdict = 'accepted'",
                "settled_at = settled_at - 1 where verdict = 'accepted'",
            ),
            ("verdict = null where account = 'a stranger'", "verdict = 'accepted' where account = 'a stranger'"),
            // No person has let this one stay.
            (
                "verdict = 'accepted', settled_by = 'mei', settled_at = 1 where account = 'jonas'",
                "verdict = null, settled_by = null, settled_at = null where account = 'jonas'",
            ),
        ] {
            write(&desk, &format!("update access_findings set {edit}"));
            named("is not what the audit says: it was changed or added");
            write(&desk, &format!("update access_findings set {back}"));
            in_order(&desk);
        }
        // It is there no more at the next look, which is no change of what was said.
        app.take_out("user");
        desk.advance(hours(25));
        in_order(&desk);
        write(&desk, "delete from access_findings where account = 'a stranger'");
        named("is missing: it was removed");
    });
}

/// Adds lines to a person.
pub(super) fn with(person: &str, lines: &str) -> impl FnOnce(String) -> String {
    let id = format!("id = \"{person}\"\n");
    let lines = lines.to_owned();
    move |text| text.replacen(&id, &format!("{id}{lines}"), 1)
}

fn asks_for(desk: &House, person: &str) -> Value {
    let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": person,
        "justification": "a new member of the data project" });
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
    desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201)
}

#[test]
fn i20_what_was_taken_away_in_an_app_ends_there_where_that_counts_and_no_more_than_some_in_an_hour() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        change(&desk, "apps.toml", |text| {
            text.replacen("id = \"jira\"\n", "id = \"jira\"\nwhen-removed = \"end\"\n", 1)
        });
        change(&desk, "desk.toml", |text| text.replacen("[defaults]\n", "[defaults]\nleavers-max = 1\n", 1));
        asks(&desk.as_role("amara"), "user", 96);
        now(&desk);
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        app.take_out("user");
        desk.advance(hours(24));
        let ended = grants(&desk)[0].clone();
        assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("removed-in-app")), "{ended}");
        assert_eq!(app.members("user"), Vec::<String>::new(), "it is not given again");
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("tier:user is missing in the app"), "{timeline}");

        // Of two people at one time, one ends; the other is looked at again a day later.
        desk.advance(hours(2));
        for person in ["jonas", "priya"] {
            let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 96, "for": person,
                "justification": "a new member of the data project" });
            let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
            desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
        }
        now(&desk);
        let of =
            |state: &str| rows(&desk, &format!("select subject from grants where state = '{state}' order by subject"));
        assert_eq!(of("active"), ["jonas", "priya"]);
        app.take_out("user");
        desk.advance(hours(24));
        assert_eq!(of("active").len(), 1, "an app that loses all may have gone wrong");
        desk.advance(hours(24));
        assert_eq!(of("active"), Vec::<String>::new());
        in_order(&desk);
    });
}

#[test]
fn i09_whom_another_group_still_brings_in_has_not_lost_it_and_the_order_names_the_way() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin", "staff"]);
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["active"]);
        // Past the desk, all of the staff are let in, and she is one of them.
        app.put_in("amara", "staff");
        app.put_group_in("staff", "user");
        desk.advance(hours(4));
        let orders = || desk.as_role("kofi").get("/api/v1/access/orders").expect(200).to_string();
        let named = (0..10).any(|_| {
            desk.advance(seconds(1));
            orders().contains("by way of the group `staff`")
        });
        assert!(named, "{}", orders());
        assert_eq!(states(&desk), ["deprovisioning"], "she is out of the group itself, and still in");
        app.take_out("staff");
        for _ in 0..3 {
            desk.advance(hours(1));
        }
        assert_eq!((states(&desk), app.active("amara")), (vec!["ended".to_owned()], Some(false)));
        in_order(&desk);
    });
}

#[test]
fn i09_a_page_that_is_no_answer_of_the_app_proves_no_end() {
    on_both(|database| {
        for path in ["/Users", "/Groups"] {
            let app = ScimApp::start(&["user", "admin"]);
            let desk = desk(database, &app);
            asks(&desk.as_role("amara"), "user", 4);
            now(&desk);
            assert_eq!(states(&desk), ["active"]);
            // Something on the way answers in the app's place, and says that all is well.
            app.fail("GET", path, 3, Phase::Before, Fault::Status(200, None));
            desk.advance(hours(4));
            let still = (vec!["deprovisioning".to_owned()], vec!["amara".to_owned()]);
            assert_eq!((states(&desk), app.members("user")), still, "{path}");
            for _ in 0..8 {
                desk.advance(seconds(60));
            }
            assert_eq!((states(&desk), app.members("user")), (vec!["ended".to_owned()], vec![]), "{path}");
            in_order(&desk);
        }
    });
}

#[test]
fn i09_a_group_that_is_shown_without_its_members_proves_no_end() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.hides_members();
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        // It says that it has done what it has not.
        app.fail("PATCH", "/Groups", 2, Phase::Before, Fault::Status(200, None));
        desk.advance(hours(4));
        assert_eq!((states(&desk), app.members("user").len()), (vec!["deprovisioning".to_owned()], 1));
        for _ in 0..6 {
            desk.advance(seconds(90));
        }
        assert_eq!((states(&desk), app.members("user")), (vec!["ended".to_owned()], vec![]));
        in_order(&desk);
    });
}

#[test]
fn i09_a_group_of_which_a_part_is_shown_proves_no_end() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("jonas", "jonas@meridian.example", "user");
        app.shows_one_member();
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!((states(&desk), app.members("user").len()), (vec!["active".to_owned()], 2));
        // It says that it has done what it has not.
        app.fail("PATCH", "/Groups", 2, Phase::Before, Fault::Status(200, None));
        desk.advance(hours(4));
        assert_eq!((states(&desk), app.members("user").len()), (vec!["deprovisioning".to_owned()], 2));
        for _ in 0..6 {
            desk.advance(seconds(90));
        }
        assert_eq!((states(&desk), app.members("user")), (vec!["ended".to_owned()], vec!["jonas".to_owned()]));
        in_order(&desk);
    });
}

#[test]
fn a_group_whose_members_are_not_all_shown_is_never_written_as_a_whole() {
    on_both(|database| {
        for hides in [true, false] {
            let app = ScimApp::start(&["user", "admin"]);
            app.has_already("jonas", "jonas@meridian.example", "user");
            let desk = desk(database, &app);
            asks(&desk.as_role("amara"), "user", 4);
            now(&desk);
            assert_eq!(states(&desk), ["active"]);
            app.without_filter_paths();
            if hides {
                app.hides_members();
            } else {
                app.shows_one_member();
            }
            desk.advance(hours(4));
            desk.advance(seconds(90));
            assert_eq!(
                (states(&desk), app.members("user")),
                (vec!["deprovisioning".to_owned()], vec!["amara".to_owned(), "jonas".to_owned()]),
                "the other member stays, and a person looks"
            );
            assert!(!app.effects().iter().any(|effect| effect.starts_with("PUT")), "{:?}", app.effects());
        }
    });
}

#[test]
fn i09_json_of_something_else_proves_no_end_in_an_app_with_calls_of_its_own() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let rest = format!(
            "kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n{}",
            app.url,
            rest_calls("tier", "plain/{value}/{user}")
        );
        let desk = connected(database, &rest);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["active"]);
        // What is read says nothing of it, for it has no place that says so.
        app.says_something_else(true);
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["deprovisioning"]);
        app.says_something_else(false);
        for _ in 0..6 {
            desk.advance(seconds(90));
        }
        assert_eq!(
            (states(&desk), app.effects().last().cloned()),
            (vec!["ended".to_owned()], Some("DELETE user amara".to_owned()))
        );
        in_order(&desk);
    });
}

#[test]
fn i09_who_is_not_found_because_the_directory_has_forgotten_their_name_is_looked_for_by_a_person() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("x-17", "amara@meridian.example", "user");
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(
            (states(&desk), app.effects()),
            (vec!["active".to_owned()], vec![]),
            "the app has her by her address"
        );
        // As of what was given before the address was kept with it.
        for entitlement in ["account", "tier:user"] {
            write(&desk, &format!("update holdings set known_as = '' where entitlement = '{entitlement}'"));
        }
        change(&desk, "people.toml", |text| {
            let id = text.find("id = \"amara\"").unwrap();
            let start = text[..id].rfind("[[person]]").unwrap();
            let end = text[id..].find("[[person]]").map_or(text.len(), |end| id + end);
            format!("{}{}", &text[..start], &text[end..])
        });
        now(&desk);
        assert_eq!((states(&desk), app.members("user")), (vec!["deprovisioning".to_owned()], vec!["x-17".to_owned()]));
        let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200);
        let waits =
            |order: &&Value| order["state"] == "waiting" && order["said"].to_string().contains("a person looks");
        assert!(orders.as_array().unwrap().iter().any(|order| waits(&order)), "{orders}");
        in_order(&desk);
    });
}

#[test]
fn i09_whose_address_has_changed_is_found_in_the_app_by_the_one_before() {
    on_both(|database| {
        for taken in [false, true] {
            let app = ScimApp::start(&["user", "admin"]);
            app.has_already("x-17", "amara@meridian.example", "admin");
            let desk = desk(database, &app);
            asks(&desk.as_role("amara"), "user", 4);
            now(&desk);
            assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["x-17".to_owned()]));
            change(&desk, "people.toml", |text| {
                let text = text.replacen("\"amara@meridian.example\"", "\"amara.okafor@meridian.example\"", 1);
                let jonas = if taken { "\"amara@meridian.example\"" } else { "\"jonas@meridian.example\"" };
                text.replacen("\"jonas@meridian.example\"", jonas, 1)
            });
            desk.advance(hours(4));
            let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200);
            let looks =
                orders.as_array().unwrap().iter().any(|order| order["said"].to_string().contains("a person looks"));
            match taken {
                // It may be his by now: no desk takes it from him, and none says that it is gone.
                true => assert_eq!(
                    (states(&desk), app.members("user"), looks),
                    (vec!["deprovisioning".to_owned()], vec!["x-17".to_owned()], true),
                    "{orders}"
                ),
                false => assert_eq!(
                    (states(&desk), app.members("user"), looks),
                    (vec!["ended".to_owned()], vec![], false),
                    "{orders}"
                ),
            }
            assert_eq!(app.members("admin"), ["x-17"], "what was there before stays");
            in_order(&desk);
        }
    });
}

#[test]
fn i02_no_person_lets_their_own_access_stay_that_was_found_and_who_leaves_keeps_none_that_was_let_stay() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("mei", "mei@meridian.example", "admin");
        app.has_already("jonas", "jonas@meridian.example", "admin");
        let desk = desk(database, &app);
        desk.advance(hours(25));
        let found = || desk.as_role("kofi").get("/api/v1/access/findings").expect(200).as_array().unwrap().clone();
        let lets_stay = |client: &Client, account: &str, status: u16| {
            let one = found().into_iter().find(|one| one["account"] == account).unwrap();
            let path = format!("/api/v1/access/findings/{}/settle", one["id"].as_str().unwrap());
            client.post(&path, &json!({ "accept": true, "reason": "as agreed with the owner" })).expect(status);
        };
        let (mei, noor) = (desk.as_role("mei"), desk.with_roles("noor", "admin"));
        lets_stay(&mei, "mei", 403);
        lets_stay(&noor, "mei", 200);
        lets_stay(&mei, "jonas", 200);

        change(&desk, "people.toml", with("jonas", "active = false\n"));
        let report = || desk.as_role("kofi").get("/api/v1/people/jonas/offboarding").expect(200);
        let left = report();
        assert_eq!(
            (&left["complete"], &left["findings"]),
            (&json!(false), &json!(["jira tier:admin jonas"])),
            "{left}"
        );
        app.take_out("admin");
        desk.advance(hours(25));
        let left = report();
        assert_eq!((&left["complete"], &left["findings"]), (&json!(true), &json!([])), "{left}");
        // What comes again is another matter.
        app.put_in("mei", "admin");
        desk.advance(hours(25));
        let again: Vec<Value> = found().into_iter().filter(|one| one["account"] == "mei").collect();
        assert_eq!((again.len(), &again[0]["verdict"]), (1, &Value::Null), "{again:?}");
    });
}

#[test]
fn i14_what_had_come_back_past_the_desk_is_taken_from_who_leaves() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        desk.advance(hours(5));
        assert_eq!((states(&desk), app.members("user")), (vec!["ended".to_owned()], vec![]));
        app.put_in("amara", "user");
        change(&desk, "people.toml", with("amara", "active = false\n"));
        desk.advance(hours(25));
        let report = || desk.as_role("kofi").get("/api/v1/people/amara/offboarding").expect(200);
        let left = report();
        assert_eq!((&left["complete"], &left["findings"]), (&json!(false), &json!(["jira tier:user amara"])), "{left}");
        // As every hour.
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(report()["complete"], false, "ordered, and not proved");
        now(&desk);
        assert_eq!((app.members("user"), report()["complete"].clone()), (vec![], json!(true)));
        in_order(&desk);
    });
}

#[test]
fn i09_an_end_by_hand_is_not_attested_by_another_account_of_the_one_it_is_about() {
    on_both(|database| {
        let desk = connected(database, "kind = \"manual\"");
        change(&desk, "people.toml", with("jonas", "same-as = \"amara\"\n"));
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200);
        let waiting = orders.as_array().unwrap().iter().find(|order| order["state"] == "waiting").unwrap();
        let path = format!("/api/v1/access/orders/{}/attest", waiting["id"].as_str().unwrap());
        let body = json!({ "done": true, "evidence": "seen in the list of users" });
        desk.with_roles("jonas", "admin").post(&path, &body).expect(403);
        desk.with_roles("chloe", "requester").post(&path, &body).expect(200);
        desk.advance(hours(4));
    });
}

#[test]
fn i05_nothing_is_given_to_who_has_left_while_the_brake_keeps_their_grants() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let few = |text: String| text.replace("[defaults]\n", "[defaults]\nleavers-max = 1\n");
        let desk = House::with_settings(database, example_rules(), few);
        connect(&desk, &format!("kind = \"scim\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"", app.url));
        now(&desk);
        for person in ["amara", "jonas"] {
            assert_eq!(asks_for(&desk, person)["access"]["state"], "approved");
        }
        let gone = |text: String| with("jonas", "active = false\n")(with("amara", "active = false\n")(text));
        change(&desk, "people.toml", gone);
        for _ in 0..3 {
            desk.advance(seconds(200));
        }
        assert_eq!(
            (states(&desk), grants(&desk)[0]["end_reason"].clone()),
            (vec!["provisioning".to_owned()], Value::Null)
        );
        assert_eq!((app.effects(), app.active("amara")), (vec![], None), "nothing is sent for who is not here");
        // It was the directory that was wrong.
        change(&desk, "people.toml", |text| text.replace("active = false\n", ""));
        desk.advance(seconds(400));
        assert_eq!((states(&desk), app.members("user").len()), (vec!["active".to_owned()], 2));
        desk.advance(hours(4));
        assert_eq!((states(&desk), app.members("user")), (vec!["ended".to_owned()], vec![]));
        in_order(&desk);
    });
}

/// An app that all of a large company has.
#[test]
fn i20_what_ten_thousand_hold_is_not_found_as_access_that_no_grant_gives() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = desk(Database::Postgres, &app);
    asks(&desk.as_role("amara"), "user", 96);
    now(&desk);
    assert_eq!(states(&desk), ["active"]);
    desk.sql(
        "insert into holdings (subject, app, entitlement, preexisting, grant_id, ticket, since) \
         select 'a' || n, app, entitlement, preexisting, grant_id, ticket, since \
         from holdings, generate_series(1, 10001) n where entitlement = 'account'",
    );
    desk.advance(hours(25));
    assert_eq!(desk.as_role("kofi").get("/api/v1/access/findings").expect(200), json!([]));
}
