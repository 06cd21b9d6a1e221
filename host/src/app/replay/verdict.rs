//! What recorded or new answers come to over a recorded input: the desk's own checks and the desk's own combining, for one
//! stage, under the present organisation.

use crate::app::decide::judge;
use crate::desk::access::AccessRequest;
use crate::desk::actor::RuleRef;
use crate::desk::id::{CategoryId, PersonId};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::verdict::access::{AccessAnswer, AccessVerdict, Asked, Outcome, Scope};
use crate::desk::verdict::{self, By, Changes, Given, IntakeAnswer, IntakeVerdict};
use crate::rules::contract::{SoFar, Ticket, access};
use crate::rules::run::stage::{Answer, Input};

/// What one rule said.
#[derive(Debug, Clone)]
pub struct Said {
    pub rule: RuleRef,
    /// Where it stands among the rules of its stage: lower is asked first.
    pub order: i32,
    pub overrides: bool,
    /// `None` where it failed.
    pub answer: Option<Answer>,
}

/// What a stage comes to, as texts that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was decided, by the name that people know it under.
    pub fields: Vec<(&'static str, String)>,
    /// Who decided: a rule with its version, or what stands where no rule does.
    pub by: String,
    pub reason: String,
    /// As the desk records it.
    pub record: serde_json::Value,
}

/// Why an old decision cannot be judged by the present organisation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotJudged {
    #[error("the request type `{0}` is gone")]
    RequestType(String),
    #[error("the category `{0}` is no category's name")]
    Category(String),
    #[error("the app `{0}` or its tier `{1}` is gone from the catalog")]
    App(String, String),
    #[error("the record names `{0}`, which is nobody's name")]
    Name(String),
}

/// What stands where nothing was decided.
const NOTHING: &str = "none";

/// A recorded input in the present organisation.
pub struct Scene<'a> {
    organisation: &'a Organisation,
    form: &'a RequestType,
    input: &'a Input,
    submitted_by: &'a PersonId,
}

impl<'a> Scene<'a> {
    /// Puts an input into the organisation.
    ///
    /// # Errors
    ///
    /// [`NotJudged`] where the organisation does not know any more what it is about.
    pub fn of(organisation: &'a Organisation, input: &'a Input, submitted_by: &'a PersonId) -> Result<Self, NotJudged> {
        let name = &ticket(input).request_type;
        let form = organisation.request_types.get(name.as_str());
        let form = form.ok_or_else(|| NotJudged::RequestType(name.clone()))?;
        Ok(Self { organisation, form, input, submitted_by })
    }

    /// The request type and, where rules are chosen by it, the category.
    pub fn matched_by(&self) -> (&'a str, Option<&'a str>) {
        (&ticket(self.input).request_type, so_far(self.input).and_then(|so_far| so_far.category.as_deref()))
    }

    /// What answers come to, and why some of them do not count.
    ///
    /// # Errors
    ///
    /// [`NotJudged`].
    pub fn verdict(&self, said: Vec<Said>) -> Result<(Verdict, Vec<(RuleRef, String)>), NotJudged> {
        let organisation = self.organisation;
        let mut refused = Vec::new();
        let verdict = match self.input {
            Input::Intake(_) => {
                let given = checked(said, &mut refused, |answer| judge::intake(organisation, self.form, answer));
                of_intake(&verdict::intake(&given), &given)
            }
            Input::Categorization(_) => {
                let given = checked(said, &mut refused, |answer| judge::categorization(organisation, answer));
                of_categorization(&verdict::categorization(organisation, self.form, &given))
            }
            Input::Priority(_) => {
                let given = checked(said, &mut refused, |answer| judge::priority(organisation, answer));
                of_priority(&verdict::priority(organisation, &given))
            }
            Input::Routing(input) => {
                let name = input.so_far.category.clone().unwrap_or_default();
                let category: CategoryId = name.parse().map_err(|_| NotJudged::Category(name))?;
                let given = checked(said, &mut refused, |answer| judge::routing(organisation, answer));
                of_routing(&verdict::routing(organisation, &category, &given))
            }
            Input::Access(input) => self.access(input, said, &mut refused)?,
        };
        Ok((verdict, refused))
    }

    fn access(
        &self,
        input: &access::Input,
        said: Vec<Said>,
        refused: &mut Vec<(RuleRef, String)>,
    ) -> Result<Verdict, NotJudged> {
        let request = request(input)?;
        let gone = || NotJudged::App(input.request.app.clone(), input.request.tier.clone());
        let app = self.organisation.apps.get(&request.app).ok_or_else(gone)?;
        let (_, tier) = app.tier(request.tier.as_str()).ok_or_else(gone)?;
        let requester = id(&input.requester.id)?;
        let asked = Asked {
            organisation: self.organisation,
            request: &request,
            app,
            tier,
            requester: &requester,
            submitted_by: self.submitted_by,
        };
        let given: Vec<Given<AccessAnswer>> = checked(said, refused, |answer| judge::access(&asked, answer));
        Ok(of_access(&verdict::access::combine(&asked, &given)))
    }
}

fn ticket(input: &Input) -> &Ticket {
    match input {
        Input::Intake(input) => &input.ticket,
        Input::Categorization(input) => &input.ticket,
        Input::Priority(input) => &input.ticket,
        Input::Routing(input) => &input.ticket,
        Input::Access(input) => &input.ticket,
    }
}

