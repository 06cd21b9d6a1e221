//! Access: cases, whom they await, grants, history and the ledger read back alike.

use ruledesk::desk::access::{self, AccessCase, AccessState, ApproverDecision, LedgerEvent};
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::change::timer::TimerKind;
use ruledesk::desk::id::TicketId;
use ruledesk::desk::permission;
use ruledesk::desk::ticket::{self, State};
use ruledesk::store::access::History;
use ruledesk::store::access::ledger::{Said, StoredEvent};
use ruledesk::store::jobs::{Lease, Queue};
use ruledesk::store::{Error, Store};

use super::fixture::{Wanted, at, changed_of, create_access, on_both, organisation, person, uuid};

const HOUR: i64 = 3_600_000;

async fn read(store: &Store, n: u128) -> (ticket::Ticket, AccessCase) {
    let (ticket, case) = store.ticket_and_case_by_id(TicketId(uuid(1, n))).await.unwrap().unwrap();
    (ticket, case.unwrap())
}

async fn case(store: &Store, n: u128) -> AccessCase {
    read(store, n).await.1
}

async fn awaiting(store: &Store, id: &str) -> Vec<TicketId> {
    let page = store.awaiting(&person(id), None, 100).await.unwrap();
    page.items.into_iter().map(|(ticket, _)| ticket.id).collect()
}

/// Takes somebody's decision the way a use case does: read, decide, write.
async fn decide(store: &Store, n: u128, id: &str, approve: bool, now: i64) {
    let (ticket, before) = read(store, n).await;
    let actor = Actor::Person { id: person(id), roles: [Role::Approver].into() };
    let permit = permission::decide_access(&actor, &ticket, &before).unwrap();
    let decision = ApproverDecision {
        approve,
        reason: "as I see it".to_owned(),
        hours: None,
        narrow: Default::default(),
        seen: None,
    };
    let change = changed_of(n, now, |at| access::decide(&ticket, &before, &decision, &permit, at).unwrap());
    store.commit(change).await.unwrap();
}

fn codes(ledger: &[StoredEvent]) -> Vec<&str> {
    ledger.iter().map(|event| event.said.code()).collect()
}

#[tokio::test]
async fn a_case_awaits_one_step_after_the_other_and_ends_in_a_grant() {
    let steps: &[&[&str]] = &[&["hal", "gina"], &["frank"]];
    let wanted = Wanted { requester: "eve", ..Wanted::new(1) };
    let opened = create_access(&organisation(), &wanted, steps, 48).change.case().cloned().unwrap();
    let (first, one, two, three, end, grants, ledger) = on_both(async |store| {
        store.commit(create_access(&organisation(), &wanted, steps, 48)).await.unwrap();
        let first = case(&store, 1).await;
        let one = (awaiting(&store, "hal").await, awaiting(&store, "gina").await, awaiting(&store, "frank").await);
        decide(&store, 1, "gina", true, HOUR).await;
        let two = (awaiting(&store, "hal").await, awaiting(&store, "gina").await, awaiting(&store, "frank").await);
        decide(&store, 1, "frank", true, 2 * HOUR).await;
        let three = awaiting(&store, "frank").await;
        let end = case(&store, 1).await;
        let grants = store.grants(&person("eve"), at(0)).await.unwrap();
        (first, one, two, three, end, grants, store.ledger(TicketId(uuid(1, 1))).await.unwrap())
    })
    .await;
    let id = TicketId(uuid(1, 1));
    assert_eq!(first, opened);
    assert_eq!(one, (vec![id], vec![id], vec![]));
    assert_eq!(two, (vec![], vec![], vec![id]));
    assert_eq!(three, []);
    assert_eq!(end.state, AccessState::Approved);
    let who: Vec<_> = end.decisions.iter().map(|d| (d.step, d.approver.clone(), d.approve)).collect();
    assert_eq!(who, [(0, person("gina"), true), (1, person("frank"), true)]);
    let [grant] = grants.as_slice() else { panic!("one grant, not {}", grants.len()) };
    assert_eq!((grant.granted_at, grant.expires_at), (at(2 * HOUR), at(50 * HOUR)));
    assert!(grant.is_effective(at(50 * HOUR - 1)) && !grant.is_effective(at(50 * HOUR)));
    let events = codes(&ledger);
    assert_eq!(events, ["requested", "awaiting", "approved-by", "awaiting", "approved-by", "approved", "granted"]);
}

