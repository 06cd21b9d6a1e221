//! The contract `ruledesk:connector@1.0.0` as Rust types: the mirror of `sdk/wit/connector/1.0.0`, and a run as it is recorded.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

/// The one interface of the contract.
pub const INTERFACE: &str = "ruledesk:connector/provision@1.0.0";
/// Its one function.
pub const FUNCTION: &str = "next";

/// `provision.field`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Field {
    pub name: String,
    pub value: String,
}

/// `provision.person`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
}

/// `provision.order`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Order {
    pub id: String,
    pub direction: String,
    pub kind: String,
    pub value: String,
    pub replaces: Option<String>,
    pub attempt: u32,
    pub person: Person,
}

/// `provision.task`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Task {
    pub goal: String,
    pub order: Order,
    pub settings: String,
    #[serde(default)]
    pub attributes: Vec<Field>,
}

/// `provision.call`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Call {
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub query: Vec<Field>,
    #[serde(default)]
    pub headers: Vec<Field>,
    #[serde(default)]
    pub body: Option<String>,
}

/// `provision.answer`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Answer {
    pub status: u16,
    #[serde(default)]
    pub headers: Vec<Field>,
    #[serde(default)]
    pub body: String,
}

/// `provision.exchange`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Exchange {
    pub call: Call,
    pub answer: Answer,
}

/// `provision.finding`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    pub outcome: String,
    pub evidence: String,
    #[component(name = "retry-after")]
    #[serde(default)]
    pub retry_after: Option<u32>,
}

/// `provision.step`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    #[component(name = "calls")]
    Calls(Vec<Call>),
    #[component(name = "finished")]
    Finished(Finding),
}

/// All that happened in one run of a connector: what it was asked, the calls that were made for it and their answers, and how it
/// has ended. Asked again, a connector makes the same calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The digest of the component; empty in a run that was written by hand.
    #[serde(default)]
    pub component: String,
    pub task: Task,
    pub exchanges: Vec<Exchange>,
    /// `None` where the run was stopped before its end.
    pub finding: Option<Finding>,
}

impl Run {
    /// The run as JSON.
    pub fn json(&self) -> String {
        // Texts and numbers always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The runs of a file: one, or a list of them.
///
/// # Errors
///
/// Where it is not the JSON of any.
pub fn runs(text: &str) -> Result<Vec<Run>, serde_json::Error> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text);
    }
    Ok(vec![serde_json::from_str(text)?])
}
