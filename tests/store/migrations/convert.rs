//! Records of before: read as they are, put into the small shape a few at a time, and the same to every reader meanwhile.

use ruledesk::app::record::convert::{Conversion, Converted, convert};
use ruledesk::desk::id::TicketId;
use ruledesk::store::chain::Chain;
use ruledesk::store::db::{Arg, Db};
use ruledesk::store::{Store, Target};
use serde_json::Value;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use uuid::Uuid;

use crate::store::fixture::{Wanted, organisation, uuid};
use crate::support::records::{open, put_into_old_shape};
use crate::support::{components::root, postgres};

/// Three runs as an earlier program wrote them at its schema 7, and the end of their chain.
const RELEASED: &str = include_str!("fixtures/runs_0007.json");

fn targets(dir: &tempfile::TempDir) -> [Target; 2] {
    [Target::Sqlite(dir.path().join("desk.db")), Target::Postgres(postgres::fresh_database())]
}

async fn count(target: &Target, what: &str) -> i64 {
    let db = open(target).await;
    let count = db.all(&format!("select count(*) from {what}"), Vec::new()).await.unwrap()[0].int(0).unwrap();
    db.close().await;
    count
}

/// The end of the chain, which has to be whole.
async fn whole(store: &Store) -> (i64, String) {
    let checked = store.check_chain(Chain::Runs, None).await.unwrap();
    assert_eq!(checked.breaks, []);
    (checked.end.link, checked.end.hash)
}

#[tokio::test]
async fn a_conversion_that_was_killed_goes_on_where_it_was_and_nothing_that_is_read_changes() {
    let dir = tempfile::tempdir().unwrap();
    for target in targets(&dir) {
        let store = Store::open(&target).await.unwrap();
        for n in 1..=150 {
            store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
        }
        let end = whole(&store).await;
        let ticket = TicketId(uuid(1, 77));
        let run = store.runs(ticket).await.unwrap();
        assert_eq!(put_into_old_shape(&target).await, 150);
        assert_eq!((whole(&store).await, count(&target, "decisions").await), (end.clone(), 750));
        let texts = |runs: &[ruledesk::store::rules::decisions::StoredRun]| {
            let mut texts = runs[0].recorded.clone().unwrap();
            texts.decisions.sort_by(|a, b| a.stage.cmp(&b.stage));
            texts
        };
        assert_eq!(texts(&store.runs(ticket).await.unwrap()), texts(&run));

        // One transaction, and no more of this conversion.
        let mut killed = Conversion::default();
        assert!(killed.step(&store).await.unwrap());
        drop(killed);
        let left = count(&target, "runs where packed is null").await;
        assert_eq!((left, count(&target, "decisions").await), (86, 430));
        assert_eq!(whole(&store).await, end, "both shapes make one chain");

        assert_eq!(convert(&store, || true).await.unwrap(), Converted { runs: 86, left: 0 });
        assert_eq!((count(&target, "runs where packed is null").await, count(&target, "decisions").await), (0, 0));
        assert_eq!(whole(&store).await, end);
        assert_eq!(texts(&store.runs(ticket).await.unwrap()), texts(&run));
        assert_eq!(convert(&store, || true).await.unwrap(), Converted::default(), "there is nothing left to do");
        store.close().await;
    }
}

/// A record that somebody changed stays changed: the small shape hides nothing.
#[tokio::test]
async fn what_was_tampered_with_before_is_found_afterwards_and_what_cannot_be_packed_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::Sqlite(dir.path().join("desk.db"));
    let store = Store::open(&target).await.unwrap();
    for n in 1..=5 {
        store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
    }
    put_into_old_shape(&target).await;
    // No text of ours has a zero character.
    let changes = [
        "update decisions set verdict = '{}' where stage = 'routing' and run = (select id from runs where link = 2)",
        "update decisions set verdict = 'a' || char(0) || 'b' where stage = 'routing' and run = (select id from runs where link = 4)",
    ];
    crate::store::by_hand(&target, &changes).await;
    let links = async || {
        let checked = store.check_chain(Chain::Runs, None).await.unwrap();
        checked.breaks.iter().map(|found| found.link).collect::<Vec<_>>()
    };
    assert_eq!(links().await, [Some(2), Some(4)]);
    assert_eq!(convert(&store, || true).await.unwrap(), Converted { runs: 4, left: 1 });
    assert_eq!(links().await, [Some(2), Some(4)]);
    store.close().await;
}

