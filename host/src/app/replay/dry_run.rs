//! What would become of a submission, with the live rules or with others: the same way as creating a ticket, up to where
//! it would be written.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::decide::translate;
use crate::app::error::Broken;
use crate::app::record::read::ExactInput;
use crate::app::{App, Error};
use crate::desk::access::AccessCase;
use crate::desk::actor::{Actor, Role};
use crate::desk::change::message::Message;
use crate::desk::id::{PersonId, RunId, TicketId, TicketNumber};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::{NewTicket, Submission};
use crate::rules::live::catalog::{Generation, Playing};
use crate::rules::run::manifest::Mode;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Input, Stage};
use crate::store::RunRecord;
use crate::store::rules::decisions::{RUNS_AT_ONCE, RunTexts, StoredDecision, StoredRun};

/// What to try.
#[derive(Debug, Clone)]
pub struct Trial {
    pub what: What,
    /// Who submits it. Without one, the submitter of the record, or the person who tries it.
    pub submitted_by: Option<PersonId>,
    /// Rules to add, or to put in the place of the live ones of the same name, in all their versions. One with a component of
    /// its own whose manifest says `shadow` is asked beside the active version.
    pub with: Vec<Candidate>,
    /// Names of live rules to leave out.
    pub without: Vec<String>,
    /// The time at which it is submitted; now, where none is said.
    pub at: Option<Timestamp>,
}

/// The submission to try.
#[derive(Debug, Clone)]
pub enum What {
    Given {
        requester: Option<PersonId>,
        submission: Box<Submission>,
    },
    /// What was submitted when this ticket was made.
    Of(TicketNumber),
}

/// A rule to try.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The text of its `rule.toml`.
    pub manifest: String,
    /// Its component; `None` is the live rule's of the same name, so that only the manifest differs.
    pub component: Option<Vec<u8>>,
    /// The text of its `rule.sig`. A component that is not live runs in this process only where the desk would take the rule.
    pub signature: Option<String>,
}

/// What would become of it.
#[derive(Debug)]
pub struct Would {
    /// What each rule said, as a ticket's record would keep it.
    pub run: StoredRun,
    /// The ticket, or the problems of the submission.
    pub outcome: Result<Box<WouldBe>, Vec<Problem>>,
}

/// A ticket that was not made.
#[derive(Debug)]
pub struct WouldBe {
    /// Without a number. The assignee is the one whose turn it is now.
    pub ticket: Ticket,
    pub access: Option<AccessCase>,
    /// The messages that would be sent.
    pub messages: Vec<Message>,
}

impl App {
    /// Takes a submission through the rules and writes nothing: no ticket, no turn, no count.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] for what is named and is not there; [`Error::Rejected`] for a candidate that no
    /// desk would take. A rejection by form or rules is no error.
    pub async fn dry_run(self: &Arc<Self>, actor: &Actor, trial: Trial) -> Result<Would, Error> {
        permission::administer(actor)?;
        // Each candidate may take as much memory as a component and its compiler are allowed, as an upload does.
        let brings = trial.with.iter().any(|candidate| candidate.component.is_some());
        let _place = brings.then(|| self.begin_upload(actor)).transpose()?;
        let generation = self.altered(actor, trial.with, &trial.without).await?;
        let organisation = self.organisation();
        let now = trial.at.unwrap_or_else(|| self.clock.now());
        let (submitted_by, requester, submission) = self.submission(trial.what).await?;
        let as_somebody = |id: PersonId| Actor::Person { id, roles: [Role::Requester, Role::Agent].into() };
        let submitter = trial.submitted_by.or(submitted_by).map(as_somebody);
        let permit = permission::create(&organisation, submitter.as_ref().unwrap_or(actor), requester.as_ref())?;
        let new = match NewTicket::check(&organisation, &permit, submission).map_err(Error::from) {
            Ok(new) => new,
            Err(Error::Rejected { problems }) => {
                let run = nothing_asked(&generation, RunId(self.clock.new_id()), TicketId(self.clock.new_id()), now);
                return Ok(Would { run, outcome: Err(problems) });
            }
            Err(other) => return Err(other),
        };
        let new = self.with_uploads(actor, new).await?;
        let considered = self.consider(&organisation, generation, new, now).await?;
        let run = stored(considered.record);
        let change = match considered.outcome {
            Ok((change, _)) => *change,
            Err(problems) => return Ok(Would { run, outcome: Err(problems) }),
        };
        let mut ticket = change.after().clone();
        if let Some(assignment) = change.assignment().filter(|_| ticket.state.is_unfinished()) {
            ticket.assignee = self.store.would_pick(assignment).await?;
        }
        let (access, messages) = (change.case().cloned(), change.messages().to_vec());
        Ok(Would { run, outcome: Ok(Box::new(WouldBe { ticket, access, messages })) })
    }

