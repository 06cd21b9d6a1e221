//! A connection that is lost: before the commit, the whole transaction is made again; during it, nobody claims to know. And a file that
//! is taken away under the running desk: what goes there is not acknowledged.

use std::time::Duration;

use ruledesk::store::{Committed, Error, IdempotencyKey, Store, Target};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};

use super::proxy::{Proxy, database};
use crate::store::fixture::{Wanted, count, organisation};
use crate::support::components::example_rules;
use crate::support::desk::{Database, Desk};
use crate::support::postgres;
use crate::support::wait::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_before_the_commit_costs_nothing_and_one_lost_during_it_is_told() {
    let url = postgres::fresh_database();
    let proxy = Proxy::before(&url, Duration::ZERO);
    let store = Store::open(&Target::Postgres(proxy.url(&url))).await.unwrap();
    let create = |n| Wanted::new(n).create(&organisation());
    let before = store.commit(create(1)).await.unwrap();
    assert!(matches!(before, Committed::Written { .. }));
    for text in ["begin", "insert into timeline", "update chain_heads"] {
        let ticket = u128::try_from(text.len()).unwrap() * 10;
        // Statements that were prepared before have no text: a new connection has prepared none.
        let store = Store::open(&Target::Postgres(proxy.url(&url))).await.unwrap();
        proxy.cut_after(text);
        let created = store.commit(create(ticket)).await.unwrap();
        assert!(matches!(created, Committed::Written { .. }), "{text}: {created:?}");
        assert!(proxy.has_cut(), "{text}");
        store.close().await;
    }
    assert_eq!(count(&store).await, 4);
    let key = |n| IdempotencyKey { actor: None, key: format!("key {n}"), digest: "d".to_owned(), kept_for: None };
    let (mut asked, mut sent_again) = (create(5), create(6));
    asked.idempotency = Some(key(5));
    sent_again.idempotency = Some(key(5));
    proxy.cut_after("commit");
    let told = store.commit(asked.clone()).await.unwrap_err();
    assert!(matches!(told, Error::MayBeDone(_)), "{told}");
    // The server had it: sent again under its key, it gives the ticket that there is.
    let again = store.commit(sent_again).await.unwrap();
    assert!(matches!(again, Committed::Before(ticket) if ticket == asked.change.after().id), "{again:?}");
    assert_eq!(count(&store).await, 5);
    store.close().await;
}

fn ticket() -> Value {
    json!({ "request_type": "question", "subject": "x", "body": "Please tell me.", "fields": { "topic": "other" } })
}

#[test]
fn what_goes_into_a_file_that_was_taken_away_is_acknowledged_when_it_is_back() {
    let desk = Desk::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("[server]\n", "[server]\nrequest-timeout-ms = 3000\n")
    });
    let (file, away) = (desk.data_dir().join("ruledesk.db"), desk.data_dir().join("away.db"));
    let amara = desk.as_role("amara").with("idempotency-key", "one");
    std::fs::rename(&file, &away).unwrap();
    let ready = desk.stranger().get("/readyz");
    let is_told = ready.status == 503 && ready.text.contains("the database's file is gone");
    assert!(is_told, "it is seen before anything is written: {}", ready.text);
    let first = amara.post("/api/v1/tickets", &ticket());
    assert!([503, 504].contains(&first.status), "{} {}", first.status, first.text);
    let ready = desk.stranger().get("/readyz");
    assert!(ready.status == 503 && ready.text.contains("the database's file is gone"), "{}", ready.text);
    std::fs::rename(&away, &file).unwrap();
    until("the desk to be ready", || (desk.stranger().get("/readyz").status == 200).then_some(()));
    let again = amara.post("/api/v1/tickets", &ticket());
    assert!(again.status < 300, "{} {}", again.status, again.text);
    let path = format!("/api/v1/tickets/{}", again.json()["key"].as_str().unwrap());
    let desk = desk.crash_and_restart();
    desk.as_role("kofi").get(&path).expect(200);
}

/// As where another server has taken its place: sessions with the old one are given up, so that new ones find the other.
#[test]
fn a_server_that_takes_no_writes_any_more_is_refused_in_time_and_asked_anew() {
    let url = postgres::fresh_database();
    let environment = vec![("DATABASE_URL", url.clone())];
    let desk = Desk::with_settings_and_environment(example_rules(), environment, |text| text);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    amara.post("/api/v1/tickets", &ticket()).expect(201);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // A session keeps what held for it when it began.
    let mut admin = runtime.block_on(sqlx::PgConnection::connect(&url)).unwrap();
    let mut say = |sql: String| {
        runtime.block_on(sqlx::query(AssertSqlSafe(sql)).execute(&mut admin)).unwrap();
    };
    say(format!("alter database {} set default_transaction_read_only = on", database(&url)));
    let others = "datname = current_database() and pid <> pg_backend_pid()";
    say(format!("select pg_terminate_backend(pid) from pg_stat_activity where {others}"));
    let refused = amara.post("/api/v1/tickets", &ticket());
    assert!(refused.status == 503 && refused.retry_after.is_some(), "{} {}", refused.status, refused.text);
    until("others to read", || (kofi.get("/api/v1/tickets").status == 200).then_some(()));
    say(format!("alter database {} reset default_transaction_read_only", database(&url)));
    until("a ticket to be taken", || (amara.post("/api/v1/tickets", &ticket()).status == 201).then_some(()));
}
