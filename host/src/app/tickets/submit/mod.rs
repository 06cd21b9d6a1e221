//! A submission becomes a ticket.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::app::decide::pipeline::{self, Accepted, AccessFacts, Case, Evaluation, Peers};
use crate::app::error::{Broken, Busy};
use crate::app::observe::{log, request_trace};
use crate::app::record::refused::Refused;
use crate::app::record::write::{Sample, beginnings};
use crate::app::rollout::health::Cause;
use crate::app::tickets::change;
use crate::app::{App, Error, clock};
use crate::desk::access::{AccessCase, AccessRequest, AccessState, Grant};
use crate::desk::actor::Actor;
use crate::desk::change::at::At;
use crate::desk::change::{AccessSeen, Change};
use crate::desk::id::{PersonId, RunId, TicketId, TicketNumber, TierId};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::organisation::{self, Organisation};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::{NewTicket, Submission, outage};
use crate::desk::ticket::lifecycle::alerts;
use crate::desk::ticket::lifecycle::links::Origin;
use crate::desk::ticket::sight::{PublicState, Sight};
use crate::desk::ticket::submit;
use crate::rules::digest::Digest;
use crate::rules::live::catalog::Generation;
use crate::store::access::current::OpenRequest;
use crate::store::{self, Commit, Committed, IdempotencyKey, PackedRun, RunRecord};

pub mod attachments;
mod bundle;
pub mod days;
pub mod draft_content;
pub mod drafts;
pub mod mail;
pub mod outages;
pub mod parts;
pub mod schedule_acts;
pub mod schedules;

/// The digest of a request, to tell the same one sent again from another under the same key.
pub fn digest(request: &[u8]) -> String {
    Digest::of(request).to_string()
}

/// How far back a repetition is looked for, in hours.
const RECENT_HOURS: i64 = 72;
/// How many tickets of the requester are looked at.
const RECENT_MAX: i64 = 5;
/// How often a request for access is decided again while others about the same access are written.
const TRIES_MAX: usize = 8;
/// How far back access history goes, in days.
const HISTORY_DAYS: i64 = 365;

/// A ticket that was created, now or when the same request was made before.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedTicket {
    pub ticket: Ticket,
    pub access: Option<AccessCase>,
    /// Whether this very request made it.
    pub new: bool,
    /// The sight of the one who made it; `None` where it was made before.
    pub sight: Option<Sight>,
    /// How many rules were asked.
    pub rules_asked: usize,
}

impl CreatedTicket {
    /// A ticket that is new, as the one who submitted it sees it.
    fn seen_by(self, actor: &Actor) -> CreatedTicket {
        if !self.new {
            return self;
        }
        let public = PublicState { version: self.ticket.version, updated_at: self.ticket.updated_at };
        let sight = if permission::works_on_tickets(actor) { Sight::All } else { Sight::Public(public) };
        CreatedTicket { sight: Some(sight), ..self }
    }
}

/// The ticket that a new one comes from, and a change of it that is written with the new one or not at all.
pub(in crate::app::tickets) struct Coming {
    pub origin: Origin,
    pub beside: Option<Commit>,
}

/// A submission that the rules have accepted.
struct Decided {
    commit: Commit,
    /// The ticket that is made by it, without what only the store knows.
    made: CreatedTicket,
    run: RunId,
}

/// What a submission comes to before anything is written.
pub(crate) struct Evaluated {
    pub record: RunRecord,
    pub samples: Vec<Sample>,
    /// What would be written, with the record as it would be, or what is wrong with the submission.
    pub outcome: Result<(Box<Change>, PackedRun), Vec<Problem>>,
}

impl App {
    /// Takes a submission through the rules and writes the ticket that comes of it, or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] with the problems; [`Error::Busy`] where rules or store have too much to do.
    pub async fn create_ticket(
        self: &Arc<Self>,
        actor: &Actor,
        requester: Option<PersonId>,
        submission: Submission,
        idempotency: Option<(String, String)>,
    ) -> Result<CreatedTicket, Error> {
        self.create_from(actor, requester, submission, None, idempotency).await
    }