/// What was known when rules were chosen; before categorization there is no category to choose by.
fn so_far(input: &Input) -> Option<&SoFar> {
    match input {
        Input::Intake(_) | Input::Categorization(_) => None,
        Input::Priority(input) => Some(&input.so_far),
        Input::Routing(input) => Some(&input.so_far),
        Input::Access(input) => Some(&input.so_far),
    }
}

fn id(name: &str) -> Result<PersonId, NotJudged> {
    name.parse().map_err(|_| NotJudged::Name(name.to_owned()))
}

/// The request that an input was made of.
fn request(input: &access::Input) -> Result<AccessRequest, NotJudged> {
    let request = &input.request;
    let gone = || NotJudged::App(request.app.clone(), request.tier.clone());
    Ok(AccessRequest {
        extends: request.kind == "extend",
        app: request.app.parse().map_err(|_| gone())?,
        tier: request.tier.parse().map_err(|_| gone())?,
        role: request.role.clone(),
        duration_hours: request.duration_hours,
        justification: request.justification.clone(),
        subject: id(&input.subject.id)?,
    })
}

fn checked<A>(
    said: Vec<Said>,
    refused: &mut Vec<(RuleRef, String)>,
    check: impl Fn(Answer) -> Result<A, String>,
) -> Vec<Given<A>> {
    let one = |said: Said| {
        let Said { rule, overrides, answer, .. } = said;
        let reason = answer.as_ref().map(|answer| answer.reason().to_owned()).unwrap_or_default();
        let answer = answer.and_then(|answer| match check(answer) {
            Ok(answer) => Some(answer),
            Err(why) => {
                refused.push((rule.clone(), why));
                None
            }
        });
        Given { rule, reason, overrides, answer }
    };
    said.into_iter().map(one).collect()
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { NOTHING.to_owned() } else { items.join(", ") }
}

fn of_intake(verdict: &IntakeVerdict, given: &[Given<IntakeAnswer>]) -> Verdict {
    let rejects = |given: &&Given<IntakeAnswer>| matches!(given.answer, Some(IntakeAnswer::Reject(_)));
    let record = judge::intake_record(verdict);
    match verdict {
        IntakeVerdict::Accepted(changes) => Verdict {
            fields: of_changes(changes),
            by: list(given.iter().map(|given| &given.rule)),
            reason: list(given.iter().filter(|given| !given.reason.is_empty()).map(|given| &given.reason)),
            record,
        },
        IntakeVerdict::Rejected(problems) => Verdict {
            fields: vec![("acceptance", "rejected".to_owned())],
            by: list(given.iter().filter(rejects).map(|given| &given.rule)),
            reason: list(problems.iter().map(|problem| format!("{}: {}", problem.field, problem.message))),
            record,
        },
    }
}

fn of_changes(changes: &Changes) -> Vec<(&'static str, String)> {
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

fn of_categorization(verdict: &verdict::Classified) -> Verdict {
    Verdict {
        fields: vec![
            ("category", verdict.category.value.to_string()),
            ("kind", verdict.kind.value.code().to_owned()),
            ("tags", list(verdict.tags.iter().map(|tag| &tag.value))),
        ],
        ..decided(&verdict.category.by, judge::categorization_record(verdict))
    }
}

fn of_priority(verdict: &verdict::Rated) -> Verdict {
    Verdict {
        fields: vec![
            ("priority", verdict.level.value.to_string()),
            ("impact", text(verdict.impact.as_ref())),
            ("urgency", text(verdict.urgency.as_ref())),
        ],
        ..decided(&verdict.level.by, judge::priority_record(verdict))
    }
}

fn of_routing(verdict: &verdict::Routed) -> Verdict {
    Verdict {
        fields: vec![
            ("team", verdict.team.value.to_string()),
            ("assignee", text(verdict.assignee.as_ref())),
            ("skills", list(&verdict.skills)),
            ("strategy", verdict.strategy.code().to_owned()),
            ("tier", verdict.tier.to_string()),
        ],
        ..decided(&verdict.team.by, judge::routing_record(verdict))
    }
}

fn of_access(verdict: &AccessVerdict) -> Verdict {
    let (outcome, scope, approvers) = match &verdict.outcome {
        Outcome::Approved(scope) => ("approved", scope_text(scope), NOTHING.to_owned()),
        Outcome::Await(approval) => {
            let steps = approval.steps.iter().map(|step| {
                let people = list(&step.approvers);
                format!("{} of {people} within {} h", step.needed, step.due_in_hours)
            });
            ("awaiting", scope_text(&approval.scope), list(steps))
        }
        Outcome::Denied => ("denied", NOTHING.to_owned(), NOTHING.to_owned()),
    };
    Verdict {
        fields: vec![("outcome", outcome.to_owned()), ("scope", scope), ("approvers", approvers)],
        by: String::new(),
        reason: verdict.reason.clone(),
        record: judge::access_record(verdict),
    }
}

fn scope_text(scope: &Scope) -> String {
    let role = scope.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
    format!("{}{role}, {} h, groups {}", scope.tier, scope.duration_hours, list(&scope.groups))
}

/// A verdict that has no fields yet.
fn decided(by: &By, record: serde_json::Value) -> Verdict {
    Verdict { fields: Vec::new(), by: judge::by(by), reason: by.reason().to_owned(), record }
}
