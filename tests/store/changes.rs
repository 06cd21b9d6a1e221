//! Changes to a ticket: all of it, once, and only to what was read.

use proptest::prelude::*;
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::change::{Change, TicketWrite};
use ruledesk::desk::id::TicketNumber;
use ruledesk::desk::permission;
use ruledesk::desk::ticket::lifecycle::links::Around;
use ruledesk::desk::ticket::lifecycle::resolution::ResolutionRecord;
use ruledesk::desk::ticket::timeline::{Event, Visibility};
use ruledesk::desk::ticket::{self, Move, State, Ticket, WaitingFor};
use ruledesk::store::tickets::timeline::StoredEntry;
use ruledesk::store::{Commit, Committed, Error, IdempotencyKey, Store};

use super::fixture::{Wanted, at, changed, on_both, on_sqlite, organisation, person};

fn agent() -> Actor {
    Actor::Person { id: person("amara"), roles: [Role::Agent].into() }
}

async fn read(store: &Store, number: i64) -> Ticket {
    store.ticket(TicketNumber(number)).await.unwrap().unwrap()
}

fn record() -> ResolutionRecord {
    let text = || "a cable".to_owned();
    ResolutionRecord { symptom: text(), cause: text(), fix: text(), next_time: text() }
}

fn moved(ticket: &Ticket, to: State, now: i64) -> Change {
    let permit = permission::transition(&agent(), ticket).unwrap();
    let wanted = || Move { reason: "tried it".to_owned(), record: record(), ..Move::to(to) };
    changed(now, |at| ticket::transition(ticket, None, wanted(), &Around::default(), &permit, at).unwrap())
}

#[tokio::test]
async fn a_change_is_written_whole() {
    let (ticket, expected, entries, public) = on_both(async |store| {
        store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
        let before = read(&store, 1).await;
        let permit = permission::comment(&agent(), &before, None, Visibility::Internal).unwrap();
        let note = changed(5_000, |at| ticket::comment(&before, "a private thought", &permit, at).unwrap());
        store.commit(note).await.unwrap();
        let waiting = State::Waiting(WaitingFor::Requester);
        let change = moved(&read(&store, 1).await, waiting, 60_000);
        let expected = change.after().clone();
        store.commit(change).await.unwrap();
        let id = TicketNumber(1);
        (
            read(&store, 1).await,
            expected,
            store.timeline(id, Visibility::Internal).await.unwrap(),
            store.timeline(id, Visibility::Public).await.unwrap(),
        )
    })
    .await;
    assert_eq!(ticket, expected);
    assert_eq!((ticket.version, ticket.clocks.resolution.due_at), (3, None));
    let kinds: Vec<&str> = entries.iter().rev().take(2).map(|entry| entry.entry.event.kind()).collect();
    assert_eq!(kinds, ["state-changed", "commented"]);
    let seqs: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
    let private =
        |entry: &StoredEntry| matches!(&entry.entry.event, Event::Commented { body, .. } if body.contains("private"));
    assert!(entries.iter().any(private) && !public.iter().any(private));
}

/// Timers that fall due together, and ends of grants, are written like this.
#[tokio::test]
async fn changes_that_are_written_together_are_all_written_or_none() {
    let (none, versions, all, after) = on_both(async |store| {
        for n in 1..=3 {
            store.commit(Wanted::new(n).create(&organisation())).await.unwrap();
        }
        let [first, second, third] = [read(&store, 1).await, read(&store, 2).await, read(&store, 3).await];
        let together = || {
            let both = [(&first, 1_000), (&third, 9_000)];
            both.map(|(ticket, now)| Commit::from(moved(ticket, State::InProgress, now))).to_vec()
        };
        store.commit(moved(&second, State::InProgress, 500)).await.unwrap();
        let stale = Commit::from(moved(&second, State::Cancelled, 5_000));
        let with_stale = together().into_iter().chain([stale]).collect();
        let none = matches!(store.commit_together(with_stale).await, Err(Error::Conflict));
        let versions = [read(&store, 1).await.version, read(&store, 3).await.version];
        let all = store.commit_together(together()).await.map(|written| written.len()).ok();
        (none, versions, all, [read(&store, 1).await.version, read(&store, 3).await.version])
    })
    .await;
    assert!(none, "one of them was overtaken");
    assert_eq!((versions, all, after), ([1, 1], Some(2), [2, 2]));
}

#[tokio::test]
async fn of_two_changes_to_one_reading_the_second_is_a_conflict_and_writes_nothing() {
    let (conflict, ticket, entries) = on_both(async |store| {
        store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
        let before = read(&store, 1).await;
        let (one, other) = (moved(&before, State::InProgress, 1_000), moved(&before, State::Cancelled, 2_000));
        store.commit(one).await.unwrap();
        let conflict = matches!(store.commit(other).await, Err(Error::Conflict));
        let entries = store.timeline(before.number, Visibility::Internal).await.unwrap();
        (conflict, read(&store, 1).await, entries.iter().filter(|e| e.entry.event.kind() == "state-changed").count())
    })
    .await;
    assert!(conflict);
    assert_eq!((ticket.state, ticket.version, entries), (State::InProgress, 2, 1));
}