    /// The same for a ticket that comes from another, with which it is linked.
    ///
    /// # Errors
    ///
    /// As [`App::create_ticket`]; [`Error::Stale`] where that ticket has changed meanwhile, and was to change with it.
    pub(in crate::app::tickets) async fn create_from(
        self: &Arc<Self>,
        actor: &Actor,
        requester: Option<PersonId>,
        submission: Submission,
        coming: Option<Coming>,
        idempotency: Option<(String, String)>,
    ) -> Result<CreatedTicket, Error> {
        let organisation = self.organisation();
        let now = self.clock.now();
        let permit = permission::create(&organisation, actor, requester.as_ref())?;
        let idempotency = change::idempotency(actor, idempotency);
        // Before form and rules are asked: they could answer a repetition differently from the first request.
        if let Some(before) = self.made_under_key(idempotency.as_ref()).await? {
            return Ok(before);
        }
        let refused = Refused::of_submission(&submission, &permit);
        let (origin, beside) = coming.map(|coming| (coming.origin, coming.beside)).unzip();
        let beside = beside.flatten();
        let new = match NewTicket::check(&organisation, &permit, submission) {
            Ok(new) => NewTicket { origin, ..new },
            Err(refusal) => {
                self.metrics.count_ticket("refused");
                if let Refusal::Problems { problems } = &refusal {
                    self.keep_refusal(refused, None, problems).await?;
                }
                return Err(refusal.into());
            }
        };
        self.check_assets(&organisation, &new)?;
        let new = self.with_uploads(actor, new).await?;
        self.check_open_tickets(actor).await?;
        self.count_text(actor, new.stored_bytes())?;
        let form = organisation.request_types.get(&new.request_type);
        if beside.is_none() && form.is_some_and(|form| form.makes_more()) {
            return Ok(self.create_bundle(&organisation, &permit, new, now, idempotency).await?.seen_by(actor));
        }
        let grants_access = form.is_some_and(|form| form.grants_access);
        let tries = if grants_access && beside.is_none() { TRIES_MAX } else { 1 };
        for new in std::iter::repeat_n(new, tries) {
            let with = (idempotency.as_ref(), beside.as_ref());
            if let Some(made) = self.create_once(&organisation, new, now, with).await? {
                return Ok(made.seen_by(actor));
            }
        }
        match beside {
            Some(beside) => Err(Error::Stale { version: beside.change.after().version }),
            None => Err(Busy::Ticket.into()),
        }
    }

    /// Asks the rules and writes the ticket; `None` where the access by which they decided has gone on meanwhile, or the ticket
    /// that is to change with it.
    async fn create_once(
        self: &Arc<Self>,
        organisation: &Arc<Organisation>,
        new: NewTicket,
        now: Timestamp,
        (idempotency, beside): (Option<&IdempotencyKey>, Option<&Commit>),
    ) -> Result<Option<CreatedTicket>, Error> {
        let begun = clock::instant();
        let Decided { commit, made, run } = self.decide_new(organisation, new, now).await?;
        let writing = clock::instant();
        let commit = Commit { idempotency: idempotency.cloned(), ..commit };
        let committed = match beside {
            None => self.store.commit(commit).await,
            Some(beside) => {
                let both = self.store.commit_together(vec![commit, beside.clone()]).await;
                both.and_then(|made| made.into_iter().next().ok_or(store::Error::Stopped))
            }
        };
        match committed {
            Err(store::Error::Conflict) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(Committed::Written { number, assignee }) => {
                Ok(Some(self.made_now((made, run), (number, assignee), (begun, writing))))
            }
            Ok(Committed::Before(id)) => self.made_before(id).await.map(Some),
        }
    }

    /// Asks the rules about a submission; the ticket that is to be written, with the record.
    async fn decide_new(
        self: &Arc<Self>,
        organisation: &Arc<Organisation>,
        new: NewTicket,
        now: Timestamp,
    ) -> Result<Decided, Error> {
        let cause = Cause::new(organisation.human(&new.submitted_by), new.text_bytes());
        let refused = Refused::of(&new);
        let begun = clock::instant();
        let generation = self.rules.generation();
        self.archive_for_ticket(&generation).await?;
        let Evaluated { record, samples, outcome } = self.consider(organisation, generation, new, now).await?;
        let (run, rules_asked) = (record.id, samples.len());
        self.judge(&samples, cause);
        let kept = match &outcome {
            Ok(_) => Ok(()),
            Err(problems) => {
                self.metrics.count_ticket("rejected");
                self.keep_refusal(refused, Some((run, &samples)), problems).await
            }
        };
        self.account(&record, samples, begun);
        kept?;
        let (change, record) = outcome.map_err(|problems| Error::Rejected { problems })?;
        let (ticket, access) = (change.after().clone(), change.case().cloned());
        let made = CreatedTicket { ticket, access, new: true, sight: None, rules_asked };
        Ok(Decided { commit: Commit { change: *change, run: Some(record), idempotency: None }, made, run })
    }

