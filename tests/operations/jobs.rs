//! Work that happens later: on its host, on three of them, cut off by a crash, and given up on.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use ruledesk::app::jobs::{Jobs, Outcome, Queue, Settled, attempts_max};
use ruledesk::app::{Clock, Error};
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::change::timer::TimerKind;
use ruledesk::store::Target;
use ruledesk::store::db::Db;
use serde_json::{Value, json};

use super::metric;
use crate::store::fixture;
use crate::support::desk::{Database, Desk, on_both, on_both_at_once};
use crate::support::wait::until;

const DEADLINES: Queue = Queue::Timers(TimerKind::AccessDeadline);

/// People for each of whom one request may wait.
const PEOPLE: [&str; 12] =
    ["amara", "jonas", "sofia", "dmitri", "hana", "luis", "noor", "ben", "elif", "marco", "anja", "oskar"];

/// Asks for access that Lena has to approve; the ticket's key.
fn request(desk: &Desk) -> String {
    request_for(desk, "amara")
}

fn request_for(desk: &Desk, person: &str) -> String {
    let fields = json!({ "app": "github", "tier": "write", "duration-hours": 240, "for": person,
        "justification": "I join the data project" });
    let body = json!({ "request_type": "access", "subject": "github please", "fields": fields });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
}

/// Runs statements behind the desk's back, each in a transaction of its own; what the last of them answers.
pub(super) fn by_hand(target: &Target, statements: &[&str]) -> Vec<i64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = match target {
            Target::Sqlite(file) => Db::open_sqlite(file).await.unwrap(),
            Target::Postgres(url) => Db::open_postgres(url).await.unwrap(),
        };
        let mut answer = Vec::new();
        for statement in statements {
            // To look, no lock is needed that another process may hold.
            let rows = if statement.starts_with("select") {
                db.all(statement, Vec::new()).await.unwrap()
            } else {
                let mut tx = db.begin().await.unwrap();
                let rows = tx.all(statement, Vec::new()).await.unwrap();
                tx.commit().await.unwrap().done().await.unwrap();
                rows
            };
            answer = rows.iter().filter_map(|row| row.int(0).ok()).collect();
        }
        db.close().await;
        answer
    })
}

/// Makes every request overdue, as if days had gone by.
const OVERDUE: [&str; 2] = [
    "update access_cases set steps = '[[[\"lena\"],1,1]]' where state = 'awaiting'",
    "update timers set due_at = 1, not_before = 1",
];

/// Whether a ticket's request was denied, and that it was so once.
fn denied(desk: &Desk, key: &str) -> Option<()> {
    let kofi = desk.as_role("kofi");
    let ticket = kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
    (ticket["access"]["state"] == "denied").then_some(())?;
    let entries = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
    let of_kind = |kind: &str| entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).count();
    // The rules' decision and the desk's; waiting and resolved.
    assert_eq!((of_kind("access-decided"), ticket["version"].as_i64()), (2, Some(2)), "{entries}");
    let messages = kofi.get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
    let told = messages.as_array().unwrap().iter().filter(|message| message["kind"] == "resolved").count();
    assert_eq!(told, 1, "{messages}");
    Some(())
}

#[test]
fn three_hosts_deny_each_overdue_request_once() {
    let a = Desk::demo(Database::Postgres);
    let (b, c) = (a.beside(), a.beside());
    let keys: Vec<String> = PEOPLE.iter().map(|person| request_for(&a, person)).collect();
    by_hand(&a.target(), &OVERDUE);
    for key in &keys {
        until("the denial", || denied(&b, key));
    }
    assert_eq!(by_hand(&a.target(), &["select count(*) from timers where kind = 'access-deadline'"]), [0]);
    assert_eq!(by_hand(&a.target(), &["select count(*) from ledger where event = 'lapsed'"]), [12]);
    let counted = |outcome: &str| {
        let line = format!("ruledesk_job_runs_total{{job=\"access-deadline\",outcome=\"{outcome}\"}}");
        [&a, &b, &c].into_iter().map(|host| metric(host, &line)).sum::<f64>()
    };
    until("all runs to be counted", || (counted("done") == 12.0).then_some(()));
    assert_eq!((counted("failed"), counted("buried")), (0.0, 0.0));
    assert!(a.command(&["decisions", "chain"]).status.success());
}

/// Keeps every change of a ticket from coming to its end.
fn stall(target: &Target) -> Vec<&'static str> {
    match target {
        Target::Sqlite(_) => vec![
            "create trigger stall before update on tickets begin select count(*) from timeline a, timeline b, timeline c, \
             timeline d, timeline e, timeline f, timeline g, timeline h, timeline i, timeline j, timeline k, timeline l; end",
        ],
        Target::Postgres(_) => vec![
            "create function stall() returns trigger language plpgsql as \
             $$ begin perform pg_sleep(600); return new; end $$",
            "create trigger stall before update on tickets for each row execute function stall()",
        ],
    }
}

