//! Changes by hand in the store: whoever gets a ticket anew is picked in the transaction, and all counts stay true.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ruledesk::desk::access::{self, LedgerEvent};
use ruledesk::desk::actor::{Actor, Author, Role};
use ruledesk::desk::id::{TeamId, TicketNumber};
use ruledesk::desk::permission;
use ruledesk::desk::ticket::Ticket;
use ruledesk::desk::ticket::edit::{self, EditTicket as Edit};
use ruledesk::store::access::ledger::Said;
use ruledesk::store::{Commit, Error, Store};

use super::fixture::{Wanted, at, changed, changed_of, create_access, on_both, on_sqlite, organisation, person};

async fn read(store: &Store, number: i64) -> Ticket {
    store.ticket(TicketNumber(number)).await.unwrap().unwrap()
}

/// Changes a ticket as a use case does: read, decide, write.
pub async fn change(store: &Store, number: i64, wanted: Edit) -> Ticket {
    let ticket = read(store, number).await;
    let agent = Actor::Person { id: person("amara"), roles: [Role::Agent].into() };
    let permit = permission::edit(&agent, &ticket).unwrap();
    let wanted = Edit { reason: "because".to_owned(), ..wanted };
    if let Some(change) = changed(60_000, |at| edit::edit(&ticket, &wanted, &permit, at).unwrap()) {
        store.commit(change).await.unwrap();
    }
    read(store, number).await
}

fn to(team: &str) -> Edit {
    Edit { team: Some(team.to_owned()), ..Edit::default() }
}

#[tokio::test]
async fn tickets_that_come_by_hand_take_turns_like_new_ones() {
    let assignees = on_both(async |store| {
        let mut assignees = Vec::new();
        for n in 1..=4 {
            store.commit(Wanted { team: "solo", ..Wanted::new(n) }.create(&organisation())).await.unwrap();
        }
        for number in 1..=4 {
            assignees.push(change(&store, number, to("even")).await.assignee.unwrap());
        }
        // And a new one comes after them.
        store.commit(Wanted::new(5).create(&organisation())).await.unwrap();
        assignees.push(read(&store, 5).await.assignee.unwrap());
        assignees
    })
    .await;
    assert_eq!(assignees, ["amara", "Bo", "bo.li", "bo-li", "amara"].map(person));
}

#[tokio::test]
async fn the_queue_is_in_the_order_of_the_changed_priority() {
    let order = on_both(async |store| {
        for n in 1..=3 {
            store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
        }
        let critical = Edit { priority: Some("critical".to_owned()), ..Edit::default() };
        change(&store, 3, critical).await;
        let low = Edit { priority: Some("low".to_owned()), ..Edit::default() };
        change(&store, 1, low).await;
        let page = store.tickets(&Default::default(), Default::default(), 10).await.unwrap().items;
        page.iter().map(|ticket| ticket.number.0).collect::<Vec<_>>()
    })
    .await;
    assert_eq!(order, [3, 2, 1]);
}

#[tokio::test]
async fn tickets_that_change_alike_are_written_together_and_one_that_changes_twice_in_its_order() {
    let tickets = on_both(async |store| {
        for n in 1..=5 {
            store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
        }
        let edited = |n: u128, ticket: &Ticket, priority: &str| {
            let agent = Actor::Person { id: person("amara"), roles: [Role::Agent].into() };
            let permit = permission::edit(&agent, ticket).unwrap();
            let wanted = Edit { priority: Some(priority.to_owned()), reason: "because".to_owned(), ..Edit::default() };
            changed_of(n, 60_000, |at| edit::edit(ticket, &wanted, &permit, at).unwrap()).unwrap()
        };
        let mut commits: Vec<Commit> = Vec::new();
        for (number, n) in (1..=3).zip(1..) {
            commits.push(edited(n, &read(&store, number).await, "critical").into());
        }
        let first = edited(4, &read(&store, 4).await, "critical");
        let second = edited(5, first.after(), "low");
        commits.extend([Commit::from(first), Commit::from(second)]);
        store.commit_together(commits).await.unwrap();
        let mut tickets = Vec::new();
        for number in 1..=5 {
            let Ticket { priority, version, rank, clocks, updated_at, .. } = read(&store, number).await;
            tickets.push((priority.to_string(), version, rank, clocks.resolution.due_at, updated_at));
        }
        tickets
    })
    .await;
    let seen: Vec<(&str, i64)> = tickets.iter().map(|(priority, version, ..)| (priority.as_str(), *version)).collect();
    assert_eq!(seen, [("critical", 2), ("critical", 2), ("critical", 2), ("low", 3), ("medium", 1)]);
    assert_eq!(tickets[0].4, at(60_000));
    assert!(tickets[0].3 < tickets[4].3 && tickets[4].3 < tickets[3].3, "each has its own promise");
}

