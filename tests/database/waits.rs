//! Nobody waits for others without a bound: not for a host that stands still, nor for lists, nor for another program's lock.

use std::time::{Duration, Instant};

use ruledesk::store::db::{Db, Limits};
use ruledesk::store::{Committed, Target};
use serde_json::json;
use sqlx::Connection as _;

use crate::store::fixture::{Wanted, count, on_postgres, organisation};
use crate::support::components::example_rules;
use crate::support::desk::{Database, Desk};
use crate::support::postgres;
use crate::support::wait::{until, until_within};

/// What holds a lock and says nothing more: a host that was paused, or whose network was cut, in the middle of a transaction.
#[tokio::test]
async fn a_host_that_stands_still_within_a_transaction_stops_no_other_for_long() {
    let (store, target) = on_postgres().await;
    let Target::Postgres(url) = target else { panic!("it is PostgreSQL") };
    store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
    let paused = Db::open_postgres(&url).await.unwrap();
    let mut tx = paused.begin().await.unwrap();
    // It stands still only after this, so that its half second ends later than one from here.
    let start = Instant::now();
    let locks = "with turns as (update team_turns set turn = turn) update chain_heads set link = link";
    tx.execute(locks, Vec::new()).await.unwrap();
    let created = store.commit(Wanted::new(2).create(&organisation())).await.unwrap();
    let waited = start.elapsed();
    assert!(matches!(created, Committed::Written { .. }));
    // Half a second, and what a busy machine adds.
    assert!(waited > Duration::from_millis(300), "the lock was there: {waited:?}");
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    assert!(tx.commit().await.is_err(), "the server has ended it");
    // The host that comes back goes on.
    let (_, flush) = paused
        .transaction(async |mut tx| {
            tx.execute("update team_turns set turn = turn", Vec::new()).await?;
            Ok(((), tx))
        })
        .await
        .unwrap();
    flush.done().await.unwrap();
}

/// Limits that nothing here comes to, however busy the machine is.
fn patient() -> Limits {
    Limits::within(Duration::from_secs(600), 12)
}

/// Runs statements that take their time on all connections for lists, and more of them than there are: one who waited behind them would
/// wait for so long.
async fn behind_lists(db: Db, slow: &'static str, wait: Duration) {
    let lists: Vec<_> = (0..20)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { drop(db.all(slow, Vec::new()).await) })
        })
        .collect();
    // The first of them have begun when this one has its answer.
    let start = Instant::now();
    for _ in 0..50 {
        db.optional("select 1", Vec::new()).await.unwrap();
        let tx = db.begin().await.unwrap();
        drop(tx);
    }
    let took = start.elapsed();
    assert!(took < wait, "{took:?}, and {wait:?} behind them");
    assert!(lists.iter().any(|list| !list.is_finished()), "lists were being read meanwhile");
    lists.iter().for_each(|list| list.abort());
    db.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_keep_no_token_no_key_and_no_writing_waiting() {
    let db = Db::open_postgres_within(&postgres::fresh_database(), patient()).await.unwrap();
    behind_lists(db, "select pg_sleep(20)::text", Duration::from_secs(20)).await;
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    let slow =
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000000) select count(*) from n";
    let start = Instant::now();
    db.all(slow, Vec::new()).await.unwrap();
    // Of the twenty, four are read at a time.
    let one = start.elapsed();
    behind_lists(db, slow, one * 4).await;
}

/// The number that a statement gives, asked by a connection of its own.
async fn number(url: &str, sql: &'static str) -> i64 {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let (number,): (i64,) = sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    number
}

/// How many of the statements below are under way.
const UNDER_WAY: &str = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' \
                         and (query like 'select pg_sleep%' or query like 'select pg_advisory_lock_shared%')";
/// Connections for lists, of a store whose opener has no wish.
const LISTS: i64 = 6;

/// A search that is called off ends on the server, too, so that called-off ones do not pile up there; each would run for a minute.
#[test]
fn a_search_that_is_called_off_ends_on_the_server() {
    let url = postgres::fresh_database();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let db = runtime.block_on(Db::open_postgres_within(&url, patient())).unwrap();
    let under_way = || runtime.block_on(number(&url, UNDER_WAY));
    for _ in 0..2 {
        let search = |db: Db| async move {
            let mut tx = db.begin_searching().await.unwrap();
            drop(tx.all("select pg_sleep(60)::text", Vec::new()).await);
        };
        let searches: Vec<_> = (0..LISTS).map(|_| runtime.spawn(search(db.clone()))).collect();
        until("all connections for lists to be in use", || (under_way() == LISTS).then_some(()));
        runtime.block_on(db.optional("select 1", Vec::new())).unwrap();
        searches.iter().for_each(|search| search.abort());
        until_within(Duration::from_secs(30), "all to have ended", || (under_way() == 0).then_some(()));
    }
    runtime.block_on(db.close());
}

