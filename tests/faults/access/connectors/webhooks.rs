//! Apps that take orders as signed messages and answer later: a word counts that one of the connector's secrets has signed, what is
//! there is read back, an answer that never comes is asked for again, and nothing happens twice.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::provisioning::{asks, connected, grants, hours, in_order, now, seconds, states};
use crate::support::house::House;
use crate::support::peers::orders::{OrderApp, SECRET, Takes, says, signature};
use crate::support::place::{Database, on_both};

/// A desk that sends its orders for Jira to the app.
fn desk(database: Database, app: &OrderApp, more: &str) -> House {
    let secret = std::env::temp_dir().join(format!("ruledesk-orders-{}", app.url.replace(['/', ':'], "-")));
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let (url, secret) = (&app.url, secret.display());
    let kind = format!("kind = \"webhook\"\nurl = \"{url}\"\ninternal = true\nsecret-file = \"{secret}\"\n{more}");
    connected(database, &kind)
}

/// The app's word about the last order, signed now.
fn word(desk: &House, app: &OrderApp, state: &str) -> Value {
    let order = app.orders().pop().unwrap();
    let word = json!({ "attempt": order["attempt"], "state": state, "evidence": "licence 0815" });
    says(&desk.stranger(), &order, desk.clock.now().as_second(), &word).expect(200)
}

#[test]
fn an_order_is_answered_later_by_a_signed_word_and_read_back() {
    on_both(|database| {
        let app = OrderApp::start();
        let desk = desk(database, &app, "answer-within = \"4h\"");
        app.takes_next(&[Takes::Later, Takes::Later]);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        desk.advance(hours(1));
        assert_eq!((app.orders().len(), states(&desk)), (1, vec!["provisioning".to_owned()]), "it has time");
        assert_eq!(word(&desk, &app, "done"), json!({ "state": "applied", "taken": true }));
        desk.advance(seconds(1));
        assert_eq!(states(&desk), ["provisioning"], "the app's word is not what is there");
        app.does(&app.orders()[0]);
        for _ in 0..3 {
            desk.advance(seconds(10));
        }
        // The account was sent again by the same id, and was there already; the tier is put off.
        assert_eq!(app.has("amara"), (vec!["account".to_owned()], 1));
        let tier = app.orders().pop().unwrap();
        assert_eq!((&tier["entitlement"], &tier["user"]["id"]), (&json!("tier:user"), &json!("amara")));
        app.does(&tier);
        assert_eq!(word(&desk, &app, "done")["taken"], true);
        desk.advance(seconds(1));
        assert_eq!((states(&desk), app.has("amara").1), (vec!["active".to_owned()], 2));
        assert_eq!(word(&desk, &app, "refused"), json!({ "state": "verified", "taken": false }), "that is over");
        desk.advance(hours(48));
        assert_eq!((states(&desk), app.has("amara")), (vec!["ended".to_owned()], (vec![], 4)));
        in_order(&desk);
    });
}