/// Denies what lapsed the way the use case does, from what was read before.
async fn deny(store: &Store, (ticket, before): (ticket::Ticket, AccessCase), now: i64) -> Result<(), Error> {
    let n = u128::try_from(ticket.number.0).unwrap();
    let change = changed_of(500 + n, now, |at| access::lapse(&ticket, &before, at).unwrap());
    store.commit(change).await.map(drop)
}

/// The tickets whose deadlines are over, the longest overdue first, by claims that hold for no time.
async fn due(store: &Store, now: i64) -> Vec<TicketId> {
    let lease = Lease { fence: uuid(6, 1), now: at(now), until: at(now) };
    let claimed = store.claim(Queue::Timers(TimerKind::AccessDeadline), lease, 100).await.unwrap();
    claimed.into_iter().map(|claimed| claimed.ticket).collect()
}

#[tokio::test]
async fn a_case_is_overdue_by_its_present_step_until_it_is_settled() {
    let day = 24 * HOUR;
    let (overdue, ledger) = on_both(async |store| {
        let organisation = organisation();
        for n in 0..4 {
            let steps: &[&[&str]] = if n == 3 { &[&["hal"], &["gina"]] } else { &[&["hal"]] };
            store.commit(create_access(&organisation, &Wanted::new(n), steps, 48)).await.unwrap();
        }
        decide(&store, 1, "hal", true, HOUR).await;
        decide(&store, 3, "hal", true, HOUR).await;
        let overdue = async |now| due(&store, now).await;
        let mut seen = vec![overdue(day - 1).await, overdue(day).await, overdue(day + 2).await, overdue(day + 3).await];
        deny(&store, read(&store, 2).await, day + 2).await.unwrap();
        seen.push(overdue(day + 3).await);
        (seen, store.ledger(TicketId(uuid(1, 2))).await.unwrap())
    })
    .await;
    let tickets = |numbers: &[u128]| numbers.iter().map(|n| TicketId(uuid(1, *n))).collect::<Vec<_>>();
    assert_eq!(overdue, [tickets(&[]), tickets(&[0]), tickets(&[0, 2]), tickets(&[0, 2, 3]), tickets(&[0, 3])]);
    let events = codes(&ledger);
    assert_eq!(events, ["requested", "awaiting", "lapsed", "denied"]);
    assert_eq!(ledger[2].said, Said::Event(LedgerEvent::Lapsed));
}

/// Whoever is quicker decides, and only one of the two does.
#[tokio::test]
async fn the_desk_and_an_approver_at_the_same_moment_do_not_both_decide() {
    let (late_desk, by_hal, late_hal, by_desk) = on_both(async |store| {
        let organisation = organisation();
        for n in 0..2 {
            store.commit(create_access(&organisation, &Wanted::new(n), &[&["hal"]], 48)).await.unwrap();
        }
        let seen = read(&store, 0).await;
        decide(&store, 0, "hal", false, 24 * HOUR + 1).await;
        let late_desk = matches!(deny(&store, seen, 24 * HOUR + 2).await, Err(Error::Conflict));
        let seen = read(&store, 1).await;
        deny(&store, seen.clone(), 24 * HOUR + 2).await.unwrap();
        let late_hal = matches!(deny(&store, seen, 24 * HOUR + 3).await, Err(Error::Conflict));
        (late_desk, case(&store, 0).await, late_hal, case(&store, 1).await)
    })
    .await;
    assert!(late_desk && late_hal);
    assert_eq!((by_hal.state, by_hal.decisions.len()), (AccessState::Denied, 1));
    assert_eq!((by_desk.state, by_desk.decisions.len()), (AccessState::Denied, 0));
}

