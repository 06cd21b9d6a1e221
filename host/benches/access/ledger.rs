//! A long ledger, as the program itself writes one: the same people ask for access week after week, some of them get more time or give
//! it back, and all of it ends. Nothing is put in behind the desk's back, and its own check of the chains goes over all of it. Then the
//! questions of an audit on it, and one person who leaves.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::support::components::PROGRAM;
use super::support::house::House;
use super::support::place::Database;
use super::{APPS, CLIENTS, PEOPLE, TIMES, TOGETHER, count, organisation, rate, report, timed};

/// The app that everybody holds in the end, and had in one week of the past.
const HELD: usize = 7;
/// Of so many people one gets more time in a week, and one gives it back.
const ONE_OF: usize = 100;
/// Weeks after which it is said how far that has come.
const SAID_EVERY: usize = 5;

/// Fills a ledger with at least so many events, and measures on it.
pub fn measure(database: Database, events: usize) {
    let desk = organisation(database, APPS, |_| "low");
    let ((weeks, grants), took) = timed(|| fill(&desk, events));
    rate("grants that a ledger is made of, with all that comes of them", grants, took);
    let events = count(&desk, "select count(*) from ledger");
    println!("  the ledger has {events} events of {grants} grants, of {PEOPLE} people in {weeks} weeks");
    questions(&desk, weeks);
    evidence(&desk, events);
    let (checked, took) = timed(|| desk.command(&["decisions", "chain"]));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    rate("events of the ledger checked, with all that they vouch for", events, took);
    leaver(&desk);
}

/// Week by week until there are so many events; then everybody but the first person holds one app. How many weeks and grants that took.
fn fill(desk: &House, events: usize) -> (usize, usize) {
    let (mut weeks, mut written) = (0, 0);
    while weeks == 0 || written < events {
        ask(desk, 0..PEOPLE, |group| (group + weeks) % APPS);
        more_time_and_less(desk);
        desk.clock.advance(SignedDuration::from_hours(7 * 24));
        desk.do_what_is_due();
        weeks += 1;
        let before = std::mem::replace(&mut written, count(desk, "select count(*) from ledger"));
        assert!(written > before, "a week adds to the ledger");
        if weeks % SAID_EVERY == 0 {
            println!("    after {weeks} weeks: {written} of {events} events");
        }
    }
    ask(desk, 1..PEOPLE, |_| HELD);
    (weeks, count(desk, "select count(*) from grants"))
}

/// Asks for an app for each of these people, many at once; `app_of` says which for each group.
fn ask(desk: &House, people: Range<usize>, app_of: impl Fn(usize) -> usize + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let group = next.fetch_add(1, Ordering::Relaxed);
                    let from = people.start + group * TOGETHER;
                    if from >= people.end {
                        return;
                    }
                    let some = (from..people.end.min(from + TOGETHER)).map(|n| format!("p{n}")).collect::<Vec<_>>();
                    submit(desk, &some, &[app_of(group)]);
                }
            });
        }
    });
}

/// One submission, which is approved at once.
fn submit(desk: &House, people: &[String], apps: &[usize]) {
    let item = |app: &usize| json!({ "app": format!("a{app}"), "tier": "user", "duration_hours": 24 });
    let items: Vec<Value> = apps.iter().map(item).collect();
    let body = json!({ "people": people, "items": items, "justification": "the project of this week, change 4711" });
    let made = desk.as_role("kofi").post("/api/v1/access/submissions", &body).expect(201);
    let given = |request: &Value| request["state"] == "approved";
    assert!(made["requests"].as_array().unwrap().iter().all(given), "{made}");
}

/// Some get more time for what they have just got, and some give it back.
fn more_time_and_less(desk: &House) {
    let (kofi, mei) = (desk.as_role("kofi"), desk.as_role("mei"));
    let newest = |person: usize| {
        let all = kofi.get(&format!("/api/v1/people/p{person}/grants?limit=1")).expect(200);
        all[0]["id"].as_str().unwrap().to_owned()
    };
    for person in (0..PEOPLE).step_by(ONE_OF) {
        let longer = json!({ "hours": 48, "justification": "the project goes on until Friday" });
        kofi.post(&format!("/api/v1/grants/{}/extend", newest(person)), &longer).expect(201);
        let back = json!({ "reason": "the project is over" });
        mei.post(&format!("/api/v1/grants/{}/revoke", newest(person + ONE_OF / 2)), &back).expect(200);
    }
}

/// The questions of an audit, each some times.
fn questions(desk: &House, weeks: usize) {
    let kofi = desk.as_role("kofi");
    let ask = |what: &str, path: &dyn Fn(usize) -> String| {
        report(what, (0..TIMES).map(|n| timed(|| kofi.get(&path(n)).expect(200)).1).collect());
    };
    let now = desk.clock.now();
    // A moment after the requests of a week, and that week.
    let then = |n: usize| {
        let ago = n % weeks + 1;
        let hours = 7 * 24 * i64::try_from(ago).unwrap();
        (now - SignedDuration::from_hours(hours) + SignedDuration::from_secs(1), weeks - ago)
    };
    ask("who has access to an app, 200 of all", &|_| format!("/api/v1/access?app=a{HELD}&limit=200"));
    ask("who had access to an app some weeks ago", &|n| {
        let (at, week) = then(n);
        format!("/api/v1/access?app=a{}&at={at}&limit=200", (n + week) % APPS)
    });
    ask("what a person holds and why", &|n| format!("/api/v1/access?person=p{}", 1 + n * 37));
    ask("what a person has held in a year, the first 200", &|n| {
        format!("/api/v1/people/p{}/grants?limit=200", 1 + n * 37)
    });
    ask("all access that is held, the first 200", &|_| "/api/v1/access?limit=200".to_owned());
    ask("what the policy allowed some weeks ago", &|n| {
        format!("/api/v1/access/policy/at?at={}&person=p{}&app=a{HELD}&tier=user", then(n).0, 1 + n * 37)
    });
    let held = kofi.get(&format!("/api/v1/access?app=a{HELD}&limit=200")).expect(200);
    let ids: Vec<&str> = held.as_array().unwrap().iter().map(|one| one["grant"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 200, "a page of those who hold it");
    ask("the whole story of a grant", &|n| format!("/api/v1/grants/{}", ids[n]));
}

/// The whole ledger in a file, and the check of that file, which needs no desk.
fn evidence(desk: &House, events: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.jsonl");
    let file = file.to_str().unwrap();
    let (done, took) = timed(|| desk.command(&["decisions", "evidence", "export", "--out", file]));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    rate("events of the ledger exported into a file", events, took);
    let mut check = std::process::Command::new(PROGRAM);
    let (done, took) = timed(|| check.args(["decisions", "evidence", "check", file]).output().unwrap());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    rate("events of that file checked, with no desk", events, took);
}

/// The first person gets an app each of all that there are, and leaves.
fn leaver(desk: &House) {
    let apps: Vec<usize> = (0..APPS).collect();
    for some in apps.chunks(TOGETHER) {
        submit(desk, &["p0".to_owned()], some);
    }
    let held = "select count(*) from grants where subject = 'p0' and state = 'active'";
    assert_eq!(count(desk, held), APPS);
    let path = desk.settings().with_file_name("people.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("id = \"p0\"\n", "id = \"p0\"\nactive = false\n", 1)).unwrap();
    let (answer, took) = timed(|| desk.as_role("mei").post("/api/v1/config/reload", &json!({})));
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(count(desk, held), 0, "who has left holds nothing");
    rate("grants of one person who leaves ended, on that ledger", APPS, took);
    desk.do_what_is_due();
}
