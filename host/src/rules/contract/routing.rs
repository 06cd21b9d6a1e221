//! Interface `routing`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Attribute, Moment, Person, SoFar, Ticket};

/// `routing.input`.
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

/// `routing.destination`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Destination {
    pub team: Option<String>,
    pub assignee: Option<String>,
    pub skills: Vec<String>,
    pub strategy: Option<String>,
    pub tier: Option<u8>,
}

/// `routing.decision`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    #[component(name = "pass")]
    Pass,
    #[component(name = "assign")]
    Assign(Destination),
}

/// `routing.answer`.
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
            Decision::Assign(_) => "assign",
        }
    }

    /// The team that it chooses, if it chooses one.
    pub fn choice(&self) -> Option<&str> {
        match &self.decision {
            Decision::Pass => None,
            Decision::Assign(destination) => destination.team.as_deref(),
        }
    }
}
