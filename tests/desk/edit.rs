//! Changes by hand, as pure functions: what follows from them and what does not.

use ruledesk::desk::actor::{Actor, Author, Role};
use ruledesk::desk::change::Change;
use ruledesk::desk::permission;
use ruledesk::desk::refusal::Refusal;
use ruledesk::desk::ticket::edit::{EditTicket as Edit, edit};
use ruledesk::desk::ticket::timeline::{Event, Field};
use ruledesk::desk::ticket::{State, Ticket};

use crate::store::fixture::{Wanted, at, changed, organisation, person};

fn ticket() -> Ticket {
    Wanted::new(1).create(&organisation()).change.after().clone()
}

fn by_hand(ticket: &Ticket, wanted: Edit, now: i64) -> Result<Option<Change>, Refusal> {
    let agent = Actor::Person { id: person("amara"), roles: [Role::Agent].into() };
    let permit = permission::edit(&agent, ticket).unwrap();
    changed(now, |at| edit(ticket, &Edit { reason: " because ".to_owned(), ..wanted }, &permit, at))
}

fn priority(level: &str) -> Edit {
    Edit { priority: Some(level.to_owned()), ..Edit::default() }
}

#[test]
fn a_promise_follows_the_priority_and_keeps_what_it_has_used() {
    let change = by_hand(&ticket(), priority("critical"), 600_001).unwrap().unwrap();
    let after = change.after();
    assert_eq!((after.rank, after.version), (0, 2));
    assert_eq!((after.clocks.first_response.target_ms, after.clocks.resolution.target_ms), (15 * 60_000, 60 * 60_000));
    assert_eq!(after.clocks.resolution.used_ms, 600_000, "ten minutes since it opened");
    assert_eq!(after.clocks.resolution.due_at, Some(at(60 * 60_000 + 1)));
    let [entry] = change.entries() else { panic!("{:?}", change.entries()) };
    assert_eq!(entry.author, Author::Person(person("amara")));
    let expected = Event::Set {
        field: Field::Priority,
        from: Some("medium".to_owned()),
        to: "critical".to_owned(),
        reason: "because".to_owned(),
    };
    assert_eq!(entry.event, expected);
}

#[test]
fn what_was_promised_and_kept_stays_as_it_was_promised() {
    let mut kept = ticket();
    kept.clocks.first_response = kept.clocks.first_response.meet(&organisation().calendar, at(60_000));
    let change = by_hand(&kept, priority("critical"), 120_000).unwrap().unwrap();
    let after = change.after();
    assert_eq!(after.clocks.first_response, kept.clocks.first_response);
    assert_ne!(after.clocks.resolution, kept.clocks.resolution);
}

#[test]
fn only_another_team_without_a_name_is_shared_out() {
    let to = |team: Option<&str>, assignee: Option<Option<&str>>| Edit {
        team: team.map(str::to_owned),
        assignee: assignee.map(|person| person.map(str::to_owned)),
        ..Edit::default()
    };
    let shared = |wanted| by_hand(&ticket(), wanted, 1).unwrap().is_some_and(|change| change.assignment().is_some());
    assert!(shared(to(Some("odd"), None)));
    assert!(!shared(to(Some("even"), None)), "it is there already");
    assert!(!shared(to(Some("odd"), Some(None))), "left in the queue");
    assert!(!shared(to(Some("odd"), Some(Some("carol")))));
    assert!(by_hand(&ticket(), to(Some("odd"), Some(Some("amara"))), 1).is_err(), "a member of the old team");
    assert!(by_hand(&ticket(), to(None, Some(Some("amara"))), 1).is_ok());
}

#[test]
fn nothing_is_changed_without_a_reason_or_where_no_work_is_owed() {
    let agent = Actor::Person { id: person("amara"), roles: [Role::Agent].into() };
    let open = ticket();
    let permit = permission::edit(&agent, &open).unwrap();
    let silent = Edit { reason: "  ".to_owned(), ..priority("low") };
    assert!(changed(1, |at| edit(&open, &silent, &permit, at)).is_err());
    assert_eq!(by_hand(&open, priority("medium"), 1), Ok(None), "it is so already");
    for state in State::ALL.into_iter().filter(|state| !state.is_unfinished()) {
        let done = Ticket { state, ..ticket() };
        assert_eq!(by_hand(&done, priority("low"), 1), Err(Refusal::Finished { state }));
    }
    let other = Wanted::new(2).create(&organisation()).change.after().clone();
    let wanted = Edit { reason: "x".to_owned(), ..priority("low") };
    assert!(changed(1, |at| edit(&other, &wanted, &permit, at)).is_err());
}
