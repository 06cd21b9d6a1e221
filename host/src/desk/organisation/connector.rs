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
    /// The place in what the app says of an account at which its last sign-in stands (RFC 6901); `None` where it says none.
    pub last_sign_in: Option<String>,
    /// With how many orders each host begins within a minute; `None` for as many as are due.
    pub orders_per_minute: Option<u32>,
    pub kind: Kind,
}

/// The kinds of connectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A person does it and says so: second best, since nothing can be read back.
    Manual,
    Scim(Scim),
    Rest(Rest),
    Webhook(Webhook),
    Component(Component),
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

/// An app that takes orders as signed messages (Standard Webhooks 1.0.0) and answers at once, or later by a signed call of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The one address that all messages go to.
    pub url: String,
    /// The file with one secret a line. The desk signs with each; an answer may be signed with any.
    pub secret_file: PathBuf,
    /// How long the app may take to answer an order that it has accepted, in minutes. Then it is asked again.
    pub answer_minutes: u32,
    /// Whether the app can be asked what is there. Without that its signed word is all that is known.
    pub reads: bool,
}

/// An app that is written to by a WebAssembly component of the customer's own. It says which calls to make, and the desk makes
/// those that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The component's file. It is read for each run, so that a new one needs no restart.
    pub file: PathBuf,
    /// The base of the app's addresses: no call leaves it.
    pub url: String,
    /// The file with the bearer token, which the component never sees.
    pub token_file: Option<PathBuf>,
    pub allow: Vec<AllowedCall>,
    /// The component's own settings.
    pub settings: BTreeMap<String, String>,
}

/// Calls that a component may have made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedCall {
    pub method: String,
    /// Parts between slashes; `*` stands for one part, and `**` at the end for all that is left.
    pub path: String,
}

impl AllowedCall {
    /// The allowance that a text such as `GET /seats/*` writes.
    pub fn read(text: &str) -> Option<AllowedCall> {
        let (method, path) = text.split_once(' ')?;
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method);
        let mut parts = path.strip_prefix('/')?.split('/').rev();
        let plain = |part: &str| part == "*" || (is_plain(part) && !part.contains('*'));
        let fits = parts.next().is_some_and(|last| last == "**" || plain(last)) && parts.all(plain);
        (known && fits).then(|| AllowedCall { method: method.to_owned(), path: path.to_owned() })
    }

    /// Whether it covers a call.
    pub fn covers(&self, method: &str, path: &str) -> bool {
        if self.method != method {
            return false;
        }
        let mut parts = path.split('/');
        for allowed in self.path.split('/') {
            match (allowed, parts.next()) {
                ("**", Some(first)) => return is_plain(first) && parts.all(is_plain),
                ("*", Some(part)) if is_plain(part) => {}
                (allowed, Some(part)) if allowed == part => {}
                _ => return false,
            }
        }
        parts.next().is_none()
    }
}

/// Whether a part of a path is one to every server: not empty, and nothing that some of them read as a step up or as a slash.
fn is_plain(part: &str) -> bool {
    let encoded = part.to_ascii_lowercase();
    let steps = encoded.replace("%2e", ".");
    !part.is_empty()
        && steps != "."
        && steps != ".."
        && !["%2f", "%5c", "%00"].iter().any(|code| encoded.contains(code))
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@".contains(&byte))
}

/// The calls about one kind of entitlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestCalls {
    pub create: RestCall,
    pub remove: RestCall,
    /// Reads whether it is there: 404 and 410 of the app mean that it is not.
    pub read: RestCall,
    pub absence: Absence,
    /// The place in the answer that is there where the entitlement is (RFC 6901); `None` where any answer of success means so.
    pub there: Option<String>,
    /// Places that every answer of the app to `read` has, also where the entitlement is not there. An answer that lacks the place of
    /// `there` proves its absence only where it has all of these; with none of them only 404 and 410 do.
    pub shape: Vec<String>,
    /// The text that the place has to have, or to contain where it is a list; `None` where any does.
    pub equals: Option<String>,
    /// Ends the person's sessions, once the entitlement was taken away; `None` where the app ends them by itself, or cannot.
    pub end_sessions: Option<RestCall>,
}

/// How an answer of 404 or 410 is known to be the app's own: what stands before an app answers so, too, where it does not reach it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absence {
    /// The place that such an answer to `read` has (RFC 6901), and the text there; `None` for any text.
    pub says: Option<(String, Option<String>)>,
    /// The path of something that is always there: where it is not found either, nothing follows from such an answer.
    pub known: Option<String>,
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
            Kind::Webhook(_) => "webhook",
            Kind::Component(_) => "component",
        }
    }

    /// Whether taking something away is several calls of which the app may have answered the first alone.
    pub fn takes_by_halves(&self) -> bool {
        matches!(self, Kind::Rest(rest) if rest.calls.values().any(|calls| calls.end_sessions.is_some()))
    }

    /// Whether the app is asked if an entitlement, as it is written, is there: `account`, `tier:user`. Kinds of entitlement that a `rest`
    /// connector does not name are no business of its app's.
    pub fn reads(&self, entitlement: &str) -> bool {
        match self {
            Kind::Manual => false,
            Kind::Webhook(hook) => hook.reads,
            Kind::Rest(rest) => entitlement.split(':').next().is_some_and(|kind| rest.calls.contains_key(kind)),
            Kind::Scim(_) | Kind::Component(_) => true,
        }
    }

    /// Whether the desk has the app end a person's sessions with their account.
    pub fn ends_sessions(&self) -> bool {
        let Kind::Rest(rest) = self else { return false };
        rest.calls.get("account").is_some_and(|calls| calls.end_sessions.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_covers_what_it_names_and_nothing_next_to_it() {
        let covers = |allowed: &str, call: &str| {
            let (method, path) = call.split_once(' ').unwrap();
            AllowedCall::read(allowed).unwrap().covers(method, path)
        };
        for (allowed, call) in [
            ("GET /seats/*", "GET /seats/amara"),
            ("GET /seats/*", "GET /seats/a%20b"),
            ("PUT /v1/**", "PUT /v1/seats/amara"),
            ("GET /seats", "GET /seats"),
        ] {
            assert!(covers(allowed, call), "{allowed} covers {call}");
        }
        for (allowed, call) in [
            ("GET /seats/*", "DELETE /seats/amara"),
            ("GET /seats/*", "GET /seats"),
            ("GET /seats/*", "GET /seats/"),
            ("GET /seats/*", "GET /seats/amara/roles"),
            ("GET /seats/*", "GET /seats/.."),
            ("GET /seats/*", "GET /seats/%2E%2e"),
            ("GET /seats/**", "GET /seats/x/%2e%2E/admin"),
            ("GET /seats/**", "GET /seats/x%2Fadmin"),
            ("GET /seats/**", "GET /seats/x%5cadmin"),
            ("GET /seats/**", "GET /seats//admin"),
            ("GET /seats/*", "GET /seats/a?admin=1"),
            ("GET /seats/*", "GET /seats/a#b"),
            ("GET /seats/*", "GET /seats/a b"),
            ("GET /seats/**", "GET /seats"),
        ] {
            assert!(!covers(allowed, call), "{allowed} does not cover {call}");
        }
        for bad in
            ["GET", "/seats", "TRACE /seats", "GET seats", "GET /a/**/b", "GET /a/b*", "get /a", "GET /a/../b", "GET /"]
        {
            assert_eq!(AllowedCall::read(bad), None, "{bad}");
        }
    }
}