/// Another host may change the ticket between reading and writing: the request is tried again under its key, and done then.
#[tokio::test]
async fn a_key_that_came_with_a_stale_change_is_free_for_the_next_try() {
    let (stale, made, again, version) = on_both(async |store| {
        store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
        let before = read(&store, 1).await;
        let keyed = |change: Change| {
            let (key, digest) = ("k".to_owned(), "d".to_owned());
            let idempotency = Some(IdempotencyKey { actor: Some(person("eve")), key, digest, kept_for: None });
            Commit { idempotency, ..Commit::from(change) }
        };
        store.commit(moved(&before, State::InProgress, 1_000)).await.unwrap();
        let stale = store.commit(keyed(moved(&before, State::Cancelled, 2_000))).await;
        let now = read(&store, 1).await;
        let made = store.commit(keyed(moved(&now, State::Cancelled, 3_000))).await.unwrap();
        let again = store.commit(keyed(moved(&now, State::Cancelled, 4_000))).await.unwrap();
        let is_new = |done: &Committed| matches!(done, Committed::Written { .. });
        (matches!(stale, Err(Error::Conflict)), is_new(&made), is_new(&again), read(&store, 1).await.version)
    })
    .await;
    assert_eq!((stale, made, again, version), (true, true, false, 3));
}

#[tokio::test]
async fn of_many_changes_at_once_exactly_one_wins() {
    let (won, version) = on_both(async |store| {
        store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
        let before = read(&store, 1).await;
        let mut tries = tokio::task::JoinSet::new();
        for n in 0..16 {
            let (store, change) = (store.clone(), moved(&before, State::InProgress, n));
            tries.spawn(async move { store.commit(change).await });
        }
        let mut won = 0;
        while let Some(outcome) = tries.join_next().await {
            match outcome.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(matches!(error, Error::Conflict), "{error}"),
            }
        }
        (won, read(&store, 1).await.version)
    })
    .await;
    assert_eq!((won, version), (1, 2));
}

/// The store keeps whatever a change says about how a ticket stands, not only what today's commands change; what was submitted
/// is no part of a change.
#[tokio::test]
async fn no_field_of_a_changed_ticket_is_left_behind() {
    let (ticket, expected) = on_both(async |store| {
        store.commit(Wanted::new(1).create(&organisation())).await.unwrap();
        let before = read(&store, 1).await;
        let moved = moved(&before, State::InProgress, 1_000);
        let mut after = moved.after().clone();
        after.kind = ruledesk::desk::organisation::Kind::Problem;
        after.tags = vec!["site".parse().unwrap()];
        after.impact = Some("low".parse().unwrap());
        after.urgency = Some("high".parse().unwrap());
        after.duplicate_of = Some(TicketNumber(99));
        after.team = "solo".parse().unwrap();
        after.tier = 2;
        after.watchers = vec![person("eve")];
        after.skills = vec!["sap".parse().unwrap()];
        after.closed_at = Some(at(3));
        after.clocks.first_response.used_ms = 7;
        let ticket = TicketWrite::Update { before: Box::new(before), after: Box::new(after.clone()) };
        store.commit(Change::of_parts(ticket, None, moved.entries().to_vec(), Vec::new())).await.unwrap();
        (read(&store, 1).await, after)
    })
    .await;
    assert_eq!(ticket, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_kept_load_is_the_counted_load(
        teams in prop::collection::vec(0_usize..3, 1..12),
        steps in prop::collection::vec((0_usize..12, 0_usize..31), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let loads = runtime.block_on(async {
            let (store, _dir) = on_sqlite().await;
            for (n, team) in teams.iter().enumerate() {
                let team = ["even", "odd", "solo"][*team];
                let wanted = Wanted { team, ..Wanted::new(n as u128) };
                store.commit(wanted.create(&organisation())).await.unwrap();
            }
            for ((ticket, row), later) in steps.into_iter().zip(0..) {
                let ticket = read(&store, (ticket % teams.len()) as i64 + 1).await;
                let rows = ticket::TRANSITIONS.iter();
                let agents: Vec<_> = rows
                    .filter(|(from, to, who)| {
                        // Merging needs another ticket, and ends the load as cancelling does.
                        *from == ticket.state && *to != State::Merged && who.contains(&ticket::Party::Agent)
                    })
                    .collect();
                if let Some((_, to, _)) = agents.get(row % agents.len().max(1)) {
                    store.commit(moved(&ticket, *to, 60_000 + later)).await.unwrap();
                }
            }
            store.loads().await.unwrap()
        });
        for (person, kept, counted) in loads {
            prop_assert_eq!(kept, counted, "{}", person);
        }
    }
}
