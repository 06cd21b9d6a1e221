//! The outcome of a stage, as it is recorded. Fields stand in the order of their names, as they always have.

use serde::{Deserialize, Serialize};

use crate::rules::run::stage::Stage;

/// The outcome of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RecordedVerdict {
    Intake(RecordedIntake),
    Categorization(RecordedCategorization),
    Priority(RecordedPriority),
    Routing(RecordedRouting),
    Access(RecordedAccess),
    Closing(RecordedClosing),
}

/// The outcome of intake.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RecordedIntake {
    pub accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub duplicate_of: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<RecordedProblem>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signals: Option<Vec<String>>,
}

/// A key that is there, with any value: null says something else than nothing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// Why a submission was rejected, without the words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedProblem {
    pub code: String,
    pub field: String,
}

/// The outcome of categorization.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RecordedCategorization {
    pub category: String,
    pub category_by: String,
    pub kind: String,
    pub tags: Vec<String>,
}

/// The outcome of priority.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RecordedPriority {
    pub impact: Option<String>,
    pub priority: String,
    pub priority_by: String,
    pub urgency: Option<String>,
}

/// The outcome of routing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RecordedRouting {
    pub assignee: Option<String>,
    pub skills: Vec<String>,
    pub strategy: String,
    pub team: String,
    pub team_by: String,
    pub tier: u32,
}

/// The outcome of access.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RecordedAccess {
    pub outcome: String,
    pub reason: String,
}

/// The outcome of closing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RecordedClosing {
    pub effect: String,
    pub effect_by: String,
    /// The rules that gave no answer, one that was not live among them; with their versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<String>,
}

impl RecordedVerdict {
    /// Reads the verdict of a stage.
    ///
    /// # Errors
    ///
    /// Where the text is no such verdict.
    pub fn read(stage: Stage, text: &str) -> Result<RecordedVerdict, serde_json::Error> {
        Ok(match stage {
            Stage::Intake => RecordedVerdict::Intake(serde_json::from_str(text)?),
            Stage::Categorization => RecordedVerdict::Categorization(serde_json::from_str(text)?),
            Stage::Priority => RecordedVerdict::Priority(serde_json::from_str(text)?),
            Stage::Routing => RecordedVerdict::Routing(serde_json::from_str(text)?),
            Stage::Access => RecordedVerdict::Access(serde_json::from_str(text)?),
            Stage::Closing => RecordedVerdict::Closing(serde_json::from_str(text)?),
        })
    }

    /// The stage's outcome, in the words of the rules' choices: so that both can be compared.
    pub fn choice(&self) -> Option<&str> {
        let chosen = match self {
            RecordedVerdict::Intake(verdict) => return Some(if verdict.accepted { "accept" } else { "reject" }),
            RecordedVerdict::Categorization(verdict) => &verdict.category,
            RecordedVerdict::Priority(verdict) => &verdict.priority,
            RecordedVerdict::Routing(verdict) => &verdict.team,
            RecordedVerdict::Closing(verdict) => &verdict.effect,
            RecordedVerdict::Access(verdict) => match verdict.outcome.as_str() {
                "approved" => return Some("approve"),
                "awaiting" => return Some("require-approval"),
                "" => return None,
                _ => return Some("deny"),
            },
        };
        (!chosen.is_empty()).then_some(chosen)
    }

    /// Who or what decided: a rule and its version, or the part of the desk that did where no rule has.
    pub fn decided_by(&self) -> Option<&str> {
        let by = match self {
            RecordedVerdict::Categorization(verdict) => &verdict.category_by,
            RecordedVerdict::Priority(verdict) => &verdict.priority_by,
            RecordedVerdict::Routing(verdict) => &verdict.team_by,
            RecordedVerdict::Closing(verdict) => &verdict.effect_by,
            RecordedVerdict::Intake(_) | RecordedVerdict::Access(_) => return None,
        };
        (!by.is_empty()).then_some(by)
    }

    /// Whether the same was decided; who decided, and why access was decided so, may differ.
    pub fn is_same_decision(&self, other: &RecordedVerdict) -> bool {
        self.without_authors() == other.without_authors()
    }

    fn without_authors(&self) -> RecordedVerdict {
        let mut bare = self.clone();
        match &mut bare {
            RecordedVerdict::Intake(_) => {}
            RecordedVerdict::Categorization(verdict) => verdict.category_by.clear(),
            RecordedVerdict::Priority(verdict) => verdict.priority_by.clear(),
            RecordedVerdict::Routing(verdict) => verdict.team_by.clear(),
            RecordedVerdict::Access(verdict) => verdict.reason.clear(),
            RecordedVerdict::Closing(verdict) => {
                verdict.effect_by.clear();
                verdict.unanswered.clear();
            }
        }
        bare
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the program wrote them before there were types for them.
    const RELEASED: [(Stage, &str, Option<&str>, Option<&str>); 9] = [
        (Stage::Intake, r#"{"accepted":true,"duplicate-of":null,"signals":[]}"#, Some("accept"), None),
        (Stage::Intake, r#"{"accepted":true,"duplicate-of":"IT-7","signals":["a"]}"#, Some("accept"), None),
        (
            Stage::Intake,
            r#"{"accepted":false,"problems":[{"code":"missing","field":"fields.device"}]}"#,
            Some("reject"),
            None,
        ),
        (
            Stage::Categorization,
            r#"{"category":"network.vpn","category-by":"form-category 1.0.0","kind":"incident","tags":["vpn"]}"#,
            Some("network.vpn"),
            Some("form-category 1.0.0"),
        ),
        (
            Stage::Priority,
            r#"{"impact":"medium","priority":"high","priority-by":"the desk's default","urgency":null}"#,
            Some("high"),
            Some("the desk's default"),
        ),
        (
            Stage::Routing,
            r#"{"assignee":null,"skills":["vpn"],"strategy":"least-loaded","team":"network","team-by":"team-routing 1.0.0","tier":1}"#,
            Some("network"),
            Some("team-routing 1.0.0"),
        ),
        (Stage::Access, r#"{"outcome":"awaiting","reason":"policy 7"}"#, Some("require-approval"), None),
        (Stage::Closing, r#"{"effect":"keep","effect-by":"thanks 1.0.0"}"#, Some("keep"), Some("thanks 1.0.0")),
        (
            Stage::Closing,
            r#"{"effect":"reopen","effect-by":"the request type","unanswered":["thanks 1.0.0"]}"#,
            Some("reopen"),
            Some("the request type"),
        ),
    ];

    #[test]
    fn what_was_written_before_is_read_and_written_again_as_it_was() {
        for (stage, text, choice, by) in RELEASED {
            let verdict = RecordedVerdict::read(stage, text).unwrap();
            assert_eq!(serde_json::to_string(&verdict).unwrap(), text);
            assert_eq!((verdict.choice(), verdict.decided_by()), (choice, by), "{text}");
        }
        assert_eq!(RecordedVerdict::read(Stage::Priority, "{}").unwrap().choice(), None);
        assert!(RecordedVerdict::read(Stage::Priority, "[1]").is_err());
    }

    #[test]
    fn who_decided_is_no_part_of_what_was_decided() {
        let read = |text: &str| RecordedVerdict::read(Stage::Priority, text).unwrap();
        let verdict = read(r#"{"priority":"high","priority-by":"a 1"}"#);
        assert!(verdict.is_same_decision(&read(r#"{"priority":"high","priority-by":"a 2"}"#)));
        assert!(!verdict.is_same_decision(&read(r#"{"priority":"low","priority-by":"a 1"}"#)));
    }
}
