//! The chains of hashes: whatever is done to the records by hand is found, and said where.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ruledesk::desk::id::AppId;
use ruledesk::desk::organisation::directory::EntryKind;
use ruledesk::store::access::sign_ins::SignIn;
use ruledesk::store::chain::check::{Checked, Place};
use ruledesk::store::chain::{Chain, audit};
use ruledesk::store::db::Db;
use ruledesk::store::people::directory::{Entry, Kept};
use ruledesk::store::people::identities::SignOn;
use ruledesk::store::people::personal::Erasure;
use ruledesk::store::{Store, Target};
use serde_json::json;

use super::fixture::{Wanted, at, create_access, on_postgres, organisation, person, uuid};
use crate::support::place::migrated_database;
use crate::support::postgres;
use crate::support::records::put_into_old_shape;

/// Runs statements on a database behind the store's back.
pub async fn by_hand(target: &Target, statements: &[&str]) {
    let db = match target {
        Target::Sqlite(file) => Db::open_sqlite(file).await.unwrap(),
        Target::Postgres(url) => Db::open_postgres(url).await.unwrap(),
    };
    let mut tx = db.begin().await.unwrap();
    for statement in statements {
        let changed = tx.execute(statement, Vec::new()).await.unwrap();
        let schema = statement.starts_with("alter") || statement.starts_with("drop");
        assert!(changed > 0 || schema, "it changes something: {statement}");
    }
    tx.commit().await.unwrap().done().await.unwrap();
    db.close().await;
}

/// Tickets `from..until`, one after the other; every third asks for access, which is granted.
async fn fill(store: &Store, from: u128, until: u128) {
    let organisation = organisation();
    for n in from..until {
        let wanted = Wanted::new(n);
        let create = match n % 3 {
            0 => create_access(&organisation, &wanted, &[], 24),
            _ => wanted.create(&organisation),
        };
        store.commit(create).await.unwrap();
    }
}

/// The breaks in a few words: place, ticket, and how the sentence begins.
fn told(checked: &Checked) -> Vec<String> {
    checked
        .breaks
        .iter()
        .map(|found| {
            let place = found.link.map_or("-".to_owned(), |link| link.to_string());
            let ticket = found.ticket.map_or("-".to_owned(), |ticket| ticket.to_string());
            format!("{place} {ticket} {}", found.what)
        })
        .collect()
}

/// A story on both databases, which has to end alike.
async fn on_both(story: impl AsyncFn(&Store, &Target) -> Vec<String>) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let targets = [Target::Sqlite(dir.path().join("desk.db")), Target::Postgres(migrated_database())];
    let mut ends = Vec::new();
    for target in &targets {
        let store = Store::open(target).await.unwrap();
        ends.push(story(&store, target).await);
        store.close().await;
    }
    assert_eq!(ends[0], ends[1], "left SQLite, right PostgreSQL");
    ends.remove(0)
}

/// What is found after some statements on a chain of nine tickets whose records have the shape of before they were packed.
async fn found_in_old_shape(statements: &[&str]) -> Vec<String> {
    on_both(async |store, target| {
        fill(store, 1, 10).await;
        put_into_old_shape(target).await;
        by_hand(target, statements).await;
        told(&store.check_chain(Chain::Runs, None).await.unwrap())
    })
    .await
}

/// What is found after some statements on a chain of nine tickets.
async fn found(chain: Chain, statements: &[&str]) -> Vec<String> {
    on_both(async |store, target| {
        fill(store, 1, 10).await;
        by_hand(target, statements).await;
        told(&store.check_chain(chain, None).await.unwrap())
    })
    .await
}

const CHANGED: &str = "it is not what was written here: its content, its place or its hash was changed";

#[tokio::test]
async fn what_nobody_touched_is_whole() {
    let whole = on_both(async |store, _| {
        fill(store, 1, 10).await;
        let runs = store.check_chain(Chain::Runs, None).await.unwrap();
        let ledger = store.check_chain(Chain::Ledger, None).await.unwrap();
        assert_eq!((&runs.breaks, &ledger.breaks), (&vec![], &vec![]));
        // Asked for, approved, granted: three events for each of three.
        assert_eq!((runs.end.link, ledger.end.link), (9, 9));
        assert_eq!((runs.unchained, ledger.unchained), (0, 0));
        vec![runs.end.hash, ledger.end.hash]
    })
    .await;
    assert!(whole[0].starts_with("2:") && whole[1].starts_with("2:"), "{whole:?}");
    assert!(whole.iter().all(|hash| hash.len() == 66), "{whole:?}");
}

