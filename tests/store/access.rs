//! Access: cases, whom they await, grants, history and the ledger read back alike.

use std::collections::{BTreeSet, HashSet};

use ruledesk::app::decide::pipeline::Peers;
use ruledesk::app::decide::translate;
use ruledesk::desk::access::{self, AccessCase, AccessState, ApproverDecision, LedgerEvent};
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::change::timer::TimerKind;
use ruledesk::desk::id::{AppId, GrantId, PersonId, TicketId, TierId};
use ruledesk::desk::organisation::{App, Organisation, Person, Tier};
use ruledesk::desk::permission;
use ruledesk::desk::ticket::{self, State};
use ruledesk::store::access::History;
use ruledesk::store::access::ledger::{Said, StoredEvent};
use ruledesk::store::access::questions::{About, Defaults, Present};
use ruledesk::store::db::Arg;
use ruledesk::store::jobs::{Lease, Queue};
use ruledesk::store::{Error, Store, Target};

use super::fixture::{
    NOW, Wanted, at, changed_of, create_access, on_both, on_postgres, on_sqlite, organisation, person, uuid,
};
use crate::support::records;

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
        let (crm, pro) = ("crm".parse().unwrap(), "pro".parse().unwrap());
        (
            store.access_history(&person("Zoe"), at(0)).await.unwrap(),
            store.access_history(&person("Zoe"), at(6)).await.unwrap(),
            store.holders(&crm, &[&pro], at(HOUR)).await.unwrap(),
            store.holders(&crm, &[&pro], at(20 * HOUR)).await.unwrap(),
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

/// Numbers that look like chance, and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// A grant as it is written by hand.
struct Row {
    subject: String,
    app: &'static str,
    tier: &'static str,
    expires_at: i64,
    revoked_at: Option<i64>,
    state: &'static str,
}

impl Row {
    fn by(chance: &mut Chance) -> Row {
        let revoked = chance.below(4) == 0;
        Row {
            subject: format!("p{}", chance.below(30)),
            app: chance.one(&["crm", "crm", "crm", "erp"]),
            tier: chance.one(&["one", "two", "three", "gone"]),
            expires_at: NOW + i64::try_from(chance.below(3)).unwrap() - 1,
            revoked_at: revoked.then_some(NOW - 5),
            state: chance.one(&[
                "active",
                "active",
                "provisioning",
                "scheduled",
                "deprovisioning",
                "compensating",
                "ended",
                "failed",
            ]),
        }
    }

    /// Whether it is a reason for access now.
    fn gives(&self) -> bool {
        let supports = ["active", "provisioning", "scheduled"].contains(&self.state) && self.revoked_at.is_none();
        self.expires_at > NOW && supports
    }

    /// Whether it takes a seat now.
    fn is_held(&self) -> bool {
        let under_way = ["provisioning", "deprovisioning", "compensating"].contains(&self.state);
        self.app == "crm" && (self.gives() || under_way)
    }
}

async fn write_by_hand(target: &Target, rows: &[Row]) {
    let db = records::open(target).await;
    let mut tx = db.begin().await.unwrap();
    let args = rows.iter().zip(1..).map(|(row, n)| {
        vec![
            uuid(8, n).into(),
            uuid(9, n).into(),
            row.subject.as_str().into(),
            row.app.into(),
            row.tier.into(),
            "[]".into(),
            (NOW - 10).into(),
            row.expires_at.into(),
            row.revoked_at.into(),
            Arg::from(row.state),
        ]
    });
    let head = "insert into grants (id, ticket, subject, app, tier, groups, granted_at, expires_at, revoked_at, state)";
    tx.insert(head, 10, "", args.collect()).await.unwrap();
    // Some were seen in the app, by their first grant or another's: only whose they are counts.
    let seen = (0..SEEN_IN_APP).map(|n| {
        let (id, ticket) = (uuid(8, n + 1), uuid(9, n + 1));
        let person = Arg::from(format!("p{n}"));
        vec![person, "crm".into(), "account".into(), id.into(), ticket.into(), (NOW - 10).into(), 0_i64.into()]
    });
    let head = "insert into holdings (subject, app, entitlement, grant_id, ticket, since, preexisting)";
    tx.insert(head, 7, "", seen.collect()).await.unwrap();
    tx.commit().await.unwrap().done().await.unwrap();
    db.close().await;
}

/// People who were seen in the app.
const SEEN_IN_APP: u128 = 20;

fn people_of<'r>(rows: impl Iterator<Item = &'r Row>) -> BTreeSet<PersonId> {
    rows.map(|row| person(&row.subject)).collect()
}

/// Who holds anything, who had the app and is out of it, and who is in it with no grant: as the database finds it, and one by one.
async fn holders_are_those_found_one_by_one(store: &Store, app: &AppId, rows: &[Row]) {
    let all: BTreeSet<PersonId> = store.all_holders(at(0)).await.unwrap().into_iter().collect();
    assert_eq!(all, people_of(rows.iter().filter(|row| row.gives())));
    let held = people_of(rows.iter().filter(|row| row.is_held()));
    let seen: BTreeSet<PersonId> = (0..SEEN_IN_APP).map(|n| person(&format!("p{n}"))).collect();
    let mut out = people_of(rows.iter().filter(|row| row.app == "crm"));
    out.retain(|id| !held.contains(id) && !seen.contains(id));
    assert_eq!(store.were_in(app, at(0)).await.unwrap().into_iter().collect::<BTreeSet<_>>(), out);
    let without = store.held_without_grant(at(0)).await.unwrap();
    let expected: BTreeSet<PersonId> = seen.into_iter().filter(|id| !held.contains(id)).collect();
    assert_eq!(without.len(), expected.len(), "each once");
    assert_eq!(without.into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>(), expected);
}

