//! What recorded or new answers come to over a recorded input: the desk's own checks and the desk's own combining, for one
//! stage, under the present organisation.

use crate::app::decide::stages::{self, Access, Ask, Categorization, Closing, Intake, Priority, Routing, Told};
use crate::app::record::verdict::RecordedVerdict;
use crate::desk::access::AccessRequest;
use crate::desk::actor::RuleRef;
use crate::desk::id::{CategoryId, PersonId};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::verdict::Given;
use crate::desk::verdict::access::{Asked, Outcome};
use crate::rules::contract::{SoFar, access};
use crate::rules::run::stage::{Answer, Input};

/// What one rule said.
#[derive(Debug, Clone)]
pub struct ReplayedAnswer {
    pub rule: RuleRef,
    /// Where it stands among the rules of its stage: lower is asked first.
    pub order: i32,
    pub overrides: bool,
    /// `None` where it failed.
    pub answer: Option<Answer>,
}

/// The outcome of a stage: as texts that can be compared, and as the desk records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub told: Told,
    pub record: RecordedVerdict,
    /// The people whom an access request would ask, each once for each step.
    pub asks: Vec<PersonId>,
}

impl Verdict {
    /// The outcome, where the stage has one.
    pub fn outcome(&self) -> Option<&str> {
        self.told.fields.iter().find(|(name, _)| *name == "outcome").map(|(_, value)| value.as_str())
    }
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

/// A recorded input in the present organisation.
pub struct ReplayCase<'a> {
    organisation: &'a Organisation,
    form: &'a RequestType,
    input: &'a Input,
    submitted_by: &'a PersonId,
}

impl<'a> ReplayCase<'a> {
    /// Puts an input into the organisation.
    ///
    /// # Errors
    ///
    /// [`NotJudged`] where the organisation does not know any more what it is about.
    pub fn of(organisation: &'a Organisation, input: &'a Input, submitted_by: &'a PersonId) -> Result<Self, NotJudged> {
        let name = &input.ticket().request_type;
        let form = organisation.request_types.get(name.as_str());
        let form = form.ok_or_else(|| NotJudged::RequestType(name.clone()))?;
        Ok(Self { organisation, form, input, submitted_by })
    }

    /// The request type and, where rules are chosen by it, the category.
    pub fn matched_by(&self) -> (&'a str, Option<&'a str>) {
        (&self.input.ticket().request_type, so_far(self.input).and_then(|so_far| so_far.category.as_deref()))
    }

    /// What answers come to, and why some of them do not count.
    ///
    /// # Errors
    ///
    /// [`NotJudged`].
    pub fn verdict(&self, said: Vec<ReplayedAnswer>) -> Result<(Verdict, Vec<(RuleRef, String)>), NotJudged> {
        let (organisation, form) = (self.organisation, self.form);
        let mut refused = Vec::new();
        let verdict = match self.input {
            Input::Intake(_) => judged(&Intake { organisation, form }, said, &mut refused),
            Input::Categorization(_) => judged(&Categorization { organisation, form }, said, &mut refused),
            Input::Priority(input) => {
                // A category that is none leaves the desk's default.
                let category: Option<CategoryId> = input.so_far.category.as_deref().and_then(|name| name.parse().ok());
                judged(&Priority { organisation, category: category.as_ref() }, said, &mut refused)
            }
            Input::Routing(input) => {
                let name = input.so_far.category.clone().unwrap_or_default();
                let category: CategoryId = name.parse().map_err(|_| NotJudged::Category(name))?;
                judged(&Routing { organisation, category: &category }, said, &mut refused)
            }
            Input::Access(input) => self.access(input, said, &mut refused)?,
            Input::Closing(input) => judged(&Closing::of(organisation, input), said, &mut refused),
        };
        Ok((verdict, refused))
    }

    fn access(
        &self,
        input: &access::Input,
        said: Vec<ReplayedAnswer>,
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
        let (verdict, typed) = judged_as(&Access { asked }, said, refused);
        let asks = match typed.outcome {
            Outcome::Await(approval) => approval.steps.into_iter().flat_map(|step| step.approvers).collect(),
            Outcome::Approved(_) | Outcome::Denied => Vec::new(),
        };
        Ok(Verdict { asks, ..verdict })
    }
}

/// What was known when rules were chosen; before categorization there is no category to choose by.
fn so_far(input: &Input) -> Option<&SoFar> {
    match input {
        Input::Intake(_) | Input::Categorization(_) => None,
        Input::Priority(input) => Some(&input.so_far),
        Input::Routing(input) => Some(&input.so_far),
        Input::Access(input) => Some(&input.so_far),
        Input::Closing(input) => Some(&input.so_far),
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
        emergency: false,
        starts: None,
        app: request.app.parse().map_err(|_| gone())?,
        tier: request.tier.parse().map_err(|_| gone())?,
        role: request.role.clone(),
        duration_hours: request.duration_hours,
        justification: request.justification.clone(),
        subject: id(&input.subject.id)?,
    })
}

/// The outcome of answers at a stage.
fn judged<S: Ask>(stage: &S, said: Vec<ReplayedAnswer>, refused: &mut Vec<(RuleRef, String)>) -> Verdict {
    judged_as(stage, said, refused).0
}

/// The same with the verdict itself.
fn judged_as<S: Ask>(
    stage: &S,
    said: Vec<ReplayedAnswer>,
    refused: &mut Vec<(RuleRef, String)>,
) -> (Verdict, S::Verdict) {
    let one = |said: ReplayedAnswer| {
        let ReplayedAnswer { rule, overrides, answer, .. } = said;
        let reason = answer.as_ref().map(stages::reason).unwrap_or_default();
        let answer = answer.and_then(|answer| match stages::checked(stage, answer) {
            Ok(answer) => Some(answer),
            Err(fault) => {
                refused.push((rule.clone(), fault.to_string()));
                None
            }
        });
        Given { rule, reason, overrides, answer }
    };
    let given: Vec<Given<S::Answer>> = said.into_iter().map(one).collect();
    let verdict = stage.combine(&given);
    (Verdict { told: S::tell(&verdict, &given), record: S::record(&verdict), asks: Vec::new() }, verdict)
}
