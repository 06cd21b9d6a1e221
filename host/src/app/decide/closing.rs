//! The words of a requester on a ticket that was resolved, judged by the rules: one stage by itself, before anything is written.
//!
//! It runs on a rules worker like all stages. Its record is packed afterwards, because a follow-up that cannot be made leaves the
//! words to the policy, and the record says what came of them.

use std::sync::Arc;

use super::pipeline::{Case, Run};
use super::stages::{Ask, Closing, OwnClosing};
use crate::app::record::write::{RuleCall, Sample};
use crate::desk::ticket::lifecycle::words::Effect;
use crate::desk::ticket::lifecycle::words::verdict::WordsVerdict;
use crate::rules::contract::{self, closing};
use crate::rules::run::stage::{Input, Stage};
use crate::store::rules::packing::NotPacked;
use crate::store::{PackedRun, RunRecord};

/// The cause of such a run, as it is recorded.
const CAUSE: &str = "replied";

/// The part of the input that is about the words and the resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub words: closing::Words,
    pub state: String,
    pub resolution: closing::Resolution,
    pub reopened: u32,
}

/// Words that the rules have judged.
pub struct Judged {
    run: Run,
    input: Box<closing::Input>,
    parts: Vec<RuleCall>,
    policy: Effect,
    verdict: WordsVerdict,
}

/// The record of a judgement, as it is written with its effect.
pub struct Recorded {
    pub record: RunRecord,
    pub samples: Vec<Sample>,
    pub packed: Result<PackedRun, NotPacked>,
}

/// Asks the rules for closing about words; `ticket` and `so_far` are how the rules see the ticket now.
pub fn judge(case: Case, ticket: contract::Ticket, so_far: &contract::SoFar, said: Said) -> Judged {
    let organisation = Arc::clone(&case.organisation);
    let mut run = Run::of(case);
    let (now, ticket, requester, so_far) = run.shared(&Arc::new(ticket), so_far);
    let Said { words, state, resolution, reopened } = said;
    let input = Box::new(closing::Input { now, ticket, requester, so_far, words, state, resolution, reopened });
    let stage = Closing::of(&organisation, &input);
    let in_doubt = run.closing_in_doubt();
    let category = input.so_far.category.clone();
    let (verdict, parts) = run.ask(&stage, &Input::Closing(input.clone()), category.as_deref(), in_doubt);
    Judged { run, policy: stage.policy(), input, parts, verdict }
}

impl Judged {
    /// The effect that the words are to have.
    pub fn effect(&self) -> Effect {
        self.verdict.effect.value
    }

    /// Leaves the words to the policy, where the effect could not be brought about.
    pub fn undo(&mut self) {
        self.verdict = self.verdict.clone().undone(self.policy);
    }

    /// Writes down what was asked, answered and decided, as that stands now.
    pub fn record(&mut self) -> Recorded {
        let Judged { run, input, parts, verdict, .. } = self;
        run.write_down(Stage::Closing, &OwnClosing::of(input), &Closing::record(verdict), parts);
        let samples = run.samples();
        let record = RunRecord { cause: CAUSE, ..run.record(&input.ticket) };
        let packed = run.pack(&record);
        Recorded { record, samples, packed }
    }
}
