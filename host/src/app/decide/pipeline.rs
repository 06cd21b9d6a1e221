//! The stages in order, for one submission and one generation of rules: asked, checked, combined, and written down.
//!
//! It runs on a rules worker, with no transaction open and no clock but the one it is given: from beginning to end, or in two
//! trips where facts have to be read after intake, which may change what access is asked for. Creating a ticket uses it, and so
//! does trying what would become of one.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::accepted::{access_request, after_intake, apply, nothing_so_far};
use super::budget::Left;
use super::doubt::{Unheard, missing};
pub use super::facts::{AccessFacts, Peers};
use super::stages::{Access, Ask, Categorization, Intake, OwnAccess, OwnIntake, Priority, Routing, checked};
use super::translate;
use super::versions::disagree::compare;
use super::versions::former::Former;
use crate::app::record::part::{Part, differ};
use crate::app::record::verdict::RecordedVerdict;
use crate::app::record::write::{Common, OwnSoFar, RuleCall, Sample, rule_ref, text};
use crate::desk::access::{AccessRequest, Review};
use crate::desk::change::AccessSeen;
use crate::desk::id::{CategoryId, RunId, Tag, TicketId};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::ticket::intake::NewTicket;
use crate::desk::ticket::submit::Verdicts;
use crate::desk::verdict::access::{AccessVerdict, Asked};
use crate::desk::verdict::{self, Changes, Given, IntakeVerdict};
use crate::rules::contract::{self, access, categorization, intake, priority, routing};
use crate::rules::limits::Limits;
use crate::rules::live::catalog::Generation;
use crate::rules::run::engine::ENGINE;
use crate::rules::run::stage::{Answer, Input, Stage};
use crate::rules::tables::Tables;
use crate::store::rules::packing::{Dictionary, NotPacked};
use crate::store::rules::rollups::Call;
use crate::store::tickets::recent::RecentTicket;
use crate::store::{DecisionRecord, PackedRun, RunRecord};

/// All that the stages need to know.
pub struct Case {
    pub organisation: Arc<Organisation>,
    pub former: Former,
    pub generation: Arc<Generation>,
    pub tables: Arc<Tables>,
    /// The dictionary that the record is packed with.
    pub dictionary: Arc<Dictionary>,
    pub new: NewTicket,
    pub recent: Vec<RecentTicket>,
    pub now: Timestamp,
    pub run: RunId,
    /// The ticket's id, which decides whether it is in a canary's share.
    pub ticket: TicketId,
    /// How long all rules together may take; what is left unasked takes its fallback.
    pub budget: Duration,
}

/// A run of the pipeline.
pub struct Evaluation {
    pub record: RunRecord,
    pub samples: Vec<Sample>,
    pub new: NewTicket,
    /// The outcome of the stages, or what is wrong with the submission.
    pub outcome: Result<Box<Accepted>, Vec<Problem>>,
}

/// The outcome of a submission that was accepted.
pub struct Accepted {
    pub verdicts: Verdicts,
    /// The record as it is written with the ticket.
    pub packed: Result<PackedRun, NotPacked>,
    /// The state of things where access is given, and how far access had come by then.
    pub review: Review,
    pub seen: Vec<AccessSeen>,
}

/// The verdict of the rules for access at the moment when access is about to be given.
pub struct Reviewed {
    pub verdict: Option<AccessVerdict>,
    pub samples: Vec<Sample>,
    pub packed: Result<PackedRun, NotPacked>,
}

/// Asks the rules for access again, about a request that waits; `so_far` is what was decided about its ticket.
pub fn review(case: Case, ticket: contract::Ticket, so_far: &contract::SoFar, facts: &AccessFacts) -> Reviewed {
    let mut run = Run::of(case);
    let ticket = Arc::new(ticket);
    let verdict = run.access(facts, &ticket, so_far);
    let record = RunRecord { cause: "granting", ..run.record(&ticket) };
    let packed = run.pack(&record);
    Reviewed { verdict, samples: run.samples, packed }
}

/// The outcome of priority, where it was asked, and of routing, asked again.
pub struct Reconsidered {
    pub rated: Option<verdict::Rated>,
    pub routed: verdict::Routed,
    pub samples: Vec<Sample>,
    pub packed: Result<PackedRun, NotPacked>,
}

