//! A grant is access in the app, and its end is absence there, through every fault on the way: the app of these tests speaks SCIM
//! and fails by order, and what counts is what it has at the end.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::ends::{rows, write};
use crate::support::client::Client;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::{Fault, Phase, ScimApp, TOKEN, rest_calls};

/// A desk that writes to the app for Jira.
pub fn desk(database: Database, app: &ScimApp) -> House {
    let scim = format!("kind = \"scim\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"", app.url);
    connected(database, &scim)
}

pub fn connected(database: Database, connector: &str) -> House {
    let desk = House::with_settings(database, example_rules(), |text| text);
    connect(&desk, connector);
    desk
}

/// Has a desk write to Jira from now on.
pub fn connect(desk: &House, connector: &str) {
    std::fs::write(desk.settings().with_file_name("app.token"), format!("{TOKEN}\n")).unwrap();
    let file = desk.settings().with_file_name("apps.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replacen("id = \"jira\"\n", "id = \"jira\"\nconnector = \"peer\"\n", 1);
    std::fs::write(&file, format!("{text}\n[[connector]]\nid = \"peer\"\n{connector}\n")).unwrap();
    let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
    assert_eq!(answer.status, 204, "{}", answer.text);
}

pub fn asks(client: &Client, tier: &str, hours: u32) -> Value {
    let fields = json!({ "app": "jira", "tier": tier, "duration-hours": hours,
        "justification": "I move the projects to the new site tonight, change 4711" });
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
    client.post("/api/v1/tickets", &body).expect(201)
}

/// Lets all who are awaited approve, one after the other.
pub fn approved(desk: &House, key: &str) {
    loop {
        let ticket = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200);
        let Some(who) = ticket["access"]["awaited"][0].as_str().map(str::to_owned) else { return };
        let client = desk.with_roles(&who, "requester");
        client.post(&format!("/api/v1/tickets/{key}/access/decisions"), &json!({ "approve": true })).expect(200);
    }
}

pub fn grants(desk: &House) -> Vec<Value> {
    let grants = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
    grants.as_array().unwrap().clone()
}

/// The states of the person's grants, the newest first.
pub fn states(desk: &House) -> Vec<String> {
    grants(desk).iter().map(|grant| grant["state"].as_str().unwrap().to_owned()).collect()
}

pub fn now(desk: &House) {
    desk.advance(SignedDuration::ZERO);
}

pub fn in_order(desk: &House) {
    let checked = desk.command(&["decisions", "chain"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

pub fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[test]
fn asked_approved_provisioned_expired_and_gone() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        let ticket = asks(&desk.as_role("amara"), "user", 4);
        assert_eq!((&ticket["access"]["state"], states(&desk)), (&json!("approved"), vec!["provisioning".to_owned()]));
        assert_eq!(
            (grants(&desk)[0]["effective"].clone(), app.effects()),
            (json!(false), vec![]),
            "nothing is claimed before"
        );
        now(&desk);
        assert_eq!(states(&desk), ["active"]);
        assert_eq!((app.members("user"), app.active("amara")), (vec!["amara".to_owned()], Some(true)));
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["ended"]);
        assert_eq!((app.members("user"), app.active("amara")), (vec![], Some(false)));
        let once = ["POST Users amara", "add to user", "remove from user", "PATCH Users amara active=false"];
        assert_eq!(app.effects(), once);
        in_order(&desk);

        let id = grants(&desk)[0]["id"].as_str().unwrap().to_owned();
        let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{id}")).expect(200);
        let events: Vec<&str> =
            story["ledger"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
        assert_eq!(events[..3], ["requested", "approved", "granted"]);
        let text = story.to_string();
        assert!(text.contains("POST Users: 201") && text.contains("read back: the user is active"), "{text}");
        assert!(!text.contains(TOKEN), "no secret is written anywhere");
    });
}