#[tokio::test]
async fn a_grant_is_taken_back_once_with_its_place_in_the_ledger() {
    let (again, effective, ledger) = on_both(async |store| {
        let create = create_access(&organisation(), &Wanted::new(1), &[], 24);
        let grant = create.change.grant().cloned().unwrap();
        store.commit(create).await.unwrap();
        let revocation = async |ticket: Ticket| {
            let admin = Actor::Person { id: person("hal"), roles: [Role::Admin].into() };
            let permit = permission::revoke(&admin, &ticket, None, &grant.subject).unwrap();
            let change = changed(1_000, |at| access::revoke(&ticket, &grant, "over", &permit, at).unwrap());
            store.commit(change).await
        };
        let before = read(&store, 1).await;
        revocation(before.clone()).await.unwrap();
        let again = matches!(revocation(before).await, Err(Error::Conflict));
        let grant = store.grant(grant.id).await.unwrap().unwrap();
        let ledger = store.ledger(grant.ticket).await.unwrap();
        let version = read(&store, 1).await.version;
        assert_eq!(version, 2, "what is refused writes nothing");
        (
            again,
            [at(999), at(1_000)].map(|now| grant.is_effective(now)),
            ledger.iter().rev().nth(1).cloned().unwrap().said,
        )
    })
    .await;
    assert!(again);
    assert_eq!(effective, [true, false]);
    let Said::Event(LedgerEvent::Revoked { subject, by, reason, .. }) = ledger else { panic!("{ledger:?}") };
    assert_eq!((subject, by, reason.as_str()), (person("eve"), Author::Person(person("hal")), "over"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_kept_load_is_the_counted_load_whatever_is_changed_by_hand(
        steps in prop::collection::vec((1_i64..6, 0_usize..3, any::<bool>()), 0..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let loads = runtime.block_on(async {
            let (store, _dir) = on_sqlite().await;
            for n in 1..6 {
                store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
            }
            for (number, team, nobody) in steps {
                let team = to(["even", "odd", "solo"][team]);
                let assignee = nobody.then_some(None);
                change(&store, number, Edit { assignee, ..team }).await;
            }
            store.loads().await.unwrap()
        });
        for (person, kept, counted) in loads {
            prop_assert_eq!(kept, counted, "{}", person);
        }
    }
}

/// From when on assignments have to be taken up: from the first look on, of a shorter time from the look that finds it, and of none
/// any more once a team has none. A look by a clock that is ahead holds for no longer than it is.
#[tokio::test]
async fn what_is_assigned_counts_from_the_first_look_that_knows_of_the_time() {
    let set = |minutes: &[(&str, i64)]| -> BTreeMap<TeamId, i64> {
        minutes.iter().map(|(team, minutes)| (team.parse().unwrap(), *minutes)).collect()
    };
    let looked = on_both(async |store| {
        let mut looked = Vec::new();
        let times = [
            (set(&[("desk", 60)]), 1_000),
            (set(&[("desk", 60)]), 2_000),
            (set(&[("desk", 30), ("net", 60)]), 3_000),
            (set(&[("net", 60)]), 4_000),
            (set(&[("desk", 30), ("net", 60)]), 5_000),
            // An hour ahead, and back.
            (set(&[("desk", 30), ("net", 10)]), 3_605_000),
            (set(&[("desk", 30), ("net", 10)]), 6_000),
            (set(&[]), 7_000),
            (set(&[("net", 10)]), 8_000),
        ];
        for (set, now) in times {
            let found = store.take_up(&set, at(now)).await.unwrap().into_iter();
            looked.push(found.map(|(team, up)| (team.to_string(), up.since, up.set_at)).collect::<Vec<_>>());
        }
        looked
    })
    .await;
    let one = |team: &str, since: i64, set_at: i64| (team.to_owned(), at(since), at(set_at));
    let expected = [
        vec![one("desk", 1_000, 1_000)],
        vec![one("desk", 1_000, 1_000)],
        vec![one("desk", 1_000, 3_000), one("net", 3_000, 3_000)],
        vec![one("net", 3_000, 3_000)],
        vec![one("desk", 5_000, 5_000), one("net", 3_000, 3_000)],
        vec![one("desk", 5_000, 5_000), one("net", 3_000, 3_605_000)],
        vec![one("desk", 5_000, 5_000), one("net", 3_000, 6_000)],
        vec![],
        vec![one("net", 8_000, 8_000)],
    ];
    assert_eq!(looked, expected);
}
