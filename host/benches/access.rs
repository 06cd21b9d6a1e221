//! How long governed access takes: from a request to its decision, to access in an app that speaks SCIM, to its end; and how soon an
//! audit is answered. One desk in this process for each database, with a clock that is set; the app is in this process too.
//!
//! `RULEDESK_BENCH_GRANTS` says how many grants end at once and lie on the ledger; default 2,000. A grant makes three events of the
//! ledger until it ends and one when it does. Each is another person's, of whom an organisation has 100,000 at most: 99,900 are the
//! sweep that is promised, with a ledger of 400,000 events. `RULEDESK_BENCH_YEAR` says how many requests 5,000 people make in a year to
//! 120 apps, which is lived through hour by hour while one in ten of them leaves; default none, 30,000 is a year of such an
//! organisation. `RULEDESK_BENCH_EVENTS` says how long a ledger the same people fill week by week, on which an audit is answered, the
//! chain checked, and a person with 200 grants leaves; default none, 1,000,000 is what is promised. Where one of these two is said,
//! and `RULEDESK_BENCH_GRANTS` is not, nothing else is measured. `RULEDESK_BENCH_DATABASE`, `sqlite` or `postgres`, measures one of
//! the two alone.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, not an interface"
)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::{Value, json};

#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

#[path = "access/ledger.rs"]
mod ledger;

use support::components::example_rules;
use support::house::House;
use support::place::Database;
use support::scim::{ScimApp, TOKEN};

/// The measurements of one kind.
const TIMES: usize = 50;
/// Apps of which one person holds a tier each.
const APPS: usize = 200;
/// People whom one submission asks for, and submissions that are sent at once.
const TOGETHER: usize = 50;
const CLIENTS: usize = 8;

fn main() {
    let said = |name: &str| -> Option<usize> { std::env::var(name).ok().map(|text| text.parse().expect("a number")) };
    let (grants, events) = (said("RULEDESK_BENCH_GRANTS"), said("RULEDESK_BENCH_EVENTS"));
    let requests = said("RULEDESK_BENCH_YEAR");
    let only = std::env::var("RULEDESK_BENCH_DATABASE").unwrap_or_default();
    for (word, database) in [("sqlite", Database::Sqlite), ("postgres", Database::Postgres)] {
        if !only.is_empty() && only != word {
            continue;
        }
        println!("{database:?}, the example rules:");
        if grants.is_some() || (events.is_none() && requests.is_none()) {
            decisions(database);
            provisioned(database);
            many(database, grants.unwrap_or(2_000));
            leaver(database);
        }
        if let Some(events) = events {
            ledger::measure(database, events);
        }
        if let Some(requests) = requests {
            year(database, requests);
        }
    }
}

/// People and apps of the year, and how many people leave in each of its weeks: one in ten within the year.
const PEOPLE: usize = 5_000;
const APPS_OF_A_YEAR: usize = 120;
const LEAVERS_A_WEEK: usize = 10;
/// Hours after which it is said how far the year has come.
const SAID_EVERY: usize = 30 * 24;

/// Requests by weekday, from Monday, and by hour: when the 17,136 incidents were opened that an IT company's ServiceNow took in March and
/// April 2016 (UCI Machine Learning Repository, "Incident management process enriched event log"), from 29 February to 30 April.
const BY_HOUR: [[u32; 24]; 7] = [
    [19, 20, 8, 11, 15, 9, 34, 77, 412, 552, 472, 421, 228, 322, 379, 367, 251, 154, 57, 26, 22, 22, 17, 21],
    [23, 30, 18, 24, 8, 6, 48, 76, 347, 430, 403, 298, 185, 233, 308, 268, 264, 158, 54, 33, 32, 21, 18, 11],
    [36, 23, 27, 10, 15, 12, 40, 91, 316, 383, 410, 364, 158, 227, 342, 319, 303, 170, 74, 35, 31, 35, 22, 15],
    [26, 21, 15, 6, 13, 13, 23, 80, 267, 383, 349, 305, 158, 209, 260, 274, 237, 142, 64, 36, 26, 26, 8, 13],
    [31, 18, 19, 14, 13, 14, 39, 71, 243, 329, 313, 290, 139, 171, 281, 255, 231, 132, 44, 23, 21, 17, 18, 21],
    [23, 25, 13, 11, 9, 12, 24, 22, 37, 31, 31, 26, 15, 22, 15, 17, 20, 12, 14, 16, 6, 15, 13, 11],
    [14, 8, 5, 8, 3, 8, 21, 9, 30, 21, 32, 17, 8, 9, 19, 10, 21, 12, 15, 8, 12, 8, 13, 14],
];
/// How many of each weekday those are.
const DAYS: [f64; 7] = [9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 8.0];
/// Hundredths of the callers of the same incidents, those who call most first, and the thousandths of all incidents that are theirs.
const BY_PERSON: [(usize, usize); 9] =
    [(1, 95), (1, 44), (3, 101), (5, 122), (10, 174), (10, 121), (20, 167), (20, 98), (30, 78)];