/// All that is held, page by page: now, where what is over is passed over, and as an instant of the past is looked at.
async fn all_that_is_held_is_listed_once(store: &Store, rows: &[Row]) {
    let held = |row: &Row| {
        row.expires_at > NOW && row.revoked_at.is_none() && !["failed", "compensating"].contains(&row.state)
    };
    let of = |is_held: &dyn Fn(&Row) -> bool| -> Vec<GrantId> {
        rows.iter().zip(1..).filter(|(row, _)| is_held(row)).map(|(_, n)| GrantId(uuid(8, n))).collect()
    };
    // What has ended by a clock that was ahead is held no more; of an instant of the past that is not known.
    let (then, today) = (of(&held), of(&Row::gives));
    let defaults = Defaults::new();
    // A tier that stays by default, of which no one has anything.
    let stays: Defaults = [("crm".parse().unwrap(), "one".parse().unwrap())].into();
    for now in [Some(&defaults), Some(&stays), None] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let present = now.map(|defaults| Present { now: at(0), defaults });
            let page = store.held_at(&About::All, at(0), (after, 7), present).await.unwrap();
            found.extend(page.items.iter().map(|one| one.grant.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(&found, if now.is_some() { &today } else { &then }, "{now:?}");
    }
}

/// Thirty people of three departments and of none, of whom some have left, and an app of three tiers.
fn with_departments() -> (Organisation, App) {
    let mut organisation = organisation();
    let like = organisation.people[&person("eve")].clone();
    for n in 0..30 {
        let id = person(&format!("p{n}"));
        let department = ["Sales", "Finance", "Support", ""][n % 4].to_owned();
        let one = Person { id: id.clone(), department, active: n % 7 != 0, ..like.clone() };
        organisation.people.insert(id, one);
    }
    // One is no person of the desk at all, and holds something all the same.
    organisation.people.remove(&person("p5"));
    let mut app = organisation.apps[&"crm".parse::<AppId>().unwrap()].clone();
    let tier = |id: &str, seats| Tier { id: id.parse().unwrap(), seats, ..app.tiers[0].clone() };
    app.tiers = vec![tier("one", None), tier("two", Some(5)), tier("three", Some(50))];
    organisation.apps.insert(app.id.clone(), app.clone());
    (organisation, app)
}

/// The definition of peers, out of all holders one by one: the people of the department, and who of them holds enough.
fn one_by_one(organisation: &Organisation, subject: &PersonId, (app, tier): (&App, &Tier), rows: &[Row]) -> (u32, u32) {
    let department = organisation.people.get(subject).map(|person| person.department.as_str());
    let department = department.filter(|department| !department.is_empty());
    let is_peer =
        |person: &&Person| person.active && person.id != *subject && Some(person.department.as_str()) == department;
    let order = |id: &str| app.tier(id).map_or(0, |(order, _)| order);
    let enough = rows.iter().filter(|row| row.is_held() && order(row.tier) >= order(tier.id.as_str()));
    let holders: HashSet<&str> = enough.map(|row| row.subject.as_str()).collect();
    let peers: Vec<&Person> = organisation.people.values().filter(is_peer).collect();
    let count = |n: usize| u32::try_from(n).unwrap();
    (count(peers.len()), count(peers.iter().filter(|person| holders.contains(person.id.as_str())).count()))
}

#[tokio::test]
async fn the_database_counts_the_peers_and_the_holders_that_one_counts_one_by_one() {
    let (organisation, app) = with_departments();
    let tiers: Vec<&TierId> = app.tiers.iter().map(|tier| &tier.id).collect();
    let mut chance = Chance(4711);
    for round in 0..3 {
        let (sqlite, dir) = on_sqlite().await;
        let (postgres, there) = on_postgres().await;
        let rows: Vec<Row> = (0..round * 150).map(|_| Row::by(&mut chance)).collect();
        for (store, target) in [(sqlite, Target::Sqlite(dir.path().join("desk.db"))), (postgres, there)] {
            write_by_hand(&target, &rows).await;
            for (subject, tier) in organisation.people.keys().flat_map(|id| app.tiers.iter().map(move |t| (id, t))) {
                let people = Peers::people(&organisation, subject);
                let by_highest = store.holders_among(&app.id, (&tiers, &people), at(0)).await.unwrap();
                let peers = translate::peers(&Peers::counted(people.len(), &by_highest), &app, tier);
                let found = (peers.department_size, peers.department_holders);
                assert_eq!(found, one_by_one(&organisation, subject, (&app, tier), &rows), "{subject}, {}", tier.id);
            }
            for tier in &app.tiers {
                let held = store.holders(&app.id, &[&tier.id], at(0)).await.unwrap();
                let of = |row: &&Row| row.is_held() && row.tier == tier.id.as_str();
                let expected: BTreeSet<PersonId> = rows.iter().filter(of).map(|row| person(&row.subject)).collect();
                assert_eq!(held.len(), expected.len(), "each once");
                assert_eq!(held.into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>(), expected);
            }
            holders_are_those_found_one_by_one(&store, &app.id, &rows).await;
            all_that_is_held_is_listed_once(&store, &rows).await;
            store.close().await;
        }
    }
    assert_eq!(app.seated().len(), 2);
}