/// Whoever looks while somebody decides sees before or after, never a half.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_and_its_case_are_of_one_instant() {
    const CASES: u128 = 60;
    let looks = on_both(async |store| {
        let organisation = organisation();
        for n in 0..CASES {
            store.commit(create_access(&organisation, &Wanted::new(n), &[&["hal"]], 48)).await.unwrap();
        }
        let reader = store.clone();
        let looking = tokio::spawn(async move {
            for n in 0..CASES {
                loop {
                    let (ticket, case) = read(&reader, n).await;
                    let waits = case.state == AccessState::Awaiting;
                    assert_eq!(ticket.state != State::Resolved, waits, "{n}: {:?} and {:?}", ticket.state, case.state);
                    assert_eq!(case.decisions.is_empty(), waits, "{n}");
                    if !waits {
                        break;
                    }
                }
            }
        });
        for n in 0..CASES {
            decide(&store, n, "hal", n % 2 == 0, HOUR).await;
        }
        looking.await.is_ok()
    })
    .await;
    assert!(looks);
}

#[tokio::test]
async fn history_holders_and_grants_count_what_they_say() {
    let (history, before, holders, later, held, long_ago) = on_both(async |store| {
        let organisation = organisation();
        let plain = |n, requester| Wanted { requester, ..Wanted::new(n) };
        // Granted at once to three people, one for a short time.
        for (n, requester, hours) in [(1, "bo.li", 10), (2, "Zoe", 100), (3, "bo-li", 100), (4, "amara", 100)] {
            store.commit(create_access(&organisation, &plain(n, requester), &[], hours)).await.unwrap();
        }
        store.commit(create_access(&organisation, &plain(5, "Zoe"), &[&["hal"]], 5)).await.unwrap();
        decide(&store, 5, "hal", false, HOUR).await;
        store.commit(create_access(&organisation, &plain(6, "Zoe"), &[&["hal"]], 5)).await.unwrap();
        let crm = "crm".parse().unwrap();
        (
            store.access_history(&person("Zoe"), at(0)).await.unwrap(),
            store.access_history(&person("Zoe"), at(6)).await.unwrap(),
            store.holders(&crm, at(HOUR)).await.unwrap(),
            store.holders(&crm, at(20 * HOUR)).await.unwrap(),
            store.grants(&person("Zoe"), at(0)).await.unwrap().len(),
            store.grants(&person("bo.li"), at(20 * HOUR)).await.unwrap().len(),
        )
    })
    .await;
    assert_eq!(history, History { requested: 3, approved: 1, denied: 1, revoked: 0 });
    assert_eq!(before, History { requested: 1, ..History::default() });
    let mut names: Vec<_> = holders.iter().map(|(id, _)| id.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Zoe", "amara", "bo-li", "bo.li"]);
    assert_eq!(later.len(), 3);
    assert_eq!((held, long_ago), (1, 0));
}

/// An access request that is granted at once is no work, so it must not cost anybody a turn.
#[tokio::test]
async fn what_is_granted_at_once_takes_nobodys_turn() {
    let people = on_both(async |store| {
        let organisation = organisation();
        let mut people = Vec::new();
        for n in 0..4 {
            store.commit(create_access(&organisation, &Wanted::new(n + 100), &[], 5)).await.unwrap();
            let created = store.commit(Wanted::new(n).create(&organisation)).await.unwrap();
            people.push(super::fixture::assignee(&created).unwrap());
        }
        people
    })
    .await;
    assert_eq!(people, ["amara", "Bo", "bo.li", "bo-li"].map(person));
}