/// Asks routing again, and priority before it where that `rates`; `so_far` is what is known of the ticket without them.
pub fn reconsider(
    case: Case,
    ticket: contract::Ticket,
    mut so_far: contract::SoFar,
    (category, rates): (&CategoryId, bool),
) -> Reconsidered {
    let (mut run, ticket) = (Run::of(case), Arc::new(ticket));
    let (rated, routed) = if rates {
        let (rated, routed) = run.rate_and_route(&ticket, &mut so_far, category);
        (Some(rated), routed)
    } else {
        (None, run.routing(&ticket, &so_far, category))
    };
    let record = RunRecord { cause: "reconsidered", ..run.record(&ticket) };
    Reconsidered { rated, routed, samples: run.samples(), packed: run.pack(&record) }
}

/// A submission that intake has accepted.
pub struct Begun {
    run: Run,
    ticket: Arc<contract::Ticket>,
    changes: Changes,
    /// The access that is asked for, where the form grants any.
    pub request: Option<AccessRequest>,
}

/// What is gathered while the stages run.
pub(super) struct Run {
    case: Case,
    /// The requester and the decision's time, which all stages share.
    now: contract::Moment,
    requester: Arc<contract::Person>,
    decisions: Vec<DecisionRecord>,
    samples: Vec<Sample>,
    calls: Vec<Call>,
    left: Left,
    unheard: Unheard,
}

/// Asks all stages, for a form that grants no access.
pub fn decide(case: Case) -> Evaluation {
    match begin(case) {
        Ok(begun) => begun.go_on(None),
        Err(ran) => *ran,
    }
}

/// Asks intake.
///
/// # Errors
///
/// The whole run, where the submission is rejected.
pub fn begin(case: Case) -> Result<Box<Begun>, Box<Evaluation>> {
    let organisation = Arc::clone(&case.organisation);
    let draft = Arc::new(translate::ticket(&case.new, case.now));
    let mut run = Run::of(case);
    let Some(form) = organisation.request_types.get(&run.case.new.request_type) else {
        let problem = Problem::of("request_type", "unknown", Fault::FormGone, &[]);
        return Err(Box::new(run.rejected(&draft, vec![problem])));
    };
    let input = run.intake_input(&draft);
    let stage = Intake { organisation: &organisation, form };
    let in_doubt = run.case.generation.intake_in_doubt().map(missing);
    let (verdict, parts) = run.ask(&stage, &Input::Intake(input.clone()), None, in_doubt);
    let record = Intake::record(&verdict);
    let changes = match verdict {
        IntakeVerdict::Accepted(changes) => changes,
        IntakeVerdict::Rejected(problems) => {
            run.write_down(Intake::STAGE, &own_intake(&input, false), &record, &parts);
            return Err(Box::new(run.rejected(&draft, problems)));
        }
    };
    let changed = apply(&mut run.case.new, &changes);
    // The run's shared part shows the ticket as intake left it.
    run.write_down(Intake::STAGE, &own_intake(&input, changed), &record, &parts);
    let ticket = if changed { Arc::new(after_intake(&run.case.new, &changes, run.case.now)) } else { draft };
    match access_request(&organisation, form, &run.case.new) {
        Ok(request) => Ok(Box::new(Begun { run, ticket, changes, request })),
        Err(problems) => Err(Box::new(run.rejected(&ticket, problems))),
    }
}