#[test]
fn i01_nothing_is_sent_that_is_not_on_the_ledger_first() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = desk(Database::Sqlite, &app);
    let ticket = asks(&desk.as_role("amara"), "admin", 4);
    assert_eq!(ticket["access"]["state"], "awaiting");
    now(&desk);
    assert_eq!(app.requests(), Vec::<String>::new(), "an open request asks the app nothing");
    app.fail("POST", "/Users", 1, Phase::After, Fault::Drop);
    approved(&desk, "IT-1");
    now(&desk);
    let id = grants(&desk)[0]["id"].as_str().unwrap().to_owned();
    let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{id}")).expect(200);
    let states: Vec<&str> = story["ledger"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["event"] == "op" && event["detail"]["entitlement"] == "account")
        .map(|event| event["detail"]["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["planned", "sent", "unknown"]);
    desk.advance(seconds(2));
    assert_eq!(grants(&desk)[0]["state"], "active");
}

#[test]
fn i10_what_two_grants_give_is_held_once_and_i11_the_highest_tier_counts() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        asks(&desk.as_role("amara"), "admin", 4);
        approved(&desk, "IT-2");
        now(&desk);
        assert_eq!(
            (app.members("admin"), app.members("user")),
            (vec!["amara".to_owned()], vec![]),
            "one tier at a time"
        );
        assert_eq!(states(&desk), ["active", "active"]);
        desk.advance(hours(4));
        assert_eq!((app.members("admin"), app.members("user")), (vec![], vec!["amara".to_owned()]), "it falls back");
        assert_eq!((states(&desk), app.active("amara")), (vec!["ended".to_owned(), "active".to_owned()], Some(true)));
        desk.advance(hours(44));
        assert_eq!((app.members("user"), app.active("amara")), (vec![], Some(false)));
        assert_eq!(app.effects().iter().filter(|effect| effect.starts_with("POST")).count(), 1);
        in_order(&desk);
    });
}

#[test]
fn i10_what_was_there_before_is_never_taken_away() {
    let app = ScimApp::start(&["user", "admin"]);
    app.has_already("amara", "amara@example.org", "user");
    let desk = desk(Database::Sqlite, &app);
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    assert_eq!((states(&desk), app.effects()), (vec!["active".to_owned()], vec![]));
    desk.advance(hours(4));
    assert_eq!((states(&desk), app.members("user")), (vec!["ended".to_owned()], vec!["amara".to_owned()]));
    assert_eq!((app.active("amara"), app.effects()), (Some(true), vec![]));
    in_order(&desk);
}

#[test]
fn i12_a_lost_answer_a_busy_app_and_a_crash_leave_one_effect_each() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.fail("POST", "/Users", 1, Phase::After, Fault::Drop);
        app.fail("PATCH", "/Groups", 1, Phase::Before, Fault::Status(429, Some(120)));
        app.fail("PATCH", "/Groups", 1, Phase::After, Fault::Status(503, None));
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        assert_eq!(states(&desk), ["provisioning"]);
        let desk = desk.cut_off_and_restart();
        desk.advance(seconds(5));
        let asked = app.requests().iter().filter(|request| request.starts_with("PATCH")).count();
        desk.advance(seconds(60));
        let still = app.requests().iter().filter(|request| request.starts_with("PATCH")).count();
        assert_eq!((asked, still), (1, 1), "it is left alone for as long as it asks");
        desk.advance(seconds(60));
        desk.advance(seconds(60));
        assert_eq!(
            (states(&desk), app.effects()),
            (vec!["active".to_owned()], vec!["POST Users amara".to_owned(), "add to user".to_owned()])
        );
        in_order(&desk);
        desk.advance(hours(48));
    });
}