/// The same of their 44 categories, for apps; a part of a category counts as such a part of its incidents.
const BY_APP: [(usize, usize); 8] = [(2, 112), (3, 165), (5, 207), (10, 201), (10, 145), (20, 147), (20, 21), (30, 2)];

/// A year of an organisation, hour by hour and from a Monday on, by UTC: people ask when, as often and for as few things as those of a
/// real service desk, some of them leave, and what waits for the manager is approved or denied.
fn year(database: Database, requests: usize) {
    let desk = organisation(database, APPS_OF_A_YEAR, |n| if n % 4 == 0 { "medium" } else { "low" });
    desk.advance(until_monday(desk.clock.now()));
    let mut year = Year { desk: &desk, chance: Chance(4711), left: BTreeSet::new(), asked: 0, refused: 0, decided: 0 };
    let of_a_day = |(day, days): (&[u32; 24], f64)| f64::from(day.iter().sum::<u32>()) / days;
    let weekly: f64 = BY_HOUR.iter().zip(DAYS).map(of_a_day).sum();
    // The 365th day is a Monday, as the first is: it counts as any other seventh of a week.
    let of_a_week = requests as f64 * 7.0 / 365.0;
    let mut owed = 0.0;
    let ((), took) = timed(|| {
        for hour in 0..365 * 24 {
            let (day, time) = (hour / 24, hour % 24);
            owed += of_a_week * f64::from(BY_HOUR[day % 7][time]) / DAYS[day % 7] / weekly;
            while owed >= 1.0 {
                owed -= 1.0;
                year.ask();
            }
            desk.clock.advance(SignedDuration::from_hours(1));
            if time == 23 {
                if day % 7 == 4 {
                    year.leave();
                }
                desk.do_what_is_due();
            }
            if (hour + 1) % SAID_EVERY == 0 {
                println!("    day {} of 365: {} of {requests} requests", day + 1, year.asked + year.refused);
            }
        }
    });
    let Year { left, asked, refused, decided, .. } = year;
    let events = count(&desk, "select count(*) from ledger");
    rate("requests of a year, with all that comes of them day by day", asked, took);
    println!(
        "  {asked} requests, {refused} refused, {decided} decided by people, {} people left, {events} events",
        left.len()
    );
    let late = "select count(*) from grants where state = 'active' and expires_at < ";
    assert_eq!(count(&desk, &format!("{late}{}", desk.clock.now().as_millisecond())), 0, "all that is over has ended");
    let left: Vec<String> = left.iter().map(|n| format!("'p{n}'")).collect();
    let held = format!("select count(*) from grants where state = 'active' and subject in ({})", left.join(", "));
    assert_eq!(count(&desk, &held), 0, "who has left holds nothing");
    assert!(desk.command(&["decisions", "chain"]).status.success());
}

/// How long it is until a Monday begins.
fn until_monday(now: jiff::Timestamp) -> SignedDuration {
    const WEEK: i64 = 7 * 86_400;
    // The first Monday since 1970 was the 5th of January.
    let since = (now.as_second() - 4 * 86_400).rem_euclid(WEEK);
    SignedDuration::from_secs(WEEK - since)
}

/// The desk of such an organisation, with apps of this risk.
fn organisation(database: Database, count: usize, risk: impl Fn(usize) -> &'static str) -> House {
    let desk = configured(database, "people.toml", |mut text| {
        for n in 0..PEOPLE {
            let department = ["Sales", "Finance", "Engineering", "Support", "People"][n % 5];
            text += &format!(
                "\n[[person]]\nid = \"p{n}\"\nname = \"P {n}\"\nemail = \"p{n}@meridian.example\"\ngroups = [\"staff\"]\n\
                 department = \"{department}\"\nmanager = \"lena\"\n"
            );
        }
        text
    });
    let apps = desk.settings().with_file_name("apps.toml");
    let mut text = std::fs::read_to_string(&apps).unwrap();
    for n in 0..count {
        let risk = risk(n);
        text += &format!(
            "\n[[app]]\nid = \"a{n}\"\nname = \"A {n}\"\n[[app.tier]]\nid = \"user\"\nname = \"User\"\nrisk = \"{risk}\"\nlongest = \"2160h\"\n"
        );
    }
    std::fs::write(&apps, text).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    desk
}

/// The year as it goes on.
struct Year<'a> {
    desk: &'a House,
    chance: Chance,
    /// The numbers of those who have left.
    left: BTreeSet<usize>,
    asked: usize,
    refused: usize,
    decided: usize,
}

