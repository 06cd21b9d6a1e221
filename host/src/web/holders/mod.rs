//! The questions of an audit: who has access to an app and why, now or at a day in the past, and the whole story of one grant.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Deserialize;
use serde_json::Value;

use super::frame::failure::Failure;
use super::frame::form::address;
use super::frame::shown::Decided;
use super::frame::times::When;
use super::frame::{Frame, csv_file, page};
use super::session::Visit;
use crate::app::access::questions::{About, During, Evidence, Said, StoredEvent, facts};
use crate::app::observe::csv;
use crate::desk::access::Grant;
use crate::desk::id::GrantId;

pub mod roles;

/// Grants on a page.
const ROWS: usize = 50;
/// Grants that are read at a time for a file.
const FILE_PAGE: usize = 500;
/// The most grants of a file; where there are more, its last line says so.
const FILE_ROWS_MAX: usize = 50_000;

/// The question, as the address says it.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    app: String,
    #[serde(default)]
    person: String,
    /// A day, of which all instants are asked about. Now where nothing is said.
    #[serde(default)]
    on: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    format: String,
}

/// Access that was held, and why.
struct Row {
    id: GrantId,
    person: String,
    person_title: String,
    app: String,
    tier: String,
    role: Option<String>,
    /// Whether it is kept by default, and the grant over.
    stays: bool,
    since: When,
    until: When,
    /// When it has ended, where that was within the day that is asked about.
    ended: Option<String>,
    ticket: String,
    justification: String,
    policy: String,
    /// Who approved; none where the policy did by itself.
    approved: Vec<String>,
}

#[derive(Template)]
#[template(path = "holders/list.html")]
struct ListPage {
    f: Frame,
    asked: Asked,
    apps: Vec<(String, String, bool)>,
    people: Vec<(String, String)>,
    rows: Vec<Row>,
    next: Option<String>,
    file: String,
    /// Whether no question was asked yet.
    unasked: bool,
}

/// A row of the answer to a question about the time until an instant.
fn row(f: &Frame, found: Evidence, until: Timestamp) -> Row {
    let tier_id = found.tier().clone();
    let Evidence { grant, damaged, ticket, case, stays } = found;
    let decisions = case.iter().flat_map(|case| &case.decisions).filter(|decision| decision.approve);
    let (end, ended) = (grant.access_end(), ended_by(&grant, until).map(|ended| f.times.exact(ended)));
    Row {
        id: grant.id,
        person: f.name(&grant.subject),
        person_title: f.organisation.people.get(&grant.subject).map(|p| p.title.clone()).unwrap_or_default(),
        app: f.app(grant.app.as_str()),
        tier: f.tier(grant.app.as_str(), tier_id.as_str()),
        role: grant.role.filter(|_| stays.is_none()),
        stays: stays.is_some(),
        since: f.times.ago(grant.granted_at),
        until: f.times.until(end),
        ended,
        ticket: ticket.to_string(),
        justification: case.as_ref().map(|case| case.request.justification.clone()).unwrap_or_default(),
        policy: if damaged.is_empty() {
            case.as_ref().map(|case| f.case_reason(case)).unwrap_or_default()
        } else {
            f.words.t("state.damaged")
        },
        approved: decisions.map(|decision| f.approver(decision)).collect(),
    }
}

/// When a grant's access has ended, if that was not after an instant.
fn ended_by(grant: &Grant, until: Timestamp) -> Option<Timestamp> {
    Some(grant.access_end()).filter(|end| *end <= until)
}

impl Asked {
    fn about(&self) -> Result<About, Failure> {
        let wrong = |_| Failure::BadForm;
        match (self.app.trim(), self.person.trim()) {
            ("", "") => Ok(About::All),
            (app, "") => app.parse().map(About::App).map_err(wrong),
            (_, person) => person.parse().map(About::Person).map_err(wrong),
        }
    }

    /// The time that is asked about: a day, or now.
    fn during(&self, f: &Frame) -> Result<During, Failure> {
        if self.on.trim().is_empty() {
            return Ok(f.times.now.into());
        }
        let day: Date = self.on.trim().parse().map_err(|_| Failure::BadForm)?;
        let instant = |time| f.times.zone.to_timestamp(day.to_datetime(time)).map_err(|_| Failure::BadForm);
        let until = instant(Time::MAX)?.min(f.times.now);
        Ok(During { from: instant(Time::MIN)?.min(until), until })
    }

    fn address(&self, more: &[(&str, &str)]) -> String {
        let own = [("app", self.app.as_str()), ("person", &self.person), ("on", &self.on)];
        address("/access/who", own.into_iter().chain(more.iter().copied()))
    }
}

