//! A submission becomes a ticket.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::change;
use crate::app::decide::pipeline::{self, Accepted, AccessFacts, Case, Ran};
use crate::app::error::Broken;
use crate::app::observe::{log, request_trace};
use crate::app::record::write::{Sample, beginnings};
use crate::app::rollout::health::Cause;
use crate::app::{App, Error, clock};
use crate::desk::access::{AccessCase, AccessRequest};
use crate::desk::actor::Actor;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{PersonId, RunId, TicketId};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::{NewTicket, Submission};
use crate::desk::ticket::sight::{PublicState, Sight};
use crate::desk::ticket::submit;
use crate::rules::digest::Digest;
use crate::rules::live::catalog::Generation;
use crate::store::{Commit, Committed, PackedRun, RunRecord};

/// The digest of a request, to tell the same one sent again from another under the same key.
pub fn digest(request: &[u8]) -> String {
    Digest::of(request).to_string()
}

/// How far back a repetition is looked for, in hours.
const RECENT_HOURS: i64 = 72;
/// How many tickets of the requester are looked at.
const RECENT_MAX: i64 = 5;
/// How far back access history goes, in days.
const HISTORY_DAYS: i64 = 365;

/// A ticket that was created, now or when the same request was made before.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub ticket: Ticket,
    pub access: Option<AccessCase>,
    /// Whether this very request made it.
    pub new: bool,
    /// The sight of the one who made it; `None` where it was made before.
    pub sight: Option<Sight>,
    /// How many rules were asked.
    pub rules_asked: usize,
}

/// What a submission comes to before anything is written.
pub(crate) struct Considered {
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
    /// [`Error::Rejected`] with what to mend; [`Error::Busy`] where rules or store have too much to do.
    pub async fn create_ticket(
        self: &Arc<Self>,
        actor: &Actor,
        requester: Option<PersonId>,
        submission: Submission,
        idempotency: Option<(String, String)>,
    ) -> Result<Made, Error> {
        let organisation = self.organisation();
        let now = self.clock.now();
        let permit = permission::create(&organisation, actor, requester.as_ref())?;
        let new = NewTicket::check(&organisation, &permit, submission)
            .inspect_err(|_| self.metrics.count_ticket("refused"))?;
        let idempotency = change::idempotency(actor, idempotency);
        // Before the rules are asked: what they would say to a repetition is not what they said to the request.
        if let Some(claim) = &idempotency
            && let Some(id) = self.store.made_under(claim, now).await?
        {
            return self.made_before(id).await;
        }
        self.check_open_tickets(actor).await?;
        self.count_text(actor, new.stored_bytes())?;
        let cause = Cause::new(&new.submitted_by, new.text_bytes());
        let begun = clock::instant();
        let generation = self.rules.generation();
        if let Err(error) = self.archive(&generation).await {
            tracing::error!(%error, "the rules that decide are not written down yet: tried again with the next ticket");
        }
        let Considered { record, samples, outcome } = self.consider(&organisation, generation, new, now).await?;
        let (run, rules_asked) = (record.id, samples.len());
        self.judge(&samples, cause);
        self.account(&record, samples, begun);
        let (change, record) = outcome.map_err(|problems| {
            self.metrics.count_ticket("rejected");
            Error::Rejected { problems }
        })?;
        let (mut ticket, access) = (change.after().clone(), change.case().cloned());
        let public = Sight::Public(PublicState { version: ticket.version, updated_at: ticket.updated_at });
        let sight = Some(if permission::works_on_tickets(actor) { Sight::All } else { public });
        let writing = clock::instant();
        let made = self.store.commit(Commit { change: *change, run: Some(record), idempotency }).await?;
        let written = clock::instant();
        match made {
            Committed::Written { number, assignee } => {
                self.metrics.count_ticket("accepted");
                ticket.number = number;
                ticket.assignee = assignee;
                request_trace::note(|trail| {
                    trail.written = Some((writing, written));
                    trail.ticket = Some((number, ticket.id));
                });
                log::created(&ticket, run, rules_asked, written.saturating_duration_since(begun));
                Ok(Made { ticket, access, new: true, sight, rules_asked })
            }
            Committed::Before(id) => self.made_before(id).await,
        }
    }

    /// Takes a submission through these rules, up to where the ticket would be written. Creating a ticket and trying
    /// what would become of one are the same up to here.
    pub(crate) async fn consider(
        &self,
        organisation: &Arc<Organisation>,
        generation: Arc<Generation>,
        new: NewTicket,
        now: Timestamp,
    ) -> Result<Considered, Error> {
        let id = TicketId(self.clock.new_id());
        let Ran { record, samples, new, outcome } = self.run_rules(organisation, generation, new, now, id).await?;
        let Accepted { verdicts, packed } = match outcome {
            Ok(accepted) => *accepted,
            Err(problems) => return Ok(Considered { record, samples, outcome: Err(problems) }),
        };
        let packed = packed.map_err(Broken::Unpacked)?;
        let ids = || self.clock.new_id();
        let change = submit::open(new, verdicts, id, &At::new(now, organisation, &ids));
        Ok(Considered { record, samples, outcome: Ok((Box::new(change), packed)) })
    }

    /// Counts what the rules did, says what failed, and leaves the rest to whoever follows the request.
    fn account(&self, record: &RunRecord, samples: Vec<Sample>, begun: Instant) {
        self.metrics.count_calls(&samples);
        log::faults(record.id, &samples);
        let ended = clock::instant();
        let (id, generation) = (record.id, record.generation);
        request_trace::note(|trail| {
            trail.runs.push(request_trace::Run { id, generation, took: (begun, ended), samples })
        });
    }

    async fn made_before(&self, id: TicketId) -> Result<Made, Error> {
        let found = self.store.ticket_and_case_by_id(id).await?;
        let (ticket, access) = found.ok_or_else(|| Error::Missing { what: "ticket", name: id.to_string() })?;
        Ok(Made { ticket, access, new: false, sight: None, rules_asked: 0 })
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
    ) -> Result<Ran, Error> {
        let recent = if generation.wants_recent_tickets() {
            let since = ago(now, RECENT_HOURS);
            self.store.recent(&new.requester, since, RECENT_MAX).await?
        } else {
            Vec::new()
        };
        let grants_access = organisation.request_types.get(&new.request_type).is_some_and(|form| form.grants_access);
        let case = Case {
            organisation: organisation.clone(),
            tables: self.rules.tables(),
            dictionary: self.store.dictionary(&beginnings(generation.rules())),
            generation,
            new,
            recent,
            now,
            run: RunId(self.clock.new_id()),
            ticket,
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
        let facts = match &begun.request {
            Some(request) => Some(self.access_facts(request, now).await?),
            None => None,
        };
        Ok(workers.run(lane.as_str(), move || begun.go_on(facts)).await?)
    }

    async fn access_facts(&self, request: &AccessRequest, now: Timestamp) -> Result<AccessFacts, Error> {
        let since = ago(now, HISTORY_DAYS * 24);
        Ok(AccessFacts {
            grants: self.store.grants(&request.subject, since).await?,
            history: self.store.access_history(&request.subject, since).await?,
            holders: self.store.holders(&request.app, now).await?,
            request: request.clone(),
        })
    }
}

fn ago(now: Timestamp, hours: i64) -> Timestamp {
    Timestamp::from_millisecond(now.as_millisecond() - hours * 3_600_000).unwrap_or(Timestamp::UNIX_EPOCH)
}