    /// A ticket that was written just now.
    fn made_now(
        &self,
        (mut made, run): (CreatedTicket, RunId),
        (number, assignee): (TicketNumber, Option<PersonId>),
        (begun, writing): (Instant, Instant),
    ) -> CreatedTicket {
        let written = clock::instant();
        self.metrics.count_ticket("accepted");
        // Access that the rules gave is provisioned at once.
        if made.access.as_ref().is_some_and(|case| case.state == AccessState::Approved) {
            self.jobs.wake();
        }
        made.ticket.number = number;
        made.ticket.assignee = assignee;
        request_trace::note(|trail| {
            trail.written = Some((writing, written));
            trail.ticket = Some((number, made.ticket.id));
        });
        log::created(&made.ticket, run, made.rules_asked, written.saturating_duration_since(begun));
        made
    }

    /// Takes a submission through these rules, up to where the ticket would be written. Creating a ticket and trying
    /// what would become of one are the same up to here.
    pub(crate) async fn consider(
        &self,
        organisation: &Arc<Organisation>,
        generation: Arc<Generation>,
        new: NewTicket,
        now: Timestamp,
    ) -> Result<Evaluated, Error> {
        let id = new.place.id.unwrap_or_else(|| TicketId(self.clock.new_id()));
        let Evaluation { record, samples, new, outcome } =
            self.run_rules(organisation, generation, new, now, id).await?;
        let Accepted { mut verdicts, packed, review, seen } = match outcome {
            Ok(accepted) => *accepted,
            Err(problems) => return Ok(Evaluated { record, samples, outcome: Err(problems) }),
        };
        if let Some(number) = verdicts.changes.duplicate_of
            && self.store.ticket(number).await?.is_none()
        {
            verdicts.changes.no_such_original();
        }
        let packed = packed.map_err(Broken::Unpacked)?;
        let outages = self.outages_with_room().await?;
        let ids = || self.clock.new_id();
        let at = At::new(now, organisation, &ids).reviewing(review);
        let mut change = submit::open(new, verdicts, id, &at).only_while(seen);
        if let Some(outage) = outage::of_new(&change, &outages) {
            outage::attach(&mut change, outage, &at);
        }
        alerts::keep_time(&mut change, organisation);
        Ok(Evaluated { record, samples, outcome: Ok((Box::new(change), packed)) })
    }

    /// Counts what the rules did, logs what failed, and adds the calls to the request's trace.
    pub(in crate::app::tickets) fn account(&self, record: &RunRecord, samples: Vec<Sample>, begun: Instant) {
        self.metrics.count_calls(&samples);
        log::faults(record.id, &samples);
        let ended = clock::instant();
        let (id, generation) = (record.id, record.generation);
        request_trace::note(|trail| {
            trail.runs.push(request_trace::Run { id, generation, took: (begun, ended), samples })
        });
    }