impl Begun {
    /// Asks the other stages; `facts` are about the request for access.
    pub fn go_on(self, facts: Option<AccessFacts>) -> Evaluation {
        let Begun { mut run, ticket, mut changes, .. } = self;
        let organisation = Arc::clone(&run.case.organisation);
        let Some(form) = organisation.request_types.get(&run.case.new.request_type) else {
            let problem = Problem::of("request_type", "unknown", Fault::FormGone, &[]);
            return run.rejected(&ticket, vec![problem]);
        };
        if let Some(problem) = facts.as_ref().and_then(AccessFacts::asked_already) {
            return run.rejected(&ticket, vec![problem]);
        }
        let mut so_far = nothing_so_far(&ticket.tags, form);
        let classified = run.categorization(form, &ticket, &so_far);
        so_far.category = Some(classified.category.value.to_string());
        so_far.kind = classified.kind.value.code().to_owned();
        so_far.tags.extend(classified.tags.iter().map(|tag| tag.value.to_string()));
        let (rated, routed) = run.rate_and_route(&ticket, &mut so_far, &classified.category.value);
        let (review, seen) = facts.as_ref().map(|facts| (facts.review(None), facts.seen.clone())).unwrap_or_default();
        run.unheard.miss(&run.case.generation);
        let access = facts.and_then(|facts| {
            let verdict = run.access(&facts, &ticket, &so_far)?;
            Some((facts.request, verdict))
        });
        // What the requester tagged counts where the taxonomy knows it.
        let own = run.case.new.tags.iter().filter_map(|tag| organisation.tags.get(tag.as_str()));
        let own: Vec<Tag> = own.filter(|tag| !changes.tags.contains(tag)).cloned().collect();
        changes.tags.extend(own);
        run.accepted(&ticket, Verdicts { changes, classified, rated, routed, access }, (review, seen))
    }
}

fn own_intake(input: &intake::Input, changed: bool) -> OwnIntake<'_> {
    OwnIntake {
        ticket: changed.then_some(&*input.ticket),
        headers: &input.headers,
        recent: &input.recent,
        submitted_by: &input.submitted_by,
    }
}

impl Run {
    pub(super) fn of(case: Case) -> Run {
        let now = translate::moment(&case.organisation, case.now);
        let requester = translate::shared_person(&case.organisation, &case.new.requester);
        let (decisions, samples, calls) = (Vec::with_capacity(5), Vec::with_capacity(8), Vec::with_capacity(8));
        let left = Left::of(case.budget);
        Run { case, now, requester, decisions, samples, calls, left, unheard: Unheard::default() }
    }

    fn intake_input(&self, draft: &Arc<contract::Ticket>) -> intake::Input {
        intake::Input {
            now: self.now.clone(),
            ticket: Arc::clone(draft),
            requester: Arc::clone(&self.requester),
            submitted_by: self.case.new.submitted_by.to_string(),
            headers: translate::headers(&self.case.new),
            recent: translate::recent(&self.case.recent),
        }
    }

    fn categorization(
        &mut self,
        form: &RequestType,
        ticket: &Arc<contract::Ticket>,
        so_far: &contract::SoFar,
    ) -> verdict::Classified {
        let organisation = Arc::clone(&self.case.organisation);
        let (now, ticket, requester, so_far) = self.shared(ticket, so_far);
        let own = Arc::clone(&so_far);
        let input = Input::Categorization(categorization::Input { now, ticket, requester, so_far });
        let stage = Categorization { organisation: &organisation, form };
        self.judge(&stage, &input, &OwnSoFar { so_far: &own }, None, None)
    }

    /// Priority and then routing; `so_far` takes up what they come to.
    fn rate_and_route(
        &mut self,
        ticket: &Arc<contract::Ticket>,
        so_far: &mut contract::SoFar,
        category: &CategoryId,
    ) -> (verdict::Rated, verdict::Routed) {
        let rated = self.priority(ticket, so_far, category);
        so_far.impact = rated.impact.as_ref().map(ToString::to_string);
        so_far.urgency = rated.urgency.as_ref().map(ToString::to_string);
        so_far.priority = Some(rated.level.value.to_string());
        let routed = self.routing(ticket, so_far, category);
        so_far.team = Some(routed.team.value.to_string());
        so_far.assignee = routed.assignee.as_ref().map(ToString::to_string);
        (rated, routed)
    }

    fn priority(
        &mut self,
        ticket: &Arc<contract::Ticket>,
        so_far: &contract::SoFar,
        category: &CategoryId,
    ) -> verdict::Rated {
        let organisation = Arc::clone(&self.case.organisation);
        let (now, ticket, requester, so_far) = self.shared(ticket, so_far);
        let own = Arc::clone(&so_far);
        let input = Input::Priority(priority::Input { now, ticket, requester, so_far });
        let stage = Priority { organisation: &organisation, category: Some(category) };
        self.judge(&stage, &input, &OwnSoFar { so_far: &own }, Some(category.as_str()), None)
    }

