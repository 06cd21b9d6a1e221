//! The records of acts, searched: by person, act, ticket, rule and date, the newest first.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::app::observe::audit::{Found, Source, Wanted};
use crate::desk::id::TicketNumber;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{address, ticket_named};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Entries on a page.
const ROWS: usize = 50;
/// The longest fact that is shown in a line, in characters; the whole is a click away.
const FACT_CHARS: usize = 120;
/// The same of a digest.
const DIGEST_CHARS: usize = 16;

/// The acts of the desk's record, and those of the record of access.
const DESK: [&str; 26] = [
    "rule",
    "rules-reloaded",
    "table",
    "configuration",
    "files-agreed",
    "directory",
    "campaign",
    "schedule",
    "webhook",
    "token-added",
    "token-revoked",
    "account-set",
    "identity-bound",
    "identity-unbound",
    "session-began",
    "session-ended",
    "sign-on",
    "app-sign-in",
    "brake",
    "brake-resumed",
    "finding",
    "delegation",
    "refused",
    "erased",
    "began",
    "taken-in",
];
const ACCESS: [&str; 15] = [
    "requested",
    "approved-by",
    "denied-by",
    "reassigned",
    "approved",
    "denied",
    "granted",
    "revoked",
    "replaced",
    "lapsed",
    "invalidated",
    "holds",
    "holds-no-more",
    "review-asked",
    "reviewed",
];

/// The search, as the address says it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    of: String,
    person: String,
    event: String,
    about: String,
    ticket: String,
    from: String,
    until: String,
    before: String,
}

/// An entry of a record.
struct Entry {
    when: When,
    exact: String,
    event: String,
    /// The rule, the table, the document or the ticket, with where it is shown.
    about: String,
    link: Option<String>,
    who: String,
    /// Its facts in a line, each by its name.
    facts: Vec<(String, String)>,
    /// All of it, as it is kept.
    whole: String,
    place: Option<i64>,
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    f: Frame,
    asked: Asked,
    access: bool,
    /// Each act with whether it is chosen.
    events: Vec<(&'static str, bool)>,
    entries: Vec<Entry>,
    next: Option<String>,
    problems: Vec<String>,
}

impl Asked {
    fn address(&self, before: i64) -> String {
        let before = before.to_string();
        let pairs = [
            ("of", self.of.as_str()),
            ("person", &self.person),
            ("event", &self.event),
            ("about", &self.about),
            ("ticket", &self.ticket),
            ("from", &self.from),
            ("until", &self.until),
            ("before", &before),
        ];
        address("/admin/audit", pairs)
    }

    /// The entries that are wanted, and the keys of the texts of what is wrong.
    fn wanted(&self, f: &Frame) -> (Wanted, Vec<&'static str>) {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut wrong = Vec::new();
        let day = |text: &str, days: i64| {
            let date: Date = text.parse().ok()?;
            let date = date.checked_add(jiff::Span::new().days(days)).ok()?;
            f.times.zone.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()
        };
        let mut time = |text: &str, days: i64| -> Option<Timestamp> {
            let found = day(text.trim(), days);
            if found.is_none() && !text.trim().is_empty() && !wrong.contains(&"audit.no-date") {
                wrong.push("audit.no-date");
            }
            found
        };
        // The last day is one of those that are searched.
        let (from, until) = (time(&self.from, 0), time(&self.until, 1));
        let ticket = given(&self.ticket).map(|text| ticket_named(&text));
        if ticket == Some(None) {
            wrong.push("audit.no-ticket");
        }
        let person = given(&self.person).map(|text| {
            let named = f.organisation.people.values().find(|person| person.name == text);
            named.map_or(text, |person| person.id.to_string())
        });
        let wanted = Wanted {
            person,
            event: given(&self.event),
            about: given(&self.about),
            ticket: ticket.flatten().map(|number| number.0),
            from,
            until,
        };
        (wanted, wrong)
    }
}

/// A fact as it is read in a line; nothing for what is long and nested.
fn fact(f: &Frame, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) if text.starts_with('{') => return None,
        Value::String(text) => f.name_of(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(list) if list.len() <= 5 => {
            list.iter().filter_map(|value| fact(f, value)).collect::<Vec<_>>().join(", ")
        }
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    // A digest is known from others by its beginning.
    let is_digest = text.chars().all(|sign| sign.is_ascii_hexdigit());
    let shown = if is_digest { DIGEST_CHARS } else { FACT_CHARS };
    let cut: String = text.chars().take(shown).collect();
    (!text.is_empty()).then(|| if cut.len() < text.len() { format!("{cut} ...") } else { cut })
}

/// A fact that is an instant, in milliseconds, as people write it.
fn instant(f: &Frame, name: &str, value: &Value) -> Option<String> {
    let at = value.as_i64().filter(|_| name.ends_with("_at"))?;
    Timestamp::from_millisecond(at).ok().map(|at| f.times.exact(at))
}

fn entry(f: &Frame, found: Found) -> Entry {
    let Found { at, event, about, ticket, detail, link, .. } = found;
    let facts: serde_json::Map<String, Value> = serde_json::from_str(&detail).unwrap_or_default();
    let who = ["by", "actor", "author", "approver", "submitted_by", "person"];
    let who = who.iter().find_map(|name| facts.get(*name).and_then(Value::as_str));
    let shown = facts
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "hash" | "before" | "after" | "seq" | "row" | "groups"));
    let in_words = |name: &str, text: String| match (who, name) {
        (Some("desk"), "why" | "reason") => f.own_reason(&text),
        _ => text,
    };
    let shown = shown.filter_map(|(name, value)| {
        let text = instant(f, name, value).or_else(|| fact(f, value))?;
        Some((f.fact_name(name), in_words(name, text)))
    });
    let key = ticket.map(|number| TicketNumber(number).to_string());
    let link_to = match (event.as_str(), &key) {
        (_, Some(key)) => Some(format!("/tickets/{key}")),
        ("rule", None) => Some(format!("/admin/rules/{about}")),
        ("table", None) => Some(format!("/admin/tables/{about}")),
        ("configuration", None) => Some(format!("/admin/documents/{about}")),
        ("webhook", None) => Some(format!("/admin/webhooks/{about}")),
        _ => None,
    };
    Entry {
        when: f.times.ago(at),
        exact: f.times.exact(at),
        event,
        about: key.unwrap_or_else(|| f.name_of(&about)),
        link: link_to,
        who: who.map(|id| f.name_of(id)).unwrap_or_default(),
        facts: shown.collect(),
        whole: detail,
        place: link,
    }
}

/// `GET /admin/audit`.
pub async fn search(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let access = asked.of == "access";
    let source = if access { Source::Access } else { Source::Desk };
    let (wanted, wrong) = asked.wanted(&visit.frame);
    let before = asked.before.parse::<i64>().ok();
    let (found, next) = if wrong.is_empty() {
        visit.app.search_audit(&visit.actor, source, &wanted, (before, ROWS)).await?
    } else {
        (Vec::new(), None)
    };
    let f = visit.frame;
    let events: &[&'static str] = if access { &ACCESS } else { &DESK };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page_ = AuditPage {
        access,
        events: events.iter().map(|event| (*event, *event == asked.event)).collect(),
        entries: found.into_iter().map(|found| entry(&f, found)).collect(),
        next: next.map(|before| asked.address(before)),
        problems: wrong.into_iter().map(|key| f.words.t(key)).collect(),
        asked,
        f,
    };
    page(status, &page_)
}
