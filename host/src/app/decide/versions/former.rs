//! The configurations that a desk has gone by before the one of now. What a rule says was right under one of them, and is not
//! any more, is the doing of those who changed the configuration, and counts against no version of a rule.

use std::sync::Arc;

use crate::app::decide::stages::Ask;
use crate::desk::organisation::Organisation;
use crate::rules::run::call::Fault;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Answer;
use crate::rules::tables::Tables;

/// How many are kept. The oldest of them stays, since most rules that are live were read under it.
const KEPT_MAX: usize = 8;

/// Earlier configurations, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Former(Arc<Vec<Arc<Organisation>>>);

impl Former {
    /// These, and one more that was replaced just now.
    #[must_use]
    pub fn followed_by(&self, replaced: Arc<Organisation>) -> Former {
        let (oldest, since) = self.0.split_at(self.0.len().min(1));
        let recent = since.iter().skip(since.len().saturating_sub(KEPT_MAX - 2));
        Former(Arc::new(oldest.iter().chain(recent).cloned().chain([replaced]).collect()))
    }

    /// Whether it is the configuration that keeps a rule's answer from counting: it names what was there before, or the rule
    /// looks things up in a table that is gone.
    pub fn caused<S: Ask>(
        &self,
        stage: &S,
        (rule, said, fault): (&Rule, &Result<Answer, Fault>, Option<&Fault>),
        tables: &Tables,
    ) -> bool {
        match (fault, said) {
            (Some(Fault::InvalidAnswer { .. }), Ok(answer)) => {
                self.0.iter().any(|former| stage.counts_under(former, answer.clone()))
            }
            (Some(Fault::Stopped { .. }), _) => rule.manifest.tables.iter().any(|table| tables.get(table).is_none()),
            _ => false,
        }
    }
}
