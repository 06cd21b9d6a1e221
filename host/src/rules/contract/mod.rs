//! The contract `ruledesk:rules` as Rust types: the mirror of `sdk/wit/1.1.0`, which has all of 1.0.0, and nothing else.
//!
//! Written out rather than generated, so that the recorded JSON carries the contract's own names, and so that the
//! records which all stages share are built once for a ticket and passed by reference. A component whose types differ is
//! refused when it is loaded; `tests/rules` loads one component for every stage.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

pub mod access;
pub mod categorization;
pub mod closing;
pub mod connector;
pub mod intake;
pub mod packed;
pub mod priority;
pub mod routing;

/// The package that every interface of this generation lies in.
pub const PACKAGE: &str = "ruledesk:rules";
/// The first version of this generation: a component of any later one has all that is in it.
pub const VERSION: &str = "1.0.0";
/// The newest version, which added `closing`.
pub const NEWEST: &str = "1.1.0";

/// `types.moment`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Moment {
    pub at: u64,
    #[component(name = "utc-offset")]
    pub utc_offset: i16,
    #[component(name = "local-day")]
    pub local_day: i32,
    pub weekday: u8,
    #[component(name = "minute-of-day")]
    pub minute_of_day: u16,
    #[component(name = "in-business-hours")]
    pub in_business_hours: bool,
}

/// `types.attribute`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Attribute {
    pub name: String,
    pub value: String,
}

/// `types.value`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    #[component(name = "text")]
    Text(String),
    #[component(name = "number")]
    Number(f64),
    #[component(name = "flag")]
    Flag(bool),
    #[component(name = "date")]
    Date(String),
    #[component(name = "choice")]
    Choice(String),
    #[component(name = "choices")]
    Choices(Vec<String>),
}

/// `types.field`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Field {
    pub name: String,
    pub value: Value,
}

/// `types.person`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
    pub department: String,
    pub title: String,
    pub location: String,
    pub groups: Vec<String>,
    pub managers: Vec<String>,
    pub vip: bool,
    pub attributes: Vec<Attribute>,
}

/// `types.attachment`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Attachment {
    pub name: String,
    #[component(name = "media-type")]
    pub media_type: String,
    pub size: u64,
}

/// `types.ticket`.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct Ticket {
    #[component(name = "request-type")]
    pub request_type: String,
    pub channel: String,
    pub subject: String,
    pub body: String,
    pub fields: Vec<Field>,
    pub tags: Vec<String>,
    pub signals: Vec<String>,
    pub attachments: Vec<Attachment>,
    #[component(name = "created-at")]
    pub created_at: u64,
    pub attributes: Vec<Attribute>,
}

/// `types.so-far`.
#[derive(Debug, Clone, Default, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(rename_all = "kebab-case")]
pub struct SoFar {
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub kind: String,
    pub impact: Option<String>,
    pub urgency: Option<String>,
    pub priority: Option<String>,
    pub team: Option<String>,
    pub assignee: Option<String>,
    pub attributes: Vec<Attribute>,
}

/// `log.level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(enum)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Level {
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

/// Records that several stages share, in JSON as if each had its own.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(value, serializer)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}
