//! The frame of every page: who reads it, in which words and times, and what stands around its content.

use std::sync::Arc;

use askama::Template;
use axum::http::header::{self, AsHeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;

use crate::app::App;
use crate::app::reference::words::{Named, in_words};
use crate::app::tokens::passwords::ClientAddress;
use crate::desk::access::{AccessCase, HumanDecision};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::desk::organisation::{Organisation, Person};
use crate::desk::permission;

pub mod assets;
pub mod failure;
pub mod form;
pub mod guard;
pub mod history;
pub mod packed;
mod refused;
pub mod said;
pub mod shown;
pub mod times;
pub mod words;

use failure::Failure;
use guard::Reader;
use times::Times;
use words::{Language, Words};

/// The cookie of a session. Its beginning makes browsers take it from this host alone, and only with the attributes that go with it.
pub const SESSION_COOKIE: &str = "__Host-ruledesk";

/// The cookie that keeps the zone in which a reader wants times; without it they are in the desk's.
pub const ZONE_COOKIE: &str = "ruledesk-zone";

/// The most people that a list of choices names: each is some fifty bytes of every page.
pub const PEOPLE_MAX: usize = 100;

/// The reader of a page.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub id: PersonId,
    pub name: String,
    /// Whether they work on tickets of others.
    pub works: bool,
    pub admin: bool,
}

/// The parts of a page that are the same on all.
#[derive(Debug, Clone)]
pub struct Frame {
    pub words: Words,
    pub times: Times,
    pub organisation: Arc<Organisation>,
    pub viewer: Option<Viewer>,
    /// The path of this page, for what leads back to it.
    pub path: String,
    /// Whether letters alone are keys, as the reader has chosen for all browsers.
    pub single_keys: bool,
}

impl Frame {
    /// The frame for a reader, or for one who is not known yet.
    pub fn new(app: &App, headers: &HeaderMap, path: &str, actor: Option<&Actor>) -> Frame {
        let (words, organisation) = (Words(Language::of(headers)), app.organisation());
        let zone = cookie(headers, ZONE_COOKIE).and_then(|name| TimeZone::get(&name).ok());
        let zone = zone.unwrap_or_else(|| organisation.calendar.zone.clone());
        let times = Times { now: app.clock.now(), zone, words };
        let viewer = actor.and_then(|actor| {
            let id = actor.person()?.clone();
            let name = organisation.people.get(&id).map_or_else(|| id.to_string(), |person| person.name.clone());
            Some(Viewer { id, name, works: permission::works_on_tickets(actor), admin: actor.has(Role::Admin) })
        });
        Frame { words, times, organisation, viewer, path: path.to_owned(), single_keys: true }
    }

    /// The frame of a page that says why another cannot be shown: with the ways to the others where the reader is signed in. One whom
    /// that other page did not find out is asked about here, where the desk may be asked for a browser at this address.
    pub async fn of_failure(
        app: &App,
        (headers, path): (&HeaderMap, &str),
        reader: &Reader,
        from: Option<&ClientAddress>,
    ) -> Frame {
        if let Some((viewer, single_keys)) = reader.known() {
            let nameless = Frame::new(app, headers, path, None);
            return Frame { viewer: viewer.clone(), single_keys: *single_keys, ..nameless };
        }
        let found = match (cookie(headers, SESSION_COOKIE), from) {
            (Some(secret), Some(from)) => app.visit(&secret, from).await.ok().flatten(),
            _ => None,
        };
        let mut frame = Frame::new(app, headers, path, found.as_ref().map(|(_, actor)| actor));
        frame.single_keys = found.is_none_or(|(session, _)| session.single_keys);
        frame
    }

    /// The language's tag.
    pub fn tag(&self) -> &'static str {
        self.words.0.tag()
    }

    /// The languages that the reader may choose.
    pub fn languages(&self) -> [Language; 2] {
        Language::OFFERED
    }

    /// The address of an asset.
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// Whether the page is at this address, or below it.
    pub fn is_at(&self, path: &str) -> bool {
        self.path == path || (path != "/" && self.path.starts_with(&format!("{path}/")))
    }

    /// Whether the reader works on tickets of others.
    pub fn works(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.works)
    }

    /// Whether the reader looks after the desk.
    pub fn administers(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.admin)
    }

    /// A person's name; the id of one who is not in the directory.
    pub fn name(&self, id: &PersonId) -> String {
        self.name_of(id.as_str())
    }

    /// All who are here, for a list to choose from; none where they are too many for one.
    pub fn people_to_choose(&self) -> Vec<&Person> {
        let here: Vec<&Person> =
            self.organisation.people.values().filter(|person| person.active).take(PEOPLE_MAX + 1).collect();
        if here.len() > PEOPLE_MAX { Vec::new() } else { here }
    }

    /// Who approved or did not, and in whose place.
    pub fn approver(&self, decision: &HumanDecision) -> String {
        let name = self.name(&decision.approver);
        let places: Vec<String> = decision.in_place_of.iter().map(|person| self.name(person)).collect();
        if places.is_empty() { name } else { self.words.t2("approvals.in-place-of", name, places.join(", ")) }
    }

    /// A reason that the desk itself gave, in the reader's words, with names in the place of ids.
    pub fn own_reason(&self, reason: &str) -> String {
        let names = |kind: Named, id: &str| match kind {
            Named::Person => self.organisation.people.get(id).map(|person| person.name.clone()),
            Named::Clock => Some(self.clock(id)),
            Named::Priority => id.parse().ok().map(|id| self.priority(&id).name),
            Named::Time => id.parse().ok().map(|at| self.times.exact(at)),
        };
        // Some records have a word for programs where a person reads a sentence.
        let said = |key: &str| {
            let plain = format!("said.{key}");
            if self.words.has(&plain) { self.words.t(&plain) } else { self.words.t(key) }
        };
        in_words(reason, &said, &names)
    }

    /// An option of a form as it is read: common ones in the reader's language, others as the organisation calls them.
    pub fn option(&self, value: &str) -> String {
        self.named("option", value)
    }

    /// Why a request for access was decided so: the desk's own words in those of the reader, the words of rules as they are.
    pub fn case_reason(&self, case: &AccessCase) -> String {
        let (own, of_rules) = case.said();
        format!("{}{of_rules}", self.own_reason(own))
    }

    /// The name of a person whose id came as text.
    pub fn name_of(&self, id: &str) -> String {
        self.organisation.people.get(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
    }
}

/// A page as an answer.
///
/// # Errors
///
/// Where its template cannot be written.
pub fn page(status: StatusCode, template: &impl Template) -> Result<Response, Failure> {
    let mut response = (status, template.render()?).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(response)
}

/// A file for a spreadsheet (RFC 4180), which a browser keeps under a name.
pub fn csv_file(name: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, text).into_response()
}

/// The text of a header; empty where there is none, or it is no text.
pub fn header_text(headers: &HeaderMap, name: impl AsHeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// A path of this desk to go to, or the start: never another site (an open redirect).
pub fn local(path: &str) -> &str {
    let plain = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if plain { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_this_desk_only() {
        for own in ["/", "/tickets/IT-1", "/queue?team=network"] {
            assert_eq!(local(own), own);
        }
        for other in ["//evil.test", "https://evil.test", "/\\evil.test", "", "javascript:alert(1)", "/\t/evil.test"] {
            assert_eq!(local(other), "/", "{other}");
        }
    }
}
