//! Addresses by which apps know people: one that was another's before gives a newcomer nothing of that one's, and takes nothing from them.

use serde_json::{Value, json};

use super::super::provisioning::{asks, connected, desk, in_order, now, states};
use super::found::change;
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::scim::{ScimApp, rest_calls};

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

#[test]
fn i09_no_call_is_made_whose_path_would_lack_the_person() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let calls =
            |kind: &str, path: &str| rest_calls(kind, path).replacen("there = \"/has\"\nequals = \"{user}\"\n", "", 1);
        let rest = format!(
            "kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n{}{}",
            app.url,
            calls("account", "plain/account/{email}"),
            calls("tier", "plain/{value}/{email}")
        );
        let desk = connected(database, &rest);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!((states(&desk), app.effects().len()), (vec!["active".to_owned()], 2));
        change(&desk, "people.toml", |text| {
            let id = text.find("id = \"amara\"").unwrap();
            let start = text[..id].rfind("[[person]]").unwrap();
            let end = text[id..].find("[[person]]").map_or(text.len(), |end| id + end);
            format!("{}{}", &text[..start], &text[end..])
        });
        now(&desk);
        assert_eq!((states(&desk), app.effects().len()), (vec!["deprovisioning".to_owned()], 2), "none was sent");
        assert!(waits_for_a_person(&desk));
        in_order(&desk);
    });
}