#[test]
fn i09_and_i13_an_end_is_tried_for_ever_and_is_ended_only_when_it_was_read_back() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        app.fail("PATCH", "/Groups", 30, Phase::Before, Fault::Status(400, None));
        app.fail("PUT", "/Groups", 30, Phase::Before, Fault::Status(400, None));
        desk.advance(hours(4));
        for _ in 0..20 {
            desk.advance(hours(1));
            assert_eq!(states(&desk), ["deprovisioning"]);
            assert_eq!(grants(&desk)[0]["effective"], false);
        }
        assert!(desk.revocations_overdue() > 0, "hours ago");
        let open = desk.as_role("kofi").get("/api/v1/access/orders").expect(200);
        assert!(open.to_string().contains("\"direction\":\"revoke\""), "it can be seen: {open}");
        (0..14).for_each(|_| desk.advance(hours(1)));
        let end = (states(&desk), app.members("user"), desk.revocations_overdue());
        assert_eq!(end, (vec!["ended".to_owned()], vec![], 0));
        in_order(&desk);
    });
}

#[test]
fn what_the_app_refuses_is_taken_back_as_a_whole_and_said() {
    on_both(|database| {
        let app = ScimApp::start(&["admin"]);
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        let failed = grants(&desk)[0].clone();
        assert_eq!((&failed["state"], &failed["end_reason"]), (&json!("failed"), &json!("refused")));
        assert_eq!(app.active("amara"), Some(false), "no half of it is left");
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("no group for tier:user"), "{timeline}");
        in_order(&desk);
    });
}

#[test]
fn a_server_without_filter_paths_keeps_its_other_members() {
    let app = ScimApp::start(&["user", "admin"]);
    app.without_filter_paths();
    app.has_already("jonas", "jonas@example.org", "user");
    let desk = desk(Database::Sqlite, &app);
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    assert_eq!(app.members("user"), ["amara", "jonas"]);
    desk.advance(hours(4));
    assert_eq!((app.members("user"), states(&desk)), (vec!["jonas".to_owned()], vec!["ended".to_owned()]));
}

#[test]
fn i14_a_person_who_leaves_loses_all_of_it_also_what_was_there_before() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("amara", "amara@example.org", "user");
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 48);
        now(&desk);
        let report = desk.as_role("mei").get("/api/v1/people/amara/offboarding").expect(200);
        assert_eq!((&report["complete"], report["holdings"].as_array().unwrap().len()), (&json!(false), 2), "{report}");
        let file = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replacen("id = \"amara\"\n", "id = \"amara\"\nactive = false\n", 1);
        std::fs::write(&file, text).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        now(&desk);
        assert_eq!(
            (states(&desk), app.members("user"), app.active("amara")),
            (vec!["ended".to_owned()], vec![], Some(false))
        );
        assert_eq!(grants(&desk)[0]["end_reason"], "left");
        in_order(&desk);
    });
}

#[test]
fn what_is_done_by_hand_counts_when_a_person_says_so_and_not_the_one_it_is_for() {
    on_both(|database| {
        let desk = connected(database, "kind = \"manual\"");
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["provisioning"], "nobody has done it");
        let orders =
            |desk: &House| desk.as_role("kofi").get("/api/v1/access/orders").expect(200).as_array().unwrap().clone();
        let says = |client: &Client, order: &Value, status| {
            let body = json!({ "done": true, "evidence": "seen in the list of users" });
            client
                .post(&format!("/api/v1/access/orders/{}/attest", order["id"].as_str().unwrap()), &body)
                .expect(status)
        };
        let open = orders(&desk);
        assert_eq!(open.len(), 2, "{open:?}");
        let waiting = open.iter().find(|order| order["state"] == "waiting").unwrap();
        says(&desk.as_role("amara"), waiting, 403);
        says(&desk.as_role("kofi"), waiting, 403);
        let chloe = desk.with_roles("chloe", "requester");
        says(&chloe, waiting, 200);
        now(&desk);
        says(&chloe, &orders(&desk)[0], 200);
        assert_eq!(states(&desk), ["active"]);
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["deprovisioning"]);
        for _ in 0..2 {
            says(&chloe, &orders(&desk).into_iter().find(|order| order["state"] == "waiting").unwrap(), 200);
            now(&desk);
        }
        assert_eq!(states(&desk), ["ended"]);
        in_order(&desk);
    });
}

