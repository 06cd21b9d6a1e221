//! Steps that were taken with something, as the audit has them, for the page that shows it.

use serde_json::{Map, Value};

use super::Frame;
use super::times::When;
use crate::app::observe::audit::Found;
use crate::desk::organisation::form::Problem;

/// A step: when, by whom, and the reason where one was given.
pub struct Step {
    pub when: When,
    pub text: String,
    pub who: String,
    pub why: String,
}

/// A fact of an entry that is a text; empty where it has none of that name.
pub fn fact(found: &Found, name: &str) -> String {
    let facts: Map<String, Value> = serde_json::from_str(&found.detail).unwrap_or_default();
    facts.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Step {
    /// An entry of the audit as a step, which the text names.
    pub fn of(f: &Frame, found: &Found, text: String) -> Step {
        let by = fact(found, "by");
        let why = fact(found, "why");
        let (who, why) = match by.as_str() {
            "desk" => (f.words.t("who.desk"), f.own_reason(&why)),
            by => (f.name_of(by), why),
        };
        Step { when: f.times.ago(found.at), text, who, why }
    }
}

/// The outcome of a step on such a page: its notice, with its tone, and the reason that was typed.
pub struct Outcome {
    pub notice: Option<(String, &'static str)>,
    pub why: String,
}

impl Outcome {
    /// The page as it is opened: where a step has just led to it, it says so.
    pub fn of(f: &Frame, done: Option<&str>, word: &str) -> Outcome {
        Outcome { notice: done.map(|_| (f.words.t(word), "good")), why: String::new() }
    }

    /// A step that was not taken: because its reason is none, or for what its problems say.
    pub fn not_taken(f: &Frame, problems: &[Problem], why: String) -> Outcome {
        let no_reason = problems.iter().any(|problem| problem.field == "why");
        let text = if no_reason { f.words.t("steps.why-needed") } else { f.problems(problems) };
        Outcome { notice: Some((text, "bad")), why }
    }
}