    /// The ticket that was made under this key before, if one was.
    pub(in crate::app) async fn made_under_key(
        &self,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<CreatedTicket>, Error> {
        let Some(key) = key else { return Ok(None) };
        match self.store.made_under(key, self.clock.now()).await? {
            Some(id) => self.made_before(id).await.map(Some),
            None => Ok(None),
        }
    }

    pub(in crate::app) async fn made_before(&self, id: TicketId) -> Result<CreatedTicket, Error> {
        let found = self.store.ticket_and_case_by_id(id).await?;
        let (ticket, access) = found.ok_or_else(|| Error::Missing { what: "ticket", name: id.to_string() })?;
        Ok(CreatedTicket { ticket, access, new: false, sight: None, rules_asked: 0 })
    }

    /// One generation of rules for all stages. Where the form grants access, the facts about what is asked for are read between
    /// two trips to a worker, because intake may change what that is; else one trip is enough.
    async fn run_rules(
        &self,
        organisation: &Arc<Organisation>,
        generation: Arc<Generation>,
        new: NewTicket,
        now: Timestamp,
        ticket: TicketId,
    ) -> Result<Evaluation, Error> {
        let recent = if generation.wants_recent_tickets() {
            let since = ago(now, RECENT_HOURS);
            self.store.recent(&new.requester, since, RECENT_MAX).await?
        } else {
            Vec::new()
        };
        let grants_access = organisation.request_types.get(&new.request_type).is_some_and(|form| form.grants_access);
        let case = Case {
            organisation: organisation.clone(),
            former: self.former(),
            tables: self.rules.tables(),
            dictionary: self.store.dictionary(&beginnings(generation.rules())),
            generation,
            new,
            recent,
            now,
            run: RunId(self.clock.new_id()),
            ticket,
            budget: self.rules.ticket_budget,
        };
        let workers = self.rules.workers();
        let lane = case.new.submitted_by.clone();
        if !grants_access {
            return Ok(workers.run(lane.as_str(), move || pipeline::decide(case)).await?);
        }
        let begun = match workers.run(lane.as_str(), move || pipeline::begin(case)).await? {
            Ok(begun) => begun,
            Err(ran) => return Ok(*ran),
        };
        if let Some(request) = begun.request.as_ref().filter(|request| request.emergency) {
            self.no_emergency_is_open(organisation, request).await?;
        }
        let facts = match &begun.request {
            Some(request) => Some(self.access_facts(organisation, request, now).await?),
            None => None,
        };
        Ok(workers.run(lane.as_str(), move || begun.go_on(facts)).await?)
    }

    /// Refuses an emergency while the one before it was not reviewed: otherwise access that is meant for a short time could be renewed
    /// again and again (I18).
    async fn no_emergency_is_open(&self, organisation: &Organisation, request: &AccessRequest) -> Result<(), Error> {
        let accounts = organisation.other_accounts(&request.subject);
        for account in accounts.iter().chain([&request.subject]) {
            if self.store.emergency_open(account, &request.app).await? {
                let problem = Problem::of("emergency", "not-reviewed", Fault::NotReviewed, &[]);
                return Err(Error::Rejected { problems: vec![problem] });
            }
        }
        Ok(())
    }

    /// Facts about a request for access as of now.
    pub(in crate::app) async fn access_facts(
        &self,
        organisation: &Organisation,
        request: &AccessRequest,
        now: Timestamp,
    ) -> Result<AccessFacts, Error> {
        let since = ago(now, HISTORY_DAYS * 24);
        let subject = &request.subject;
        let app = organisation.apps.get(&request.app);
        let tier = app.and_then(|app| app.tier(request.tier.as_str()));
        let accounts = organisation.other_accounts(subject);
        let mut names = vec![subject.to_string()];
        // Also those of other tiers: what is given may be narrowed to one that was not asked for.
        let seated = app.map(organisation::App::seated).unwrap_or_default();
        names.extend(seated.iter().map(|tier| AccessSeen::seats(&request.app, tier)));
        names.extend(accounts.iter().map(ToString::to_string));
        // First, so that a change of access in the meantime makes the decision stale.
        let seen = self.store.all_access_seen(&names).await?;
        let tiers: Vec<&TierId> = app.iter().flat_map(|app| &app.tiers).map(|tier| &tier.id).collect();
        let people = Peers::people(organisation, subject);
        let same_title = Peers::alike(organisation, subject);
        // None of these reads waits for another: at once, they take as long as the longest. In boxes, since eight of them side by side
        // are more than a thread's stack should hold.
        let (grants, holders, by_highest, alike, open, history, holdings, ops) = tokio::try_join!(
            Box::pin(self.store.grants(subject, since)),
            Box::pin(self.store.holders(&request.app, &seated, now)),
            Box::pin(self.store.holders_among(&request.app, (&tiers, &people), now)),
            Box::pin(self.store.holders_among(&request.app, (&tiers, &same_title), now)),
            Box::pin(self.store.open_requests(subject)),
            Box::pin(self.store.access_history(subject, since)),
            Box::pin(self.store.holdings(subject)),
            Box::pin(self.store.open_ops(subject)),
        )?;
        // A role that the tier does not have is not given, so that a request is for the same access with it and without.
        let roles = tier.map(|(_, tier)| tier.roles.as_slice()).unwrap_or_default();
        let given = |role: &Option<String>| role.clone().filter(|role| roles.contains(role));
        let role = given(&request.role);
        let held = |grant: &Grant| {
            !grant.has_ended(now) && (&grant.app, &grant.tier, &grant.role) == (&request.app, &request.tier, &role)
        };
        let same =
            |open: &OpenRequest| (&open.app, &open.tier, &given(&open.role)) == (&request.app, &request.tier, &role);
        let extends = grants.iter().any(held);
        let mut asked: Vec<_> = open.iter().map(|open| (open.app.clone(), open.tier.clone())).collect();
        for account in &accounts {
            asked.extend(self.store.open_requests(account).await?.into_iter().map(|open| (open.app, open.tier)));
        }
        Ok(AccessFacts {
            elsewhere: self.held_elsewhere(subject).await?,
            history,
            holders,
            peers: Peers::counted(people.len(), &by_highest),
            alike: Peers::counted(same_title.len(), &alike),
            asked_in: open.iter().find(|open| same(open)).map(|open| open.number),
            open: asked,
            in_apps: (holdings, ops),
            seen,
            request: AccessRequest { extends, ..request.clone() },
            grants,
        })
    }
}

fn ago(now: Timestamp, hours: i64) -> Timestamp {
    Timestamp::from_millisecond(now.as_millisecond() - hours * 3_600_000).unwrap_or(Timestamp::UNIX_EPOCH)
}
