//! Access: cases, whom they await, grants, history and the ledger read back alike.

use ruledesk::desk::access::{self, AccessCase, AccessState, Word};
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::id::{GrantId, TicketId};
use ruledesk::desk::may;
use ruledesk::desk::ticket::{self, State};
use ruledesk::store::Store;
use ruledesk::store::access::{AccessChange, History};

use super::fixture::{Wanted, at, create_access, on_both, organisation, person, uuid};

const HOUR: i64 = 3_600_000;

async fn case(store: &Store, n: u128) -> AccessCase {
    store.access_case(TicketId(uuid(1, n))).await.unwrap().unwrap()
}

async fn awaiting(store: &Store, id: &str) -> Vec<TicketId> {
    store.awaiting(&person(id)).await.unwrap()
}

/// Takes somebody's decision the way a use case does: read, decide, write.
async fn decide(store: &Store, n: u128, id: &str, approve: bool, now: i64) {
    let before = case(store, n).await;
    let ticket = store.ticket_by_id(before.ticket).await.unwrap().unwrap();
    let actor = Actor::Person { id: person(id), roles: [Role::Approver].into() };
    let permit = may::decide_access(&actor, &ticket, &before).unwrap();
    let word = Word { approve, reason: "as I see it".to_owned(), hours: None };
    let after = access::decide(&before, &word, &permit, at(now)).unwrap();
    let to = match after.state {
        AccessState::Awaiting => State::Waiting(ruledesk::desk::ticket::WaitingFor::Approval),
        _ => State::Resolved,
    };
    let grant = after.grant(GrantId(uuid(2, n)), at(now));
    let change = AccessChange { before, after, grant };
    let permit = may::transition(&Actor::System, &ticket).unwrap();
    let calendar = &organisation().calendar;
    let moved = match ticket::transition(&ticket, to, "decided", &permit, calendar, at(now)) {
        Ok(moved) => moved,
        // Still awaiting another step: the ticket only gets another version.
        Err(_) => ticket::TicketChange {
            after: ticket::Ticket { version: ticket.version + 1, updated_at: at(now), ..ticket.clone() },
            before: ticket,
            entries: Vec::new(),
            messages: Vec::new(),
            assignment: None,
        },
    };
    store.apply(moved, Some(change)).await.unwrap();
}

#[tokio::test]
async fn a_case_awaits_one_step_after_the_other_and_ends_in_a_grant() {
    let steps: &[&[&str]] = &[&["hal", "gina"], &["frank"]];
    let wanted = Wanted { requester: "eve", ..Wanted::new(1) };
    let opened = create_access(&organisation(), &wanted, steps, 48).opening.access.unwrap();
    let (first, one, two, three, end, grants, ledger) = on_both(async |store| {
        store.create(create_access(&organisation(), &wanted, steps, 48)).await.unwrap();
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
    let events: Vec<&str> = ledger.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(events, ["requested", "awaiting", "approved-by", "awaiting", "approved-by", "approved", "granted"]);
}

#[tokio::test]
async fn history_holders_and_grants_count_what_they_say() {
    let (history, before, holders, later, held, long_ago) = on_both(async |store| {
        let organisation = organisation();
        let plain = |n, requester| Wanted { requester, ..Wanted::new(n) };
        // Granted at once to three people, one for a short time.
        for (n, requester, hours) in [(1, "bo.li", 10), (2, "Zoe", 100), (3, "bo-li", 100), (4, "amara", 100)] {
            store.create(create_access(&organisation, &plain(n, requester), &[], hours)).await.unwrap();
        }
        store.create(create_access(&organisation, &plain(5, "Zoe"), &[&["hal"]], 5)).await.unwrap();
        decide(&store, 5, "hal", false, HOUR).await;
        store.create(create_access(&organisation, &plain(6, "Zoe"), &[&["hal"]], 5)).await.unwrap();
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
            store.create(create_access(&organisation, &Wanted::new(n + 100), &[], 5)).await.unwrap();
            let created = store.create(Wanted::new(n).create(&organisation)).await.unwrap();
            people.push(super::fixture::assignee(&created).unwrap());
        }
        people
    })
    .await;
    assert_eq!(people, ["amara", "Bo", "bo.li", "bo-li"].map(person));
}
