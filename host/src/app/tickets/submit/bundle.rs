//! A submission that makes several tickets: all of them are decided, then all are written in one transaction, or none is.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{CreatedTicket, Decided, TRIES_MAX};
use crate::app::error::Busy;
use crate::app::record::refused::Refused;
use crate::app::{App, Error, clock};
use crate::desk::id::TicketId;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::Problem;
use crate::desk::permission::MayCreate;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::intake::NewTicket;
use crate::desk::ticket::intake::bundle::{self, Planned};
use crate::store::{self, Commit, Committed, IdempotencyKey};

impl App {
    /// Makes a ticket with its tasks and parts; the ticket itself.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] with everything that the form or the rules find wrong with any of them, filed under the part's name.
    pub(super) async fn create_bundle(
        self: &Arc<Self>,
        organisation: &Arc<Organisation>,
        permit: &MayCreate,
        parent: NewTicket,
        now: Timestamp,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<CreatedTicket, Error> {
        let Some(form) = organisation.request_types.get(&parent.request_type) else { return Err(Busy::Ticket.into()) };
        let mut parent = parent;
        parent.place.tasks = bundle::tasks_of(form, &parent.fields);
        let mut parts = self.checked(organisation, permit, bundle::plan(form, &parent), &parent).await?;
        let own = TicketId(self.clock.new_id());
        let ids: Vec<TicketId> = parts.iter().map(|_| TicketId(self.clock.new_id())).collect();
        bundle::place(&mut parent, own, &mut parts, &ids);
        for _ in 0..TRIES_MAX {
            if let Some(before) = self.made_under_key(idempotency.as_ref()).await? {
                return Ok(before);
            }
            if let Some(made) = self.bundle_once(organisation, (&parent, &parts), now, idempotency.as_ref()).await? {
                return Ok(made);
            }
        }
        Err(Busy::Ticket.into())
    }

    /// The parts as their forms take them.
    async fn checked<'f>(
        &self,
        organisation: &Organisation,
        permit: &MayCreate,
        planned: Vec<Planned<'f>>,
        parent: &NewTicket,
    ) -> Result<Vec<(Planned<'f>, NewTicket)>, Error> {
        let (mut parts, mut problems) = (Vec::new(), Vec::new());
        for planned in planned {
            let checked = match NewTicket::check(organisation, permit, planned.submission.clone()) {
                Ok(new) => self.check_assets(organisation, &new).map(|()| new),
                Err(refusal) => Err(refusal.into()),
            };
            match checked {
                Ok(new) => parts.push((planned, new)),
                Err(error) => problems.extend(of_part(error, &planned.part.id)?),
            }
        }
        if problems.is_empty() {
            return Ok(parts);
        }
        self.metrics.count_ticket("refused");
        self.keep_refusal(Refused::of(parent), None, &problems).await?;
        Err(Refusal::Problems { problems }.into())
    }

    /// Asks the rules about all of them and writes them; `None` where the access by which they decided has gone on meanwhile.
    async fn bundle_once(
        self: &Arc<Self>,
        organisation: &Arc<Organisation>,
        (parent, parts): (&NewTicket, &[(Planned<'_>, NewTicket)]),
        now: Timestamp,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Option<CreatedTicket>, Error> {
        let begun = clock::instant();
        let own = self.decide_new(organisation, parent.clone(), now).await?;
        let (mut decided, mut problems) = (vec![own], Vec::new());
        for (planned, new) in parts {
            match self.decide_new(organisation, new.clone(), now).await {
                Ok(one) => decided.push(one),
                Err(error) => problems.extend(of_part(error, &planned.part.id)?),
            }
        }
        if !problems.is_empty() {
            return Err(Error::Rejected { problems });
        }
        let writing = clock::instant();
        let decided = decided.into_iter().map(|Decided { commit, made, run }| (commit, (made, run)));
        let (commits, made): (Vec<Commit>, Vec<_>) = decided.unzip();
        let mut commits = compared_once(commits);
        if let Some(first) = commits.first_mut() {
            first.idempotency = idempotency.cloned();
        }
        let written = match self.store.commit_together(commits).await {
            Err(store::Error::Conflict) => return Ok(None),
            written => written?,
        };
        let made = made.into_iter().zip(written).filter_map(|(made, written)| match written {
            Committed::Written { number, assignee } => Some(self.made_now(made, (number, assignee), (begun, writing))),
            Committed::Before(_) => None,
        });
        // All are counted and logged; the first is the one that was asked for.
        Ok(made.collect::<Vec<_>>().into_iter().next())
    }
}

/// The same changes. Those about the access of one person were decided by the same state of it, which only the first of them
/// compares: the transaction writes them together.
fn compared_once(commits: Vec<Commit>) -> Vec<Commit> {
    let mut compared: BTreeSet<String> = BTreeSet::new();
    let once = |commit: Commit| {
        let mut seen = commit.change.access_seen().to_vec();
        seen.retain(|seen| compared.insert(seen.name.clone()));
        Commit { change: commit.change.only_while(seen), ..commit }
    };
    commits.into_iter().map(once).collect()
}

/// The problems of a part, filed under its name; any other failure is the whole's.
fn of_part(error: Error, part: &str) -> Result<Vec<Problem>, Error> {
    match error {
        Error::Rejected { problems } => {
            let named = |problem: Problem| Problem { field: format!("{part}.{}", problem.field), ..problem };
            Ok(problems.into_iter().map(named).collect())
        }
        other => Err(other),
    }
}
