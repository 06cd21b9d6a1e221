//! Apps that do not answer for hours: they are tried now and then and not with each order, and once they are back all is done.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::provisioning::{
    asks, connected as by_settings, desk as connected, grants, hours, in_order, now, seconds, states,
};
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{Fault, Phase, ScimApp, TOKEN, rest_calls};

const PEOPLE: [&str; 4] = ["amara", "jonas", "priya", "sofia"];

/// A desk at which some people have access for four hours.
fn desk(database: Database, app: &ScimApp) -> House {
    let desk = connected(database, app);
    for person in PEOPLE {
        let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": person,
            "justification": "they join the data project" });
        let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
        desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
    }
    now(&desk);
    assert_eq!(app.members("user").len(), PEOPLE.len());
    desk
}

fn fails(app: &ScimApp, fault: &Fault) {
    for method in ["GET", "POST", "PUT", "PATCH"] {
        app.fail(method, "/", 100_000, Phase::Before, fault.clone());
    }
}

/// The states of all grants.
fn all(desk: &House) -> Vec<Value> {
    let of = |person: &str| desk.as_role("kofi").get(&format!("/api/v1/people/{person}/grants")).expect(200);
    PEOPLE.into_iter().map(|person| of(person)[0]["state"].clone()).collect()
}

/// How often the app was asked for a person.
fn asked(app: &ScimApp) -> usize {
    app.requests().iter().filter(|request| request.starts_with("GET /Users")).count()
}

fn an_app_that_fails(database: Database, fault: &Fault) {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = desk(database, &app);
    fails(&app, fault);
    let before = asked(&app);
    desk.advance(hours(4));
    for _ in 0..72 {
        desk.advance(SignedDuration::from_mins(5));
    }
    assert_eq!(all(&desk), vec![json!("deprovisioning"); PEOPLE.len()], "no end is given up");
    // Each of the four by itself, every five minutes, would be more than 280.
    let tried = asked(&app) - before;
    assert!((10..=60).contains(&tried), "it was asked {tried} times in six hours");
    let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{}", grants(&desk)[0]["id"].as_str().unwrap()));
    let written = story.expect(200)["ledger"].as_array().unwrap().len();
    assert!(written < 60, "{written} entries on the ledger");

    app.works_again();
    for _ in 0..3 {
        desk.advance(hours(1));
    }
    assert_eq!(all(&desk), vec![json!("ended"); PEOPLE.len()]);
    assert_eq!((app.members("user"), app.active("amara"), app.active("sofia")), (vec![], Some(false), Some(false)));
    in_order(&desk);
}

#[test]
fn i13_an_app_that_answers_500_is_tried_once_a_pause_and_every_end_is_had_when_it_is_back() {
    on_both(|database| an_app_that_fails(database, &Fault::Status(500, None)));
}

#[test]
fn i13_an_app_that_hangs_up_is_tried_once_a_pause_and_every_end_is_had_when_it_is_back() {
    an_app_that_fails(Database::Sqlite, &Fault::Drop);
}

#[test]
fn an_app_that_is_busy_and_says_until_when_is_left_alone_so_long() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        app.fail("PATCH", "/Groups", 1, Phase::Before, Fault::Status(503, Some(600)));
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        let asked = app.requests().len();
        for _ in 0..9 {
            desk.advance(seconds(60));
        }
        assert_eq!((states(&desk), app.requests().len()), (vec!["provisioning".to_owned()], asked));
        desk.advance(seconds(61));
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        in_order(&desk);
    });
}

/// The time until which an app is left alone is one of the clock that was set back since.
#[test]
fn i08_a_clock_that_is_set_back_leaves_no_app_alone_for_longer() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = connected(Database::Sqlite, &app);
    app.fail("PATCH", "/Groups", 1, Phase::Before, Fault::Status(429, Some(86_400)));
    asks(&desk.as_role("amara"), "user", 96);
    now(&desk);
    assert_eq!(states(&desk), ["provisioning"]);
    desk.clock.set(hours(-2));
    let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": "jonas",
        "justification": "he joins the data project" });
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
    desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
    now(&desk);
    assert_eq!(app.members("user"), ["jonas"]);
}

