//! Priority: how much a ticket matters and how soon.

use super::{Ask, Told, by, text, wrong_stage};
use crate::app::decide::translate;
use crate::app::record::verdict::{RecordedPriority, RecordedVerdict};
use crate::desk::id::CategoryId;
use crate::desk::organisation::Organisation;
use crate::desk::verdict::{self, Given, Rated, Rating, Unfit, check};
use crate::rules::run::stage::{Answer, Stage};

/// Priority of a ticket of some category, where one is known.
pub struct Priority<'a> {
    pub organisation: &'a Organisation,
    pub category: Option<&'a CategoryId>,
}

impl Ask for Priority<'_> {
    const STAGE: Stage = Stage::Priority;
    /// `None` is no opinion.
    type Answer = Option<Rating>;
    type Verdict = Rated;

    fn check(&self, answer: Answer) -> Result<Option<Rating>, Unfit> {
        match answer {
            Answer::Priority(answer) => {
                translate::rating(answer.decision).map(|rating| check::rating(self.organisation, rating)).transpose()
            }
            other => Err(wrong_stage(&other)),
        }
    }

    fn counts_under(&self, other: &Organisation, answer: Answer) -> bool {
        Priority { organisation: other, category: self.category }.check(answer).is_ok()
    }

    fn combine(&self, given: &[Given<Option<Rating>>]) -> Rated {
        verdict::priority(self.organisation, self.category, given)
    }

    fn record(verdict: &Rated) -> RecordedVerdict {
        RecordedVerdict::Priority(RecordedPriority {
            impact: verdict.impact.as_ref().map(ToString::to_string),
            priority: verdict.level.value.to_string(),
            priority_by: by(&verdict.level.by),
            urgency: verdict.urgency.as_ref().map(ToString::to_string),
        })
    }

    fn tell(verdict: &Rated, _: &[Given<Option<Rating>>]) -> Told {
        Told {
            fields: vec![
                ("priority", verdict.level.value.to_string()),
                ("impact", text(verdict.impact.as_ref())),
                ("urgency", text(verdict.urgency.as_ref())),
            ],
            by: by(&verdict.level.by),
            reason: verdict.level.by.reason().to_owned(),
        }
    }
}