    fn routing(
        &mut self,
        ticket: &Arc<contract::Ticket>,
        so_far: &contract::SoFar,
        category: &CategoryId,
    ) -> verdict::Routed {
        let organisation = Arc::clone(&self.case.organisation);
        let (now, ticket, requester, so_far) = self.shared(ticket, so_far);
        let own = Arc::clone(&so_far);
        let input = Input::Routing(routing::Input { now, ticket, requester, so_far });
        let stage = Routing { organisation: &organisation, category };
        self.judge(&stage, &input, &OwnSoFar { so_far: &own }, Some(category.as_str()), None)
    }

    fn access(
        &mut self,
        known: &AccessFacts,
        ticket: &Arc<contract::Ticket>,
        so_far: &contract::SoFar,
    ) -> Option<AccessVerdict> {
        let organisation = Arc::clone(&self.case.organisation);
        let app = organisation.apps.get(&known.request.app)?;
        let (_, tier) = app.tier(known.request.tier.as_str())?;
        let so_far = translate::so_far_with_alike(so_far, &known.alike, (app, tier));
        let (now, ticket, requester, so_far) = self.shared(ticket, &so_far);
        let held = known.holders.iter().filter(|(_, held)| *held == tier.id).count();
        let input = access::Input {
            now,
            ticket,
            requester,
            so_far,
            request: translate::request(&known.request),
            item: translate::catalog_item(app, tier, u32::try_from(held).unwrap_or(u32::MAX)),
            subject: translate::shared_person(&organisation, &known.request.subject),
            grants: translate::grants(&known.grants, self.case.now),
            history: translate::history(known.history),
            peers: translate::peers(&known.peers, app, tier),
        };
        let (requester, submitted_by) = (self.case.new.requester.clone(), self.case.new.submitted_by.clone());
        let asked = Asked {
            organisation: &organisation,
            request: &known.request,
            app,
            tier,
            requester: &requester,
            submitted_by: &submitted_by,
        };
        // Before the rules are asked: a rule whose check ends in between still counts as uncertain, and is not left out.
        let in_doubt = self.rule_in_doubt(input.so_far.category.as_deref());
        let input = Box::new(input);
        let own = input.clone();
        let category = own.so_far.category.as_deref();
        let stage = Access { asked };
        Some(self.judge(&stage, &Input::Access(input), &OwnAccess::of(&own), category, in_doubt))
    }

    /// A rule that may concern this access and is not live, or may not be deterministic. It counts as a failed one, so that a person
    /// decides.
    fn rule_in_doubt<A>(&self, category: Option<&str>) -> Option<Given<A>> {
        let (request_type, ticket) = (self.case.new.request_type.as_str(), self.case.ticket.0.as_bytes().as_slice());
        let Some(folder) = self.case.generation.access_in_doubt(request_type, category, ticket) else {
            return self.unheard.about_access(&self.case.generation, request_type);
        };
        tracing::warn!(
            folder = %folder.display(),
            "a rule that may be about access is not live, or may answer in two ways: a person decides"
        );
        Some(missing(folder))
    }

    /// A rule that may concern these words and is not live. It counts as a failed one.
    pub(super) fn closing_in_doubt<A>(&self) -> Option<Given<A>> {
        self.case.generation.closing_in_doubt().map(missing)
    }

    /// The record as it is written, with what is counted of the calls.
    pub(super) fn pack(&mut self, record: &RunRecord) -> Result<PackedRun, NotPacked> {
        record.pack(&self.case.dictionary, std::mem::take(&mut self.calls))
    }

    pub(super) fn shared(&self, ticket: &Arc<contract::Ticket>, so_far: &contract::SoFar) -> Shared {
        (self.now.clone(), Arc::clone(ticket), Arc::clone(&self.requester), Arc::new(so_far.clone()))
    }

    /// Asks a stage's rules and writes down what came of it.
    fn judge<S: Ask>(
        &mut self,
        stage: &S,
        input: &Input,
        own: &impl Serialize,
        category: Option<&str>,
        in_doubt: Option<Given<S::Answer>>,
    ) -> S::Verdict {
        let (verdict, parts) = self.ask(stage, input, category, in_doubt);
        self.write_down(S::STAGE, own, &S::record(&verdict), &parts);
        verdict
    }

