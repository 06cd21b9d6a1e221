//! The points at which the desk asks its rules, and what goes in and comes out at each.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::rules::contract::{
    NEWEST, Ticket, VERSION, Value, access, categorization, closing, intake, priority, routing,
};

/// One of the points at which rules are asked: five of them about every ticket, and the words of its requester afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Intake,
    Categorization,
    Priority,
    Routing,
    Access,
    Closing,
}

impl Stage {
    /// All stages, in the order in which a ticket passes them.
    pub const ALL: [Stage; 6] =
        [Stage::Intake, Stage::Categorization, Stage::Priority, Stage::Routing, Stage::Access, Stage::Closing];

    /// The interface's name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Intake => "intake",
            Stage::Categorization => "categorization",
            Stage::Priority => "priority",
            Stage::Routing => "routing",
            Stage::Access => "access",
            Stage::Closing => "closing",
        }
    }

    /// The version of the contract that has it first.
    pub const fn since(self) -> &'static str {
        match self {
            Stage::Intake | Stage::Categorization | Stage::Priority | Stage::Routing | Stage::Access => VERSION,
            Stage::Closing => NEWEST,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stage: use intake, categorization, priority, routing, access or closing")]
pub struct NotAStage(String);

impl FromStr for Stage {
    type Err = NotAStage;

    fn from_str(text: &str) -> Result<Self, NotAStage> {
        Stage::ALL.into_iter().find(|stage| stage.name() == text).ok_or_else(|| NotAStage(text.to_owned()))
    }
}

/// Takes the same of one of these, whichever stage it is of.
macro_rules! of_any {
    ($of:ident, $one:expr, $inner:pat => $had:expr) => {
        match $one {
            $of::Intake($inner) => $had,
            $of::Categorization($inner) => $had,
            $of::Priority($inner) => $had,
            $of::Routing($inner) => $had,
            $of::Access($inner) => $had,
            $of::Closing($inner) => $had,
        }
    };
}

/// What one stage asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Input {
    Intake(intake::Input),
    Categorization(categorization::Input),
    Priority(priority::Input),
    Routing(routing::Input),
    /// Boxed, because it is much larger than the others.
    Access(Box<access::Input>),
    /// Boxed for the same reason.
    Closing(Box<closing::Input>),
}

impl Input {
    /// The stage that asks.
    pub const fn stage(&self) -> Stage {
        match self {
            Input::Intake(_) => Stage::Intake,
            Input::Categorization(_) => Stage::Categorization,
            Input::Priority(_) => Stage::Priority,
            Input::Routing(_) => Stage::Routing,
            Input::Access(_) => Stage::Access,
            Input::Closing(_) => Stage::Closing,
        }
    }

    /// The ticket that it is about.
    pub fn ticket(&self) -> &Ticket {
        of_any!(Input, self, input => &input.ticket)
    }

    /// How many bytes of text a requester brings into it, by the submission and by words afterwards.
    pub fn text_bytes(&self) -> usize {
        let ticket = self.ticket();
        let words = match self {
            Input::Closing(input) => input.words.text.len(),
            _ => 0,
        };
        let fields = ticket.fields.iter().map(|field| match &field.value {
            Value::Text(text) | Value::Date(text) | Value::Choice(text) => text.len(),
            Value::Choices(choices) => choices.iter().map(String::len).sum(),
            Value::Number(_) | Value::Flag(_) => 0,
        });
        ticket.subject.len() + ticket.body.len() + words + fields.sum::<usize>()
    }

    /// The decision's time, in milliseconds since 1970.
    pub const fn at(&self) -> u64 {
        of_any!(Input, self, input => input.now.at)
    }

    /// Reads back what serialising an input has written.
    ///
    /// # Errors
    ///
    /// The deserializer's, where its fields are not those of that stage's input.
    pub fn read<'de, D: Deserializer<'de>>(stage: Stage, fields: D) -> Result<Self, D::Error> {
        Ok(match stage {
            Stage::Intake => Input::Intake(Deserialize::deserialize(fields)?),
            Stage::Categorization => Input::Categorization(Deserialize::deserialize(fields)?),
            Stage::Priority => Input::Priority(Deserialize::deserialize(fields)?),
            Stage::Routing => Input::Routing(Deserialize::deserialize(fields)?),
            Stage::Access => Input::Access(Deserialize::deserialize(fields)?),
            Stage::Closing => Input::Closing(Deserialize::deserialize(fields)?),
        })
    }
}

/// What one rule answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Intake(intake::Answer),
    Categorization(categorization::Answer),
    Priority(priority::Answer),
    Routing(routing::Answer),
    Access(access::Answer),
    Closing(closing::Answer),
}

impl Answer {
    /// Reads back what serialising an answer has written.
    ///
    /// # Errors
    ///
    /// The deserializer's, where its fields are not those of that stage's answer.
    pub fn read<'de, D: Deserializer<'de>>(stage: Stage, fields: D) -> Result<Self, D::Error> {
        Ok(match stage {
            Stage::Intake => Answer::Intake(Deserialize::deserialize(fields)?),
            Stage::Categorization => Answer::Categorization(Deserialize::deserialize(fields)?),
            Stage::Priority => Answer::Priority(Deserialize::deserialize(fields)?),
            Stage::Routing => Answer::Routing(Deserialize::deserialize(fields)?),
            Stage::Access => Answer::Access(Deserialize::deserialize(fields)?),
            Stage::Closing => Answer::Closing(Deserialize::deserialize(fields)?),
        })
    }

    /// The sentence that the rule gives for people.
    pub fn reason(&self) -> &str {
        of_any!(Answer, self, answer => &answer.reason)
    }

    /// What it chooses: a category, a level, a team, or what intake, access and closing do. `None` where the rule passes, or leaves the
    /// choice to others.
    pub fn choice(&self) -> Option<&str> {
        of_any!(Answer, self, answer => answer.choice())
    }

    /// What it chooses, or else the name of what it decides: one word for each answer.
    pub fn word(&self) -> &str {
        self.choice().unwrap_or_else(|| of_any!(Answer, self, answer => answer.case()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(team: Option<&str>) -> Answer {
        let destination = routing::Destination {
            team: team.map(str::to_owned),
            assignee: None,
            skills: Vec::new(),
            strategy: None,
            tier: None,
        };
        let decision = routing::Decision::Assign(destination);
        Answer::Routing(routing::Answer { decision, reason: String::new(), attributes: Vec::new() })
    }

    fn about_access(decision: access::Decision) -> Answer {
        Answer::Access(access::Answer { decision, reason: String::new(), attributes: Vec::new() })
    }

    #[test]
    fn an_answer_has_a_word_even_where_it_leaves_the_choice_to_others() {
        let cases = [
            (routed(Some("network")), Some("network"), "network"),
            (routed(None), None, "assign"),
            (about_access(access::Decision::Deny), Some("deny"), "deny"),
            (about_access(access::Decision::Pass), None, "pass"),
        ];
        for (answer, chosen, expected) in cases {
            assert_eq!((answer.choice(), answer.word()), (chosen, expected));
        }
    }
}