#[tokio::test]
async fn a_record_that_is_changed_is_found_at_its_place() {
    let of_run_four = "run = (select id from runs where link = 4)";
    for statement in [
        format!("update decisions set verdict = '{{}}' where stage = 'routing' and {of_run_four}"),
        format!("update decisions set input = '{{}}' where stage = 'intake' and {of_run_four}"),
        format!("update decisions set rules = '[]' where stage = 'access' and {of_run_four}"),
        format!("delete from decisions where stage = 'priority' and {of_run_four}"),
        format!(
            "insert into decisions select run, 'another', input, verdict, rules from decisions where stage = 'access' and {of_run_four}"
        ),
        "update runs set common = '{}' where link = 4".to_owned(),
        "update runs set engine = 'another' where link = 4".to_owned(),
    ] {
        let found = found_in_old_shape(&[&statement]).await;
        assert_eq!(found, [format!("4 IT-4 {CHANGED}")], "{statement}");
    }
    for statement in [
        "update runs set at = at + 1 where link = 4",
        "update runs set generation = 8 where link = 4",
        "update runs set revision = coalesce(revision, 0) + 1 where link = 4",
        "update runs set ticket = (select o.ticket from runs o where o.link = 5) where link = 4",
    ] {
        let found = found(Chain::Runs, &[statement]).await;
        assert!(
            found.len() == 1 && found[0].ends_with(CHANGED) && found[0].starts_with("4 "),
            "{statement}: {found:?}"
        );
    }
    let found = found(Chain::Ledger, &["update ledger set detail = 'nothing' where link = 2"]).await;
    assert_eq!(found, [format!("2 IT-3 {CHANGED}")]);
}

#[tokio::test]
async fn damage_to_a_packed_record_is_named_by_its_run_and_all_others_are_checked() {
    let run = |n| uuid(4, n);
    let cut = "update runs set packed = substr(packed, 1, length(packed) - 1) where link = 4";
    let found_cut = found(Chain::Runs, &[cut]).await;
    let [damaged] = found_cut.as_slice() else { panic!("{found_cut:?}") };
    assert!(damaged.starts_with(&format!("4 IT-4 the record of run {} is damaged", run(4))), "{damaged}");
    let dictionary = found(Chain::Runs, &["update record_dictionaries set content = substr(content, 1, 100)"]).await;
    assert_eq!(dictionary.len(), 9);
    assert!(dictionary[8].contains(&format!("run {} cannot be read: the dictionary 1 is ", run(9))), "{dictionary:?}");
    let gone = found(Chain::Runs, &["update runs set dictionary = 77 where link = 2"]).await;
    assert!(gone.len() == 1 && gone[0].contains("the dictionary 77 is gone"), "{gone:?}");
    let beside = "insert into decisions (run, stage, input, verdict, rules) select id, 'x', '{}', '{}', '[]' from runs where link = 4";
    let beside = found(Chain::Runs, &[beside]).await;
    assert!(beside.len() == 1 && beside[0].contains("1 decisions belong to no run"), "{beside:?}");
}

#[tokio::test]
async fn a_record_that_is_removed_is_missed() {
    let alone = found_in_old_shape(&["delete from runs where link = 4"]).await;
    assert_eq!(alone[0], "4 - it is missing: it was removed");
    assert!(alone[1].contains("5 decisions belong to no run"), "{alone:?}");
    assert_eq!(alone.len(), 2);
    let packed = found(Chain::Runs, &["delete from runs where link = 4"]).await;
    assert_eq!(packed, ["4 - it is missing: it was removed"]);
    let tail = found(Chain::Runs, &["delete from runs where link > 7"]).await;
    assert_eq!(tail, ["8 - it and all up to 9 are missing: they were removed"]);
    let first = found(Chain::Ledger, &["delete from ledger where link = 1"]).await;
    let cases = "- - access_cases has 3 rows, and the ledger says 2: some were added or removed";
    assert_eq!(first, ["1 - it is missing: it was removed", cases]);
    // A request that stands under another ticket is both: one that is missing, and one that was added.
    let moved = "update access_cases set ticket = (select id from tickets where number = 1) \
                 where ticket = (select ticket from ledger where link = 1)";
    let moved = found(Chain::Ledger, &[moved]).await;
    assert!(moved[0].contains("the ledger knows nothing of the request for access"), "{moved:?}");
    let all = found(Chain::Runs, &["delete from runs", "delete from chain_heads"]).await;
    assert_eq!(all, Vec::<String>::new(), "only an anchor can tell this from a desk that has never decided");
}