/// `GET /access/who`.
pub async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let is_file = asked.format == "csv";
    let unasked = asked.app.is_empty() && asked.person.is_empty();
    let after = asked.after.parse::<GrantId>().ok();
    let during = asked.during(&visit.frame)?;
    if is_file {
        return file(&visit, &asked.about()?, during).await;
    }
    let may_see_all = crate::desk::permission::read_decisions(&visit.actor).is_ok();
    let found = match unasked && !may_see_all {
        // An owner of apps is asked which of them first.
        true => None,
        false => Some(visit.app.who_holds(&visit.actor, &asked.about()?, during, after, ROWS).await?),
    };
    let f = visit.frame;
    let (items, next) = found.map(|found| (found.items, found.next)).unwrap_or_default();
    let own = |app: &&crate::desk::organisation::App| {
        may_see_all || app.owner.as_ref().is_some_and(|owner| Some(owner) == visit.actor.person())
    };
    let apps = f.organisation.apps.values().filter(own);
    let people = f.organisation.people.values().filter(|_| may_see_all);
    let page_ = ListPage {
        apps: apps.map(|app| (app.id.to_string(), app.name.clone(), app.id.as_str() == asked.app)).collect(),
        people: people.map(|person| (person.id.to_string(), person.name.clone())).collect(),
        rows: items.into_iter().map(|found| row(&f, found, during.until)).collect(),
        next: next.map(|id| asked.address(&[("after", &id.to_string())])),
        file: asked.address(&[("format", "csv")]),
        unasked,
        asked,
        f,
    };
    page(StatusCode::OK, &page_)
}

/// The columns of a file.
const COLUMNS: [&str; 13] = [
    "person",
    "app",
    "tier",
    "role",
    "granted_at",
    "expires_at",
    "ticket",
    "justification",
    "policy",
    "approved_by",
    // Of two people with one name it says which.
    "person_id",
    "grant",
    // Empty where it was held up to the end of the day, or to now.
    "ended_at",
];

/// The same as a file for a spreadsheet.
async fn file(visit: &Visit, about: &About, during: During) -> Result<Response, Failure> {
    let (f, mut after) = (&visit.frame, None);
    let mut lines = Lines { found: vec![COLUMNS.map(str::to_owned).to_vec()], rows_max: FILE_ROWS_MAX };
    loop {
        let found = visit.app.who_holds(&visit.actor, about, during, after, FILE_PAGE).await?;
        after = found.next;
        let rows = found.items.into_iter().map(|found| line_of(f, found, during.until));
        if !lines.add(rows, after.is_some(), || f.words.t("who.not-all")) {
            break;
        }
    }
    Ok(csv_file("access.csv", csv::rows(lines.found)))
}

/// The lines of a file, as far as they are found; the first has the names of the columns.
struct Lines {
    found: Vec<Vec<String>>,
    rows_max: usize,
}

impl Lines {
    /// Adds rows, after which there are more or not; whether the file goes on. One that is cut says so in its last line.
    fn add(&mut self, rows: impl Iterator<Item = Vec<String>>, more: bool, not_all: impl FnOnce() -> String) -> bool {
        self.found.extend(rows);
        let is_cut = more && self.found.len() > self.rows_max;
        if is_cut {
            let last = std::iter::once(not_all());
            self.found.push(last.chain(std::iter::repeat_n(String::new(), COLUMNS.len() - 1)).collect());
        }
        more && !is_cut
    }
}

/// A line of a file.
fn line_of(f: &Frame, found: Evidence, until: Timestamp) -> Vec<String> {
    let grant = &found.grant;
    let [granted, expires] = [grant.granted_at, grant.expires_at].map(|time| time.to_string());
    let (person, id) = (grant.subject.to_string(), grant.id.to_string());
    let ended = ended_by(grant, until).filter(|_| found.stays.is_none());
    let row = row(f, found, until);
    vec![
        row.person,
        row.app,
        row.tier,
        row.role.unwrap_or_default(),
        granted,
        if row.stays { String::new() } else { expires },
        row.ticket,
        row.justification,
        row.policy,
        row.approved.join("; "),
        person,
        id,
        ended.map(|ended| ended.to_string()).unwrap_or_default(),
    ]
}

/// An event of the ledger.
struct Line {
    when: When,
    event: String,
    details: Vec<(String, String)>,
}

/// An order to the app.
struct Order {
    what: String,
    state: String,
    said: String,
    when: When,
}

