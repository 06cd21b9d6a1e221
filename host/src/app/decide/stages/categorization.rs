//! Categorization: what kind of thing a ticket is about.

use super::{Ask, Told, by, list, wrong_stage};
use crate::app::decide::translate;
use crate::app::record::verdict::{RecordedCategorization, RecordedVerdict};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::verdict::{self, Classification, Classified, Given, Unfit, check};
use crate::rules::run::stage::{Answer, Stage};

/// Categorization for a form.
pub struct Categorization<'a> {
    pub organisation: &'a Organisation,
    pub form: &'a RequestType,
}

impl Ask for Categorization<'_> {
    const STAGE: Stage = Stage::Categorization;
    type Answer = Classification;
    type Verdict = Classified;

    fn check(&self, answer: Answer) -> Result<Classification, Unfit> {
        match answer {
            Answer::Categorization(answer) => {
                check::classification(self.organisation, translate::classification(answer.decision))
            }
            other => Err(wrong_stage(&other)),
        }
    }

    fn counts_under(&self, other: &Organisation, answer: Answer) -> bool {
        Categorization { organisation: other, form: self.form }.check(answer).is_ok()
    }

    fn combine(&self, given: &[Given<Classification>]) -> Classified {
        verdict::categorization(self.organisation, self.form, given)
    }

    fn record(verdict: &Classified) -> RecordedVerdict {
        RecordedVerdict::Categorization(RecordedCategorization {
            category: verdict.category.value.to_string(),
            category_by: by(&verdict.category.by),
            kind: verdict.kind.value.code().to_owned(),
            tags: verdict.tags.iter().map(|tag| tag.value.to_string()).collect(),
        })
    }

    fn tell(verdict: &Classified, _: &[Given<Classification>]) -> Told {
        Told {
            fields: vec![
                ("category", verdict.category.value.to_string()),
                ("kind", verdict.kind.value.code().to_owned()),
                ("tags", list(verdict.tags.iter().map(|tag| &tag.value))),
            ],
            by: by(&verdict.category.by),
            reason: verdict.category.by.reason().to_owned(),
        }
    }
}
