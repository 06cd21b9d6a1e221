//! Interface `priority`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Attribute, Moment, Person, SoFar, Ticket};

/// `priority.input`.
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
}

/// `priority.rating`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Rating {
    pub impact: Option<String>,
    pub urgency: Option<String>,
    pub level: String,
}

/// `priority.decision`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    #[component(name = "pass")]
    Pass,
    #[component(name = "rate")]
    Rate(Rating),
}

/// `priority.answer`.
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
            Decision::Rate(_) => "rate",
        }
    }

    /// The level that it chooses, if it chooses one.
    pub fn choice(&self) -> Option<&str> {
        match &self.decision {
            Decision::Pass => None,
            Decision::Rate(rating) => Some(&rating.level),
        }
    }
}
