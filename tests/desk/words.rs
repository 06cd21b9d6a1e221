//! Words on a ticket in any order: by its requester, by an agent to the requester, and by agents among themselves. The first response and
//! the promise of the next word are as a person who reads along would count them.

use jiff::civil::Time;
use proptest::prelude::*;
use ruledesk::desk::actor::{Actor, Author, Role};
use ruledesk::desk::change::at::At;
use ruledesk::desk::change::message::MessageKind;
use ruledesk::desk::change::{Change, TicketWrite};
use ruledesk::desk::id::PersonId;
use ruledesk::desk::organisation::{OpenHours, Organisation};
use ruledesk::desk::permission;
use ruledesk::desk::ticket::lifecycle::links::Around;
use ruledesk::desk::ticket::timeline::{Entry, Event, Visibility};
use ruledesk::desk::ticket::{self, Move, Party, State, TRANSITIONS, Ticket, WaitingFor};
use ruledesk::messages::Templates;
use ruledesk::messages::facts::Facts;

use crate::store::fixture::{Wanted, at, organisation, person, uuid};

#[derive(Debug, Clone, Copy)]
enum Word {
    Requester,
    Agent,
    Note,
    /// An agent asks, and waits for the requester.
    Waits,
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![Just(Word::Requester), Just(Word::Agent), Just(Word::Note), Just(Word::Waits)]
}

/// The ticket as one who reads along keeps it.
#[derive(Debug, Default)]
struct Read {
    /// The minute of the first public answer of the desk.
    answered: Option<i64>,
    /// The minutes of the desk's own time since its last public answer; `None` before the first.
    silent: Option<i64>,
    /// Whether it is the requester's turn.
    waits: bool,
}

impl Read {
    fn pass(&mut self, minutes: i64) {
        if !self.waits {
            self.silent = self.silent.map(|silent| silent + minutes);
        }
    }

    fn hears(&mut self, word: Word, now: i64) {
        match word {
            Word::Requester => self.waits = false,
            Word::Agent => {
                self.answered = self.answered.or(Some(now));
                self.silent = Some(0);
            }
            Word::Note => {}
            Word::Waits => self.waits = true,
        }
    }
}

fn with_updates() -> Organisation {
    let mut organisation = organisation();
    // Day and night, so that a minute is a minute.
    let whole = OpenHours { start: Time::midnight(), end: Time::midnight() };
    organisation.calendar.week = std::array::from_fn(|_| vec![whole]);
    organisation.priorities.iter_mut().for_each(|level| level.update_minutes = Some(90));
    organisation
}

