//! Intake: whether a submission becomes a ticket, and what is changed of it.

use serde::Serialize;

use super::{Ask, Told, list, text, wrong_stage};
use crate::app::decide::translate;
use crate::app::record::verdict::{RecordedIntake, RecordedProblem, RecordedVerdict};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::verdict::{self, Changes, Given, IntakeAnswer, IntakeVerdict, Unfit, check};
use crate::rules::contract::{Attribute, Ticket, intake};
use crate::rules::run::stage::{Answer, Stage};

/// Intake for a form.
pub struct Intake<'a> {
    pub organisation: &'a Organisation,
    pub form: &'a RequestType,
}

/// The part of the input that intake alone has.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OwnIntake<'a> {
    /// As it was before intake changed it; absent where the run's shared part still shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<&'a Ticket>,
    pub headers: &'a [Attribute],
    pub recent: &'a [intake::RecentTicket],
    pub submitted_by: &'a str,
}

impl Ask for Intake<'_> {
    const STAGE: Stage = Stage::Intake;
    type Answer = IntakeAnswer;
    type Verdict = IntakeVerdict;

    fn check(&self, answer: Answer) -> Result<IntakeAnswer, Unfit> {
        match answer {
            Answer::Intake(answer) => match translate::intake_answer(answer.decision) {
                Ok(changes) => check::changes(self.organisation, self.form, changes).map(IntakeAnswer::Accept),
                Err(problems) if problems.is_empty() => Err(Unfit::NoProblem),
                Err(problems) => {
                    check::check_length("problems", problems.len()).map(|()| IntakeAnswer::Reject(problems))
                }
            },
            other => Err(wrong_stage(&other)),
        }
    }

    fn counts_under(&self, other: &Organisation, answer: Answer) -> bool {
        let form = other.request_types.get(&self.form.id);
        form.is_some_and(|form| Intake { organisation: other, form }.check(answer).is_ok())
    }

    fn combine(&self, given: &[Given<IntakeAnswer>]) -> IntakeVerdict {
        verdict::intake(given)
    }

    fn record(verdict: &IntakeVerdict) -> RecordedVerdict {
        RecordedVerdict::Intake(match verdict {
            IntakeVerdict::Accepted(changes) => RecordedIntake {
                accepted: true,
                duplicate_of: Some(changes.duplicate_of.map(|number| number.to_string())),
                problems: None,
                signals: Some(changes.signals.clone()),
            },
            IntakeVerdict::Rejected(problems) => RecordedIntake {
                accepted: false,
                duplicate_of: None,
                problems: Some(
                    problems.iter().map(|p| RecordedProblem { code: p.code.clone(), field: p.field.clone() }).collect(),
                ),
                signals: None,
            },
        })
    }

    fn tell(verdict: &IntakeVerdict, given: &[Given<IntakeAnswer>]) -> Told {
        let rejects = |given: &&Given<IntakeAnswer>| matches!(given.answer, Some(IntakeAnswer::Reject(_)));
        match verdict {
            IntakeVerdict::Accepted(changes) => Told {
                fields: changed(changes),
                by: list(given.iter().map(|given| &given.rule)),
                reason: list(given.iter().filter(|given| !given.reason.is_empty()).map(|given| &given.reason)),
            },
            IntakeVerdict::Rejected(problems) => Told {
                fields: vec![("acceptance", "rejected".to_owned())],
                by: list(given.iter().filter(rejects).map(|given| &given.rule)),
                reason: list(problems.iter().map(|problem| format!("{}: {}", problem.field, problem.message))),
            },
        }
    }
}

fn changed(changes: &Changes) -> Vec<(&'static str, String)> {
    vec![
        ("acceptance", "accepted".to_owned()),
        ("signals", list(&changes.signals)),
        ("duplicate of", text(changes.duplicate_of)),
        ("subject", text(changes.subject.as_ref())),
        ("body", text(changes.body.as_ref())),
        ("fields", list(changes.fields.iter().map(|(name, value)| format!("{name} = {value:?}")))),
        ("tags", list(&changes.tags)),
    ]
}