#[tokio::test]
async fn a_record_that_is_added_or_moved_is_found() {
    // Two changed places: each record stands where the other was written.
    let swapped = [
        "update runs set link = -1 where link = 3",
        "update runs set link = 3 where link = 5",
        "update runs set link = 5 where link = -1",
    ];
    let places: Vec<String> = found(Chain::Runs, &swapped).await.iter().map(|f| f[..6].to_owned()).collect();
    assert_eq!(places, ["3 IT-5", "4 IT-4", "5 IT-3", "6 IT-6"], "and so do those behind them");
    let event = "select at, ticket, event, detail";
    let behind = format!(
        "insert into ledger (at, ticket, event, detail, link, hash) {event}, 10, hash from ledger where link = 3"
    );
    let grants = "- - grants has 3 rows, and the ledger says 4: some were added or removed";
    let added = "- - 1 records were added outside of the chain's ends";
    assert_eq!(found(Chain::Ledger, &[&behind]).await, [added, grants]);
    let beside = format!("insert into ledger (at, ticket, event, detail) {event} from ledger where link = 3");
    let beside = found(Chain::Ledger, &[&beside]).await;
    assert!(beside[0].contains("1 records are in no place of the chain, and 0 were when it began"), "{beside:?}");
    // Room is made for it, and everything behind it stands one place further.
    let between = [
        "update ledger set link = -link - 1 where link > 3",
        "update ledger set link = -link where link < 0",
        "insert into ledger (at, ticket, event, detail, link, hash) select at, ticket, event, detail, 4, hash from ledger where link = 3",
        "update chain_heads set link = 10 where chain = 'ledger'",
    ];
    let between = found(Chain::Ledger, &between).await;
    assert!(between[0].starts_with("4 IT-3 it is not what was written"), "{between:?}");
}

/// A tail that is cut off with the head put right is found by what was kept elsewhere, and so is a head that was changed.
#[tokio::test]
async fn an_anchor_finds_what_the_chain_alone_cannot_tell() {
    let told = on_both(async |store, target| {
        fill(store, 1, 10).await;
        let anchor = store.check_chain(Chain::Runs, None).await.unwrap().end;
        fill(store, 10, 12).await;
        let longer = store.check_chain(Chain::Runs, Some(&anchor)).await.unwrap();
        assert_eq!((longer.breaks.as_slice(), longer.end.link), ([].as_slice(), 11));
        by_hand(
            target,
            &[
                "delete from runs where link > 7",
                "update chain_heads set link = 7, hash = (select hash from runs where link = 7) where chain = 'runs'",
            ],
        )
        .await;
        assert_eq!(store.check_chain(Chain::Runs, None).await.unwrap().breaks, []);
        let cut = store.check_chain(Chain::Runs, Some(&anchor)).await.unwrap();
        let other = Place { link: 7, hash: anchor.hash };
        let anew = store.check_chain(Chain::Runs, Some(&other)).await.unwrap();
        [cut, anew].iter().flat_map(told).collect()
    })
    .await;
    assert_eq!(
        told,
        [
            "7 - the chain ends at 7, and the anchor knows of 9: its end was cut off",
            "7 IT-7 the anchor has another hash for it: the chain up to here was written anew",
        ]
    );
    let head = found(Chain::Runs, &["update chain_heads set hash = '1:00' where chain = 'runs'"]).await;
    assert!(head[0].contains("the chain's head has another hash"), "{head:?}");
}

