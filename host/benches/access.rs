//! How long governed access takes: from a request to its decision, to access in an app that speaks SCIM, to its end; and how soon an
//! audit is answered. One desk in this process for each database, with a clock that is set; the app is in this process too.
//!
//! `RULEDESK_BENCH_GRANTS` says how many grants end at once and lie on the ledger; default 2,000.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, not an interface"
)]

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::{Value, json};

#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

use support::components::example_rules;
use support::house::House;
use support::place::Database;
use support::scim::{ScimApp, TOKEN};

/// The measurements of one kind.
const TIMES: usize = 50;
/// Apps of which one person holds a tier each.
const APPS: usize = 200;

fn main() {
    let grants = std::env::var("RULEDESK_BENCH_GRANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    for database in [Database::Sqlite, Database::Postgres] {
        println!("{database:?}, the example rules:");
        decisions(database);
        provisioned(database);
        many(database, grants);
        leaver(database);
    }
}

fn report(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!("  {what:<66} {:>7.1} ms  (99 of 100: {:.1})", at(50), at(99));
}

fn rate(what: &str, count: usize, took: Duration) {
    println!("  {what:<66} {:>7.0} /s  ({count} in {:.2} s)", count as f64 / took.as_secs_f64(), took.as_secs_f64());
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn configured(database: Database, file: &str, change: impl FnOnce(String) -> String) -> House {
    let desk = House::with_settings(database, example_rules(), |text| text);
    let path = desk.settings().with_file_name(file);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(text)).unwrap();
    let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
    assert_eq!(answer.status, 204, "{}", answer.text);
    desk
}

fn asks(desk: &House, app: &str, person: &str, hours: u32) -> Value {
    let fields = json!({ "app": app, "tier": "user", "duration-hours": hours, "for": person,
        "justification": "I join the data project" });
    let body = json!({ "request_type": "access", "subject": "access please", "fields": fields });
    let made = desk.as_role("kofi").post("/api/v1/tickets", &body).expect(201);
    assert_eq!(made["access"]["state"], "approved", "{made}");
    made
}

/// From the request to the answer that has the decision and the grant in it.
fn decisions(database: Database) {
    let desk = House::demo(database);
    let took = (0..TIMES).map(|_| timed(|| asks(&desk, "jira", "amara", 24)).1).collect();
    report("a request, approved at once by the rules", took);
    desk.advance(SignedDuration::from_hours(24));
}

/// From the request until the app was read back, and from the end until it was read back as gone.
fn provisioned(database: Database) {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = configured(database, "apps.toml", |text| {
        let text = text.replacen("id = \"jira\"\n", "id = \"jira\"\nconnector = \"peer\"\n", 1);
        let url = &app.url;
        format!(
            "{text}\n[[connector]]\nid = \"peer\"\nkind = \"scim\"\nurl = \"{url}\"\ninternal = true\ntoken-file = \"t\"\n"
        )
    });
    std::fs::write(desk.settings().with_file_name("t"), TOKEN).unwrap();
    let (mut given, mut gone) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        given.push(
            timed(|| {
                asks(&desk, "jira", "amara", 1);
                desk.do_what_is_due();
            })
            .1,
        );
        assert_eq!(app.members("user"), ["amara"]);
        desk.clock.advance(SignedDuration::from_hours(1));
        gone.push(timed(|| desk.do_what_is_due()).1);
        assert_eq!(app.active("amara"), Some(false));
    }
    report("a request, until the app was read back", given);
    report("an end by time, until the app was read back as gone", gone);
}

/// Many people with a grant each: who has access, all ends at once, and the ledger's check.
fn many(database: Database, grants: usize) {
    let desk = configured(database, "people.toml", |mut text| {
        for n in 0..grants {
            text += &format!(
                "\n[[person]]\nid = \"p{n}\"\nname = \"P {n}\"\nemail = \"p{n}@meridian.example\"\ngroups = [\"staff\"]\n"
            );
        }
        text
    });
    let ((), took) = timed(|| (0..grants).for_each(|n| drop(asks(&desk, "jira", &format!("p{n}"), 24))));
    rate("requests, approved at once, one after the other", grants, took);
    let kofi = desk.as_role("kofi");
    let asked = (0..TIMES).map(|_| timed(|| kofi.get("/api/v1/access?app=jira&limit=200").expect(200)).1).collect();
    report(&format!("who has access to an app, the first 200 of {grants}"), asked);
    desk.clock.advance(SignedDuration::from_hours(24));
    let (_, took) = timed(|| desk.do_what_is_due());
    rate("ends by time, all due at once", grants, took);
    let (checked, took) = timed(|| desk.command(&["decisions", "chain"]));
    assert!(checked.status.success());
    rate("grants of the ledger checked, with all their events and rows", grants, took);
}

/// One person with access to many apps leaves.
fn leaver(database: Database) {
    let desk = configured(database, "apps.toml", |mut text| {
        for n in 0..APPS {
            text += &format!(
                "\n[[app]]\nid = \"a{n}\"\nname = \"A {n}\"\n[[app.tier]]\nid = \"user\"\nname = \"User\"\nrisk = \"low\"\nlongest = \"720h\"\n"
            );
        }
        text
    });
    (0..APPS).for_each(|n| drop(asks(&desk, &format!("a{n}"), "amara", 24)));
    let path = desk.settings().with_file_name("people.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("id = \"amara\"\n", "id = \"amara\"\nactive = false\n", 1)).unwrap();
    let (answer, took) = timed(|| desk.as_role("mei").post("/api/v1/config/reload", &json!({})));
    assert_eq!(answer.status, 204);
    rate("grants of one person who leaves ended", APPS, took);
    desk.do_what_is_due();
}
