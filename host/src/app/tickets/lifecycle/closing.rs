//! A requester's words on a ticket that was resolved: the rules for closing are asked about them before they are written, and what
//! was asked and decided is written with them.
//!
//! A desk without such rules does nothing of this.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::app::decide::closing::{self, Judged, Recorded};
use crate::app::decide::{again, translate};
use crate::app::error::Broken;
use crate::app::rollout::health::Cause;
use crate::app::tickets::change::{Changed, JustRead, Key, idempotency};
use crate::app::tickets::links::{Branch, submission};
use crate::app::tickets::submit::Coming;
use crate::app::tickets::work::{Words, may_read};
use crate::app::{App, Error, clock};
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::check_comment;
use crate::desk::permission;
use crate::desk::text::normal;
use crate::desk::ticket::intake::Submission;
use crate::desk::ticket::lifecycle::links::{LinkKind, Origin};
use crate::desk::ticket::lifecycle::words::{self, Effect, Spoken};
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{State, Ticket};
use crate::rules::live::catalog::Generation;
use crate::rules::run::stage::Stage;
use crate::store::{Commit, PackedRun};

/// How often the rules are asked again because the ticket has changed meanwhile; then the policy decides.
const TRIES_MAX: usize = 3;

/// The effect that words are to have on a ticket that is as it was when the rules were asked, with the record of that.
pub(in crate::app::tickets) struct Heard {
    state: State,
    resolved_at: Option<Timestamp>,
    effect: Effect,
    run: PackedRun,
}

impl Heard {
    /// The effect on a ticket.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] where it was reopened, closed or resolved again since.
    pub(in crate::app::tickets) fn effect_on(&self, ticket: &Ticket) -> Result<Effect, Error> {
        if (ticket.state, ticket.resolved_at) == (self.state, self.resolved_at) {
            Ok(self.effect)
        } else {
            Err(Error::Stale { version: ticket.version })
        }
    }

    /// The record, to be written with the words.
    pub(in crate::app::tickets) fn run(&self) -> PackedRun {
        self.run.clone()
    }
}

/// A ticket with words that rules are to be asked about, as all stands in that moment.
struct ToJudge {
    ticket: Ticket,
    organisation: Arc<Organisation>,
    generation: Arc<Generation>,
    now: Timestamp,
}

/// A ticket that words are about.
enum Met {
    /// The rules for closing are asked: they are a requester's, on a ticket that was resolved.
    ToJudge(Box<ToJudge>),
    /// Nothing is asked; the ticket as it was read, if it is there.
    Other(Option<Box<JustRead>>),
}

/// Words about which the rules were asked.
struct Asked {
    ticket: Ticket,
    judged: Judged,
    cause: Cause,
    begun: Instant,
}

impl App {
    /// Adds a comment, as [`Office::comment`](crate::app::Office::comment). Where they are a requester's on a ticket that was
    /// resolved, the rules for closing say what becomes of them: they may be a new ticket, which is then the answer.
    ///
    /// # Errors
    ///
    /// Those of the office's; [`Error::Busy`] where the rules have too much to do.
    pub async fn comment(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        words: Words<'_>,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let is_public = words.visibility == Visibility::Public && words.minutes.is_none();
        if !is_public || !self.rules.generation().hears_words() {
            return self.office.comment(actor, number, words, key).await;
        }
        self.count_comment(actor, words.body.len())?;
        let mut read = None;
        for _ in 0..TRIES_MAX {
            let to_judge = match self.meet(actor, number, words.body).await? {
                Met::ToJudge(to_judge) => *to_judge,
                Met::Other(other) => {
                    read = other.map(|read| *read);
                    break;
                }
            };
            let place = to_judge.ticket.number;
            if let Some(before) = self.repeated(place, idempotency(actor, key.clone()).as_ref()).await? {
                return Ok(before);
            }
            let asked = self.ask_about(actor, to_judge, &words).await?;
            match self.bring_about(actor, words, key.clone(), asked).await {
                Err(Error::Stale { .. }) => {}
                done => return done,
            }
        }
        // No rule is asked about them, or the ticket changes all the time.
        self.office.say(actor, (number, read), words, key, None).await
    }

    /// The ticket that public words are about.
    async fn meet(&self, actor: &Actor, number: TicketNumber, body: &str) -> Result<Met, Error> {
        let mut found = self.store.ticket_and_case(number).await?;
        if found.as_ref().is_some_and(|(ticket, _)| ticket.state == State::Merged) {
            found = self.store.ticket_and_case(self.store.merged_into(number).await?.0).await?;
        }
        let Some((ticket, case)) = found else { return Ok(Met::Other(None)) };
        let (organisation, now, generation) = (self.organisation(), self.clock.now(), self.rules.generation());
        let is_asked = are_for_rules(&organisation, actor, (&ticket, case.as_ref()), &normal(body), now)
            && has_rule_for(&generation, &ticket);
        Ok(if is_asked {
            Met::ToJudge(Box::new(ToJudge { ticket, organisation, generation, now }))
        } else {
            Met::Other(Some(Box::new((ticket, case))))
        })
    }

