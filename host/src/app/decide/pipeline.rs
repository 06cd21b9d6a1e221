//! The stages in order, for one submission and one generation of rules: asked, checked, combined, and written down.
//!
//! It runs on a rules worker from beginning to end, with no transaction open and no clock but the one it is given. Creating a
//! ticket uses it, and so can whatever asks what would happen.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::disagree::compare;
use super::{headline, judge, translate};
use crate::app::record::write::{Asking, Part, Sample, common, rule_ref, text, with_ticket};
use crate::desk::access::{AccessRequest, Grant};
use crate::desk::actor::RuleRef;
use crate::desk::id::{PersonId, RunId, Tag, TicketId, TierId};
use crate::desk::organisation::form::{Field, Problem};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::ticket::intake::NewTicket;
use crate::desk::ticket::submit::Verdicts;
use crate::desk::verdict::access::{AccessAnswer, AccessVerdict, Asked};
use crate::desk::verdict::{self, Changes, Given, IntakeVerdict};
use crate::rules::contract::{self, access, categorization, intake, priority, routing};
use crate::rules::live::catalog::Generation;
use crate::rules::run::call::Fault;
use crate::rules::run::engine::ENGINE;
use crate::rules::run::stage::{Answer, Input, Stage};
use crate::rules::tables::Tables;
use crate::store::access::History;
use crate::store::tickets::recent::RecentTicket;
use crate::store::{DecisionRecord, RunRecord};

/// All that the rules may see of one submission.
pub struct Case {
    pub organisation: Arc<Organisation>,
    pub generation: Arc<Generation>,
    pub tables: Arc<Tables>,
    pub new: NewTicket,
    pub recent: Vec<RecentTicket>,
    pub access: Option<AccessFacts>,
    pub now: Timestamp,
    pub run: RunId,
    /// The ticket's id, which decides whether it is in a canary's share.
    pub ticket: TicketId,
}

/// What is known about a request for access before the rules are asked.
#[derive(Debug, Clone)]
pub struct AccessFacts {
    pub request: AccessRequest,
    pub grants: Vec<Grant>,
    pub history: History,
    pub holders: Vec<(PersonId, TierId)>,
}

/// What the stages come to.
pub enum Decision {
    Accepted(Box<Verdicts>),
    Rejected(Vec<Problem>),
    /// Intake changed what access is asked for: the facts about this request are needed.
    NeedsFacts(Box<AccessRequest>),
}

/// A run of the pipeline.
pub struct Ran {
    pub decision: Decision,
    pub record: RunRecord,
    pub samples: Vec<Sample>,
    pub new: NewTicket,
}

/// What is gathered while the stages run.
struct Run<'a> {
    case: &'a Case,
    form: &'a RequestType,
    decisions: Vec<DecisionRecord>,
    samples: Vec<Sample>,
}

/// Asks the stages in order.
pub fn decide(mut case: Case) -> Ran {
    let organisation = Arc::clone(&case.organisation);
    let now = translate::moment(&organisation, case.now);
    let requester = translate::shared_person(&organisation, &case.new.requester);
    let draft = Arc::new(translate::ticket(&case.new, case.now));
    let Some(form) = organisation.request_types.get(&case.new.request_type) else {
        let problem = Problem::new("request_type", "unknown", "is gone since a moment ago");
        return finished(case, Vec::new(), Vec::new(), "{}".to_owned(), Decision::Rejected(vec![problem]));
    };
    let mut run = Run { case: &case, form, decisions: Vec::with_capacity(5), samples: Vec::with_capacity(8) };
    let verdict = run.intake(&now, &draft, &requester);
    let (mut decisions, mut samples) = (run.decisions, run.samples);
    let changes = match verdict {
        IntakeVerdict::Accepted(changes) => changes,
        IntakeVerdict::Rejected(problems) => {
            let common = common(&now, &draft, &requester);
            return finished(case, decisions, samples, common, Decision::Rejected(problems));
        }
    };
    let changed = apply(&mut case.new, &changes);
    let ticket = if changed { Arc::new(after_intake(&case.new, &changes, case.now)) } else { draft.clone() };
    if changed && let Some(intake) = decisions.first_mut() {
        intake.input = with_ticket(&intake.input, &draft);
    }
    let access = match access_request(&organisation, form, &case) {
        Ok(request) => request,
        Err(problems) => {
            let common = common(&now, &ticket, &requester);
            return finished(case, decisions, samples, common, Decision::Rejected(problems));
        }
    };
    if let Some(request) = &access
        && case.access.as_ref().is_none_or(|facts| facts.request != *request)
    {
        let common = common(&now, &ticket, &requester);
        let decision = Decision::NeedsFacts(Box::new(request.clone()));
        return finished(case, decisions, samples, common, decision);
    }
    let mut run =
        Run { case: &case, form, decisions: std::mem::take(&mut decisions), samples: std::mem::take(&mut samples) };
    let verdicts = run.after_intake(changes, &now, &ticket, &requester);
    let (decisions, samples) = (run.decisions, run.samples);
    let common = common(&now, &ticket, &requester);
    finished(case, decisions, samples, common, Decision::Accepted(Box::new(verdicts)))
}