/// The token of the app cannot be read when it is to be looked at what came of an order: that says nothing of what came of it.
#[test]
fn i09_what_was_sent_to_an_app_that_cannot_be_asked_any_more_is_not_gone() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        app.fail("PATCH", "/Groups", 1, Phase::After, Fault::Drop);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        assert_eq!((states(&desk), app.members("user")), (vec!["provisioning".to_owned()], vec!["amara".to_owned()]));
        let token = desk.settings().with_file_name("app.token");
        std::fs::remove_file(&token).unwrap();
        desk.advance(seconds(10));
        let id = grants(&desk)[0]["id"].as_str().unwrap().to_owned();
        let reason = json!({ "reason": "the project is over" });
        desk.as_role("mei").post(&format!("/api/v1/grants/{id}/revoke"), &reason).expect(200);
        desk.advance(hours(1));
        assert_eq!((states(&desk), app.members("user")), (vec!["deprovisioning".to_owned()], vec!["amara".to_owned()]));
        std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
        for _ in 0..3 {
            desk.advance(hours(1));
        }
        assert_eq!((states(&desk), app.active("amara")), (vec!["ended".to_owned()], Some(false)));
        assert_eq!(app.members("user"), Vec::<String>::new(), "it was taken away as well");
        in_order(&desk);
    });
}

/// It has done the first attempt, whose answer was lost, shows it late, and refuses the second.
#[test]
fn i09_what_an_app_refuses_at_the_second_attempt_may_be_there_by_the_first() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let rest = format!("kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n", app.url);
        let desk = by_settings(database, &(rest + &rest_calls("tier", "plain/{value}/{user}")));
        app.fail("PUT", "/plain/user", 1, Phase::After, Fault::Drop);
        app.fail("PUT", "/plain/user", 1, Phase::Before, Fault::Status(400, None));
        app.fail("GET", "/plain/user", 2, Phase::Before, Fault::Status(404, None));
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        for _ in 0..3 {
            desk.advance(seconds(30));
        }
        let refused = grants(&desk)[0].clone();
        assert_eq!((&refused["state"], &refused["end_reason"]), (&json!("failed"), &json!("refused")), "{refused}");
        assert_eq!(app.effects(), ["PUT user amara", "DELETE user amara"], "nothing of it is left there");
        in_order(&desk);
    });
}

/// It has accepted what it does not show yet, and the grant is taken back meanwhile.
#[test]
fn i09_what_an_app_shows_late_is_taken_away_also_where_the_grant_ended_before() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let rest = format!("kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n", app.url);
        let desk = by_settings(database, &(rest + &rest_calls("tier", "plain/{value}/{user}")));
        // Before it is sent, when it is read back, and a moment later.
        app.fail("GET", "/plain/user", 3, Phase::Before, Fault::Status(404, None));
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        desk.advance(seconds(1));
        assert_eq!(
            (states(&desk), app.effects()),
            (vec!["provisioning".to_owned()], vec!["PUT user amara".to_owned()])
        );
        let id = grants(&desk)[0]["id"].as_str().unwrap().to_owned();
        let reason = json!({ "reason": "the project is over" });
        desk.as_role("mei").post(&format!("/api/v1/grants/{id}/revoke"), &reason).expect(200);
        assert_eq!(states(&desk), ["deprovisioning"], "it is not known to be gone");
        desk.advance(seconds(30));
        assert_eq!(
            (states(&desk), app.effects()[1..].to_vec()),
            (vec!["ended".to_owned()], vec!["DELETE user amara".to_owned()])
        );
        in_order(&desk);
    });
}

/// A person's word is for what was left to a person: an app that is busy says itself what it has, once it is asked again.
#[test]
fn i09_an_order_that_waits_for_a_busy_app_is_not_done_by_a_word() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        app.fail("PATCH", "/Groups", 1, Phase::Before, Fault::Status(429, Some(600)));
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200);
        let waiting = orders.as_array().unwrap().iter().find(|order| order["state"] == "waiting").unwrap();
        let path = format!("/api/v1/access/orders/{}/attest", waiting["id"].as_str().unwrap());
        let body = json!({ "done": true, "evidence": "seen in the list of users" });
        desk.with_roles("chloe", "requester").post(&path, &body).expect(409);
        assert_eq!(states(&desk), ["provisioning"]);
        desk.advance(seconds(601));
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        in_order(&desk);
    });
}

/// Another has taken it away in the app, which then has nothing to take away and says so by a refusal.
#[test]
fn i13_an_end_that_an_app_refuses_since_it_is_gone_already_is_done() {
    let app = ScimApp::start(&[]);
    let rest = format!("kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n", app.url);
    let desk = by_settings(Database::Sqlite, &(rest + &rest_calls("tier", "plain/{value}/{user}")));
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    assert_eq!(states(&desk), ["active"]);
    app.fail("DELETE", "/plain/user", 1, Phase::After, Fault::Status(400, None));
    desk.advance(hours(4));
    assert_eq!(states(&desk), ["ended"]);
    in_order(&desk);
}