fn go_on(target: &Target) -> Vec<&'static str> {
    match target {
        Target::Sqlite(_) => vec!["drop trigger stall"],
        Target::Postgres(_) => vec![
            // The server has not noticed yet that its client is dead.
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()",
            "drop trigger stall on tickets",
        ],
    }
}

#[test]
fn killed_between_claim_and_end_a_job_is_done_once_by_the_next_host() {
    on_both_at_once(|database| {
        let desk = Desk::demo(database);
        let key = request(&desk);
        let (target, place) = (desk.target(), desk.crash());
        by_hand(&target, &[stall(&target), OVERDUE.to_vec()].concat());
        let desk = place.start();
        let claims =
            || by_hand(&target, &["select attempts from timers where kind = 'access-deadline' and fence is not null"]);
        until("a claim", || (claims() == [1]).then_some(()));
        let place = desk.crash();
        by_hand(&target, &go_on(&target));
        assert_eq!(claims(), [1], "the claim is there still, and the job is not done");
        let desk = place.start();
        let still = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200);
        assert_eq!(still["access"]["state"], "awaiting", "the lease of the dead host holds");
        // As if the lease had run out.
        by_hand(&target, &["update timers set not_before = 1"]);
        until("the denial", || denied(&desk, &key));
        assert_eq!(by_hand(&target, &["select count(*) from timers where kind = 'access-deadline'"]), [0]);
        assert_eq!(by_hand(&target, &["select count(*) from ledger where event = 'lapsed'"]), [1]);
    });
}

/// Also where it has work to do, and on a second host.
#[test]
fn an_orderly_stop_is_quick_and_logs_nothing_that_is_wrong() {
    on_both(|database| {
        let mut desk = Desk::demo(database);
        let keys: Vec<String> = PEOPLE.iter().take(8).map(|person| request_for(&desk, person)).collect();
        for round in 0..3 {
            by_hand(&desk.target(), &OVERDUE);
            let before = desk.log().len();
            if round == 2 {
                until("the denial", || denied(&desk, &keys[0]));
            }
            let start = Instant::now();
            desk.stop();
            let took = start.elapsed();
            // A request or a job that does not end is waited for half a minute.
            assert!(took < Duration::from_secs(25), "it took {took:?}");
            let bad = |line: &&Value| line["level"] == "ERROR" || line["level"] == "WARN";
            let log = desk.log();
            let wrong: Vec<&Value> = log.iter().skip(before).filter(bad).collect();
            assert!(wrong.is_empty(), "{wrong:?}");
            desk = desk.crash_and_restart();
        }
        for key in &keys {
            until("the denial", || denied(&desk, key));
        }
    });
}

#[test]
fn an_admin_sees_what_the_desk_has_given_up_on_and_has_it_done_again() {
    on_both_at_once(|database| {
        let desk = Desk::demo(database);
        let keys: Vec<String> = PEOPLE.iter().take(3).map(|person| request_for(&desk, person)).collect();
        let mei = desk.as_role("mei");
        let dead = |path: &str| mei.get(path).expect(200);
        assert_eq!(dead("/api/v1/jobs/dead"), json!({ "jobs": [] }));
        let bury = "update timers set dead_at = 1785744000000, attempts = 12, last_error = 'out of paper' \
                    where kind = 'access-deadline'";
        by_hand(&desk.target(), &[OVERDUE[0], bury]);

        let first = dead("/api/v1/jobs/dead?limit=2");
        let second = dead(&format!("/api/v1/jobs/dead?limit=2&after={}", first["next"].as_str().unwrap()));
        let jobs: Vec<Value> =
            [&first, &second].iter().flat_map(|page| page["jobs"].as_array().unwrap().clone()).collect();
        let mut tickets: Vec<&str> = jobs.iter().map(|job| job["ticket"].as_str().unwrap()).collect();
        tickets.sort_unstable();
        assert_eq!(tickets, keys);
        assert!(second.get("next").is_none(), "{second}");
        let job = &jobs[0];
        assert_eq!((&job["job"], &job["attempts"]), (&json!("access-deadline"), &json!(12)));
        assert_eq!((&job["last_error"], &job["dead_at"]), (&json!("out of paper"), &json!("2026-08-03T08:00:00Z")));
        until("the gauge", || {
            let text = mei.get("/metrics").text;
            text.contains("ruledesk_jobs_dead{job=\"access-deadline\"} 3").then_some(())
        });

        let path = format!("/api/v1/jobs/dead/{}/retry", job["id"].as_str().unwrap());
        for person in ["amara", "kofi", "lena"] {
            assert_eq!(desk.as_role(person).get("/api/v1/jobs/dead").status, 403, "{person}");
            assert_eq!(desk.as_role(person).post(&path, &json!({})).status, 403, "{person}");
        }
        for bad in ["?limit=0", "?limit=201", "?after=x", "?other=1"] {
            assert_eq!(mei.get(&format!("/api/v1/jobs/dead{bad}")).expect(400)["type"], "/problems/bad-query", "{bad}");
        }
        assert_eq!(mei.post(&path, &json!({})).expect(200), json!({ "retried": 1 }));
        until("the denial", || denied(&desk, job["ticket"].as_str().unwrap()));
        assert_eq!(mei.post(&path, &json!({})).status, 404, "it is not dead");
        assert_eq!(mei.post("/api/v1/jobs/dead/nothing/retry", &json!({})).status, 404);

        let list = desk.command(&["jobs", "dead"]);
        let text = String::from_utf8(list.stdout).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains(jobs[1]["id"].as_str().unwrap()) && text.contains("out of paper"), "{text}");
        assert!(desk.command(&["jobs", "retry", jobs[1]["id"].as_str().unwrap()]).status.success());
        until("the denial", || denied(&desk, jobs[1]["ticket"].as_str().unwrap()));
        assert!(!desk.command(&["jobs", "retry", jobs[1]["id"].as_str().unwrap()]).status.success(), "it is done");
        assert!(!desk.command(&["jobs", "retry"]).status.success(), "which?");
        assert!(!desk.command(&["jobs", "retry", "--all", "something"]).status.success());
        let all = mei.post("/api/v1/jobs/dead/access-deadline/retry", &json!({})).expect(200);
        assert_eq!(all, json!({ "retried": 1 }));
        until("the denial", || denied(&desk, jobs[2]["ticket"].as_str().unwrap()));
        assert!(desk.command(&["jobs", "retry", "--all", "access-deadline"]).status.success());
        assert_eq!(desk.command(&["jobs", "dead"]).stdout, b"");
    });
}