    /// Asks the rules for closing about words.
    async fn ask_about(
        self: &Arc<Self>,
        actor: &Actor,
        ToJudge { ticket, organisation, generation, now }: ToJudge,
        words: &Words<'_>,
    ) -> Result<Asked, Error> {
        let (begun, body) = (clock::instant(), normal(words.body));
        self.archive_for_ticket(&generation).await?;
        let files = self.uploads(actor, words.files).await?;
        let last = self.store.last_resolution(ticket.number).await?;
        let reopened = self.store.taken_up(ticket.number).await?;
        let said = translate::words(&ticket, (&body, words.channel, &files), (last.as_ref(), reopened), now);
        let new = again::submitted(&ticket);
        let (seen, so_far) = (again::shown(&ticket), again::so_far(&ticket));
        let person = actor.person().unwrap_or(&ticket.submitted.requester).clone();
        let cause = Cause::new(organisation.human(&person), body.len());
        let about = self.question((organisation, generation), new, (ticket.id, now));
        let judging = move || closing::judge(about, seen, &so_far, said);
        let judged = self.rules.workers().run(person.as_str(), judging).await?;
        Ok(Asked { cause, ticket, judged, begun })
    }

    /// Writes words with the effect that they were judged to have.
    async fn bring_about(
        self: &Arc<Self>,
        actor: &Actor,
        words: Words<'_>,
        key: Option<Key>,
        asked: Asked,
    ) -> Result<Changed, Error> {
        let Asked { ticket, mut judged, cause, begun } = asked;
        let mut run = self.take_note(judged.record(), cause, begun)?;
        if judged.effect() == Effect::FollowsUp {
            match self.follow_up_with(actor, &ticket, words, key.clone(), run).await {
                // The form or the rules take no such ticket, or there would be too many: then the words stay where they are.
                Err(Error::Rejected { .. } | Error::Refused(_) | Error::TooMuch { .. }) => judged.undo(),
                done => return done,
            }
            // The calls are counted already.
            run = judged.record().packed.map_err(Broken::Unpacked)?;
        }
        self.say_as_judged(actor, &ticket, words, key, (judged.effect(), run)).await
    }

    async fn say_as_judged(
        &self,
        actor: &Actor,
        ticket: &Ticket,
        words: Words<'_>,
        key: Option<Key>,
        (effect, run): (Effect, PackedRun),
    ) -> Result<Changed, Error> {
        let heard = Heard { state: ticket.state, resolved_at: ticket.resolved_at, effect, run };
        self.office.say(actor, (ticket.number, None), words, key, Some(&heard)).await
    }

    /// Counts the calls of rules, and gives the record of them as it is written.
    fn take_note(self: &Arc<Self>, recorded: Recorded, cause: Cause, begun: Instant) -> Result<PackedRun, Error> {
        let Recorded { record, samples, packed } = recorded;
        self.judge(&samples, cause);
        self.account(&record, samples, begun);
        Ok(packed.map_err(Broken::Unpacked)?)
    }

    /// Makes a new ticket of words, which takes up the one that they were written on; the new ticket.
    async fn follow_up_with(
        self: &Arc<Self>,
        actor: &Actor,
        ticket: &Ticket,
        words: Words<'_>,
        key: Option<Key>,
        run: PackedRun,
    ) -> Result<Changed, Error> {
        let branch = Branch { body: words.body.to_owned(), ..Branch::default() };
        let submission = Submission {
            channel: words.channel.to_owned(),
            uploads: words.files.to_vec(),
            ..submission(&ticket.submitted, branch)
        };
        let change = words::followed_up(ticket, self.clock.now());
        let coming = Coming {
            origin: Origin { kind: LinkKind::FollowUp, of: ticket.number },
            beside: Some(Commit { change, run: Some(run), idempotency: None }),
        };
        let requester = Some(ticket.submitted.requester.clone());
        let made = self.create_from(actor, requester, submission, Some(coming), key).await?;
        Ok(Changed { ticket: made.ticket, case: made.access, repeated: !made.new })
    }
}

/// Whether words are such as rules are asked about: a requester's, which are taken, on a ticket that was resolved.
fn are_for_rules(
    organisation: &Organisation,
    actor: &Actor,
    (ticket, case): (&Ticket, Option<&AccessCase>),
    body: &str,
    now: Timestamp,
) -> bool {
    let closing = organisation.closing_of(&ticket.submitted.request_type);
    let is_own = actor.person().is_some_and(|person| ticket.belongs_to(person));
    is_own
        && words::may_be_judged(&Spoken::on(ticket, body, now), closing)
        && check_comment(body).is_ok()
        && may_read(actor, ticket, case).is_ok()
        && permission::comment(actor, ticket, case, Visibility::Public).is_ok()
}

/// Whether a rule is asked about the words on a ticket, or should be.
fn has_rule_for(generation: &Generation, ticket: &Ticket) -> bool {
    let (request_type, category) = (ticket.submitted.request_type.as_str(), Some(ticket.category.as_str()));
    let mut asked = generation.asked_about(Stage::Closing, request_type, category, ticket.id.0.as_bytes());
    asked.next().is_some() || generation.closing_in_doubt().is_some()
}