/// As the migration leaves it where there are records already.
#[tokio::test]
async fn records_from_before_the_chain_are_counted_and_the_chain_stands_on_their_number() {
    let told = on_both(async |store, target| {
        fill(store, 1, 4).await;
        by_hand(
            target,
            &[
                "update runs set link = null, hash = null",
                "update chain_heads set link = 0, hash = '', unchained = 3 where chain = 'runs'",
            ],
        )
        .await;
        fill(store, 4, 7).await;
        let checked = store.check_chain(Chain::Runs, None).await.unwrap();
        assert_eq!((checked.breaks.as_slice(), checked.unchained, checked.end.link), ([].as_slice(), 3, 3));
        by_hand(
            target,
            &[
                "delete from runs where ticket in (select id from tickets where number = 2)",
                "update chain_heads set unchained = 2 where chain = 'runs'",
            ],
        )
        .await;
        told(&store.check_chain(Chain::Runs, None).await.unwrap())
    })
    .await;
    assert_eq!(told, [format!("1 IT-4 {CHANGED}")], "the number cannot be put right afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_write_one_chain() {
    let (one, target) = on_postgres().await;
    let stores = [one, Store::open(&target).await.unwrap(), Store::open(&target).await.unwrap()];
    let organisation = organisation();
    let mut creates = tokio::task::JoinSet::new();
    for (n, store) in (1..=240_u128).zip(stores.iter().cycle()) {
        let team = ["even", "odd", "solo"][usize::try_from(n % 3).unwrap()];
        let wanted = Wanted { team, ..Wanted::new(n) };
        let create = match n % 2 {
            0 => create_access(&organisation, &wanted, &[], 24),
            _ => wanted.create(&organisation),
        };
        let store = store.clone();
        creates.spawn(async move { store.commit(create).await });
    }
    while let Some(created) = creates.join_next().await {
        created.unwrap().unwrap();
    }
    for (chain, records) in [(Chain::Runs, 240), (Chain::Ledger, 360)] {
        let checked = stores[0].check_chain(chain, None).await.unwrap();
        assert_eq!((checked.breaks.as_slice(), checked.end.link), ([].as_slice(), records));
    }
}

/// Accounts and documents from before the audit kept their facts.
#[tokio::test]
async fn what_was_there_before_is_taken_in_once_and_compared_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    for target in [Target::Sqlite(dir.path().join("desk.db")), Target::Postgres(postgres::fresh_database())] {
        let found = async || {
            let store = Store::open(&target).await.unwrap();
            let checked = store.check_chain(Chain::Audit, None).await.unwrap();
            store.close().await;
            checked.breaks.into_iter().map(|found| found.what).collect::<Vec<_>>()
        };
        assert_eq!(found().await, [""; 0]);
        let earlier = [
            "delete from audit",
            "update chain_heads set link = 0, hash = '', taken_in = 0 where chain = 'audit'",
            "insert into accounts (person, password, roles, set_at, set_by) values ('mei', 'x', 'admin', 1, 'operator:root')",
            "insert into configuration_versions (revision, document, content, digest, author, why, at) \
             values (1, 'teams', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'mei', 'first', 2)",
        ];
        by_hand(&target, &earlier).await;
        assert_eq!(found().await, [""; 0]);
        by_hand(&target, &["update accounts set roles = 'requester'"]).await;
        let named = ["the account of `mei` is not what the audit says of its roles: it was changed"];
        assert_eq!(found().await, named);
        // Who lets the desk take in what they edited is found by that.
        by_hand(&target, &["update chain_heads set taken_in = 0 where chain = 'audit'"]).await;
        let said = found().await;
        assert_eq!(said[0], named[0]);
        assert!(said[1].starts_with("2 entries take rows into the audit a second time"), "{said:?}");
    }
}

/// A directory with a person and a group, a sign-in by a provider and one to an app, and a stop that a person has ended.
async fn people_come_and_go(store: &Store) {
    let user = Entry {
        id: uuid(7, 1),
        kind: EntryKind::User,
        name: "kofi@example.com".to_owned(),
        stands_for: "kofi".to_owned(),
        body: json!({ "userName": "kofi@example.com" }),
        version: 1,
        created_at: at(1),
        changed_at: at(1),
        deleted_at: None,
    };
    let members = json!({ "members": [{ "value": user.id.to_string() }] });
    let (id, name) = (uuid(7, 2), "network".to_owned());
    let group =
        Entry { id, kind: EntryKind::Group, name: name.clone(), stands_for: name, body: members, ..user.clone() };
    let changed = Entry { version: 2, changed_at: at(2), ..user.clone() };
    for (known, entry) in [(0, &user), (1, &group), (2, &changed)] {
        let detail = json!({ "kind": entry.kind.code(), "entry": entry.id.to_string() });
        let noted = audit::Entry { at: at(2), event: audit::DIRECTORY, about: entry.stands_for.clone(), detail };
        assert_eq!(store.keep_entry(entry, known, noted).await.unwrap(), Kept::Written);
    }
    for (begun, token) in [(3, "a".repeat(64)), (4_000, "b".repeat(64))] {
        let sign_on =
            SignOn { token: &token, issuer: "https://idp.example", subject: "7", session: None, begun_at: at(begun) };
        // The second lets the first be forgotten.
        store.add_sign_on(sign_on, at(begun - 100)).await.unwrap();
    }
    let (kofi, github): (_, AppId) = (person("kofi"), "github".parse().unwrap());
    for (last, looked_at) in [(Some(at(4)), at(5)), (None, at(6)), (Some(at(4)), at(7))] {
        store.keep_sign_in((&kofi, &github), SignIn { last, looked_at }).await.unwrap();
    }
    let kept = store.sign_in(&kofi, &github).await.unwrap();
    assert_eq!(kept, Some(SignIn { last: Some(at(4)), looked_at: at(7) }));
    store.brake(uuid(7, 3), at(8), 21).await.unwrap();
    assert!(store.resume(uuid(7, 3), at(9), "person:mei", "they have left").await.unwrap());
}

