//! Interface `intake`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Attribute, Field, Moment, Person, Ticket};

/// `intake.recent-ticket`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct RecentTicket {
    pub key: String,
    #[component(name = "request-type")]
    pub request_type: String,
    pub subject: String,
    pub state: String,
    #[component(name = "created-at")]
    pub created_at: u64,
}

/// `intake.input`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Input {
    pub now: Moment,
    #[serde(with = "super::shared")]
    pub ticket: Arc<Ticket>,
    #[serde(with = "super::shared")]
    pub requester: Arc<Person>,
    #[component(name = "submitted-by")]
    pub submitted_by: String,
    pub headers: Vec<Attribute>,
    pub recent: Vec<RecentTicket>,
}

/// `intake.changes`.
#[derive(Debug, Clone, PartialEq, Default, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Changes {
    pub subject: Option<String>,
    pub body: Option<String>,
    pub fields: Vec<Field>,
    pub tags: Vec<String>,
    pub signals: Vec<String>,
    #[component(name = "duplicate-of")]
    pub duplicate_of: Option<String>,
}

/// `intake.problem`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Problem {
    pub field: String,
    pub code: String,
    pub message: String,
}

/// `intake.decision`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    #[component(name = "accept")]
    Accept(Changes),
    #[component(name = "reject")]
    Reject(Vec<Problem>),
}

/// `intake.answer`.
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
            Decision::Accept(_) => "accept",
            Decision::Reject(_) => "reject",
        }
    }

    /// The choice that it makes.
    pub const fn choice(&self) -> Option<&str> {
        Some(self.case())
    }
}
