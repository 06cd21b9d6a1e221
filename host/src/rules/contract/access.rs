//! Interface `access`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Attribute, Moment, Person, SoFar, Ticket};

/// `access.request`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Request {
    pub kind: String,
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    pub groups: Vec<String>,
    #[component(name = "duration-hours")]
    pub duration_hours: Option<u32>,
    pub justification: String,
}

/// `access.catalog-item`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct CatalogItem {
    pub app: String,
    pub name: String,
    pub tier: String,
    pub risk: String,
    #[component(name = "max-duration-hours")]
    pub max_duration_hours: u32,
    pub owner: Option<String>,
    pub groups: Vec<String>,
    #[component(name = "seats-left")]
    pub seats_left: Option<u32>,
    pub attributes: Vec<Attribute>,
}

/// `access.grant`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Grant {
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    pub groups: Vec<String>,
    #[component(name = "granted-at")]
    pub granted_at: u64,
    #[component(name = "expires-at")]
    pub expires_at: u64,
    pub state: String,
}

/// `access.history`.
#[derive(Debug, Clone, Default, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct History {
    pub requested: u32,
    pub approved: u32,
    pub denied: u32,
    pub revoked: u32,
}

/// `access.peers`.
#[derive(Debug, Clone, Default, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Peers {
    #[component(name = "department-size")]
    pub department_size: u32,
    #[component(name = "department-holders")]
    pub department_holders: u32,
}

/// `access.input`.
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
    pub request: Request,
    pub item: CatalogItem,
    #[serde(with = "super::shared")]
    pub subject: Arc<Person>,
    pub grants: Vec<Grant>,
    pub history: History,
    pub peers: Peers,
}

/// `access.scope`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Scope {
    pub tier: String,
    pub role: Option<String>,
    pub groups: Vec<String>,
    #[component(name = "duration-hours")]
    pub duration_hours: u32,
}

/// `access.approval-step`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct ApprovalStep {
    pub approvers: Vec<String>,
    pub needed: u32,
    #[component(name = "due-in-hours")]
    pub due_in_hours: u32,
}

/// `access.approval-plan`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct ApprovalPlan {
    pub steps: Vec<ApprovalStep>,
    pub scope: Scope,
}

/// `access.decision`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    #[component(name = "pass")]
    Pass,
    #[component(name = "approve")]
    Approve(Scope),
    #[component(name = "require-approval")]
    RequireApproval(ApprovalPlan),
    #[component(name = "deny")]
    Deny,
}

/// `access.answer`.
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
            Decision::Approve(_) => "approve",
            Decision::RequireApproval(_) => "require-approval",
            Decision::Deny => "deny",
        }
    }

    /// What it chooses; nothing where it passes.
    pub fn choice(&self) -> Option<&str> {
        Some(self.case()).filter(|_| self.decision != Decision::Pass)
    }
}
