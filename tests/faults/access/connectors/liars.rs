//! Apps that answer and are wrong: groups in circles and without end, members that come and go between two looks, filters that are passed
//! over. Where what was taken away in an app ends there, none of it ends a grant.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::ends::rows;
use super::super::provisioning::{asks, desk as connected, grants, hours, in_order, now, states};
use super::found::change;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{Fault, Phase, ScimApp};

/// A desk at which a grant ends that was taken away in the app.
fn desk(database: Database, app: &ScimApp) -> House {
    let desk = connected(database, app);
    change(&desk, "apps.toml", |text| text.replacen("id = \"jira\"\n", "id = \"jira\"\nwhen-removed = \"end\"\n", 1));
    desk
}

/// More groups than are looked through.
const MANY: usize = 25;

/// An app in which a user's group is in so many others, each within the one before.
fn app_with_many_groups() -> (ScimApp, Vec<String>) {
    let names: Vec<String> = (0..MANY).map(|n| format!("within-{n}")).collect();
    let all: Vec<&str> = ["user", "admin"].into_iter().chain(names.iter().map(String::as_str)).collect();
    (ScimApp::start(&all), names)
}

#[test]
fn i20_a_doubt_about_what_an_app_has_ends_no_grant() {
    on_both(|database| {
        let (app, names) = app_with_many_groups();
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 24 * 30);
        now(&desk);
        assert_eq!(states(&desk), ["active"]);
        let after_a_day = |what: &str| {
            desk.advance(hours(24));
            assert_eq!(states(&desk), ["active"], "{what}");
        };
        app.forgets_members(1);
        after_a_day("she is not there at the first look, and there at the second");
        app.fail("GET", "/Groups/", 1, Phase::Before, Fault::Status(500, None));
        after_a_day("the members cannot be read");
        app.fail("GET", "/Users", 1, Phase::Before, Fault::Drop);
        after_a_day("the answer breaks off");
        app.rename("user", "people");
        after_a_day("the group has another name, for everyone");
        app.rename("people", "user");
        after_a_day("and its own again");

        // She is in the last of a long line of groups, of which not all are looked through.
        app.take_out("user");
        let mut outer = "user";
        for name in &names {
            app.put_group_in(name, outer);
            outer = name.as_str();
        }
        app.put_in("amara", outer);
        after_a_day("there are more groups in it than are looked through");
        // The third of them, by the order in which they were made after `user` and `admin`.
        app.fail("GET", "/Groups/g5", 1_000, Phase::Before, Fault::Status(502, None));
        after_a_day("not all of the groups can be read");
        app.lose(&names[1]);
        after_a_day("the app says of a group that it is in another and that there is none");
        in_order(&desk);

        // No group of a circle has her: that is known.
        app.take_out("user");
        app.put_group_in("user", "user");
        app.put_group_in(&names[0], "user");
        app.take_out(&names[0]);
        app.put_group_in("user", &names[0]);
        desk.advance(hours(24));
        let ended = grants(&desk)[0].clone();
        assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("removed-in-app")), "{ended}");
        in_order(&desk);
    });
}

#[test]
fn i20_where_an_app_has_lost_all_the_brake_holds_also_over_a_restart() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        change(&desk, "desk.toml", |text| text.replacen("[defaults]\n", "[defaults]\nleavers-max = 1\n", 1));
        for person in ["amara", "jonas", "priya"] {
            let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 96, "for": person,
                "justification": "a new member of the data project" });
            let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
            desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
        }
        now(&desk);
        let active = |desk: &House| rows(desk, "select subject from grants where state = 'active'").len();
        assert_eq!(active(&desk), 3);
        app.take_out("user");
        desk.advance(hours(24));
        assert_eq!(active(&desk), 2, "one at a time");
        let desk = desk.cut_off_and_restart();
        desk.advance(SignedDuration::from_mins(30));
        assert_eq!(active(&desk), 2, "within the hour no other, by this start either");
        desk.advance(hours(24));
        assert_eq!(active(&desk), 1);
        in_order(&desk);
    });
}

/// It has one user, and gives them to everyone who asks.
#[test]
fn an_app_that_passes_over_filters_gives_no_one_elses_user_access() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("x-9", "ben@meridian.example", "admin");
        app.ignores_filters();
        let desk = connected(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(app.members("user"), Vec::<String>::new());
        assert_eq!(app.active("x-9"), Some(true));
        assert_ne!(states(&desk), ["active"]);
        desk.advance(hours(5));
        assert_eq!((app.active("x-9"), app.members("admin")), (Some(true), vec!["x-9".to_owned()]), "nor loses theirs");
    });
}

