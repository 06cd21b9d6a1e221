//! Decision records behind the desk's back.

use ruledesk::store::db::{Arg, Db};
use ruledesk::store::rules::history::RunFilter;
use ruledesk::store::{Store, Target};

/// A connection of one's own to a store's database.
pub async fn open(target: &Target) -> Db {
    match target {
        Target::Sqlite(file) => Db::open_sqlite(file).await.unwrap(),
        Target::Postgres(url) => Db::open_postgres(url).await.unwrap(),
    }
}

/// Puts all records into the shape that they had before there were packed ones, a row for each stage, and takes away what was
/// counted of them: as an older program leaves a database. Gives how many they are.
pub async fn put_into_old_shape(target: &Target) -> usize {
    let store = Store::open(target).await.unwrap();
    let runs = store.history(&RunFilter::default(), None, 1_000_000).await.unwrap();
    store.close().await;
    let db = open(target).await;
    let mut tx = db.begin().await.unwrap();
    for past in &runs {
        let (id, texts) = (past.run.id.0, past.run.recorded.as_ref().unwrap());
        let sql =
            "update runs set packed = null, dictionary = null, cause = $1, engine = $2, common = $3 where id = $4";
        let args: Vec<Arg> =
            vec![texts.cause.as_str().into(), texts.engine.as_str().into(), texts.common.as_str().into(), id.into()];
        assert_eq!(tx.execute(sql, args).await.unwrap(), 1);
        tx.execute("delete from decisions where run = $1", vec![id.into()]).await.unwrap();
        let rows = texts.decisions.iter().map(|d| {
            vec![
                id.into(),
                d.stage.as_str().into(),
                d.input.as_str().into(),
                d.verdict.as_str().into(),
                Arg::from(d.rules.as_str()),
            ]
        });
        tx.insert("insert into decisions (run, stage, input, verdict, rules)", 5, "", rows.collect()).await.unwrap();
    }
    tx.execute("delete from rule_hours", Vec::new()).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
    db.close().await;
    runs.len()
}

/// The same for a desk's database, from a test that is not asynchronous.
pub fn into_old_shape(target: &Target) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(put_into_old_shape(target))
}