/// A list that is called off while it waits for its turn is not read.
#[test]
fn a_list_that_is_called_off_before_its_turn_is_not_read() {
    let url = postgres::fresh_database();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let db = runtime.block_on(Db::open_postgres_within(&url, patient())).unwrap();
    let list = |sql: &'static str| {
        let db = db.clone();
        runtime.spawn(async move { drop(db.all(sql, Vec::new()).await) })
    };
    runtime.block_on(db.quick("create sequence begun", Vec::new())).unwrap();
    let mut holder = runtime.block_on(sqlx::PgConnection::connect(&url)).unwrap();
    runtime.block_on(sqlx::query("select pg_advisory_lock(1)").execute(&mut holder)).unwrap();
    let slow: Vec<_> = (0..LISTS).map(|_| list("select pg_advisory_lock_shared(1)::text")).collect();
    until("all connections for lists to be in use", || {
        (runtime.block_on(number(&url, UNDER_WAY)) == LISTS).then_some(())
    });
    let waiting: Vec<_> = (0..40).map(|_| list("select nextval('begun')::text")).collect();
    // Others are answered meanwhile, and those who wait have begun to.
    for _ in 0..20 {
        runtime.block_on(db.optional("select 1", Vec::new())).unwrap();
    }
    waiting.iter().for_each(|list| list.abort());
    // A connection that is free could be given to one who has not heard of it yet.
    waiting.into_iter().for_each(|list| drop(runtime.block_on(list)));
    runtime.block_on(holder.close()).unwrap();
    slow.into_iter().for_each(|list| runtime.block_on(list).unwrap());
    runtime.block_on(db.all("select 1", Vec::new())).unwrap();
    let begun = runtime.block_on(number(&url, "select count(*) from begun where is_called"));
    assert_eq!(begun, 0, "no one waits for it any more");
    runtime.block_on(db.close());
}

/// Each of those who wait in line would wait for it as long again, and those at the end longer than a request may take.
#[test]
fn a_lock_of_another_program_is_answered_in_time_to_all_who_write() {
    let desk = Desk::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("[server]\n", "[server]\nrequest-timeout-ms = 6000\n")
    });
    let amara = desk.as_role("amara");
    let ticket = json!({ "request_type": "question", "subject": "x", "body": "Please tell me.", "fields": { "topic": "other" } });
    let write = |n: usize| match n % 4 {
        0 => amara.with("idempotency-key", &format!("ticket-{n}")).post("/api/v1/tickets", &ticket),
        _ => amara.put(&format!("/api/v1/drafts/0199c0de-0000-7000-8000-0000000001{n:02}"), &ticket),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let file = format!("sqlite://{}", desk.data_dir().join("ruledesk.db").display());
    let mut other = runtime.block_on(sqlx::SqliteConnection::connect(&file)).unwrap();
    runtime.block_on(sqlx::query("begin immediate").execute(&mut other)).unwrap();
    let refused = std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|n| scope.spawn(move || write(n))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    for answer in &refused {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.retry_after.is_some(), "{}", answer.text);
    }
    let ready = desk.stranger().get("/readyz");
    assert!(ready.status == 503 && ready.text.contains("another program holds the lock"), "{}", ready.text);
    runtime.block_on(sqlx::query("rollback").execute(&mut other)).unwrap();
    runtime.block_on(other.close()).unwrap();
    for n in 0..16 {
        let taken = write(n);
        let is_right = if n % 4 == 0 { taken.status == 201 } else { taken.status < 300 };
        assert!(is_right, "none of them had been written: {} {}", taken.status, taken.text);
    }
    assert_eq!(desk.stranger().get("/readyz").status, 200, "writes are done again");
}

/// Rows that others hold on a server may be others than those that the next one needs, so that all are tried who have the time for it.
#[test]
fn rows_that_another_program_holds_are_answered_in_time_to_all_who_write() {
    let url = postgres::fresh_database();
    let environment = vec![("DATABASE_URL", url.clone())];
    let desk = Desk::with_settings_and_environment(example_rules(), environment, |text| {
        text.replace("[server]\n", "[server]\nrequest-timeout-ms = 9000\n")
    });
    let amara = desk.as_role("amara");
    let ticket = json!({ "request_type": "question", "subject": "x", "body": "Please tell me.", "fields": { "topic": "other" } });
    let first = amara.post("/api/v1/tickets", &ticket).expect(201);
    let comments = format!("/api/v1/tickets/{}/comments", first["key"].as_str().unwrap());
    let write = |n: usize| {
        let amara = amara.with("idempotency-key", &format!("write-{n}"));
        match n % 4 {
            0 => amara.post("/api/v1/tickets", &ticket),
            _ => amara.post(&comments, &json!({ "body": format!("word {n}") })),
        }
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut other = runtime.block_on(sqlx::PgConnection::connect(&url)).unwrap();
    let mut say = |sql: &'static str| {
        runtime.block_on(sqlx::query(sql).execute(&mut other)).unwrap();
    };
    say("begin");
    say("select link from chain_heads for update");
    let refused = std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|n| scope.spawn(move || write(n))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    for answer in &refused {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.retry_after.is_some(), "{}", answer.text);
    }
    say("rollback");
    for n in 0..16 {
        let taken = write(n);
        assert_eq!(taken.status, 201, "none of them had been written: {}", taken.text);
    }
}

/// Whose request has ended by the time that it may take is not surprised later by what stood in line then.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_called_off_before_its_turn_is_not_done() {
    let (store, target) = on_postgres().await;
    let Target::Postgres(url) = target else { panic!("it is PostgreSQL") };
    store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
    let mut other = sqlx::PgConnection::connect(&url).await.unwrap();
    for sql in ["begin", "select link from chain_heads for update"] {
        sqlx::query(sql).execute(&mut other).await.unwrap();
    }
    let writer = store.clone();
    let under_way = tokio::spawn(async move { writer.commit(Wanted::new(2).create(&organisation())).await });
    let locked_out =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while number(&url, locked_out).await == 0 {}
    // It takes its place in line, and is called off.
    let called_off = tokio::time::timeout(Duration::ZERO, store.commit(Wanted::new(3).create(&organisation()))).await;
    assert!(called_off.is_err(), "{called_off:?}");
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    // On a busy machine it may have waited for the lock too long.
    let written = under_way.await.unwrap().is_ok();
    store.commit(Wanted::new(4).create(&organisation())).await.unwrap();
    assert_eq!(count(&store).await, 2 + usize::from(written));
}