fn finished(
    case: Case,
    decisions: Vec<DecisionRecord>,
    samples: Vec<Sample>,
    common: String,
    decision: Decision,
) -> Ran {
    let record = RunRecord {
        id: case.run,
        at: case.now,
        generation: case.generation.number,
        revision: case.generation.revision(),
        cause: "created",
        engine: ENGINE,
        common,
        decisions,
    };
    Ran { decision, record, samples, new: case.new }
}

/// Puts intake's changes into the submission; whether there were any that rules see.
fn apply(new: &mut NewTicket, changes: &Changes) -> bool {
    if let Some(subject) = &changes.subject {
        new.subject.clone_from(subject);
    }
    if let Some(body) = &changes.body {
        new.body.clone_from(body);
    }
    for (name, value) in &changes.fields {
        new.fields.retain(|(other, _): &Field| other != name);
        new.fields.push((name.clone(), value.clone()));
    }
    let own: Vec<String> = changes.tags.iter().map(ToString::to_string).collect();
    new.tags.extend(own.into_iter().filter(|tag| !new.tags.contains(tag)).collect::<Vec<_>>());
    changes.subject.is_some()
        || changes.body.is_some()
        || !changes.fields.is_empty()
        || !changes.tags.is_empty()
        || !changes.signals.is_empty()
}

fn after_intake(new: &NewTicket, changes: &Changes, now: Timestamp) -> contract::Ticket {
    let mut ticket = translate::ticket(new, now);
    ticket.signals.clone_from(&changes.signals);
    ticket
}

fn access_request(
    organisation: &Organisation,
    form: &RequestType,
    case: &Case,
) -> Result<Option<AccessRequest>, Vec<Problem>> {
    if !form.grants_access {
        return Ok(None);
    }
    AccessRequest::from_fields(organisation, &case.new.requester, &case.new.fields).map(Some)
}

