//! One stage of the decision record, read as what each rule said.

use serde_json::Value as Json;

use super::{Proposal, SetBy, plain_text};
use crate::app::record::part::Part;
use crate::app::record::verdict::RecordedVerdict;
use crate::rules::run::stage::Stage;
use crate::rules::text::{REASON_CHARS_MAX, one_line};
use crate::store::rules::decisions::StoredRun;

/// One stage as it was recorded.
pub struct Recorded<'a> {
    verdict: Option<RecordedVerdict>,
    parts: Vec<Part<'a>>,
}

impl<'a> Recorded<'a> {
    /// The last record of a stage; an empty one where there is none, or where it cannot be read.
    pub fn last(runs: &'a [StoredRun], stage: Stage) -> Recorded<'a> {
        let mut decisions = runs.iter().rev().flat_map(StoredRun::decisions);
        let found = decisions.find(|decision| decision.stage == stage.name());
        Recorded {
            verdict: found.and_then(|decision| RecordedVerdict::read(stage, &decision.verdict).ok()),
            parts: found.and_then(|decision| Part::all(&decision.rules).ok()).unwrap_or_default(),
        }
    }

    /// The proposal of each rule, as `pick` reads it out of its decision; which of them wins is not settled yet.
    pub fn proposals(&self, pick: &dyn Fn(&Decision<'_>) -> Option<String>) -> Vec<Proposal> {
        self.parts.iter().map(|part| proposal(part, pick)).collect()
    }

    /// The outcome in a word, where there is a record of one.
    pub fn choice(&self) -> Option<&str> {
        self.verdict.as_ref().and_then(RecordedVerdict::choice)
    }

    /// The rules that gave no answer about words, one that was not live among them.
    pub fn unanswered(&self) -> &[String] {
        match &self.verdict {
            Some(RecordedVerdict::Closing(verdict)) => &verdict.unanswered,
            _ => &[],
        }
    }

    /// Who or what decided, where the record names one.
    pub fn decided_by(&self) -> Option<&str> {
        self.verdict.as_ref().and_then(RecordedVerdict::decided_by)
    }
}

/// What a rule decided: the word for it, and what goes with it.
pub struct Decision<'a> {
    pub word: &'a str,
    pub with: &'a Json,
}

impl Decision<'_> {
    /// A plain value that goes with it.
    pub fn text(&self, key: &str) -> Option<String> {
        plain_text(self.with, key)
    }

    /// A list of texts that goes with it.
    pub fn list(&self, key: &str) -> Vec<&str> {
        let list = self.with.get(key).and_then(Json::as_array);
        list.into_iter().flatten().filter_map(Json::as_str).collect()
    }

    /// The fields of a form that it sets: names and values.
    pub fn fields(&self) -> Vec<(&str, String)> {
        let fields = self.with.get("fields").and_then(Json::as_array);
        fields
            .into_iter()
            .flatten()
            .filter_map(|field| Some((field.get("name")?.as_str()?, shown(field.get("value")?))))
            .collect()
    }
}

/// A field's value, which is one word for its kind and the value itself.
fn shown(value: &Json) -> String {
    match value.as_object().and_then(|value| value.values().next()).unwrap_or(value) {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn proposal(part: &Part<'_>, pick: &dyn Fn(&Decision<'_>) -> Option<String>) -> Proposal {
    let answer: Option<Json> = part.answer.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
    let decision = answer.as_ref().and_then(|answer| answer.get("decision"));
    let none = Json::Null;
    let value = decision.and_then(|decision| {
        let decision = match decision {
            Json::String(word) => Decision { word, with: &none },
            other => {
                let (word, with) = other.as_object()?.iter().next()?;
                Decision { word, with }
            }
        };
        pick(&decision)
    });
    let reason = answer.as_ref().and_then(|answer| plain_text(answer, "reason")).unwrap_or_default();
    // An answer that is not valid is kept as it came, at any length; here it is one short line.
    let is_kept_as_it_came = part.fault.is_some();
    let short = |text: String| if is_kept_as_it_came { one_line(&text, REASON_CHARS_MAX) } else { text };
    Proposal {
        rule: part.rule.to_string(),
        version: part.version.to_string(),
        component: part.component.to_string(),
        manifest: part.manifest.to_string(),
        value: value.map(short),
        reason: short(reason),
        fault: part.fault.as_ref().map(ToString::to_string),
        effect: part.counts(),
        stood: false,
    }
}

impl Proposal {
    /// Whether it proposes something that counts.
    pub fn counts(&self) -> bool {
        self.effect && self.fault.is_none() && self.value.is_some()
    }

    /// The rule as whoever set the field.
    pub fn author(&self) -> SetBy {
        SetBy {
            kind: "rule",
            name: format!("{} {}", self.rule, self.version),
            component: Some(self.component.clone()),
            reason: self.reason.clone(),
        }
    }
}
