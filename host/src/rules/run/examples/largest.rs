//! The largest input that a form takes, as an example that every rule has: a requester may send it, so a rule should decide on it.

use std::fmt;
use std::sync::Arc;

use serde_json::json;

use super::fill_in_json;
use crate::rules::run::call::{Fault, ask};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;
use crate::rules::tables::Tables;

/// The characters of the longest body that a form takes.
pub const BODY_CHARS_MAX: usize = 100_000;

/// The pieces of bodies: words, characters of three and of four bytes, and lines.
const PATTERNS: [&str; 4] = ["wi ", "\u{4e2d}", "\u{1f600}", "\n"];

/// A rule that runs out of something on a long text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsOut {
    pub stage: Stage,
    /// A length at which it does, in characters; at half of it, it does not.
    pub chars: usize,
    pub fault: String,
}

impl fmt::Display for RunsOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, chars, fault } = self;
        write!(
            f,
            "at {stage} it does not decide on a text of {chars} characters, and a form takes {BODY_CHARS_MAX}: {fault}"
        )
    }
}

/// Asks a rule about the largest text at each of its stages.
pub fn runs_out(rule: &Rule, tables: &Arc<Tables>) -> Option<RunsOut> {
    let of_stage = |stage: &Stage| PATTERNS.iter().find_map(|pattern| on_pattern(rule, tables, *stage, pattern));
    rule.manifest.stages.iter().find_map(of_stage)
}

fn on_pattern(rule: &Rule, tables: &Arc<Tables>, stage: Stage, pattern: &str) -> Option<RunsOut> {
    let mut fault = stopped(rule, tables, stage, pattern, BODY_CHARS_MAX)?;
    let mut chars = BODY_CHARS_MAX;
    while chars > 1 {
        match stopped(rule, tables, stage, pattern, chars / 2) {
            Some(other) => (fault, chars) = (other, chars / 2),
            None => break,
        }
    }
    Some(RunsOut { stage, chars, fault: fault.to_string() })
}

/// The limit that stops a rule on a text of so many characters, if one does.
fn stopped(rule: &Rule, tables: &Arc<Tables>, stage: Stage, pattern: &str, chars: usize) -> Option<Fault> {
    let body: String = pattern.chars().cycle().take(chars).collect();
    let sparse = match stage {
        Stage::Closing => json!({ "words": { "text": body } }),
        _ => json!({ "ticket": { "subject": "a long text", "body": body } }),
    };
    let input = fill_in_json(stage, sparse).ok()?;
    let fault = ask(rule, &input, tables).result.err()?;
    let is_want = matches!(
        fault,
        Fault::OutOfFuel { .. } | Fault::OutOfMemory { .. } | Fault::StackOverflow | Fault::AnswerTooLarge { .. }
    );
    is_want.then_some(fault)
}