#[derive(Template)]
#[template(path = "holders/story.html")]
struct StoryPage {
    f: Frame,
    row: Row,
    state: String,
    end: Option<String>,
    requester: Option<String>,
    submitted_by: Option<String>,
    decided: Vec<Decided>,
    lines: Vec<Line>,
    orders: Vec<Order>,
    holdings: Vec<(String, bool, When)>,
}

/// A fact of an event for people; `None` for one that says nothing, and for ids.
fn fact(f: &Frame, name: &str, value: &Value) -> Option<(String, String)> {
    let time = value.as_i64().filter(|_| name.ends_with("_at"));
    let text = match (value, time.and_then(|ms| Timestamp::from_millisecond(ms).ok())) {
        (_, Some(at)) => f.times.exact(at),
        (Value::Null | Value::Bool(false), _) => return None,
        (Value::String(text), _) => f.name_of(text),
        (Value::Array(parts), _) => {
            let parts = parts.iter().filter_map(|part| fact(f, "", part)).map(|(_, text)| text);
            parts.collect::<Vec<_>>().join(", ")
        }
        (other, _) => other.to_string(),
    };
    let says = !text.is_empty() && !matches!(name, "grant" | "ticket" | "id");
    let key = format!("fact.{name}");
    let name = if f.words.has(&key) { f.words.t(&key) } else { f.fact_name(name) };
    says.then_some((name, text))
}

fn line(f: &Frame, stored: &StoredEvent) -> Line {
    let (code, details) = match &stored.said {
        Said::Event(event) => (event.code().to_owned(), facts(event)),
        Said::Sentence { event, detail } => (event.clone(), Value::String(detail.clone())),
    };
    let details = match &details {
        Value::Object(pairs) => pairs.iter().filter_map(|(name, value)| fact(f, name, value)).collect(),
        other => fact(f, "", other).into_iter().collect(),
    };
    let key = format!("ledger.{code}");
    let event = if f.words.has(&key) { f.words.t(&key) } else { code };
    Line { when: f.times.ago(stored.at), event, details }
}

/// `GET /access/{grant}`: who asked, what the policy said, who approved, what was sent to the app, and when and why it ended.
pub async fn story(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id: GrantId = id.parse().map_err(|_| Failure::NoPage)?;
    let story = visit.app.story_of_grant(&visit.actor, id).await?;
    let f = visit.frame;
    let (case, grant) = (story.evidence.case.as_ref(), &story.evidence.grant);
    let decisions = case.into_iter().flat_map(|case| &case.decisions);
    let decided = decisions.map(|decision| f.decided(decision)).collect();
    let requester = case.map(|case| f.name(&case.requester));
    let by = case.filter(|case| case.submitted_by != case.requester).map(|case| f.name(&case.submitted_by));
    let orders = story.ops.iter().map(|op| Order {
        what: format!("{} {}", op.direction.code(), op.entitlement),
        state: op.state.code().to_owned(),
        said: op.said.clone(),
        when: f.times.ago(op.changed_at),
    });
    let holdings = story.holdings.iter();
    let holdings = holdings.map(|held| (held.entitlement.to_string(), held.preexisting, f.times.ago(held.since)));
    let now = f.times.now;
    let effective = grant.gives_access(&f.organisation, now);
    let page_ = StoryPage {
        state: f.words.t(if effective { "who.in-effect" } else { "who.over" }),
        end: grant.end_reason.as_ref().map(|reason| reason.code().to_owned()),
        requester,
        submitted_by: by,
        decided,
        lines: story.events.iter().map(|event| line(&f, event)).collect(),
        orders: orders.collect(),
        holdings: holdings.collect(),
        row: row(&f, story.evidence, now),
        f,
    };
    page(StatusCode::OK, &page_)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_more_than_its_bound_says_that_it_is_not_all() {
        let row = || COLUMNS.map(|_| "x".to_owned()).to_vec();
        let of_pages = |pages: usize| {
            let mut lines = Lines { found: vec![row()], rows_max: 4 };
            let read = (1..=pages)
                .take_while(|page| lines.add([row(), row()].into_iter(), *page < pages, || "not all".to_owned()));
            let read = read.count();
            (read, lines.found)
        };
        for pages in [1, 2] {
            let (read, found) = of_pages(pages);
            assert_eq!((read, found.len()), (pages - 1, 1 + 2 * pages), "a file that has its bound is whole");
            assert_eq!(found.last(), Some(&row()));
        }
        for pages in [3, 9] {
            let (read, found) = of_pages(pages);
            assert_eq!((read, found.len()), (1, 6), "no more is read than it has");
            let last = found.last().map(|last| (last.first().map(String::as_str), last.len()));
            assert_eq!(last, Some((Some("not all"), COLUMNS.len())));
        }
    }
}