/// The same where its user is shown without any id: one that was asked for by an id is not taken for the person's for that.
#[test]
fn an_app_that_passes_over_filters_and_shows_no_ids_gives_no_one_elses_user_access_either() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("x-9", "ben@meridian.example", "admin");
        app.forgets_ids();
        app.ignores_filters();
        let desk = connected(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_ne!(states(&desk), ["active"]);
        desk.advance(hours(5));
        assert_eq!((app.members("user"), app.effects()), (Vec::<String>::new(), Vec::<String>::new()));
        in_order(&desk);
    });
}

#[test]
fn i20_who_is_in_a_group_by_way_of_another_is_found_where_no_grant_gives_it() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin", "staff"]);
        let desk = connected(database, &app);
        app.has_already("jonas", "jonas@meridian.example", "staff");
        app.put_group_in("staff", "admin");
        app.put_group_in("admin", "staff");
        desk.advance(hours(25));
        let found = || desk.as_role("kofi").get("/api/v1/access/findings").expect(200);
        let of = |found: &Value| {
            let all = found.as_array().unwrap().iter();
            all.map(|one| format!("{} {}", one["entitlement"], one["account"])).collect::<Vec<_>>()
        };
        assert_eq!(of(&found()), ["\"tier:admin\" \"jonas\""]);
        // Who is there at one of two looks has not gone.
        app.forgets_members(1);
        desk.advance(hours(25));
        assert_eq!(of(&found()), ["\"tier:admin\" \"jonas\""]);
        // Members that are not shown are none that have gone.
        app.hides_members();
        desk.advance(hours(25));
        assert_eq!(of(&found()), ["\"tier:admin\" \"jonas\""]);
        in_order(&desk);
    });
}

/// Of one whom the app does not let the desk change, such as an administrator of its own, no other's access depends.
#[test]
fn i13_what_an_app_forbids_for_one_person_keeps_no_other_end_waiting() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": "jonas",
            "justification": "he joins the data project" });
        let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
        desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
        now(&desk);
        assert_eq!(app.members("user"), ["amara", "jonas"]);
        let path = format!("/Users/{}", app.id_of("amara"));
        app.fail("PATCH", &path, 2, Phase::Before, Fault::Status(403, None));
        desk.advance(hours(4));
        let of_jonas = || desk.as_role("kofi").get("/api/v1/people/jonas/grants").expect(200)[0]["state"].clone();
        assert_eq!((states(&desk), of_jonas()), (vec!["deprovisioning".to_owned()], json!("ended")));
        assert_eq!((app.active("amara"), app.active("jonas")), (Some(true), Some(false)));
        for _ in 0..3 {
            desk.advance(hours(1));
        }
        assert_eq!((states(&desk), app.active("amara")), (vec!["ended".to_owned()], Some(false)), "it is tried again");
        in_order(&desk);
    });
}

/// The daily look is one of very many calls, and waits as orders do.
#[test]
fn an_app_that_is_busy_at_the_daily_look_is_read_once_it_is_not() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        asks(&desk.as_role("amara"), "user", 24 * 30);
        now(&desk);
        app.take_out("user");
        app.fail("GET", "/Users", 1, Phase::Before, Fault::Status(429, Some(3_600)));
        desk.advance(hours(24));
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec![]));
        let asked = app.requests().len();
        desk.advance(SignedDuration::from_mins(59));
        assert_eq!(app.requests().len(), asked, "it is left alone");
        desk.advance(SignedDuration::from_mins(2));
        assert_eq!((states(&desk), app.members("user")), (vec!["active".to_owned()], vec!["amara".to_owned()]));
        in_order(&desk);
    });
}

#[test]
fn an_app_gets_no_more_orders_in_a_minute_than_it_bears() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        change(&desk, "apps.toml", |text| {
            text.replacen("kind = \"scim\"\n", "kind = \"scim\"\norders-per-minute = 2\n", 1)
        });
        for person in ["amara", "jonas", "sofia"] {
            let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": person,
                "justification": "they join the data project" });
            let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
            desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
        }
        now(&desk);
        let done = || app.effects().len();
        assert!((1..=2).contains(&done()), "{:?}", app.effects());
        desk.advance(SignedDuration::from_secs(61));
        assert!((2..=4).contains(&done()), "{:?}", app.effects());
        for _ in 0..4 {
            desk.advance(SignedDuration::from_secs(61));
        }
        assert_eq!(
            (done(), app.members("user")),
            (6, vec!["amara".to_owned(), "jonas".to_owned(), "sofia".to_owned()])
        );
        in_order(&desk);
    });
}