#[test]
fn an_answer_that_never_comes_is_asked_for_again_and_the_app_does_it_once() {
    on_both(|database| {
        let app = OrderApp::start();
        let desk = desk(database, &app, "answer-within = \"30m\"\nreads = false");
        app.takes_next(&[Takes::Lost, Takes::Later, Takes::Later, Takes::Silently]);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        desk.advance(seconds(5));
        let attempts = |app: &OrderApp| app.orders().iter().map(|o| o["attempt"].as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(attempts(&app), [1, 2], "what is lost goes out again with the same id");
        let desk = desk.cut_off_and_restart();
        desk.advance(SignedDuration::from_mins(29));
        assert_eq!(attempts(&app), [1, 2]);
        desk.advance(SignedDuration::from_mins(2));
        desk.advance(seconds(10));
        assert_eq!(attempts(&app), [1, 2, 3]);
        let late = json!({ "attempt": 2, "state": "done" });
        let order = app.orders()[1].clone();
        let second = desk.clock.now().as_second();
        assert_eq!(says(&desk.stranger(), &order, second, &late).expect(200)["taken"], false, "an earlier attempt");
        app.does(&order);
        assert_eq!(word(&desk, &app, "done"), json!({ "state": "verified", "taken": true }));
        now(&desk);
        desk.advance(seconds(5));
        assert_eq!((states(&desk), app.has("amara").1, app.looks()), (vec!["active".to_owned()], 2, 0));
        desk.advance(hours(4));
        assert_eq!((states(&desk), app.has("amara").0), (vec!["ended".to_owned()], vec![]));
        in_order(&desk);
    });
}

/// Nothing is read back of it, so that an answer which does not say what came of the order says nothing.
#[test]
fn i09_an_answer_without_a_state_is_no_word_of_the_app() {
    on_both(|database| {
        let app = OrderApp::start();
        let desk = desk(database, &app, "reads = false");
        app.takes_next(&[Takes::Unheard]);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!((states(&desk), app.has("amara").1), (vec!["provisioning".to_owned()], 0));
        for _ in 0..3 {
            desk.advance(seconds(10));
        }
        assert_eq!((states(&desk), app.has("amara").1), (vec!["active".to_owned()], 2), "it was sent again");
        app.takes_next(&[Takes::Unheard, Takes::Unheard]);
        desk.advance(hours(4));
        assert_eq!((states(&desk), app.has("amara").1), (vec!["deprovisioning".to_owned()], 2));
        for _ in 0..4 {
            desk.advance(seconds(30));
        }
        assert_eq!((states(&desk), app.has("amara")), (vec!["ended".to_owned()], (vec![], 4)));
        in_order(&desk);
    });
}

#[test]
fn a_word_that_is_not_signed_or_not_for_this_order_changes_nothing() {
    let app = OrderApp::start();
    let desk = desk(Database::Sqlite, &app, "reads = false");
    app.takes_next(&[Takes::Later]);
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    let (order, second, stranger) = (app.orders()[0].clone(), desk.clock.now().as_second(), desk.stranger());
    let done = json!({ "attempt": 1, "state": "done" });
    assert_eq!(says(&stranger, &order, second - 301, &done).status, 401, "it was signed too long ago");
    let elsewhere = json!({ "answer_to": format!("/api/v1/provisioning/{}/answer", uuid::Uuid::nil()) });
    assert_eq!(says(&stranger, &elsewhere, second, &done).status, 401, "there is no such order");
    let of_another = json!({ "order": uuid::Uuid::nil().to_string(), "attempt": 1, "state": "done" });
    assert_eq!(says(&stranger, &order, second, &of_another).status, 401, "a word about another order, sent here");
    let path = order["answer_to"].as_str().unwrap();
    assert_eq!(stranger.post(path, &done).status, 401);
    assert_eq!(desk.as_role("mei").post(path, &done).status, 401, "no person stands in for the app");
    let other = signature("x", second, "{}");
    let forged = stranger.with("webhook-id", "x").with("webhook-timestamp", &second.to_string());
    assert_eq!(forged.with("webhook-signature", &other).post(path, &done).status, 401, "another body was signed");
    let unknown = json!({ "attempt": 1, "state": "perhaps" });
    assert_eq!(says(&stranger, &order, second, &unknown).status, 400);
    assert_eq!(states(&desk), ["provisioning"]);
    assert_eq!(word(&desk, &app, "refused"), json!({ "state": "rejected", "taken": true }));
    now(&desk);
    assert_eq!((states(&desk), &grants(&desk)[0]["end_reason"]), (vec!["failed".to_owned()], &json!("refused")));
    app.takes_next(&[Takes::Refused]);
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    assert_eq!((states(&desk), app.has("amara")), (vec!["failed".to_owned(); 2], (vec![], 0)), "refused at once");
    in_order(&desk);
}

#[test]
fn no_address_inside_the_network_is_asked_unless_the_connector_says_so() {
    let app = OrderApp::start();
    let desk = desk(Database::Sqlite, &app, "");
    let file = desk.settings().with_file_name("apps.toml");
    let text = std::fs::read_to_string(&file).unwrap().replacen("internal = true", "internal = false", 1);
    std::fs::write(&file, text).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200);
    assert!(orders.to_string().contains("it does not begin with https://"), "{orders}");
    assert_eq!((app.orders().len(), app.looks()), (0, 0));
    desk.advance(hours(4));
}

/// It cannot be asked for its holders, so that to look at an order is no answer of the app's.
#[test]
fn i13_an_app_that_is_never_asked_what_it_has_is_tried_once_a_pause_as_well() {
    let app = OrderApp::start();
    let desk = desk(Database::Sqlite, &app, "reads = false");
    app.takes_next(&[Takes::Lost; 200]);
    for person in ["amara", "jonas", "priya", "sofia"] {
        let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 48, "for": person,
            "justification": "they join the data project" });
        let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
        desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
    }
    now(&desk);
    for _ in 0..12 {
        desk.advance(SignedDuration::from_mins(5));
    }
    // Each of the four by itself would be about forty.
    let tried = app.orders().len();
    assert!((5..25).contains(&tried), "it was sent {tried} orders within an hour");
}
