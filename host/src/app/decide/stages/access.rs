//! Access: whether a person gets what was asked for, and who has to agree.

use serde::Serialize;

use super::{Ask, NOTHING, Told, list, wrong_stage};
use crate::app::decide::translate;
use crate::app::record::verdict::{RecordedAccess, RecordedVerdict};
use crate::desk::organisation::Organisation;
use crate::desk::verdict::access::{self, AccessAnswer, AccessVerdict, Asked, Outcome, Scope};
use crate::desk::verdict::{Given, Unfit};
use crate::rules::contract::{self, Person, SoFar, access as contract_access};
use crate::rules::run::stage::{Answer, Stage};

/// A request for access.
pub struct Access<'a> {
    pub asked: Asked<'a>,
}

/// The part of the input that access alone has.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OwnAccess<'a> {
    so_far: &'a SoFar,
    request: &'a contract_access::Request,
    item: &'a contract_access::CatalogItem,
    subject: &'a Person,
    grants: &'a [contract_access::Grant],
    history: &'a contract_access::History,
    peers: &'a contract_access::Peers,
}

impl<'a> OwnAccess<'a> {
    /// Of a whole input.
    pub fn of(input: &'a contract::access::Input) -> Self {
        let contract_access::Input { so_far, request, item, subject, grants, history, peers, .. } = input;
        Self { so_far, request, item, subject, grants, history, peers }
    }
}

impl Ask for Access<'_> {
    const STAGE: Stage = Stage::Access;
    type Answer = AccessAnswer;
    type Verdict = AccessVerdict;

    fn check(&self, answer: Answer) -> Result<AccessAnswer, Unfit> {
        match answer {
            Answer::Access(answer) => access::check(&self.asked, translate::access_answer(answer.decision)),
            other => Err(wrong_stage(&other)),
        }
    }

    fn counts_under(&self, other: &Organisation, answer: Answer) -> bool {
        let Asked { request, requester, submitted_by, .. } = self.asked;
        let app = other.apps.get(&request.app);
        let tier = app.and_then(|app| Some((app, app.tier(self.asked.tier.id.as_str())?.1)));
        tier.is_some_and(|(app, tier)| {
            let asked = Asked { organisation: other, request, app, tier, requester, submitted_by };
            Access { asked }.check(answer).is_ok()
        })
    }

    fn combine(&self, given: &[Given<AccessAnswer>]) -> AccessVerdict {
        access::combine(&self.asked, given)
    }

    fn record(verdict: &AccessVerdict) -> RecordedVerdict {
        let outcome = outcome(&verdict.outcome).to_owned();
        RecordedVerdict::Access(RecordedAccess { outcome, reason: verdict.reason.clone() })
    }

    fn tell(verdict: &AccessVerdict, _: &[Given<AccessAnswer>]) -> Told {
        let (scope, approvers) = match &verdict.outcome {
            Outcome::Approved(scope) => (scope_text(scope), NOTHING.to_owned()),
            Outcome::Await(approval) => {
                let steps = approval.steps.iter().map(|step| {
                    let people = list(&step.approvers);
                    format!("{} of {people} within {} h", step.needed, step.due_in_hours)
                });
                (scope_text(&approval.scope), list(steps))
            }
            Outcome::Denied => (NOTHING.to_owned(), NOTHING.to_owned()),
        };
        Told {
            fields: vec![("outcome", outcome(&verdict.outcome).to_owned()), ("scope", scope), ("approvers", approvers)],
            by: String::new(),
            reason: verdict.reason.clone(),
        }
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Approved(_) => "approved",
        Outcome::Await(_) => "awaiting",
        Outcome::Denied => "denied",
    }
}

fn scope_text(scope: &Scope) -> String {
    let role = scope.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
    format!("{}{role}, {} h, groups {}", scope.tier, scope.duration_hours, list(&scope.groups))
}
