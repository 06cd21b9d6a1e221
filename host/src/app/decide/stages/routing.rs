//! Routing: who gets a ticket.

use super::{Ask, Told, by, list, text, wrong_stage};
use crate::app::decide::translate;
use crate::app::record::verdict::{RecordedRouting, RecordedVerdict};
use crate::desk::id::CategoryId;
use crate::desk::organisation::Organisation;
use crate::desk::verdict::{self, Destination, Given, Routed, Unfit, check};
use crate::rules::run::stage::{Answer, Stage};

/// Routing of a ticket of some category.
pub struct Routing<'a> {
    pub organisation: &'a Organisation,
    pub category: &'a CategoryId,
}

impl Ask for Routing<'_> {
    const STAGE: Stage = Stage::Routing;
    /// `None` is no opinion.
    type Answer = Option<Destination>;
    type Verdict = Routed;

    fn check(&self, answer: Answer) -> Result<Option<Destination>, Unfit> {
        match answer {
            Answer::Routing(answer) => {
                translate::destination(answer.decision).map(|to| check::destination(self.organisation, to)).transpose()
            }
            other => Err(wrong_stage(&other)),
        }
    }

    fn counts_under(&self, other: &Organisation, answer: Answer) -> bool {
        Routing { organisation: other, category: self.category }.check(answer).is_ok()
    }

    fn combine(&self, given: &[Given<Option<Destination>>]) -> Routed {
        verdict::routing(self.organisation, self.category, given)
    }

    fn record(verdict: &Routed) -> RecordedVerdict {
        RecordedVerdict::Routing(RecordedRouting {
            assignee: verdict.assignee.as_ref().map(ToString::to_string),
            skills: verdict.skills.iter().map(ToString::to_string).collect(),
            strategy: verdict.strategy.code().to_owned(),
            team: verdict.team.value.to_string(),
            team_by: by(&verdict.team.by),
            tier: u32::from(verdict.tier),
        })
    }

    fn tell(verdict: &Routed, _: &[Given<Option<Destination>>]) -> Told {
        Told {
            fields: vec![
                ("team", verdict.team.value.to_string()),
                ("assignee", text(verdict.assignee.as_ref())),
                ("skills", list(&verdict.skills)),
                ("strategy", verdict.strategy.code().to_owned()),
                ("tier", verdict.tier.to_string()),
            ],
            by: by(&verdict.team.by),
            reason: verdict.team.by.reason().to_owned(),
        }
    }
}