    /// Asks every rule of a stage, in order, and checks each answer; what each did becomes its part of the record.
    pub(super) fn ask<S: Ask>(
        &mut self,
        stage: &S,
        input: &Input,
        category: Option<&str>,
        in_doubt: Option<Given<S::Answer>>,
    ) -> (S::Verdict, Vec<RuleCall>) {
        let (case, left) = (&self.case, &mut self.left);
        let request_type = case.new.request_type.as_str();
        let (mut given, mut parts) = (Vec::new(), Vec::new());
        let ticket = case.ticket.0.as_bytes().as_slice();
        for (rule, role) in case.generation.asked_about(S::STAGE, request_type, category, ticket) {
            let called = left.ask(rule, role, input, &case.tables);
            let outcome = match &called.result {
                Ok(answer) => checked(stage, answer.clone()),
                Err(fault) => Err(fault.clone()),
            };
            let (answer, fault) = match outcome {
                Ok(answer) => (Some(answer), None),
                Err(fault) => (None, Some(fault)),
            };
            // The answer is recorded as it is; the mark is a line for people.
            let reason = called.result.as_ref().map(super::stages::reason).unwrap_or_default();
            // An answer in the shadow, or of the version that a canary replaces, is recorded and has no effect.
            if role.counts() {
                let overrides = rule.manifest.overrides;
                given.push(Given { rule: rule_ref(rule), reason, overrides, answer });
            }
            let by_configuration = case.former.caused(stage, (&**rule, &called.result, fault.as_ref()), &case.tables);
            let rule = Arc::clone(rule);
            parts.push(RuleCall { rule, role, called, fault, by_configuration, disagrees: Vec::new() });
        }
        compare(&mut parts);
        given.extend(in_doubt);
        self.unheard.note(&given);
        (stage.combine(&given), parts)
    }

    pub(super) fn write_down(
        &mut self,
        stage: Stage,
        own: &impl Serialize,
        verdict: &RecordedVerdict,
        asked: &[RuleCall],
    ) {
        let parts: Vec<Part<'_>> = asked.iter().map(RuleCall::part).collect();
        let chosen = verdict.choice();
        for (asking, part) in asked.iter().zip(&parts) {
            let answer = asking.answer();
            let differs = differ(answer.and_then(Answer::choice), chosen);
            self.calls.push(part.counted(stage, answer.map(Answer::word).unwrap_or_default(), differs));
            self.samples.push(asking.sample(stage, chosen));
        }
        self.decisions.push(DecisionRecord {
            stage: stage.name(),
            input: text(own),
            verdict: text(verdict),
            rules: text(&parts),
        });
    }

    /// Samples of the calls. Where some rules used up the time of all, those that took more than their share are marked.
    pub(super) fn samples(&mut self) -> Vec<Sample> {
        let mut samples = std::mem::take(&mut self.samples);
        let starved = self.left.has_starved;
        for sample in &mut samples {
            sample.is_costly = sample.fuel > Limits::DEFAULT.fuel && (starved || sample.outcome == "deadline");
        }
        samples
    }

    /// The record, as far as the stages were asked; `ticket` is what the later ones saw.
    pub(super) fn record(&mut self, ticket: &contract::Ticket) -> RunRecord {
        let Run { case, now, requester, decisions, .. } = self;
        RunRecord {
            id: case.run,
            ticket: case.ticket,
            at: case.now,
            generation: case.generation.number,
            revision: case.generation.revision(),
            cause: "created",
            engine: ENGINE,
            common: text(&Common { now, ticket, requester }),
            decisions: std::mem::take(decisions),
        }
    }

    fn rejected(mut self, ticket: &contract::Ticket, problems: Vec<Problem>) -> Evaluation {
        let (record, samples) = (self.record(ticket), self.samples());
        Evaluation { record, samples, new: self.case.new, outcome: Err(problems) }
    }

    fn accepted(
        mut self,
        ticket: &contract::Ticket,
        verdicts: Verdicts,
        (review, seen): (Review, Vec<AccessSeen>),
    ) -> Evaluation {
        let (record, samples) = (self.record(ticket), self.samples());
        let packed = self.pack(&record);
        let accepted = Box::new(Accepted { verdicts, packed, review, seen });
        Evaluation { record, samples, new: self.case.new, outcome: Ok(accepted) }
    }
}

pub(super) type Shared = (contract::Moment, Arc<contract::Ticket>, Arc<contract::Person>, Arc<contract::SoFar>);
