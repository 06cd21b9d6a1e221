//! Addresses by which apps know people: one that was another's before gives a newcomer nothing of that one's, and takes nothing from them.

use serde_json::{Value, json};

use super::super::provisioning::{asks, connected, desk, hours, in_order, now, states};
use super::found::change;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{Fault, Phase, ScimApp, rest_calls};

/// Jonas has left, and Amara has his address by now.
fn address_goes_to_amara(desk: &House) {
    change(desk, "people.toml", |text| {
        let text = text.replacen("id = \"jonas\"\n", "id = \"jonas\"\nactive = false\n", 1);
        text.replacen("\"amara@meridian.example\"", "\"jonas@meridian.example\"", 1)
    });
}

/// Whether an order waits for a person.
fn waits_for_a_person(desk: &House) -> bool {
    let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200);
    let waits = |order: &Value| order["state"] == "waiting" && order["said"].to_string().contains("a person looks");
    orders.as_array().unwrap().iter().any(waits)
}

#[test]
fn i05_who_has_got_the_address_of_one_who_has_left_is_not_given_that_ones_user() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("jonas", "jonas@meridian.example", "admin");
        let desk = desk(database, &app);
        address_goes_to_amara(&desk);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!((states(&desk), app.members("user")), (vec!["provisioning".to_owned()], vec![]));
        assert!(waits_for_a_person(&desk));
        assert_eq!(app.members("admin"), ["jonas"], "as a person of the app has given it to him");
        in_order(&desk);
    });
}

#[test]
fn i09_from_who_has_got_the_address_of_one_who_has_left_nothing_is_taken_for_that_one() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        // The app knows its people by nothing but their addresses.
        app.has_already("x-17", "jonas@meridian.example", "admin");
        let desk = desk(database, &app);
        let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": "jonas",
            "justification": "he joins the data project" });
        let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
        desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
        now(&desk);
        assert_eq!(app.members("user"), ["x-17"]);
        address_goes_to_amara(&desk);
        now(&desk);
        assert_eq!((app.members("user"), app.active("x-17")), (vec!["x-17".to_owned()], Some(true)));
        assert!(waits_for_a_person(&desk));
        in_order(&desk);
    });
}

/// A desk whose app knows people by their addresses and nothing else.
fn by_address(database: Database, app: &ScimApp) -> House {
    let calls =
        |kind: &str, path: &str| rest_calls(kind, path).replacen("there = \"/has\"\nequals = \"{user}\"\n", "", 1);
    let rest = format!(
        "kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n{}{}",
        app.url,
        calls("account", "plain/account/{email}"),
        calls("tier", "plain/{value}/{email}")
    );
    connected(database, &rest)
}

/// The directory has her no more.
fn forgets_amara(desk: &House) {
    change(desk, "people.toml", |text| {
        let id = text.find("id = \"amara\"").unwrap();
        let start = text[..id].rfind("[[person]]").unwrap();
        let end = text[id..].find("[[person]]").map_or(text.len(), |end| id + end);
        format!("{}{}", &text[..start], &text[end..])
    });
}

/// The app has done it, and the answer was lost: nothing says that it was not.
#[test]
fn i09_what_was_sent_and_can_be_read_no_more_is_not_gone() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let desk = by_address(database, &app);
        app.fail("PUT", "/plain/account", 1, Phase::After, Fault::Drop);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        assert_eq!((states(&desk), app.effects().len()), (vec!["provisioning".to_owned()], 1));
        forgets_amara(&desk);
        for _ in 0..3 {
            desk.advance(hours(1));
        }
        assert_eq!((states(&desk), app.effects().len()), (vec!["deprovisioning".to_owned()], 1));
        assert!(waits_for_a_person(&desk));
        in_order(&desk);
    });
}

#[test]
fn i09_no_call_is_made_whose_path_would_lack_the_person() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let desk = by_address(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!((states(&desk), app.effects().len()), (vec!["active".to_owned()], 2));
        forgets_amara(&desk);
        now(&desk);
        assert_eq!((states(&desk), app.effects().len()), (vec!["deprovisioning".to_owned()], 2), "none was sent");
        assert!(waits_for_a_person(&desk));
        in_order(&desk);
    });
}