/// Brings an empty database to the schema that a program of before left.
async fn schema_seven(target: &Target) {
    let (folder, url) = match target {
        Target::Sqlite(file) => ("sqlite", format!("sqlite:{}?mode=rwc", file.display())),
        Target::Postgres(url) => ("postgres", url.clone()),
    };
    let mut files: Vec<_> =
        std::fs::read_dir(root().join("migrations").join(folder)).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let migrations = files.iter().zip(1..=7).map(|(file, number)| {
        let sql = sqlx::AssertSqlSafe(std::fs::read_to_string(file).unwrap());
        Migration::new(number, "before".into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    match target {
        Target::Sqlite(_) => migrator.run(&sqlx::SqlitePool::connect(&url).await.unwrap()).await.unwrap(),
        Target::Postgres(_) => migrator.run(&sqlx::PgPool::connect(&url).await.unwrap()).await.unwrap(),
    }
}

async fn put_released(db: &Db, released: &Value) {
    let text = |value: &Value| Arg::from(value.as_str().unwrap());
    let number = |value: &Value| Arg::from(value.as_i64().unwrap());
    let id = |value: &Value| Arg::from(Uuid::parse_str(value.as_str().unwrap()).unwrap());
    let mut tx = db.begin().await.unwrap();
    for run in released["runs"].as_array().unwrap() {
        let sql = "insert into runs (id, ticket, at, generation, cause, common, engine, link, hash, revision) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let mut args = vec![id(&run["id"]), id(&run["ticket"])];
        args.extend([&run["at"], &run["generation"]].map(number));
        args.extend([&run["cause"], &run["common"], &run["engine"]].map(text));
        args.extend([number(&run["link"]), text(&run["hash"]), Arg::from(run["revision"].as_i64())]);
        tx.execute(sql, args).await.unwrap();
        for decision in run["decisions"].as_array().unwrap() {
            let mut args = vec![id(&run["id"])];
            args.extend(["stage", "input", "verdict", "rules"].map(|key| text(&decision[key])));
            let sql = "insert into decisions (run, stage, input, verdict, rules) values ($1, $2, $3, $4, $5)";
            tx.execute(sql, args).await.unwrap();
        }
    }
    let head = vec![number(&released["head"][0]), text(&released["head"][1])];
    tx.execute("update chain_heads set link = $1, hash = $2 where chain = 'runs'", head).await.unwrap();
    let version = "insert into rule_versions (component_digest, manifest_digest, name, version, manifest, component, first_seen) \
                   values ($1, $2, 'a', '1', '#', $3, 0)";
    for (component, manifest) in [("c1", "m1"), ("c1", "m2"), ("c2", "m1")] {
        let args = vec![component.into(), manifest.into(), Arg::from(component.as_bytes().to_vec())];
        tx.execute(version, args).await.unwrap();
    }
    tx.commit().await.unwrap().done().await.unwrap();
}

#[tokio::test]
async fn records_of_a_released_program_are_migrated_read_and_verified_in_either_shape() {
    let released: Value = serde_json::from_str(RELEASED).unwrap();
    let end = (released["head"][0].as_i64().unwrap(), released["head"][1].as_str().unwrap().to_owned());
    let dir = tempfile::tempdir().unwrap();
    for target in targets(&dir) {
        schema_seven(&target).await;
        let db = open(&target).await;
        put_released(&db, &released).await;
        db.close().await;
        let store = Store::open(&target).await.unwrap();
        assert_eq!(whole(&store).await, end);
        let conversion = convert(&store, || true).await.unwrap();
        assert_eq!((conversion, whole(&store).await), (Converted { runs: 3, left: 0 }, end.clone()));
        for run in released["runs"].as_array().unwrap() {
            let ticket = TicketId(Uuid::parse_str(run["ticket"].as_str().unwrap()).unwrap());
            let read = store.runs(ticket).await.unwrap();
            let texts = read[0].recorded.as_ref().unwrap();
            assert_eq!(
                (texts.common.as_str(), texts.engine.as_str()),
                (run["common"].as_str().unwrap(), run["engine"].as_str().unwrap())
            );
            for decision in run["decisions"].as_array().unwrap() {
                let same = texts.decisions.iter().find(|d| d.stage == decision["stage"]).unwrap();
                assert_eq!(
                    [&same.input, &same.verdict, &same.rules],
                    ["input", "verdict", "rules"].map(|key| decision[key].as_str().unwrap())
                );
            }
        }
        let calls: u64 = store.rule_hours("impact-urgency", 0).await.unwrap().iter().map(|(_, _, sum)| sum.calls).sum();
        assert_eq!(calls, 3, "what the rules did is counted of them");
        store.close().await;
        assert_eq!((count(&target, "components").await, count(&target, "rule_versions").await), (2, 3));
    }
}
