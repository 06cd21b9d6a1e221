//! Interface `categorization`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Attribute, Moment, Person, SoFar, Ticket};

/// `categorization.input`.
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

/// `categorization.classification`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Classification {
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub kind: Option<String>,
}

/// `categorization.decision`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    #[component(name = "pass")]
    Pass,
    #[component(name = "classify")]
    Classify(Classification),
}

/// `categorization.answer`.
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
            Decision::Classify(_) => "classify",
        }
    }

    /// The category that it chooses, if it chooses one.
    pub fn choice(&self) -> Option<&str> {
        match &self.decision {
            Decision::Pass => None,
            Decision::Classify(classified) => classified.category.as_deref(),
        }
    }
}