#[test]
fn i20_what_an_app_loses_is_seen_within_a_day_and_given_again() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        asks(&desk.as_role("amara"), "user", 96);
        now(&desk);
        app.take_out("user");
        desk.advance(hours(23));
        assert_eq!(app.members("user"), Vec::<String>::new());
        desk.advance(hours(1));
        assert_eq!((app.members("user"), states(&desk)), (vec!["amara".to_owned()], vec!["active".to_owned()]));
        let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("tier:user is missing in the app"), "{timeline}");
        desk.advance(hours(72));
        assert_eq!((app.members("user"), states(&desk)), (vec![], vec!["ended".to_owned()]));
        in_order(&desk);
    });
}

#[test]
fn i17_what_is_held_and_what_is_on_its_way_are_what_the_ledger_says() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = desk(Database::Postgres, &app);
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    in_order(&desk);
    let breaks = |desk: &House| {
        let checked = desk.command(&["decisions", "chain"]);
        assert!(!checked.status.success());
        String::from_utf8(checked.stdout).unwrap()
    };
    desk.sql("update holdings set preexisting = 1 where entitlement = 'account'");
    assert!(breaks(&desk).contains("what amara holds in jira, account"), "a holding that would never be taken away");
    desk.sql("update holdings set preexisting = 0 where entitlement = 'account'");
    in_order(&desk);
    desk.sql("update grants set state = 'ended'");
    assert!(breaks(&desk).contains("is not what the ledger says"));
    desk.sql("update grants set state = 'active'");
    desk.sql(
        "insert into access_ops select (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid()))).* \
         from access_ops o, generate_series(1, 2100) where entitlement = 'account'",
    );
    assert!(breaks(&desk).contains("and 2000 more"), "many pages of orders, and none is passed over");
    desk.sql("delete from access_ops where entitlement = 'account'");
    assert!(breaks(&desk).contains("1 orders are missing"));
}

#[test]
fn i23_a_seat_is_taken_from_the_approval_until_the_app_was_seen_without_the_person() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = desk(Database::Sqlite, &app);
    let file = desk.settings().with_file_name("apps.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, jira) = text.split_once("id = \"jira\"").unwrap();
    let jira = jira.replacen("risk = \"low\"\n", "risk = \"low\"\nseats = 1\n", 1);
    std::fs::write(&file, format!("{before}id = \"jira\"{jira}")).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    let other = |desk: &House| {
        let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": "jonas",
            "justification": "he joins the data project" });
        let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
        desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201)["access"]["state"].clone()
    };
    asks(&desk.as_role("amara"), "user", 48);
    assert_eq!(other(&desk), "denied_by_policy", "nothing was sent yet, and the seat is reserved");
    now(&desk);
    app.fail("PATCH", "/Groups", 3, Phase::Before, Fault::Status(503, None));
    let path = format!("/api/v1/grants/{}/revoke", grants(&desk)[0]["id"].as_str().unwrap());
    desk.as_role("mei").post(&path, &json!({ "reason": "over" })).expect(200);
    now(&desk);
    assert_eq!((states(&desk), other(&desk)), (vec!["deprovisioning".to_owned()], json!("denied_by_policy")));
    for _ in 0..4 {
        desk.advance(seconds(60));
    }
    assert_eq!((states(&desk), other(&desk)), (vec!["ended".to_owned()], json!("approved")));
    now(&desk);
    assert_eq!(app.members("user"), ["jonas"]);
    desk.advance(hours(4));
}

#[test]
fn an_app_with_an_interface_of_its_own_is_written_to_by_the_calls_that_are_configured() {
    on_both(|database| {
        let app = ScimApp::start(&[]);
        let rest = format!(
            "kind = \"rest\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n{}{}",
            app.url,
            rest_calls("account", "plain/account/{user}"),
            rest_calls("tier", "plain/{value}/{user}")
        );
        let desk = connected(database, &rest);
        app.fail("PUT", "/plain/user", 1, Phase::After, Fault::Drop);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        desk.advance(seconds(5));
        assert_eq!(
            (states(&desk), app.effects()),
            (vec!["active".to_owned()], vec!["PUT account amara".to_owned(), "PUT user amara".to_owned()])
        );
        desk.advance(hours(4));
        assert_eq!(states(&desk), ["ended"]);
        assert_eq!(app.effects()[2..], ["DELETE user amara", "DELETE account amara"]);
        in_order(&desk);
    });
}

