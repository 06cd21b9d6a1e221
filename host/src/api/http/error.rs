//! What a use case answers besides success, in HTTP's words: the one table of that.

use super::problem::{FieldProblem, Kind, Problem};
use crate::app::Error;
use crate::app::rollout::deploy::Unfit;
use crate::app::tickets::submit::attachments::NotThis;
use crate::desk::organisation::form;
use crate::desk::refusal::Refusal;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Rejected { problems } => {
                let fields = problems.into_iter().map(FieldProblem::from).collect();
                Problem::new(Kind::REJECTED, "mend the fields named and send it again").with_fields(fields)
            }
            Error::Refused(refusal) => refused(&refusal, detail),
            Error::Unfit(unfit) => {
                let Unfit { part, code, mend, .. } = unfit;
                let field = FieldProblem {
                    field: part.to_owned(),
                    code: code.to_owned(),
                    message: format!("to mend it: {mend}"),
                };
                Problem::new(Kind::RULE_REFUSED, detail).with_fields(vec![field])
            }
            Error::Attachment(NotThis::TooLarge { .. }) => Problem::new(Kind::TOO_LARGE, detail),
            Error::Attachment(NotThis::NotScanned | NotThis::Infected { .. }) => Problem::new(Kind::CONFLICT, detail),
            Error::Missing { .. } | Error::NoField { .. } => Problem::new(Kind::NOT_FOUND, detail),
            Error::Table(_) => Problem::new(Kind::CONFLICT, detail),
            Error::Stale { .. } | Error::StaleTable { .. } => Problem::new(Kind::STALE, detail),
            Error::Ambiguous { .. } => Problem::new(Kind::AMBIGUOUS, detail),
            Error::Damaged(_) => Problem::new(Kind::DAMAGED, detail.clone()).with_internal(detail),
            Error::NotTaken { .. } => Problem::new(Kind::CONFLICT, detail),
            Error::NeedsMatch { what } => Problem::new(
                Kind::NEEDS_MATCH,
                format!("send the {what}'s ETag in `If-Match`, or `*` for any version of it"),
            ),
            Error::TooMuch { wait, .. } => Problem::wait(&detail, wait),
            Error::KeyReused => Problem::new(Kind::KEY_REUSED, "use a new key for a new request"),
            Error::Busy(_) => Problem::new(Kind::BUSY, detail),
            Error::MayBeDone(_) => Problem::new(Kind::TIMED_OUT, detail),
            Error::NoRoom(_) => {
                let told = "nothing of it is kept: whoever runs this desk has to make room on its disk";
                Problem::new(Kind::NO_ROOM, told).with_internal(detail)
            }
            Error::Broken(_) => Problem::new(Kind::BROKEN, "it has been logged; the request's id helps to find it")
                .with_internal(detail),
        }
    }
}

fn refused(refusal: &Refusal, detail: String) -> Problem {
    let kind = match refusal {
        Refusal::Forbidden { .. } | Refusal::OwnAccess | Refusal::NotAnApprover | Refusal::NotAReviewer => {
            Kind::FORBIDDEN
        }
        Refusal::NotSigned => Kind::UNAUTHENTICATED,
        Refusal::Problems { .. }
        | Refusal::NotShorter { .. }
        | Refusal::NotNarrower { .. }
        | Refusal::ReasonMissing => Kind::REJECTED,
        Refusal::NoTransition { .. }
        | Refusal::NotTheirTransition { .. }
        | Refusal::NotInCatalog { .. }
        | Refusal::AccessSettled { .. }
        | Refusal::ApprovedAnotherStep
        | Refusal::DecidedAlready
        | Refusal::Overdue { .. }
        | Refusal::Finished { .. }
        | Refusal::GrantEnded
        | Refusal::CatchAll { .. }
        | Refusal::Blocked { .. }
        | Refusal::HighestTier
        | Refusal::TasksOpen { .. }
        | Refusal::LinkedToItself
        | Refusal::LinkCircle { .. }
        | Refusal::OtherRequester
        | Refusal::TargetOver { .. }
        | Refusal::HasAccessRequest
        | Refusal::MergeNeedsTarget
        | Refusal::ArticleState { .. }
        | Refusal::NoRecord
        | Refusal::Over { .. }
        | Refusal::NoSurvey { .. }
        | Refusal::SurveyOver { .. }
        | Refusal::OrderNotByHand
        | Refusal::QuestionOpen
        | Refusal::NotAskedBack
        | Refusal::ReviewEnded
        | Refusal::NotStopped
        | Refusal::FindingSettled
        | Refusal::NeverGranted
        | Refusal::NameTaken { .. }
        | Refusal::SeenHasChanged
        | Refusal::SubjectInactive => Kind::CONFLICT,
    };
    let way = match refusal {
        Refusal::Over { .. } => ": POST /api/v1/tickets/{key}/follow-ups",
        Refusal::MergeNeedsTarget => ": POST /api/v1/tickets/{key}/merge",
        _ => "",
    };
    Problem::new(kind, detail + way)
}

impl From<form::Problem> for FieldProblem {
    fn from(problem: form::Problem) -> Self {
        FieldProblem { field: problem.field, code: problem.code, message: problem.message }
    }
}