/// A job that fails each time is tried later and later, and at last the desk gives up on it.
#[tokio::test]
async fn what_fails_is_tried_later_and_later_and_then_laid_aside() {
    const HOUR: i64 = 3_600_000;
    let waits = fixture::on_both(async |store| {
        let clock = Clock::fixed(fixture::at(24 * HOUR));
        let jobs = Jobs::new(store.clone(), clock.clone());
        let organisation = fixture::organisation();
        let create = fixture::create_access(&organisation, &fixture::Wanted::new(0), &[&["hal"]], 48);
        store.commit(create).await.unwrap();
        let mut waits = Vec::new();
        for attempt in 1..=attempts_max(DEADLINES) {
            let claimed = jobs.claim(DEADLINES, 10).await.unwrap();
            assert_eq!((claimed.len(), claimed[0].attempts), (1, attempt));
            assert_eq!(jobs.claim(DEADLINES, 10).await.unwrap(), [], "it is claimed");
            let failed = jobs.settle(&claimed[0], Err("no reason".to_owned().into())).await.unwrap();
            let Settled::Again(at) = failed else {
                assert_eq!((failed, attempt), (Settled::Buried, attempts_max(DEADLINES)));
                break;
            };
            let wait = at.as_millisecond() - clock.now().as_millisecond();
            clock.advance(SignedDuration::from_millis(wait - 1));
            assert_eq!(jobs.claim(DEADLINES, 10).await.unwrap(), [], "it waits");
            clock.advance(SignedDuration::from_millis(1));
            // Chance takes up to half of a wait off.
            waits.push((wait..=2 * wait).contains(&(1_000 << (attempt - 1)).min(15 * 60_000)));
        }
        let admin = Actor::Person { id: fixture::person("amara"), roles: [Role::Admin].into() };
        let agent = Actor::Person { id: fixture::person("amara"), roles: [Role::Agent].into() };
        assert!(matches!(jobs.dead(&agent, None, 10).await, Err(Error::Refused(_))));
        let dead = jobs.dead(&admin, None, 10).await.unwrap().items;
        assert_eq!((dead.len(), dead[0].attempts), (1, attempts_max(DEADLINES)));
        assert!(matches!(jobs.retry(&agent, &dead[0].id).await, Err(Error::Refused(_))));
        assert!(matches!(jobs.retry_all(&agent, DEADLINES).await, Err(Error::Refused(_))));
        jobs.retry(&admin, &dead[0].id).await.unwrap();
        let claimed = jobs.claim(DEADLINES, 10).await.unwrap();
        let later = fixture::at(80 * HOUR);
        assert_eq!(jobs.settle(&claimed[0], Ok(Outcome::NotBefore(later))).await.unwrap(), Settled::Again(later));
        clock.advance(later.duration_since(clock.now()));
        let claimed = jobs.claim(DEADLINES, 10).await.unwrap();
        assert_eq!((claimed[0].attempts, claimed[0].due_at), (1, later));
        assert_eq!(jobs.settle(&claimed[0], Ok(Outcome::Done)).await.unwrap(), Settled::Done);
        assert_eq!(jobs.next_due(DEADLINES).await.unwrap(), None);
        waits
    })
    .await;
    assert_eq!(waits, vec![true; waits.len()]);
    assert_eq!(waits.len(), usize::try_from(attempts_max(DEADLINES)).unwrap() - 1);
}