#[test]
fn what_is_held_when_an_app_is_connected_is_looked_for_there_and_given_where_it_is_missing() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        app.has_already("amara", "amara@example.org", "user");
        let desk = House::with_settings(database, example_rules(), |text| text);
        asks(&desk.as_role("amara"), "user", 4);
        let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": "jonas",
            "justification": "he joins the data project" });
        let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
        desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
        assert_eq!(states(&desk), ["active"]);
        let url = &app.url;
        connect(&desk, &format!("kind = \"scim\"\nurl = \"{url}\"\ninternal = true\ntoken-file = \"app.token\""));
        now(&desk);
        assert_eq!(
            (app.members("user"), states(&desk)),
            (vec!["amara".to_owned(), "jonas".to_owned()], vec!["active".to_owned()])
        );
        assert_eq!(app.effects(), ["POST Users jonas", "add to user"], "who had it is left alone");
        desk.advance(hours(4));
        assert_eq!(app.members("user"), ["amara"], "and so it stays");
        in_order(&desk);
    });
}

#[test]
fn i20_what_no_grant_gives_is_found_and_what_has_come_back_is_taken_away_at_a_word() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = desk(database, &app);
        app.has_already("jonas", "jonas@meridian.example", "admin");
        app.has_already("a stranger", "stranger@example.org", "user");
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        desk.advance(hours(5));
        assert_eq!((states(&desk), app.members("user")), (vec!["ended".to_owned()], vec!["a stranger".to_owned()]));
        // A person puts her in again, past the desk.
        app.put_in("amara", "user");
        desk.advance(hours(25));
        let mei = desk.as_role("mei");
        let found = || desk.as_role("kofi").get("/api/v1/access/findings").expect(200).as_array().unwrap().clone();
        let of = |account: &str| found().into_iter().find(|one| one["account"] == account).unwrap();
        assert_eq!(found().len(), 3, "{:?}", found());
        assert_eq!((&of("jonas")["kind"], &of("jonas")["entitlement"]), (&json!("extra"), &json!("tier:admin")));
        assert_eq!((&of("a stranger")["person"], &of("amara")["kind"]), (&Value::Null, &json!("resurrected")));
        assert_eq!(of("amara")["grant"], grants(&desk)[0]["id"], "the path by which she had it");
        assert_eq!(desk.as_role("amara").get("/api/v1/access/findings").status, 403);
        let settle = |account: &str, accept: bool, status: u16| {
            let path = format!("/api/v1/access/findings/{}/settle", of(account)["id"].as_str().unwrap());
            let body = json!({ "accept": accept, "reason": "as agreed with the owner" });
            assert_eq!(mei.post(&path, &body).status, status, "{account}");
        };
        settle("jonas", false, 409);
        settle("a stranger", true, 200);
        settle("amara", false, 200);
        now(&desk);
        assert_eq!(app.members("user"), ["a stranger"], "it is taken away again, and nothing else");
        app.take_out("admin");
        desk.advance(hours(24));
        let left = found();
        assert_eq!((left.len(), &left[0]["verdict"]), (1, &json!("accepted")), "what is gone is settled: {left:?}");
        in_order(&desk);
        let said = rows(&desk, "select detail from audit where event = 'finding' order by link");
        assert!(said.len() == 2 && said[0].contains("accepted") && said[0].contains("mei"), "{said:?}");
        write(
            &desk,
            "update audit set detail = replace(detail, 'mei', 'ben') where event = 'finding' and detail like '%accepted%'",
        );
        assert!(!desk.command(&["decisions", "chain"]).status.success(), "it was changed");
    });
}
