//! Interface `closing`, since 1.1.0.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Attachment, Attribute, Moment, Person, SoFar, Ticket};

/// `closing.words`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Words {
    pub text: String,
    pub channel: String,
    pub at: u64,
    pub attachments: Vec<Attachment>,
}

/// `closing.resolution`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Resolution {
    pub at: u64,
    #[component(name = "days-since")]
    pub days_since: u32,
    #[component(name = "resolved-by")]
    pub resolved_by: Option<String>,
    pub symptom: String,
    pub cause: String,
    pub fix: String,
    #[component(name = "next-time")]
    pub next_time: String,
}

/// `closing.input`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Input {
    pub now: Moment,
    #[serde(with = "super::shared")]
    pub ticket: Arc<Ticket>,
    #[serde(with = "super::shared")]
    pub requester: Arc<Person>,
    #[component(name = "so-far")]
    #[serde(with = "super::shared")]
    pub so_far: Arc<SoFar>,
    pub words: Words,
    pub state: String,
    pub resolution: Resolution,
    pub reopened: u32,
}

/// `closing.decision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    #[component(name = "pass")]
    Pass,
    #[component(name = "reopen")]
    Reopen,
    #[component(name = "follow-up")]
    FollowUp,
    #[component(name = "keep")]
    Keep,
    #[component(name = "confirm")]
    Confirm,
}

/// `closing.answer`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Answer {
    pub decision: Decision,
    pub reason: String,
    pub attributes: Vec<Attribute>,
}

impl Answer {
    /// The name of what it decides.
    pub const fn case(&self) -> &'static str {
        match self.decision {
            Decision::Pass => "pass",
            Decision::Reopen => "reopen",
            Decision::FollowUp => "follow-up",
            Decision::Keep => "keep",
            Decision::Confirm => "confirm",
        }
    }

    /// The thing that it chooses; nothing where it passes.
    pub fn choice(&self) -> Option<&str> {
        Some(self.case()).filter(|_| self.decision != Decision::Pass)
    }
}
