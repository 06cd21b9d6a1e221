//! One rule's part in a recorded stage: the same type writes it and reads it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::rules::run::guest::{LogLine, Lookup};
use crate::rules::run::stage::{Answer, Stage};
use crate::store::rules::rollups::{Call, CallKey};

/// One rule's answer, as it is recorded. Fields that older programs did not write have a value that says so.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part<'a> {
    #[serde(borrow)]
    pub rule: Cow<'a, str>,
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// SHA-256 of its component, in hexadecimal.
    #[serde(borrow)]
    pub component: Cow<'a, str>,
    /// SHA-256 of its manifest, in hexadecimal.
    #[serde(borrow)]
    pub manifest: Cow<'a, str>,
    #[serde(borrow)]
    pub mode: Cow<'a, str>,
    /// Where a candidate differs from its stable version.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub disagrees: Cow<'a, [Difference]>,
    #[serde(borrow)]
    pub outcome: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "borrowed", skip_serializing_if = "Option::is_none")]
    pub answer: Option<Cow<'a, RawValue>>,
    /// Why its answer does not count.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Cow<'a, str>>,
    pub fuel: u64,
    /// How long the call took, its instance included, in microseconds.
    pub micros: u64,
    /// The most memory that the call has held, in bytes.
    #[serde(default)]
    pub memory_peak: u64,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub log: Cow<'a, [LogLine]>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_cut: bool,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub lookups: Cow<'a, [Lookup]>,
}

/// One field in which a candidate and the stable version differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Its path in the decision, such as `decision.assign.team`.
    pub field: String,
    /// The stable version's answer.
    pub from: Value,
    /// The candidate's answer.
    pub to: Value,
}

/// The word for an answer that counts.
pub const ANSWERED: &str = "answered";

fn borrowed<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'a, RawValue>>, D::Error> {
    Ok(Option::<&'de RawValue>::deserialize(deserializer)?.map(Cow::Borrowed))
}

impl<'a> Part<'a> {
    /// The parts of a stage, in the order in which the rules were asked.
    ///
    /// # Errors
    ///
    /// Where the text is not what the desk writes.
    pub fn all(rules: &'a str) -> Result<Vec<Self>, serde_json::Error> {
        serde_json::from_str(rules)
    }

    /// Whether what it said had an effect. A part in a mode that this desk does not know had none.
    pub fn counts(&self) -> bool {
        matches!(self.mode.as_ref(), "active" | "canary")
    }

    /// Whether it gave an answer that the desk could use.
    pub fn answered(&self) -> bool {
        self.outcome == ANSWERED
    }

    /// Its answer, where it can be read as one of that stage.
    pub fn read_answer(&self, stage: Stage) -> Option<Result<Answer, serde_json::Error>> {
        self.answer.as_deref().map(|raw| Answer::read(stage, raw))
    }

    /// What is counted of it; `chosen` is what its stage came to.
    pub fn call(&self, stage: Stage, chosen: Option<&str>) -> Call {
        let answer = if self.answered() { self.read_answer(stage) } else { None };
        let choice = answer.as_ref().and_then(|answer| answer.as_ref().ok()?.choice());
        let word = answer.as_ref().map(|answer| answer.as_ref().map_or("unknown", Answer::word));
        self.counted(stage, word.unwrap_or_default(), differ(choice, chosen))
    }

    /// What is counted of it, where its answer is known.
    pub fn counted(&self, stage: Stage, word: &str, differs: bool) -> Call {
        let key = CallKey {
            rule: self.rule.to_string(),
            stage: stage.name().to_owned(),
            mode: self.mode.to_string(),
            outcome: self.outcome.to_string(),
            answer: word.to_owned(),
            version: self.version.to_string(),
            component: self.component.to_string(),
            manifest: self.manifest.to_string(),
        };
        let Part { log_cut, memory_peak, fuel, micros, .. } = *self;
        Call { key, differs, log_cut, memory_peak, fuel, micros }
    }
}

/// Whether a rule chose something else than its stage came to; where one of them chose nothing, there is nothing to compare.
pub fn differ(choice: Option<&str>, chosen: Option<&str>) -> bool {
    choice.is_some_and(|choice| chosen.is_some_and(|chosen| chosen != choice))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts as the program wrote them before one type wrote and read them: an active rule, and a shadow with all that a part
    /// can have. They have to read back, and to be written again byte by byte.
    const RELEASED: &str = include_str!("released.json");

    #[test]
    fn what_was_written_before_is_read_and_written_again_as_it_was() {
        let parts = Part::all(RELEASED.trim_end()).unwrap();
        assert_eq!(serde_json::to_string(&parts).unwrap(), RELEASED.trim_end());
        let [active, shadow] = parts.as_slice() else { panic!("two parts") };
        assert!(active.counts() && active.answered() && active.disagrees.is_empty());
        assert_eq!((active.fuel, active.memory_peak), (14_216, 262_144));
        assert_eq!((shadow.log.len(), shadow.lookups.len(), shadow.disagrees.len()), (1, 2, 1));
        assert!(!shadow.counts() && shadow.log_cut);
        let call = active.call(Stage::Priority, Some("low"));
        assert_eq!((call.key.answer.as_str(), call.differs), ("high", true));
        assert_eq!(shadow.call(Stage::Priority, Some("low")).key.answer, "");
    }

    /// The oldest records have neither memory nor log.
    #[test]
    fn a_part_of_the_first_kind_is_read() {
        let first = r#"[{"rule":"a","version":"1","component":"c","manifest":"m","mode":"active","outcome":"trap","fault":"it trapped","fuel":1,"micros":2}]"#;
        let parts = Part::all(first).unwrap();
        assert_eq!((parts[0].memory_peak, parts[0].fault.as_deref()), (0, Some("it trapped")));
    }
}