impl Year<'_> {
    /// A request, and the manager's decision where it waits for one.
    fn ask(&mut self) {
        let person = loop {
            let person = self.chance.of(&BY_PERSON, PEOPLE);
            if !self.left.contains(&person) {
                break person;
            }
        };
        let (app, hours) = (self.chance.of(&BY_APP, APPS_OF_A_YEAR), [24, 168, 720, 2160][self.chance.below(4)]);
        let fields = json!({ "app": format!("a{app}"), "tier": "user", "duration-hours": hours,
            "for": format!("p{person}"), "justification": "for the project of this quarter, change 4711" });
        let body = json!({ "request_type": "access", "subject": "access please", "fields": fields });
        let made = self.desk.as_role("kofi").post("/api/v1/tickets", &body);
        if made.status != 201 {
            self.refused += 1;
            return;
        }
        self.asked += 1;
        let made = made.json();
        if made["access"]["awaited"].as_array().is_some_and(|all| all.contains(&json!("lena"))) {
            let decision = json!({ "approve": self.chance.below(10) > 0, "reason": "as I see it" });
            let path = format!("/api/v1/tickets/{}/access/decisions", made["key"].as_str().unwrap());
            self.decided += usize::from(self.desk.as_role("lena").post(&path, &decision).status == 200);
        }
    }

    /// Some leave, and all that they hold ends.
    fn leave(&mut self) {
        let path = self.desk.settings().with_file_name("people.toml");
        let mut text = std::fs::read_to_string(&path).unwrap();
        for _ in 0..LEAVERS_A_WEEK {
            let person = self.chance.below(PEOPLE);
            if self.left.insert(person) {
                let id = format!("id = \"p{person}\"\n");
                text = text.replacen(&id, &format!("{id}active = false\n"), 1);
            }
        }
        std::fs::write(&path, text).unwrap();
        assert_eq!(self.desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    }
}

/// Numbers that look like chance, and are the same in each run (a linear congruential generator, Knuth's MMIX).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }

    /// One of so many, each with the share that its place among them has.
    fn of(&mut self, shares: &[(usize, usize)], count: usize) -> usize {
        let (mut left, mut from) = (self.below(1_000), 0);
        for (hundredths, share) in shares {
            let (first, end) = (count * from / 100, count * (from + hundredths) / 100);
            if left < *share {
                return first + self.below((end - first).max(1));
            }
            (left, from) = (left - share, from + hundredths);
        }
        count - 1
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
    let ((), took) = timed(|| fill(&desk, grants));
    rate("requests, approved at once, 8 submissions of 50 at a time", grants, took);
    let kofi = desk.as_role("kofi");
    let events = count(&desk, "select count(*) from ledger");
    let asked = (0..TIMES).map(|_| timed(|| kofi.get("/api/v1/access?app=jira&limit=200").expect(200)).1).collect();
    report(&format!("who has access to an app, 200 of {grants}, {events} ledger events"), asked);
    let asked = |n: usize| kofi.get(&format!("/api/v1/access?person=p{}", n * 37 % grants)).expect(200);
    let asked = (0..TIMES).map(|n| timed(|| asked(n)).1).collect();
    report("what a person holds and why, on the same ledger", asked);
    desk.clock.advance(SignedDuration::from_hours(24));
    let (_, took) = timed(|| desk.do_what_is_due());
    assert_eq!(count(&desk, "select count(*) from grants where state = 'active'"), 0);
    rate("ends by time, all due at once", grants, took);
    println!("  {:<66} {:>7.1} s", "the lag of the last of them", took.as_secs_f64());
    let events = count(&desk, "select count(*) from ledger");
    let (checked, took) = timed(|| desk.command(&["decisions", "chain"]));
    assert!(checked.status.success());
    rate("events of the ledger checked, with all that they vouch for", events, took);
}

/// Asks for access for so many people, many at once: what is measured with them is what comes after.
fn fill(desk: &House, grants: usize) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let kofi = desk.as_role("kofi");
                loop {
                    let from = next.fetch_add(TOGETHER, std::sync::atomic::Ordering::Relaxed);
                    if from >= grants {
                        return;
                    }
                    let people: Vec<String> = (from..grants.min(from + TOGETHER)).map(|n| format!("p{n}")).collect();
                    let items = json!([{ "app": "jira", "tier": "user", "duration_hours": 24 }]);
                    let body = json!({ "people": people, "items": items, "justification": "the project begins" });
                    let made = kofi.post("/api/v1/access/submissions", &body).expect(201);
                    let given = |request: &Value| request["state"] == "approved";
                    assert!(made["requests"].as_array().unwrap().iter().all(given), "{made}");
                }
            });
        }
    });
}

fn count(desk: &House, sql: &str) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = support::records::open(&desk.target()).await;
        let row = db.optional(sql, Vec::new()).await.unwrap().unwrap();
        db.close().await;
        usize::try_from(row.int(0).unwrap()).unwrap()
    })
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
