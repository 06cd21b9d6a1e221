//! The stages, one a file: each has all that is about it. What goes into it, how an answer is checked and several become
//! one, how that is recorded, what one chose in a word, and how it reads for people.
//!
//! [`Ask`] has two users: the pipeline, which asks rules about a ticket, and replaying, which judges what was said then or would
//! be said now.

use std::sync::Arc;

use crate::app::record::verdict::RecordedVerdict;
use crate::desk::organisation::Organisation;
use crate::desk::text::{into_normal, is_blank};
use crate::desk::verdict::{By, Given, Unfit};
use crate::rules::contract::intake as contract_intake;
use crate::rules::limits::Limits;
use crate::rules::run::call::{Called, Fault, ask_within, limits_for};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Answer, Input, Stage};
use crate::rules::tables::Tables;
use crate::rules::text::{REASON_CHARS_MAX, complaint, one_line};

mod access;
mod categorization;
mod closing;
mod intake;
mod priority;
mod routing;

pub use access::{Access, OwnAccess};
pub use categorization::Categorization;
pub use closing::{Closing, OwnClosing};
pub use intake::{Intake, OwnIntake};
pub use priority::Priority;
pub use routing::Routing;

/// A stage, ready to judge answers.
pub trait Ask {
    /// Which one.
    const STAGE: Stage;
    /// A rule's answer, checked.
    type Answer;
    /// The outcome of the stage.
    type Verdict;

    /// Checks what a rule says.
    ///
    /// # Errors
    ///
    /// Why it does not count.
    fn check(&self, answer: Answer) -> Result<Self::Answer, Unfit>;

    /// Whether a rule's answer would count under another configuration; never at a stage whose answers name nothing of it.
    fn counts_under(&self, _other: &Organisation, _answer: Answer) -> bool {
        false
    }

    /// The outcome of several rules' answers.
    fn combine(&self, given: &[Given<Self::Answer>]) -> Self::Verdict;

    /// The verdict as it is recorded.
    fn record(verdict: &Self::Verdict) -> RecordedVerdict;

    /// The verdict for people.
    fn tell(verdict: &Self::Verdict, given: &[Given<Self::Answer>]) -> Told;
}

/// A rule's answer, checked; or the fault that it does not count for, which repeats no more of it than a reader can take.
///
/// # Errors
///
/// [`Fault::InvalidAnswer`].
pub fn checked<S: Ask>(stage: &S, answer: Answer) -> Result<S::Answer, Fault> {
    stage.check(answer).map_err(|unfit| Fault::InvalidAnswer { message: complaint(unfit.to_string()) })
}

/// The reason that a rule gives, as it is kept with the ticket: one line that is no longer than a person's reason, in the one form in
/// which texts are kept, and empty where nothing of it can be seen.
pub fn reason(answer: &Answer) -> String {
    let line = into_normal(one_line(answer.reason(), REASON_CHARS_MAX));
    if is_blank(&line) { String::new() } else { line }
}

/// A verdict as texts that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The thing that was decided, by the name that people know it under.
    pub fields: Vec<(&'static str, String)>,
    /// Who decided: a rule with its version, or what stands where no rule does.
    pub by: String,
    pub reason: String,
}

/// Asks a rule. One that does not want the recent tickets is not shown them.
pub fn ask_one(rule: &Rule, input: &Input, tables: &Arc<Tables>) -> Called {
    ask_within_limits(rule, input, tables, limits_for(rule, input))
}

/// The same within other limits than the rule's own.
pub fn ask_within_limits(rule: &Rule, input: &Input, tables: &Arc<Tables>, limits: Limits) -> Called {
    match input {
        Input::Intake(all) if !rule.manifest.wants_recent_tickets && !all.recent.is_empty() => {
            let input = Input::Intake(contract_intake::Input { recent: Vec::new(), ..all.clone() });
            ask_within(rule, &input, tables, limits)
        }
        _ => ask_within(rule, input, tables, limits),
    }
}

fn wrong_stage(answer: &Answer) -> Unfit {
    // Each stage's call returns that stage's answer by its type; this keeps the match whole.
    Unfit::OtherStage { reason: reason(answer) }
}

/// Who or what set a field, in a few words.
fn by(by: &By) -> String {
    match by {
        By::Rule { rule, .. } => rule.to_string(),
        By::RequestType => "the request type".to_owned(),
        By::Category => "the category".to_owned(),
        By::Default => "the desk's default".to_owned(),
    }
}

/// The value that stands where nothing was decided.
const NOTHING: &str = "none";

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { NOTHING.to_owned() } else { items.join(", ") }
}
