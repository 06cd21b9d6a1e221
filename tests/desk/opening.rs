//! What a submission brings reaches the ticket, and a permit opens only what it was given for.

use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::organisation::form::Value;
use ruledesk::desk::permission;
use ruledesk::desk::ticket::intake::{NewTicket, Submission};
use ruledesk::desk::ticket::lifecycle::links::Around;
use ruledesk::desk::ticket::{self, Move, State};

use crate::store::fixture::{Wanted, changed, open, organisation, person, plain_verdicts};

#[test]
fn tags_that_a_submission_came_with_stay() {
    let organisation = organisation();
    let actor = Actor::Person { id: person("eve"), roles: [Role::Requester].into() };
    let permit = permission::create(&organisation, &actor, None).unwrap();
    let submission = Submission {
        request_type: "fault".to_owned(),
        channel: "api".to_owned(),
        subject: "printer".to_owned(),
        tags: vec!["site".to_owned()],
        ..Submission::default()
    };
    let new = NewTicket::check(&organisation, &permit, submission).unwrap();
    let wanted = Wanted::new(1);
    let verdicts = plain_verdicts(&organisation, &wanted);
    let change = open(&organisation, &wanted, new, verdicts);
    let opened = change.after();
    assert!(opened.tags.iter().any(|tag| tag.as_str() == "site"), "{:?}", opened.tags);
}

#[test]
fn a_tag_that_is_not_in_the_taxonomy_is_a_problem() {
    let organisation = organisation();
    let actor = Actor::Person { id: person("eve"), roles: [Role::Requester].into() };
    let permit = permission::create(&organisation, &actor, None).unwrap();
    let submission = Submission {
        request_type: "fault".to_owned(),
        subject: "printer".to_owned(),
        tags: vec!["no such tag".to_owned()],
        ..Submission::default()
    };
    assert!(NewTicket::check(&organisation, &permit, submission).is_err());
}

#[test]
fn each_chosen_option_counts_as_text() {
    let organisation = organisation();
    let actor = Actor::Person { id: person("eve"), roles: [Role::Requester].into() };
    let permit = permission::create(&organisation, &actor, None).unwrap();
    let submission = Submission {
        request_type: "fault".to_owned(),
        channel: "api".to_owned(),
        subject: "printer".to_owned(),
        ..Submission::default()
    };
    let mut new = NewTicket::check(&organisation, &permit, submission).unwrap();
    let without = new.text_bytes();
    new.fields.push(("colours".to_owned(), Value::Choices(["red", "green"].map(str::to_owned).to_vec())));
    assert_eq!(new.text_bytes(), without + "redgreen".len());
}

#[test]
fn a_permit_for_one_ticket_moves_no_other() {
    let organisation = organisation();
    let [mine, theirs] = [1, 2].map(|n| Wanted::new(n).create(&organisation).change.after().clone());
    let actor = Actor::Person { id: person("eve"), roles: [Role::Requester].into() };
    let permit = permission::transition(&actor, &mine).unwrap();
    let moved =
        changed(1, |at| ticket::transition(&theirs, None, Move::to(State::Cancelled), &Around::default(), &permit, at));
    assert!(moved.is_err());
}

/// PostgreSQL takes no zero character and SQLite does: so the desk takes none, wherever it runs.
#[test]
fn a_zero_character_in_a_text_is_a_problem() {
    let organisation = organisation();
    let actor = Actor::Person { id: person("eve"), roles: [Role::Requester].into() };
    let permit = permission::create(&organisation, &actor, None).unwrap();
    for (subject, body) in [("zero \0", ""), ("printer", "zero \0")] {
        let submission = Submission {
            request_type: "fault".to_owned(),
            subject: subject.to_owned(),
            body: body.to_owned(),
            ..Submission::default()
        };
        assert!(NewTicket::check(&organisation, &permit, submission).is_err(), "{subject:?} {body:?}");
    }
}