    /// The live generation, or one that is live nowhere.
    async fn altered(
        self: &Arc<Self>,
        actor: &Actor,
        with: Vec<Candidate>,
        without: &[String],
    ) -> Result<Arc<Generation>, Error> {
        // The operator's command is a process of its own, which serves no requests.
        let serves = !matches!(actor, Actor::Operator { .. });
        let live = self.rules.generation();
        if with.is_empty() && without.is_empty() {
            return Ok(live);
        }
        if let Some(name) = without.iter().find(|name| live.named(name).is_none()) {
            return Err(Error::Missing { what: "live rule", name: name.clone() });
        }
        let mut rules = Vec::with_capacity(with.len());
        for candidate in with {
            let is_another = candidate.component.is_some();
            let (app, live) = (Arc::clone(self), live.clone());
            // It compiles in a child process and waits for that.
            let prepared = tokio::task::spawn_blocking(move || app.prepared(&candidate, &live, serves)).await;
            let rule = prepared??;
            // The live rule with another manifest decides as that does, which may have been promoted out of the shadow.
            let in_the_shadow = is_another && rule.manifest.mode == Mode::Shadow;
            let part = if in_the_shadow { Playing::Shadow } else { Playing::Active { canary_percent: None } };
            rules.push((Arc::new(rule), part));
        }
        Ok(Arc::new(live.altered(without, rules)))
    }

    fn prepared(&self, candidate: &Candidate, live: &Generation, serves: bool) -> Result<Rule, Error> {
        let refused =
            |code: &str, message: String| Error::Rejected { problems: vec![Problem::new("with", code, message)] };
        let nameless =
            || Error::Rejected { problems: vec![Problem::of("with", "invalid", Fault::NoManifestName, &[])] };
        let component = match &candidate.component {
            Some(component) => component.clone(),
            None => {
                let manifest = toml::from_str::<toml::Table>(&candidate.manifest)
                    .map_err(|e| refused("invalid", e.to_string()))?;
                let name = manifest.get("name").and_then(toml::Value::as_str);
                let name = name.ok_or_else(nameless)?.to_owned();
                let rule = live.named(&name).ok_or(Error::Missing { what: "live rule", name })?;
                rule.component
                    .read()
                    .map_err(|source| Broken::Component { rule: rule.manifest.name.to_string(), source })?
            }
        };
        let (from, manifest) = (Path::new("candidate"), candidate.manifest.as_str());
        // Before anything of it is compiled, a trusted key must have signed it, as if it were to go live.
        let rule = match &candidate.component {
            Some(_) if serves => self.rules.admit(from, manifest, &component, candidate.signature.as_deref()),
            _ => self.rules.prepare(from, manifest, &component),
        };
        rule.map_err(|e| refused("refused", e.to_string()))
    }

    /// Who submitted it, for whom, and what.
    async fn submission(&self, what: What) -> Result<(Option<PersonId>, Option<PersonId>, Submission), Error> {
        let number = match what {
            What::Given { requester, submission } => return Ok((None, requester, *submission)),
            What::Of(number) => number,
        };
        let ticket = self.find(number).await?;
        let missing = || Error::Missing { what: "recorded submission of", name: number.to_string() };
        let mut after = None;
        let recorded = loop {
            // It was asked for by the first run.
            let page = self.store.runs_page(ticket.id, after, RUNS_AT_ONCE).await?;
            if let Some(submission) = page.items.iter().find_map(submission_of) {
                break submission;
            }
            after = Some(page.next.ok_or_else(missing)?);
        };
        let people = (ticket.submitted.submitted_by.clone(), ticket.submitted.requester.clone());
        Ok((Some(people.0), Some(people.1), recorded))
    }
}

/// The submission of which a run was asked at intake; `None` for one that was not, or that cannot be read.
fn submission_of(run: &StoredRun) -> Option<Submission> {
    let texts = run.recorded.as_ref().ok()?;
    let intake = texts.decisions.iter().find(|decision| decision.stage == Stage::Intake.name())?;
    let exact = ExactInput::of(&texts.common, &intake.input).ok()?;
    let Ok(Input::Intake(input)) = exact.input(Stage::Intake) else { return None };
    Some(translate::submission(Arc::unwrap_or_clone(input.ticket), input.headers))
}

fn stored(record: RunRecord) -> StoredRun {
    let decision = |d: crate::store::DecisionRecord| StoredDecision {
        stage: d.stage.to_owned(),
        input: d.input,
        verdict: d.verdict,
        rules: d.rules,
    };
    StoredRun {
        id: record.id,
        ticket: record.ticket,
        at: record.at,
        generation: i64::try_from(record.generation).unwrap_or(i64::MAX),
        revision: record.revision,
        recorded: Ok(RunTexts {
            cause: "dry-run".to_owned(),
            engine: record.engine.to_owned(),
            common: record.common,
            decisions: record.decisions.into_iter().map(decision).collect(),
        }),
    }
}

/// The form refused it before any rule was asked.
fn nothing_asked(generation: &Generation, id: RunId, ticket: TicketId, at: Timestamp) -> StoredRun {
    stored(RunRecord {
        id,
        ticket,
        at,
        generation: generation.number,
        cause: "dry-run",
        engine: crate::rules::run::engine::ENGINE,
        revision: None,
        common: "{}".to_owned(),
        decisions: Vec::new(),
    })
}
