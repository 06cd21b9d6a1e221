//! SQLite's write-ahead log stays short however much is written, and its room is given back.

use std::path::Path;
use std::time::Duration;

use ruledesk::store::db::{Arg, Db};

use crate::support::wait::until_within;

/// The size of one transaction's writes, in bytes.
const PIECE: usize = 1 << 20;
/// Where writing waits for the copy (192 MB), and what comes in until it does, in bytes.
const BOUND: u64 = 256 << 20;

fn log_bytes(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("desk.db-wal")).map_or(0, |log| log.len())
}

/// Writes so many pieces, one transaction after the other; how long the log was at most, in bytes.
async fn write(db: &Db, dir: &Path, pieces: usize) -> u64 {
    let mut longest = 0;
    for _ in 0..pieces {
        let written = db.transaction(async |mut tx| {
            tx.execute("insert into pieces (bytes) values ($1)", vec![Arg::from(vec![7; PIECE])]).await?;
            Ok(((), tx))
        });
        let ((), flush) = written.await.unwrap();
        flush.done().await.unwrap();
        longest = longest.max(log_bytes(dir));
    }
    longest
}

async fn until_given_back(dir: &Path) {
    let dir = dir.to_owned();
    let wait = move || {
        until_within(Duration::from_secs(120), "the log to be given back", || (log_bytes(&dir) == 0).then_some(()));
    };
    tokio::task::spawn_blocking(wait).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_bounded_while_much_is_written_and_given_back_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&dir.path().join("desk.db")).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.execute("create table pieces (bytes blob not null)", Vec::new()).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
    let longest = write(&db, dir.path(), 400).await;
    assert!(longest < BOUND, "{longest} bytes of log for 400 MB");
    until_given_back(dir.path()).await;
    // Somebody who reads for long keeps the log from beginning again: what has grown meanwhile goes afterwards.
    let mut reader = db.begin_reading().await.unwrap();
    let seen = reader.optional("select count(*) from pieces", Vec::new()).await.unwrap().unwrap();
    assert_eq!(seen.int(0).unwrap(), 400);
    let grown = write(&db, dir.path(), 300).await;
    assert!(grown > BOUND, "the reader keeps what it reads from: {grown}");
    let seen = reader.optional("select count(*) from pieces", Vec::new()).await.unwrap().unwrap();
    assert_eq!(seen.int(0).unwrap(), 400, "it sees what was there when it began");
    reader.end().await.unwrap();
    until_given_back(dir.path()).await;
    assert!(write(&db, dir.path(), 150).await < BOUND);
    let all = db.optional("select count(*) from pieces", Vec::new()).await.unwrap().unwrap();
    assert_eq!(all.int(0).unwrap(), 850);
    db.close().await;
    assert_eq!(log_bytes(dir.path()), 0);
}
