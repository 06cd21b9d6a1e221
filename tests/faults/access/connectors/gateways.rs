//! Gateways that answer for the app behind them: that one does not find an address says nothing about what the app has.

use super::super::provisioning::{asks, connected, hours, in_order, now, seconds, states};
use super::found::change;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{Fault, Phase, ScimApp, rest_calls};

/// A desk whose app has calls of its own about tiers, with more lines for these calls.
fn desk(database: Database, app: &ScimApp, more: &str) -> House {
    let rest = format!("kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n", app.url);
    connected(database, &[&rest, &rest_calls("tier", "plain/{value}/{user}"), more].concat())
}

/// From now on a gateway answers all requests in this way.
fn answers(app: &ScimApp, path: &str, fault: &Fault) {
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        app.fail(method, path, 10_000, Phase::Before, fault.clone());
    }
}

/// It ends once the app itself is reached again, and not before.
fn ends_only_by_the_app(desk: &House, app: &ScimApp, path: &str, fault: &Fault) {
    answers(app, path, fault);
    desk.advance(hours(4));
    assert_eq!(states(desk), ["deprovisioning"]);
    for _ in 0..3 {
        desk.advance(hours(2));
        assert_eq!(states(desk), ["deprovisioning"], "it is there, and the gateway says it is not");
    }
    app.works_again();
    for _ in 0..3 {
        desk.advance(hours(2));
    }
    assert_eq!(states(desk), ["ended"]);
    in_order(desk);
}

#[test]
fn i09_where_what_is_always_there_is_not_found_either_no_end_is_proved() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let desk = desk(database, &app, "known = \"Users\"\n");
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["active"]);
        assert!(
            app.requests().contains(&"GET /Users".to_owned()),
            "the first look found nothing: {:?}",
            app.requests()
        );
        let probed = desk.command(&["jobs", "connectors"]);
        let said = String::from_utf8_lossy(&probed.stdout).into_owned();
        assert!(said.contains("ok GET Users: 200"), "{said}");
        ends_only_by_the_app(&desk, &app, "/", &Fault::Status(404, None));
        assert_eq!(app.effects(), ["PUT user amara", "DELETE user amara"]);
    });
}

#[test]
fn i09_a_page_is_no_answer_of_an_app_and_refuses_nothing_for_it_either() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let desk = desk(database, &app, "");
        app.fail("PUT", "/plain/", 1, Phase::Before, Fault::Page(404));
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["provisioning"], "the app has refused nothing");
        desk.advance(seconds(30));
        assert_eq!(states(&desk), ["active"]);
        ends_only_by_the_app(&desk, &app, "/", &Fault::Page(404));
        assert_eq!(app.effects(), ["PUT user amara", "DELETE user amara"]);
    });
}

/// It wants a sign-in first, and sends the desk to its page.
#[test]
fn i09_a_gateway_that_sends_elsewhere_refuses_nothing_for_the_app() {
    let app = ScimApp::start(&[]);
    let desk = desk(Database::Sqlite, &app, "");
    app.fail("GET", "/plain/", 1, Phase::Before, Fault::Status(302, None));
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    assert_eq!(states(&desk), ["provisioning"], "the app has refused nothing");
    desk.advance(seconds(30));
    assert_eq!(states(&desk), ["active"]);
    ends_only_by_the_app(&desk, &app, "/", &Fault::Status(302, None));
    assert_eq!(app.effects(), ["PUT user amara", "DELETE user amara"]);
}

#[test]
fn i09_where_the_app_says_in_words_that_it_has_no_such_thing_no_other_404_counts() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let desk = desk(database, &app, "absent = { at = \"/detail\", equals = \"a fault\" }\n");
        let says_so = || app.fail("GET", "/plain/", 1, Phase::Before, Fault::Status(404, None));
        says_so();
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["active"]);
        // It is gone, and what is read back says so with none of these words.
        desk.advance(hours(4));
        desk.advance(hours(2));
        assert_eq!((states(&desk), app.effects().len()), (vec!["deprovisioning".to_owned()], 2));
        says_so();
        desk.advance(hours(2));
        assert_eq!(states(&desk), ["ended"]);
        in_order(&desk);
    });
}

#[test]
fn i09_a_group_that_only_the_gateway_does_not_find_still_has_its_members() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = super::super::provisioning::desk(database, &app);
        // The first group of the app, by its id.
        change(&desk, "apps.toml", |text| {
            text.replacen("kind = \"scim\"\n", "kind = \"scim\"\ngroups = { \"tier:user\" = \"id:g1\" }\n", 1)
        });
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        ends_only_by_the_app(&desk, &app, "/Groups", &Fault::Status(404, None));
        assert_eq!((app.members("user"), app.active("amara")), (vec![], Some(false)));
    });
}

#[test]
fn a_gateway_that_does_not_find_an_app_fails_no_grant() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = super::super::provisioning::desk(database, &app);
        answers(&app, "/", &Fault::Status(404, None));
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        desk.advance(seconds(10));
        assert_eq!((states(&desk), app.effects()), (vec!["provisioning".to_owned()], vec![]));
        app.works_again();
        desk.advance(seconds(60));
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        in_order(&desk);
    });
}
