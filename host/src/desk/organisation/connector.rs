//! Connectors: by what the desk writes to apps. The secrets stay in files and are read when they are needed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::desk::id::ConnectorId;

/// The way to write to one or several apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    pub id: ConnectorId,
    /// Whether the app stands inside the organisation's network, so that it may be asked there and without TLS.
    pub internal: bool,
    pub kind: Kind,
}

/// The kinds of connectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A person does it and says so: second best, since nothing can be read back.
    Manual,
    Scim(Scim),
    Rest(Rest),
}

/// An app that speaks SCIM 2.0 (RFC 7643, RFC 7644).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scim {
    /// The base of its addresses, such as `https://app.example/scim/v2`.
    pub url: String,
    /// The file with the bearer token.
    pub token_file: Option<PathBuf>,
    /// The group of the app that stands for an entitlement, by the entitlement's text: `id:` and the group's id, or its display
    /// name. Without one it is the group of the entitlement's own name.
    pub groups: BTreeMap<String, String>,
}

/// An app with an interface of its own. In addresses and bodies `{user}`, `{email}`, `{name}`, `{entitlement}`, `{kind}`,
/// `{value}` and `{op}` are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    pub url: String,
    pub token_file: Option<PathBuf>,
    /// The calls by the kind of entitlement: `account`, `tier`, `role` or `group`. Kinds that are not named are no business of
    /// the app's, and count as done.
    pub calls: BTreeMap<String, RestCalls>,
}

/// The three calls about one kind of entitlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestCalls {
    pub create: RestCall,
    pub remove: RestCall,
    /// Reads whether it is there: 404 means that it is not.
    pub read: RestCall,
    /// The place in the answer that is there where the entitlement is (RFC 6901); `None` where any answer of success means so.
    pub there: Option<String>,
    /// The text that the place has to have, or to contain where it is a list; `None` where any does.
    pub equals: Option<String>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestCall {
    pub method: String,
    pub path: String,
    /// The body as JSON with places; empty where there is none.
    pub body: String,
}

impl Kind {
    /// The stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Kind::Manual => "manual",
            Kind::Scim(_) => "scim",
            Kind::Rest(_) => "rest",
        }
    }
}