/// Edits of the rows, how they are taken back, and the column that is named.
const COMINGS: [(&str, &str, &str); 7] = [
    (
        "update directory_entries set stands_for = 'noor' where kind = 'user'",
        "update directory_entries set stands_for = 'kofi' where kind = 'user'",
        "the entry of the directory `01980000-0000-7000-8000-070000000001` is not what the audit says of its stands_for",
    ),
    (
        "update directory_entries set body = body || ' ' where kind = 'group'",
        "update directory_entries set body = substr(body, 1, length(body) - 1) where kind = 'group'",
        "of its body",
    ),
    (
        "update directory_entries set deleted_at = 1 where kind = 'user'",
        "update directory_entries set deleted_at = null where kind = 'user'",
        "of its deleted_at",
    ),
    (
        "update sign_ons set subject = '8'",
        "update sign_ons set subject = '7'",
        "the sign-on `bbbbbbbbbbbbbbbb` is not what the audit says of its subject",
    ),
    (
        "update access_sign_ins set last_at = last_at + 1",
        "update access_sign_ins set last_at = last_at - 1",
        "the last sign-in of `kofi github` is not what the audit says of its last_at",
    ),
    (
        "update access_brakes set resumed_by = 'person:noor'",
        "update access_brakes set resumed_by = 'person:mei'",
        "of its resumed_by",
    ),
    (
        "insert into sign_ons (token, issuer, subject, provider_session, begun_at) values ('mine', 'x', 'y', '', 1)",
        "delete from sign_ons where token = 'mine'",
        "the sign-on `mine` is not in the audit: it was added",
    ),
];

#[tokio::test]
async fn an_edit_of_the_directory_or_of_a_sign_in_or_of_a_stop_is_named() {
    let found = on_both(async |store, target| {
        people_come_and_go(store).await;
        let found = async || told(&store.check_chain(Chain::Audit, None).await.unwrap());
        assert_eq!(found().await, [""; 0]);
        for (edit, back, named) in COMINGS {
            by_hand(target, &[edit]).await;
            let said = found().await;
            assert!(said.len() == 1 && said[0].contains(named), "{edit}: {said:?}");
            by_hand(target, &[back]).await;
        }
        // Whose traces are erased is missed by nothing.
        let kofi = person("kofi");
        let texts = BTreeSet::new();
        let erasure = Erasure { person: &kofi, pseudonym: "erased-1", texts: &texts, by: "person:mei", now: at(10) };
        store.erase_person(erasure).await.unwrap();
        assert_eq!(found().await, [""; 0]);
        by_hand(target, &["delete from directory_entries", "delete from access_brakes", "delete from sign_ons"]).await;
        found().await
    })
    .await;
    let missing = |what: &str| found.iter().filter(|said| said.contains(what) && said.contains("is missing")).count();
    let nouns = ["the entry of the directory", "the stop of ending access", "the sign-on"];
    assert_eq!((found.len(), nouns.map(missing)), (3, [1; 3]), "{found:?}");
}

#[tokio::test]
async fn a_chain_from_before_the_directory_was_under_it_takes_that_in_once() {
    let found = on_both(async |store, target| {
        let nothing = "update chain_heads set link = 0, hash = '', taken_in = 1 where chain = 'audit'";
        by_hand(target, &["delete from audit", nothing]).await;
        let detail = json!({ "entrance": true });
        let (at, event) = (Timestamp::UNIX_EPOCH, audit::BEGAN);
        store.audit(audit::Entry { at, event, about: String::new(), detail }).await.unwrap();
        let known = "insert into access_sign_ins (subject, app, last_at, looked_at) values ('kofi', 'github', 1, 2)";
        by_hand(target, &[known]).await;
        let mut found = told(&store.check_chain(Chain::Audit, None).await.unwrap());
        let next = Store::open(target).await.unwrap();
        for edit in ["update access_sign_ins set looked_at = 3", "update access_sign_ins set last_at = 2"] {
            by_hand(target, &[edit]).await;
            found.extend(told(&next.check_chain(Chain::Audit, None).await.unwrap()));
        }
        next.close().await;
        found
    })
    .await;
    let [before, after] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        before.starts_with("- - the audit does not say which accounts, sessions, documents and entries"),
        "{before}"
    );
    let named = "- - the last sign-in of `kofi github` is not what the audit says of its last_at: it was changed";
    assert_eq!(after, named);
}
