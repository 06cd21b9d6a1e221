//! Nobody waits for others without a bound: not for a host that stands still, nor for lists.

use std::time::{Duration, Instant};

use ruledesk::store::db::Db;
use ruledesk::store::{Committed, Target};

use crate::store::fixture::{Wanted, on_postgres, organisation};
use crate::support::postgres;

/// What holds a lock and says nothing more: a host that was paused, or whose network was cut, in the middle of a transaction.
#[tokio::test]
async fn a_host_that_stands_still_within_a_transaction_stops_no_other_for_long() {
    let (store, target) = on_postgres().await;
    let Target::Postgres(url) = target else { panic!("it is PostgreSQL") };
    store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
    let paused = Db::open_postgres(&url).await.unwrap();
    let mut tx = paused.begin().await.unwrap();
    tx.execute("update team_turns set turn = turn", Vec::new()).await.unwrap();
    tx.execute("update chain_heads set link = link", Vec::new()).await.unwrap();
    let start = Instant::now();
    let created = store.commit(Wanted::new(2).create(&organisation())).await.unwrap();
    let waited = start.elapsed();
    assert!(matches!(created, Committed::Written { .. }));
    // Half a second, and what a busy machine adds.
    assert!(waited > Duration::from_millis(300), "the lock was there: {waited:?}");
    assert!(waited < Duration::from_secs(3), "{waited:?}");
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

/// Runs statements that take their time on all connections for lists, and more of them than there are.
async fn behind_lists(db: Db, slow: &'static str) {
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
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(lists.iter().any(|list| !list.is_finished()), "lists were being read meanwhile");
    lists.iter().for_each(|list| list.abort());
    db.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_keep_no_token_no_key_and_no_writing_waiting() {
    let db = Db::open_postgres(&postgres::fresh_database()).await.unwrap();
    behind_lists(db, "select pg_sleep(4)::text").await;
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    let slow =
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000000) select count(*) from n";
    behind_lists(db, slow).await;
}