impl Run<'_> {
    fn intake(
        &mut self,
        now: &contract::Moment,
        draft: &Arc<contract::Ticket>,
        requester: &Arc<contract::Person>,
    ) -> IntakeVerdict {
        let case = self.case;
        let input = intake::Input {
            now: now.clone(),
            ticket: Arc::clone(draft),
            requester: Arc::clone(requester),
            submitted_by: case.new.submitted_by.to_string(),
            headers: translate::headers(&case.new),
            recent: translate::recent(&case.recent),
        };
        let delta = json!({ "submitted-by": input.submitted_by, "headers": input.headers, "recent": input.recent });
        let (given, parts) =
            self.ask(&Input::Intake(input), None, |answer| judge::intake(&case.organisation, self.form, answer));
        let verdict = verdict::intake(&given);
        self.write_down(Stage::Intake, delta.to_string(), &judge::intake_record(&verdict), &parts);
        verdict
    }

    fn after_intake(
        &mut self,
        changes: Changes,
        now: &contract::Moment,
        ticket: &Arc<contract::Ticket>,
        requester: &Arc<contract::Person>,
    ) -> Verdicts {
        let organisation = Arc::clone(&self.case.organisation);
        let mut so_far = contract::SoFar {
            category: None,
            tags: ticket.tags.clone(),
            kind: self.form.kind.code().to_owned(),
            impact: None,
            urgency: None,
            priority: None,
            team: None,
            assignee: None,
            attributes: Vec::new(),
        };
        let shared = |so_far: &contract::SoFar| {
            (now.clone(), Arc::clone(ticket), Arc::clone(requester), Arc::new(so_far.clone()))
        };
        let classified = self.categorization(shared(&so_far));
        so_far.category = Some(classified.category.value.to_string());
        so_far.kind = classified.kind.value.code().to_owned();
        so_far.tags.extend(classified.tags.iter().map(|tag| tag.value.to_string()));
        let rated = self.priority(shared(&so_far));
        so_far.impact = rated.impact.as_ref().map(ToString::to_string);
        so_far.urgency = rated.urgency.as_ref().map(ToString::to_string);
        so_far.priority = Some(rated.level.value.to_string());
        let routed = self.routing(shared(&so_far), &classified.category.value);
        so_far.team = Some(routed.team.value.to_string());
        so_far.assignee = routed.assignee.as_ref().map(ToString::to_string);
        let access = self.case.access.as_ref().filter(|_| self.form.grants_access).and_then(|facts| {
            let verdict = self.access(facts, shared(&so_far))?;
            Some((facts.request.clone(), verdict))
        });
        let mut changes = changes;
        // What the requester tagged counts where the taxonomy knows it.
        let own = self.case.new.tags.iter().filter_map(|tag| organisation.tags.get(tag.as_str()));
        let own: Vec<Tag> = own.filter(|tag| !changes.tags.contains(tag)).cloned().collect();
        changes.tags.extend(own);
        Verdicts { changes, classified, rated, routed, access }
    }

    fn categorization(&mut self, shared: Shared) -> verdict::Classified {
        let case = self.case;
        let (now, ticket, requester, so_far) = shared;
        let delta = so_far_only(&so_far);
        let input = Input::Categorization(categorization::Input { now, ticket, requester, so_far });
        let (given, parts) = self.ask(&input, None, |answer| judge::categorization(&case.organisation, answer));
        let verdict = verdict::categorization(&case.organisation, self.form, &given);
        self.write_down(Stage::Categorization, delta, &judge::categorization_record(&verdict), &parts);
        verdict
    }

    fn priority(&mut self, shared: Shared) -> verdict::Rated {
        let case = self.case;
        let (now, ticket, requester, so_far) = shared;
        let delta = so_far_only(&so_far);
        let category = so_far.category.clone();
        let input = Input::Priority(priority::Input { now, ticket, requester, so_far });
        let (given, parts) =
            self.ask(&input, category.as_deref(), |answer| judge::priority(&case.organisation, answer));
        let verdict = verdict::priority(&case.organisation, &given);
        self.write_down(Stage::Priority, delta, &judge::priority_record(&verdict), &parts);
        verdict
    }

    fn routing(&mut self, shared: Shared, category: &crate::desk::id::CategoryId) -> verdict::Routed {
        let case = self.case;
        let (now, ticket, requester, so_far) = shared;
        let delta = so_far_only(&so_far);
        let input = Input::Routing(routing::Input { now, ticket, requester, so_far });
        let (given, parts) =
            self.ask(&input, Some(category.as_str()), |answer| judge::routing(&case.organisation, answer));
        let verdict = verdict::routing(&case.organisation, category, &given);
        self.write_down(Stage::Routing, delta, &judge::routing_record(&verdict), &parts);
        verdict
    }

    fn access(&mut self, known: &AccessFacts, shared: Shared) -> Option<AccessVerdict> {
        let case = self.case;
        let organisation = &case.organisation;
        let app = organisation.apps.get(&known.request.app)?;
        let (_, tier) = app.tier(known.request.tier.as_str())?;
        let (now, ticket, requester, so_far) = shared;
        let held = known.holders.iter().filter(|(_, held)| *held == tier.id).count();
        let input = access::Input {
            now,
            ticket,
            requester,
            so_far,
            request: translate::request(&known.request),
            item: translate::catalog_item(app, tier, u32::try_from(held).unwrap_or(u32::MAX)),
            subject: translate::shared_person(organisation, &known.request.subject),
            grants: translate::grants(&known.grants, case.now),
            history: translate::history(known.history),
            peers: translate::peers(organisation, &known.request.subject, app, tier, &known.holders),
        };
        let delta = format!(
            "{{\"so-far\":{},\"request\":{},\"item\":{},\"subject\":{},\"grants\":{},\"history\":{},\"peers\":{}}}",
            text(&*input.so_far),
            text(&input.request),
            text(&input.item),
            text(&*input.subject),
            text(&input.grants),
            text(&input.history),
            text(&input.peers),
        );
        let asked = Asked {
            organisation,
            request: &known.request,
            app,
            tier,
            requester: &case.new.requester,
            submitted_by: &case.new.submitted_by,
        };
        let category = input.so_far.category.clone();
        let (request_type, ticket) = (case.new.request_type.as_str(), case.ticket.0.as_bytes().as_slice());
        // Before the rules are asked: one that is found to be certain in between is in doubt and not forgotten.
        let in_doubt = case.generation.access_in_doubt(request_type, category.as_deref(), ticket);
        let (given, parts) =
            self.ask(&Input::Access(Box::new(input)), category.as_deref(), |answer| judge::access(&asked, answer));
        let mut given: Vec<Given<AccessAnswer>> = given;
        if let Some(folder) = in_doubt {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            tracing::warn!(
                folder = name,
                "a rule that may be about access is not live, or may answer in two ways: a person decides"
            );
            let rule = RuleRef { name, version: "not live".to_owned() };
            given.push(Given { rule, reason: String::new(), overrides: false, answer: None });
        }
        let verdict = verdict::access::combine(&asked, &given);
        self.write_down(Stage::Access, delta, &judge::access_record(&verdict), &parts);
        Some(verdict)
    }

    /// Asks every rule of a stage, in order, and checks each answer; what each did becomes its part of the record.
    fn ask<A>(
        &self,
        input: &Input,
        category: Option<&str>,
        check: impl Fn(Answer) -> Result<A, String>,
    ) -> (Vec<Given<A>>, Vec<Asking>) {
        let case = self.case;
        let request_type = case.new.request_type.as_str();
        let mut given = Vec::new();
        let mut parts = Vec::new();
        let ticket = case.ticket.0.as_bytes().as_slice();
        for (rule, role) in case.generation.asked_about(input.stage(), request_type, category, ticket) {
            let called = judge::ask_one(rule, input, &case.tables);
            let checked = match &called.result {
                Ok(answer) => check(answer.clone()).map_err(|message| Fault::InvalidAnswer { message }),
                Err(fault) => Err(fault.clone()),
            };
            let (answer, fault) = match checked {
                Ok(answer) => (Some(answer), None),
                Err(fault) => (None, Some(fault)),
            };
            // PostgreSQL has no zero character in a text, and a rule may answer with anything.
            let reason = called.result.as_ref().map(|a| a.reason().replace('\0', "\u{fffd}")).unwrap_or_default();
            // What is said in the shadow, or beside a canary, is recorded and has no effect.
            if role.counts() {
                let overrides = rule.manifest.overrides;
                given.push(Given { rule: rule_ref(rule), reason, overrides, answer });
            }
            parts.push(Asking { rule: Arc::clone(rule), role, called, fault, disagrees: Vec::new() });
        }
        compare(&mut parts);
        (given, parts)
    }

    fn write_down(&mut self, stage: Stage, input: String, verdict: &serde_json::Value, parts: &[Asking]) {
        let rules: Vec<Part<'_>> = parts.iter().map(Asking::part).collect();
        let rules = text(&rules);
        let chosen = headline::of_verdict(stage, verdict);
        self.samples.extend(parts.iter().map(|part| part.sample(stage, chosen)));
        self.decisions.push(DecisionRecord { stage: stage.name(), input, verdict: verdict.to_string(), rules });
    }
}

type Shared = (contract::Moment, Arc<contract::Ticket>, Arc<contract::Person>, Arc<contract::SoFar>);

fn so_far_only(so_far: &contract::SoFar) -> String {
    format!("{{\"so-far\":{}}}", text(so_far))
}