fn says(ticket: &Ticket, word: Word, organisation: &Organisation, minute: i64) -> Option<Change> {
    let (requester, agent) = (
        Actor::Person { id: person("eve"), roles: [Role::Requester].into() },
        Actor::Person { id: person("amara"), roles: [Role::Agent].into() },
    );
    let ids = || uuid(9, u128::try_from(minute).unwrap());
    let at = At::new(at(minute * 60_000), organisation, &ids);
    let comment = |actor: &Actor, visibility: Visibility| {
        let permit = permission::comment(actor, ticket, None, visibility).unwrap();
        Some(ticket::comment(ticket, "a word", &permit, &at).unwrap())
    };
    match word {
        Word::Requester => comment(&requester, Visibility::Public),
        Word::Agent => comment(&agent, Visibility::Public),
        Word::Note => comment(&agent, Visibility::Internal),
        Word::Waits if ticket.state == State::Waiting(WaitingFor::Requester) => None,
        Word::Waits => {
            let permit = permission::transition(&agent, ticket).unwrap();
            let wanted = Move { reason: "which one?".to_owned(), ..Move::to(State::Waiting(WaitingFor::Requester)) };
            Some(ticket::transition(ticket, None, wanted, &Around::default(), &permit, &at).unwrap())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_first_response_and_the_next_word_are_counted_as_one_who_reads_along_would(
        words in prop::collection::vec((1_i64..300, word()), 1..40),
    ) {
        let organisation = with_updates();
        let opened = Wanted { at: at(0), ..Wanted::new(1) };
        let mut ticket = opened.create(&organisation).change.after().clone();
        let (mut read, mut now) = (Read::default(), 0);
        for (minutes, word) in words {
            now += minutes;
            read.pass(minutes);
            read.hears(word, now);
            if let Some(change) = says(&ticket, word, &organisation, now) {
                ticket = change.after().clone();
            }
            let clocks = &ticket.clocks;
            prop_assert_eq!(clocks.first_response.met_at, read.answered.map(|minute| at(minute * 60_000)));
            let used = |clock: ruledesk::desk::sla::Clock| clock.used(&organisation.calendar, at(now * 60_000)) / 60_000;
            prop_assert_eq!(clocks.update.map(used), read.silent);
            let runs = clocks.update.map(|clock| clock.running_since.is_some());
            prop_assert_eq!(runs, read.silent.map(|_| !read.waits));
            prop_assert_eq!(ticket.state == State::Waiting(WaitingFor::Requester), read.waits);
        }
    }
}

/// The message by which the requester hears of a state, where it is news.
fn news(to: State) -> Option<MessageKind> {
    match to {
        State::Resolved => Some(MessageKind::Resolved),
        State::Closed => Some(MessageKind::Closed),
        State::Reopened | State::Cancelled | State::Merged => Some(MessageKind::StateChanged),
        State::Waiting(WaitingFor::Requester | WaitingFor::Vendor) => Some(MessageKind::StateChanged),
        _ => None,
    }
}

/// Each transition that there is, by each party that may ask for it: who hears of it by which message, and that this has its words in
/// each language. How a ticket begins is in its acknowledgement.
#[test]
fn each_transition_sends_the_messages_that_it_owes_and_each_has_its_template() {
    let (organisation, templates) = (organisation(), Templates::shipped().unwrap());
    let opened = Wanted::new(1).create(&organisation).change.after().clone();
    let (requester, agent, follower) = (opened.submitted.requester.clone(), person("amara"), person("hal"));
    let ids = || uuid(9, 1);
    let mut count = 0;
    for (from, to, parties) in TRANSITIONS.iter().filter(|(from, _, _)| *from != State::New) {
        for party in parties.iter() {
            let author = match party {
                Party::Requester => Author::Person(requester.clone()),
                Party::Agent => Author::Person(agent.clone()),
                Party::System => Author::System,
            };
            let mut before = opened.clone();
            (before.state, before.assignee, before.watchers) = (*from, Some(agent.clone()), vec![follower.clone()]);
            let mut after = before.clone();
            (after.state, after.version) = (*to, before.version + 1);
            let event = Event::StateChanged { from: *from, to: *to, reason: "a reason".to_owned() };
            let entry = Entry { at: at(0), author, visibility: Visibility::Public, event };
            let write = TicketWrite::Update { before: Box::new(before), after: Box::new(after) };
            let change = Change::of_parts(write, None, vec![entry], Vec::new());
            let change = change.telling(&At::new(at(0), &organisation, &ids));
            let sent: Vec<(PersonId, MessageKind)> =
                change.messages().iter().map(|message| (message.to.clone(), message.kind)).collect();
            let mut owed = Vec::new();
            if let Some(kind) = news(*to) {
                // The one who asks for it knows; the desk's own steps are no news to the one who works on it.
                match party {
                    Party::Requester => owed.push((agent.clone(), MessageKind::StateChanged)),
                    Party::Agent | Party::System => owed.push((requester.clone(), kind)),
                }
                owed.push((follower.clone(), MessageKind::StateChanged));
            }
            assert_eq!(sent, owed, "{from:?} -> {to:?} by {party:?}");
            for (_, kind) in sent {
                for locale in ["de", "en"] {
                    let message = templates.message(locale, kind, &Facts::sample()).unwrap();
                    assert!(!message.subject.is_empty() && !message.text.is_empty(), "{locale} {kind:?}");
                }
            }
            count += 1;
        }
    }
    assert!(count > 40, "only {count} were walked");
}
