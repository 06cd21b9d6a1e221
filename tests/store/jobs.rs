//! Work that waits: whoever claims it has it alone, for as long as the claim holds, and nothing of it is lost.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ruledesk::desk::change::timer::{TimerKind, TimerWrite};
use ruledesk::desk::id::TicketId;
use ruledesk::store::commit::timers;
use ruledesk::store::db::Db;
use ruledesk::store::jobs::{Claimed, DeadPlace, JobId, Lease, Queue};
use ruledesk::store::{Store, Target};

use super::fixture::{Wanted, at, changed_of, create_access, create_access_due, organisation, person, uuid};
use crate::support::place::migrated_database;

const DEADLINES: Queue = Queue::Timers(TimerKind::AccessDeadline);
const DAY: i64 = 24 * 3_600_000;

/// A story on both databases, which has to end alike: with the first host's store, and where another host finds the same.
async fn on_both<T: PartialEq + std::fmt::Debug>(story: impl AsyncFn(&Store, &Target) -> T) -> T {
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

/// Requests for access that await somebody for a day.
async fn requests(store: &Store, count: u128) {
    let organisation = organisation();
    for n in 0..count {
        store.commit(create_access(&organisation, &Wanted::new(n), &[&["hal"]], 48)).await.unwrap();
    }
}

/// Claims at an instant what is due then, for an hour.
async fn claim(store: &Store, queue: Queue, now: i64, fence: u128, limit: i64) -> Vec<Claimed> {
    let lease = Lease { fence: uuid(6, fence), now: at(now), until: at(now + DAY / 24) };
    store.claim(queue, lease, limit).await.unwrap()
}

async fn one(store: &Store, now: i64, fence: u128) -> Claimed {
    let claimed = claim(store, DEADLINES, now, fence, 10).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed[0].clone()
}

/// Sets and cancels timers as a change does.
async fn write(target: &Target, writes: &[TimerWrite]) {
    let db = match target {
        Target::Sqlite(file) => Db::open_sqlite(file).await.unwrap(),
        Target::Postgres(url) => Db::open_postgres(url).await.unwrap(),
    };
    let mut tx = db.begin().await.unwrap();
    timers::write(&mut tx, writes.iter()).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
    db.close().await;
}

fn set(n: u128, due: i64) -> TimerWrite {
    TimerWrite::due(TimerKind::AccessDeadline, TicketId(uuid(1, n)), Some(at(due)))
}

fn cancel(n: u128) -> TimerWrite {
    TimerWrite::due(TimerKind::AccessDeadline, TicketId(uuid(1, n)), None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_claim_at_once_never_get_the_same_row() {
    const COUNT: u128 = 60;
    let (claimed, twice) = on_both(async |store, target| {
        requests(store, COUNT).await;
        let mut hosts = Vec::new();
        for host in 0..3 {
            let store = Store::open(target).await.unwrap();
            hosts.push(tokio::spawn(async move {
                let mut mine = Vec::new();
                for n in 0.. {
                    let some = claim(&store, DEADLINES, 2 * DAY, host * 1_000 + n, 4).await;
                    if some.is_empty() && store.next_due(DEADLINES).await.unwrap() > Some(at(2 * DAY)) {
                        break;
                    }
                    assert!(some.len() <= 4 && some.iter().all(|claimed| claimed.attempts == 1), "{some:?}");
                    mine.extend(some.into_iter().map(|claimed| claimed.ticket));
                }
                store.close().await;
                mine
            }));
        }
        let mut all = Vec::new();
        for host in hosts {
            all.extend(host.await.unwrap());
        }
        let distinct: BTreeSet<TicketId> = all.iter().copied().collect();
        (distinct.len(), all.len() - distinct.len())
    })
    .await;
    assert_eq!((claimed, twice), (usize::try_from(COUNT).unwrap(), 0));
}

/// As if its host had died between claim and end.
#[tokio::test]
async fn a_lease_that_runs_out_is_claimed_again_and_its_old_holder_changes_nothing() {
    on_both(async |store, _| {
        requests(store, 1).await;
        assert_eq!(claim(store, DEADLINES, DAY - 1, 0, 10).await, [], "it is not due");
        assert_eq!(store.next_due(DEADLINES).await.unwrap(), Some(at(DAY)));
        let first = one(store, DAY, 1).await;
        assert_eq!((first.due_at, first.attempts), (at(DAY), 1));
        let end = DAY + DAY / 24;
        assert_eq!(claim(store, DEADLINES, end - 1, 2, 10).await, [], "the lease holds");
        assert_eq!(store.next_due(DEADLINES).await.unwrap(), Some(at(end)));
        let second = one(store, end, 3).await;
        assert_eq!((second.key, second.attempts), (first.key, 2));

        assert!(!store.finish(&first, at(end)).await.unwrap());
        assert!(!store.retry_later(&first, at(0), "late").await.unwrap());
        assert!(!store.put_off(&first, at(0)).await.unwrap());
        assert!(!store.bury(&first, at(end), "late").await.unwrap());
        assert_eq!(store.next_due(DEADLINES).await.unwrap(), Some(at(end + DAY / 24)), "the second lease stands");
        assert!(store.finish(&second, at(end)).await.unwrap());
        assert!(!store.finish(&second, at(end)).await.unwrap(), "once");
        assert_eq!(store.next_due(DEADLINES).await.unwrap(), None);
    })
    .await;
}

/// Work that was claimed with much else and not begun counts as no attempt, and is no more given back by one whose lease is over.
#[tokio::test]
async fn what_is_claimed_and_not_begun_is_given_back_as_it_was() {
    on_both(async |store, _| {
        requests(store, 3).await;
        // All three are due, a little after one another.
        let due = DAY + DAY / 24;
        let claimed = claim(store, DEADLINES, due, 1, 10).await;
        assert_eq!(claimed.len(), 3);
        assert_eq!(store.give_back(&claimed[1..], at(due + 10)).await.unwrap(), 2);
        assert_eq!(claim(store, DEADLINES, due + 9, 2, 10).await, []);
        let again = claim(store, DEADLINES, due + 10, 3, 10).await;
        assert_eq!(
            again.iter().map(|one| (one.key, one.attempts)).collect::<Vec<_>>(),
            [(claimed[1].key, 1), (claimed[2].key, 1)]
        );
        assert_eq!(store.give_back(&claimed, at(due + 20)).await.unwrap(), 1, "the others are another's");
        assert_eq!(store.give_back(&[], at(due + 20)).await.unwrap(), 0);
        assert_eq!(one(store, due + 20, 4).await.attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn what_fails_waits_dies_and_is_revived() {
    on_both(async |store, _| {
        requests(store, 1).await;
        let first = one(store, DAY, 1).await;
        assert!(store.retry_later(&first, at(DAY + 50), "the first reason").await.unwrap());
        assert_eq!(claim(store, DEADLINES, DAY + 49, 2, 10).await, []);
        let second = one(store, DAY + 50, 3).await;
        assert_eq!((second.attempts, second.due_at), (2, at(DAY)), "it is as late as it was");

        let place = |n: usize| "ü".repeat(n);
        assert!(store.bury(&second, at(DAY + 60), &place(5_000)).await.unwrap());
        assert_eq!(claim(store, DEADLINES, 100 * DAY, 4, 10).await, [], "nobody claims the dead");
        assert_eq!(store.next_due(DEADLINES).await.unwrap(), None);
        let dead = store.dead_jobs(None, 10).await.unwrap().items;
        let [job] = dead.as_slice() else { panic!("{dead:?}") };
        assert_eq!((job.attempts, job.due_at, job.dead_at), (2, at(DAY), at(DAY + 60)));
        assert_eq!(job.last_error, place(500), "as much of a reason as is kept");
        assert_eq!(job.ticket.map(|number| number.0), Some(1));
        assert_eq!(store.dead_counts().await.unwrap(), [("access-deadline".to_owned(), 1)]);

        assert!(store.revive(&job.id, at(DAY + 70)).await.unwrap());
        assert!(!store.revive(&job.id, at(DAY + 70)).await.unwrap(), "it lives");
        assert_eq!(store.dead_jobs(None, 10).await.unwrap().items, []);
        let third = one(store, DAY + 70, 5).await;
        assert_eq!(third.attempts, 1);
        // Not due after all: it is as if it had never been claimed.
        assert!(store.put_off(&third, at(2 * DAY)).await.unwrap());
        let fourth = one(store, 2 * DAY, 6).await;
        assert_eq!((fourth.attempts, fourth.due_at), (1, at(2 * DAY)));
    })
    .await;
}

/// Its change is in the same transaction as what made it necessary, so the claim from before must not strike it off.
#[tokio::test]
async fn a_timer_that_is_set_again_while_its_job_runs_is_not_lost() {
    on_both(async |store, target| {
        requests(store, 3).await;
        let running = claim(store, DEADLINES, 2 * DAY, 1, 10).await;
        assert_eq!(running.len(), 3);
        // Set again; cancelled and set again; cancelled. Of two writes in one change, the last counts.
        write(target, &[cancel(0), set(0, 3 * DAY), cancel(1), set(2, 9 * DAY), cancel(2)]).await;
        write(target, &[set(1, 4 * DAY)]).await;
        for old in &running {
            assert!(!store.finish(old, at(2 * DAY)).await.unwrap(), "{old:?}");
            assert!(!store.bury(old, at(2 * DAY), "late").await.unwrap(), "{old:?}");
        }
        let claimed = claim(store, DEADLINES, 9 * DAY, 2, 10).await;
        let seen: Vec<_> = claimed.iter().map(|claimed| (claimed.ticket, claimed.due_at, claimed.attempts)).collect();
        assert_eq!(seen, [(TicketId(uuid(1, 0)), at(3 * DAY), 1), (TicketId(uuid(1, 1)), at(4 * DAY), 1)]);
        // What is dead lives again when it is set again.
        assert!(store.bury(&claimed[0], at(9 * DAY), "why").await.unwrap());
        write(target, &[set(0, 9 * DAY)]).await;
        assert_eq!(claim(store, DEADLINES, 9 * DAY, 3, 10).await.len(), 1);
        assert_eq!(store.dead_jobs(None, 10).await.unwrap().items, []);
    })
    .await;
}

#[tokio::test]
async fn messages_wait_in_the_same_way() {
    on_both(async |store, _| {
        requests(store, 2).await;
        let ticket = TicketId(uuid(1, 0));
        let sent = async || {
            let messages = store.messages(ticket, None, 10).await.unwrap().items;
            messages.iter().map(|message| (message.kind.clone(), message.sent_at)).collect::<Vec<_>>()
        };
        let [first, second, third] = ["acknowledgement", "approval-wanted", "assigned"].map(str::to_owned);
        assert_eq!(sent().await, [(first.clone(), None), (second.clone(), None), (third.clone(), None)]);
        let claimed = claim(store, Queue::Outbox, DAY, 1, 4).await;
        let of: Vec<TicketId> = claimed.iter().map(|claimed| claimed.ticket).collect();
        assert_eq!(of, [ticket, ticket, ticket, TicketId(uuid(1, 1))], "in the order in which they were queued");
        assert!(store.finish(&claimed[0], at(DAY)).await.unwrap());
        assert!(!store.finish(&claimed[0], at(DAY + 1)).await.unwrap(), "no message is sent twice");
        assert!(store.retry_later(&claimed[1], at(DAY + 5), "no route").await.unwrap());
        assert!(store.message_left(&claimed[2], at(DAY), "250 taken").await.unwrap());
        assert!(store.bury(&claimed[3], at(DAY), "no such address").await.unwrap());
        assert_eq!(sent().await, [(first, Some(at(DAY))), (second, None), (third, Some(at(DAY)))]);
        let again = claim(store, Queue::Outbox, DAY + 5, 2, 10).await;
        let keys: BTreeSet<_> = again.iter().map(|claimed| claimed.key).collect();
        assert_eq!(keys.len(), 3, "what waited, and what nobody had claimed");
        assert!(keys.contains(&claimed[1].key) && keys.contains(&uuid(3, 1_001)));
    })
    .await;
}

#[tokio::test]
async fn the_dead_are_listed_page_by_page_and_revived_by_kind() {
    let (pages, revived) = on_both(async |store, _| {
        requests(store, 5).await;
        for (n, claimed) in claim(store, DEADLINES, 2 * DAY, 1, 10).await.into_iter().enumerate() {
            // Two at the same instant.
            let when = 2 * DAY + i64::try_from(n / 2).unwrap();
            assert!(store.bury(&claimed, at(when), "why").await.unwrap());
        }
        for claimed in claim(store, Queue::Outbox, 2 * DAY, 2, 2).await {
            assert!(store.bury(&claimed, at(2 * DAY), "why").await.unwrap());
        }
        let mut pages: Vec<Vec<(JobId, Timestamp)>> = Vec::new();
        let mut after: Option<DeadPlace> = None;
        loop {
            let page = store.dead_jobs(after.as_ref(), 3).await.unwrap().items;
            let Some(last) = page.last() else { break };
            after = Some(last.place());
            pages.push(page.iter().map(|job| (job.id, job.dead_at)).collect());
        }
        let revived = (
            store.revive_all(DEADLINES, at(3 * DAY)).await.unwrap(),
            store.revive_all(DEADLINES, at(3 * DAY)).await.unwrap(),
            claim(store, DEADLINES, 3 * DAY, 3, 10).await.len(),
            store.dead_counts().await.unwrap(),
        );
        (pages, revived)
    })
    .await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let all: Vec<_> = pages.concat();
    assert!(all.is_sorted_by_key(|(_, dead_at)| *dead_at), "{all:?}");
    assert_eq!(all.iter().map(|(id, _)| id.to_string()).collect::<BTreeSet<_>>().len(), 7);
    assert_eq!(revived, (5, 0, 5, vec![("outbox".to_owned(), 2)]));
}

/// A decision moves the deadline to that of the steps that are left, and the last one ends it.
#[tokio::test]
async fn a_decision_moves_the_deadline_and_the_last_one_ends_it() {
    use ruledesk::desk::access::{self, ApproverDecision};
    use ruledesk::desk::actor::{Actor, Role};
    use ruledesk::desk::permission;

    let due = on_both(async |store, _| {
        let organisation = organisation();
        let create = create_access_due(&organisation, &Wanted::new(0), &[(&["hal"], 24), (&["gina"], 48)], 48);
        store.commit(create).await.unwrap();
        let mut due = vec![store.next_due(DEADLINES).await.unwrap()];
        for approver in ["hal", "gina"] {
            let found = store.ticket_and_case_by_id(TicketId(uuid(1, 0))).await.unwrap();
            let (ticket, Some(before)) = found.unwrap() else { panic!("it asks for access") };
            let actor = Actor::Person { id: person(approver), roles: [Role::Approver].into() };
            let permit = permission::decide_access(&actor, &ticket, &before).unwrap();
            let decision = ApproverDecision {
                approve: true,
                reason: String::new(),
                hours: None,
                narrow: Default::default(),
                seen: None,
            };
            let n = u128::try_from(ticket.version).unwrap();
            let change = changed_of(n, 5, |at| access::decide(&ticket, &before, &decision, &permit, at).unwrap());
            store.commit(change).await.unwrap();
            due.push(store.next_due(DEADLINES).await.unwrap());
        }
        due
    })
    .await;
    assert_eq!(due, [Some(at(DAY)), Some(at(2 * DAY)), None]);
}

/// What is due, what is dead, a ticket's messages and the reviews that are looked at each hour are found by an index, however much is there.
#[tokio::test]
async fn looks_at_the_queues_are_served_by_indexes() {
    let looks = [
        (
            "select ticket from timers where kind = 'access-deadline' and dead_at is null and not_before <= 5 \
          order by not_before, ticket limit 8",
            "timers_due",
        ),
        ("select min(not_before) from timers where kind = 'access-deadline' and dead_at is null", "timers_due"),
        (
            "select id from outbox where sent_at is null and dead_at is null and not_before <= 5 \
          order by not_before, id limit 8",
            "outbox_due",
        ),
        ("select count(*) from outbox where dead_at is not null", "outbox_dead"),
        ("select kind, count(*) from timers where dead_at is not null group by kind", "timers_dead"),
        ("select ticket from timers where dead_at is not null and kind in ('access-deadline')", "timers_dead"),
        (
            "select kind from outbox where ticket = (select id from tickets where number = 1) order by id",
            "outbox_ticket",
        ),
        (
            "select count(*) from timers where kind = 'access-expiry' and attempts > 1 and due_at < 5",
            "timers_tried_again",
        ),
        ("select id from review_items where verdict = 'keep' and decided_by in ('amara', 'bo')", "review_items_kept"),
        ("select id from review_items where verdict is null order by id limit 8", "review_items_awaited"),
    ];
    let dir = tempfile::tempdir().unwrap();
    for target in [Target::Sqlite(dir.path().join("desk.db")), Target::Postgres(migrated_database())] {
        Store::open(&target).await.unwrap().close().await;
        let (db, explain, column) = match &target {
            Target::Sqlite(file) => (Db::open_sqlite(file).await.unwrap(), "explain query plan", 3),
            Target::Postgres(url) => (Db::open_postgres(url).await.unwrap(), "explain", 0),
        };
        for (look, index) in looks {
            let mut tx = db.begin().await.unwrap();
            if matches!(target, Target::Postgres(_)) {
                // A small table is read faster from its beginning to its end.
                for way in ["seqscan", "bitmapscan"] {
                    tx.execute(&format!("set local enable_{way} = off"), Vec::new()).await.unwrap();
                }
            }
            let rows = tx.all(&format!("{explain} {look}"), Vec::new()).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.text(column).unwrap()).collect();
            let plan = plan.join("\n");
            let sorts = plan.contains("TEMP B-TREE FOR ORDER") || plan.contains("Sort Key");
            assert!(plan.contains(index) && (!sorts || index.ends_with("dead")), "{target:?}: {look}\n{plan}");
            tx.end().await.unwrap();
        }
        db.close().await;
    }
}
