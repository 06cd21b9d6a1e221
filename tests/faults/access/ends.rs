//! Every grant ends: by time, by its holder, by its owner; a reminder comes before, and more time without a gap.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::scim::ScimApp;

fn asks(client: &Client, hours: u32) -> Value {
    let fields =
        json!({ "app": "jira", "tier": "user", "duration-hours": hours, "justification": "I join the data project" });
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
    client.post("/api/v1/tickets", &body).expect(201)
}

fn grants(desk: &House) -> Vec<Value> {
    let grants = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
    grants.as_array().unwrap().clone()
}

fn kinds(desk: &House, key: &str) -> Vec<String> {
    let messages = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
    messages.as_array().unwrap().iter().map(|m| m["kind"].as_str().unwrap().to_owned()).collect()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn i08_from_its_end_on_a_grant_gives_no_access_and_is_ended_by_a_timer() {
    on_both(|database| {
        let desk = House::demo(database);
        asks(&desk.as_role("amara"), 4);
        assert_eq!((&grants(&desk)[0]["effective"], &grants(&desk)[0]["state"]), (&json!(true), &json!("active")));
        desk.clock.advance(hours(4));
        assert_eq!(grants(&desk)[0]["effective"], false, "before any sweep");
        let desk = desk.cut_off_and_restart();
        assert_eq!(grants(&desk)[0]["effective"], false);
        desk.advance(SignedDuration::ZERO);
        let ended = grants(&desk)[0].clone();
        assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("expired")));
        desk.clock.advance(hours(-2));
        assert_eq!(grants(&desk)[0]["effective"], false, "a clock that is set back brings nothing back");
        desk.clock.advance(hours(2));
        let timeline = desk.as_role("amara").get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(timeline.contains("the time for which it was granted is over"), "{timeline}");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// Who asks about a time reads also what ended within it, and not what ended before.
#[test]
fn what_has_ended_within_a_time_was_held_in_it() {
    on_both(|database| {
        let desk = House::demo(database);
        asks(&desk.as_role("amara"), 4);
        let given = desk.clock.now();
        desk.advance(hours(10));
        let held = |asked: &str, since: i64, until: i64| {
            let (since, until) = (given + hours(since), given + hours(until));
            let path = format!("/api/v1/access?{asked}&since={since}&at={until}");
            desk.as_role("kofi").get(&path).expect(200).as_array().unwrap().len()
        };
        for asked in ["app=jira", "person=amara", "limit=50"] {
            assert_eq!((held(asked, 1, 8), held(asked, -5, 10)), (1, 1), "{asked}");
            assert_eq!((held(asked, 5, 8), held(asked, -5, -1)), (0, 0), "{asked}");
            assert_eq!((held(asked, 8, 2), held(asked, 8, 8)), (1, 0), "{asked}");
        }
    });
}

/// An end stays by its row; that all other access ends later by then is said to those who run the desk.
#[test]
fn i08_a_desk_that_starts_by_an_earlier_clock_brings_nothing_back_and_says_so() {
    on_both(|database| {
        let desk = House::demo(database);
        let ready = |desk: &House| desk.as_role("kofi").get("/readyz").text;
        asks(&desk.as_role("amara"), 4);
        desk.advance(hours(4));
        asks(&desk.as_role("amara"), 4);
        desk.clock.advance(SignedDuration::from_mins(-4));
        assert_eq!(ready(&desk), "ready\n", "the clocks of two hosts may be as far apart");
        desk.clock.advance(hours(-3));
        let desk = desk.cut_off_and_restart();
        let said = ready(&desk);
        assert!(said.starts_with("ready\n") && said.contains("the clock shows 184 minutes less than it did"), "{said}");
        desk.advance(SignedDuration::ZERO);
        let mut states: Vec<(String, bool)> = grants(&desk)
            .iter()
            .map(|grant| (grant["state"].as_str().unwrap().to_owned(), grant["effective"] == true))
            .collect();
        states.sort_unstable();
        // What was given at a time that is still to come waits for it.
        assert_eq!(states, [("active".to_owned(), false), ("ended".to_owned(), false)]);
        desk.advance(hours(3));
        assert_eq!(ready(&desk), "ready\n");
        desk.advance(hours(5));
        assert!(grants(&desk).iter().all(|grant| grant["state"] == "ended"));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// The rows of a statement, each its first column, on a connection of the test's own.
pub(super) fn rows(desk: &House, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = crate::support::records::open(&desk.target()).await;
        let rows = db.all(sql, Vec::new()).await.unwrap();
        let rows = rows.iter().map(|row| row.text(0).unwrap()).collect();
        db.close().await;
        rows
    })
}

pub(super) fn write(desk: &House, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = crate::support::records::open(&desk.target()).await;
        let mut tx = db.begin().await.unwrap();
        assert_eq!(tx.execute(sql, Vec::new()).await.unwrap(), 1, "{sql}");
        tx.commit().await.unwrap().done().await.unwrap();
        db.close().await;
    });
}

#[test]
fn ends_at_one_time_share_a_transaction_and_one_that_cannot_be_written_holds_up_no_other() {
    on_both(|database| {
        let desk = House::demo(database);
        let people = ["amara", "jonas", "priya"];
        let ask = |person: &str| {
            let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": person,
                "justification": "I join the data project" });
            let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
            let made = desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
            assert_eq!(made["access"]["state"], "approved", "{made}");
        };
        let states = |person: &str| {
            let grants = desk.as_role("kofi").get(&format!("/api/v1/people/{person}/grants")).expect(200);
            grants
                .as_array()
                .unwrap()
                .iter()
                .map(|grant| grant["state"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        people.iter().for_each(|person| ask(person));
        desk.advance(hours(4));
        let last = rows(&desk, "select entries from timelines order by link desc limit 1").remove(0);
        assert_eq!(last.split(' ').count(), 3, "one transaction has all three: {last}");
        for person in people {
            assert_eq!(states(person), ["ended"]);
        }

        people.iter().for_each(|person| ask(person));
        write(&desk, "update grants set tier = 'no tier!' where subject = 'jonas' and state = 'active'");
        desk.advance(hours(4));
        assert_eq!((states("amara"), states("priya")), (vec!["ended".to_owned(); 2], vec!["ended".to_owned(); 2]));
        assert_eq!(rows(&desk, "select subject from grants where state = 'active'"), ["jonas"], "it is tried again");
        // For as long as it takes, and those who run the desk see it.
        (0..20).for_each(|_| desk.advance(hours(1)));
        let dead = "select kind from timers where kind = 'access-expiry' and dead_at is not null";
        assert_eq!(rows(&desk, dead), Vec::<String>::new());
        assert_eq!(desk.revocations_overdue(), 1);
        write(&desk, "update grants set tier = 'user' where tier = 'no tier!'");
        desk.advance(hours(1));
        assert_eq!(desk.revocations_overdue(), 0);
        assert_eq!(states("jonas"), ["ended", "ended"]);
        assert!(desk.command(&["decisions", "chain"]).status.success(), "each end has its entries");
    });
}

/// More than one transaction holds, of the same people: of two that are written at once, the second is made again for what the first left.
#[test]
fn ends_of_the_same_people_in_two_transactions_at_once_are_both_written_together() {
    on_both(|database| {
        let desk = House::demo(database);
        let file = desk.settings().with_file_name("apps.toml");
        let mut apps = std::fs::read_to_string(&file).unwrap();
        for n in 0..30 {
            apps += &format!(
                "\n[[app]]\nid = \"a{n}\"\nname = \"A {n}\"\n[[app.tier]]\nid = \"user\"\nname = \"User\"\nrisk = \"low\"\nlongest = \"720h\"\n"
            );
        }
        std::fs::write(&file, apps).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let people = ["amara", "jonas", "sofia", "lena", "priya", "viktor", "chloe", "grace", "tomas"];
        for some in 0..6 {
            let item = |n: usize| json!({ "app": format!("a{n}"), "tier": "user", "duration_hours": 4 });
            let items: Vec<Value> = (0..5).map(|n| item(5 * some + n)).collect();
            let body = json!({ "people": people, "items": items, "justification": "I join the data project" });
            desk.as_role("kofi").post("/api/v1/access/submissions", &body).expect(201);
        }
        let held = || rows(&desk, "select app from grants where state = 'active'").len();
        let written = || rows(&desk, "select entries from timelines").len();
        assert_eq!(held(), 270, "more than 256, which is what one transaction ends");
        let before = written();
        desk.advance(hours(4));
        assert_eq!(held(), 0);
        let transactions = written() - before;
        assert!((2..=8).contains(&transactions), "{transactions} transactions for two batches");
        assert!(desk.command(&["decisions", "chain"]).status.success(), "each end has its entries");
    });
}

#[test]
fn all_that_a_leaver_holds_ends_in_one_transaction_and_a_grant_that_cannot_be_read_keeps_only_itself() {
    on_both(|database| {
        let desk = House::demo(database);
        let apps = desk.settings().with_file_name("apps.toml");
        let mut text = std::fs::read_to_string(&apps).unwrap();
        for n in 0..5 {
            text += &format!(
                "\n[[app]]\nid = \"a{n}\"\nname = \"A {n}\"\n[[app.tier]]\nid = \"user\"\nname = \"User\"\nrisk = \"low\"\nlongest = \"720h\"\n"
            );
        }
        std::fs::write(&apps, text).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        for (person, n) in ["amara", "jonas"].into_iter().flat_map(|person| (0..5).map(move |n| (person, n))) {
            let fields = json!({ "app": format!("a{n}"), "tier": "user", "duration-hours": 24, "for": person,
                "justification": "I join the data project" });
            let body = json!({ "request_type": "access", "subject": "access please", "fields": fields });
            let made = desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
            assert_eq!(made["access"]["state"], "approved", "{made}");
        }
        let held = "select app from grants where state = 'active' order by app";
        assert_eq!(rows(&desk, held).len(), 10);
        with_people(&desk, "id = \"amara\"\n", "id = \"amara\"\nactive = false\n");
        assert_eq!(rows(&desk, held).len(), 5, "all of hers has ended, and nothing of another's");
        let together = |entries: &String| entries.split(' ').count() == 5;
        let all = rows(&desk, "select entries from timelines order by link");
        assert_eq!(all.iter().filter(|entries| together(entries)).count(), 1, "one transaction has all five");
        let why = rows(&desk, "select end_reason from grants where subject = 'amara' group by end_reason");
        assert_eq!(why, ["left"]);
        assert!(desk.command(&["decisions", "chain"]).status.success(), "each end has its entries");

        write(&desk, "update grants set tier = 'no tier!' where subject = 'jonas' and app = 'a3'");
        with_people(&desk, "id = \"jonas\"\n", "id = \"jonas\"\nactive = false\n");
        assert_eq!(rows(&desk, held), ["a3"], "all else has ended");
        let left = "/api/v1/people/jonas/offboarding";
        let report = desk.as_role("kofi").get(left).expect(200);
        assert_eq!((&report["complete"], &report["grants"]), (&json!(false), &json!([])), "{report}");
        assert_eq!(report["damaged"].as_array().map(Vec::len), Some(1), "{report}");
        write(&desk, "update grants set tier = 'user' where tier = 'no tier!'");
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(rows(&desk, held), Vec::<String>::new(), "it is tried again with each look");
        assert_eq!(desk.as_role("kofi").get(left).expect(200)["complete"], true);
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn who_holds_access_hears_before_it_ends_and_more_often_the_longer_it_lasts() {
    let desk = House::demo(crate::support::place::Database::Sqlite);
    asks(&desk.as_role("amara"), 60 * 24);
    let reminders = |desk: &House| kinds(desk, "IT-1").iter().filter(|kind| *kind == "access-ending").count();
    desk.advance(hours(45 * 24));
    assert_eq!(reminders(&desk), 0);
    desk.advance(hours(25));
    assert_eq!(reminders(&desk), 1, "two weeks before");
    desk.advance(hours(11 * 24));
    assert_eq!(reminders(&desk), 2, "three days before");
    desk.advance(hours(2 * 24));
    assert_eq!(reminders(&desk), 3, "a day before");
    desk.advance(hours(2 * 24));
    assert_eq!((reminders(&desk), &grants(&desk)[0]["end_reason"]), (3, &json!("expired")));
}

#[test]
fn i07_more_time_is_a_new_decision_and_leaves_no_gap() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        asks(&amara, 4);
        let first = grants(&desk)[0].clone();
        desk.advance(hours(3));
        let path = format!("/api/v1/grants/{}/extend", first["id"].as_str().unwrap());
        let more = json!({ "hours": 8, "justification": "the project takes longer" });
        assert_eq!(desk.as_role("lena").post(&path, &more).status, 404, "it is not hers");
        let made = amara.post(&path, &more).expect(201);
        assert_eq!(made["access"]["state"], "approved", "{made}");
        let all = grants(&desk);
        let live: Vec<&Value> = all.iter().filter(|grant| grant["effective"] == true).collect();
        assert_eq!(live.len(), 1, "{all:?}");
        let old = all.iter().find(|grant| grant["id"] == first["id"]).unwrap();
        assert_eq!((&old["state"], &old["end_reason"]), (&json!("ended"), &json!("replaced")));
        desk.advance(hours(2));
        let live = grants(&desk).into_iter().filter(|grant| grant["effective"] == true).count();
        assert_eq!(live, 1, "the end of the first takes nothing");
        desk.advance(hours(7));
        assert!(grants(&desk).iter().all(|grant| grant["state"] == "ended"));
        assert_eq!(amara.post(&path, &more).status, 409, "what is over is asked for, not extended");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn access_is_given_back_by_the_person_who_holds_it_and_by_no_other_without_office() {
    on_both(|database| {
        let desk = House::demo(database);
        asks(&desk.as_role("amara"), 4);
        let path = format!("/api/v1/grants/{}/revoke", grants(&desk)[0]["id"].as_str().unwrap());
        let why = json!({ "reason": "I need it no more" });
        assert_eq!(desk.as_role("lena").post(&path, &why).status, 403);
        desk.as_role("amara").post(&path, &why).expect(200);
        let ended = grants(&desk)[0].clone();
        assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("given-back")));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// Writes the file of people with a text replaced, and has the desk read it.
fn with_people(desk: &House, from: &str, to: &str) {
    let file = desk.settings().with_file_name("people.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
}

#[test]
fn who_moves_keeps_what_the_rules_still_give_and_the_rest_is_reviewed_or_ends() {
    on_both(|database| {
        for ends in [false, true] {
            let word = if ends { "on-move = \"end\"\n" } else { "" };
            let change = |text: String| text.replacen("[defaults]\n", &format!("[defaults]\n{word}"), 1);
            let desk = House::with_settings(database, crate::support::components::example_rules(), change);
            with_people(&desk, "id = \"amara\"\n", "id = \"amara\"\n\n");
            asks(&desk.as_role("amara"), 60 * 24);
            let fields = json!({ "app": "workday", "tier": "manager", "duration-hours": 60 * 24,
                "justification": "I take over the payroll project from Monday on" });
            let body = json!({ "request_type": "access", "subject": "workday please", "fields": fields });
            desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
            super::provisioning::approved(&desk, "IT-2");
            let standings = || {
                let all = desk.as_role("kofi").get("/api/v1/people/amara/reassessment").expect(200);
                let one = |grant: &Value| (grant["app"].clone(), grant["standing"].clone());
                all.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
            };
            let stays = |app: &str| (json!(app), json!("stays"));
            assert_eq!(standings(), [stays("jira"), stays("workday")]);
            let amara = "title = \"Controller\"";
            with_people(&desk, amara, "title = \"Account Executive\"");
            assert_eq!(standings(), [stays("jira"), stays("workday")], "another title changes nothing here");
            let file = std::fs::read_to_string(desk.settings().with_file_name("people.toml")).unwrap();
            let (_, from) = file.split_once("id = \"amara\"").unwrap();
            let (of_amara, _) = from.split_once("department = \"Finance\"").unwrap();
            let before = format!("id = \"amara\"{of_amara}department = \"Finance\"");
            with_people(&desk, &before, &before.replace("Finance", "Sales"));
            let of = |app: &str| grants(&desk).into_iter().find(|grant| grant["app"] == app).unwrap();
            if ends {
                assert_eq!((&of("workday")["state"], &of("workday")["end_reason"]), (&json!("ended"), &json!("moved")));
                assert_eq!(of("jira")["effective"], true);
                assert_eq!(standings(), [stays("jira")]);
                continue;
            }
            assert_eq!(standings(), [stays("jira"), (json!("workday"), json!("denied"))]);
            let items = desk.as_role("lena").get("/api/v1/access/review-items").expect(200);
            assert_eq!((items.as_array().unwrap().len(), &items[0]["grant"]["app"]), (1, &json!("workday")), "{items}");
            let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-2/timeline").expect(200).to_string();
            assert!(
                timeline.contains("has moved, and the rules would deny it now: only People and Finance"),
                "{timeline}"
            );
            desk.advance(hours(3 * 24));
            assert_eq!(of("workday")["end_reason"], "reviewed", "none has kept it in time");
            assert_eq!(of("jira")["effective"], true);
            assert!(desk.command(&["decisions", "chain"]).status.success());
        }
    });
}

#[test]
fn i05_what_begins_later_is_given_at_its_time_and_only_where_it_may_be_given_then() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = super::provisioning::desk(database, &app);
        let file = desk.settings().with_file_name("request-types.toml");
        let day = "{ name = \"starts\", label = \"From\", kind = \"date\"";
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(day));
        std::fs::write(&file, text.replacen(day, &day.replace("date", "text"), 1)).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let ask = |person: &str, starts: &str| {
            let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": person, "starts": starts,
                "justification": "the project begins next week" });
            let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
            desk.as_role("kofi").post("/api/v1/tickets", &body)
        };
        let at = |ahead: i64| (desk.clock.now() + hours(ahead)).to_string();
        assert_eq!(ask("amara", "soon").status, 422);
        assert_eq!(ask("amara", &at(367 * 24)).expect(201)["access"]["state"], "denied_by_policy");
        for person in ["amara", "jonas"] {
            assert_eq!(ask(person, &at(48)).expect(201)["access"]["state"], "approved");
        }
        desk.advance(hours(47));
        let of = |person: &str| {
            let path = format!("/api/v1/people/{person}/grants");
            desk.as_role("kofi").get(&path).expect(200)[0].clone()
        };
        let early = of("amara");
        assert_eq!((&early["state"], &early["effective"]), (&json!("scheduled"), &json!(false)));
        assert_eq!(app.effects(), Vec::<String>::new(), "nothing is written before");
        with_people(&desk, "id = \"jonas\"\n", "id = \"jonas\"\nactive = false\n");
        assert_eq!((&of("jonas")["state"], &of("jonas")["end_reason"]), (&json!("ended"), &json!("left")));
        let desk = desk.cut_off_and_restart();
        desk.advance(hours(1));
        let grant = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200)[0].clone();
        assert_eq!((&grant["state"], &grant["effective"]), (&json!("active"), &json!(true)));
        assert_eq!(app.members("user"), ["amara"]);
        desk.advance(hours(3));
        assert_eq!(app.members("user"), ["amara"], "its time counts from its beginning");
        desk.advance(hours(1));
        let grant = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200)[0].clone();
        assert_eq!((&grant["end_reason"], app.members("user")), (&json!("expired"), vec![]));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

#[test]
fn i05_and_i23_seats_are_looked_at_again_when_access_begins() {
    on_both(|database| {
        let desk = House::with_settings(database, crate::support::components::example_rules(), |text| text);
        let change = |name: &str, from: &str, to: &str| {
            let file = desk.settings().with_file_name(name);
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{from}");
            std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
            assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        };
        let day = "{ name = \"starts\", label = \"From\", kind = \"date\"";
        change("request-types.toml", day, &day.replace("date", "text"));
        change("apps.toml", "id = \"user\"\nname = \"User\"\n", "id = \"user\"\nname = \"User\"\nseats = 2\n");
        let ask = |person: &str, ahead: i64| {
            let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 4, "for": person,
                "starts": (desk.clock.now() + hours(ahead)).to_string(), "justification": "the project begins next week" });
            let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
            desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201)["access"]["state"].clone()
        };
        assert_eq!((ask("amara", 48), ask("jonas", 49)), (json!("approved"), json!("approved")));
        assert_eq!(ask("priya", 50), json!("denied_by_policy"), "both seats are reserved");
        // One of the two licences is given back in between.
        change("apps.toml", "seats = 2\n", "seats = 1\n");
        desk.advance(hours(48));
        desk.advance(hours(1));
        let of = |person: &str| {
            let grants = desk.as_role("kofi").get(&format!("/api/v1/people/{person}/grants")).expect(200);
            (grants[0]["state"].clone(), grants[0]["end_reason"].clone())
        };
        assert_eq!(of("amara"), (json!("ended"), json!("not-begun")), "the only seat is the other's");
        assert_eq!(of("jonas"), (json!("active"), Value::Null));
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// A desk that was restored from a copy knows nothing of what it has given since: that is found in the app and named, and neither taken
/// up as held nor taken away.
#[test]
fn i20_what_was_given_after_the_copy_that_a_desk_was_restored_from_is_found_and_not_taken_up() {
    let app = ScimApp::start(&["user", "admin"]);
    // A desk that was stopped has all of its data in one file.
    let mut stopped = super::provisioning::desk(Database::Sqlite, &app).cut_off().start();
    stopped.stop();
    let place = stopped.crash();
    let (file, copy) = (place.data_dir().join("ruledesk.db"), place.data_dir().join("copy.db"));
    std::fs::copy(&file, &copy).unwrap();
    let desk = place.open();
    asks(&desk.as_role("amara"), 48);
    desk.do_what_is_due();
    assert_eq!((&grants(&desk)[0]["state"], app.members("user")), (&json!("active"), vec!["amara".to_owned()]));
    let given = app.effects();

    let place = desk.cut_off();
    for log in ["ruledesk.db-wal", "ruledesk.db-shm"] {
        // It may have been cut to nothing and removed.
        let _ = std::fs::remove_file(place.data_dir().join(log));
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::copy(&copy, &file).unwrap();
    let desk = place.open();
    for _ in 0..2 {
        desk.advance(hours(25));
    }
    let found = desk.as_role("kofi").get("/api/v1/access/findings").expect(200);
    let of_amara = found.as_array().unwrap().iter().find(|one| one["account"] == "amara").unwrap();
    assert_eq!((&of_amara["kind"], &of_amara["grant"]), (&json!("extra"), &Value::Null), "{found}");
    assert_eq!((grants(&desk), app.members("user"), app.effects()), (vec![], vec!["amara".to_owned()], given));
    assert!(desk.command(&["decisions", "chain"]).status.success());
}
