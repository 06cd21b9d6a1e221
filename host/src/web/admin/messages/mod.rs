//! The words of messages to people: each as it would be about a ticket, in the words that are in force or in a draft of them, with
//! what is wrong at its line, what a change touches, and the versions before.

use askama::Template;
use axum::extract::Query;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::jobs::messages::preview::{DIGEST, Mistake, Preview, Rendered, Wanted};
use crate::app::reference::lines::{self, Line};
use crate::app::reference::words::{LiveWords, shipped_text};
use crate::desk::change::message::MessageKind;
use crate::web::admin::documents::draft::Kept;
use crate::web::admin::documents::{Version, done_notice};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::address;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

mod publish;

pub use publish::run;

/// Lines of a difference that a page shows.
const LINES_MAX: usize = 400;

/// A message's HTML is shown as mail programs show it: no scripts, no forms, nothing fetched, in an origin of its own.
const SANDBOX: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// Which message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    kind: String,
    locale: String,
    ticket: String,
    /// The act that led here.
    done: Option<String>,
    /// An earlier version, to look at.
    version: Option<i64>,
    /// Whether the draft that is kept is gone on with.
    draft: Option<String>,
}

/// Something that is wrong with the words.
struct Wrong {
    line: Option<usize>,
    text: String,
    excerpt: String,
}

/// A group of messages to choose from: of each its code, its words, and whether it is the one that is shown.
struct Choice {
    group: String,
    kinds: Vec<(&'static str, String, bool)>,
}

#[derive(Template)]
#[template(path = "admin/messages.html")]
struct MessagesPage {
    f: Frame,
    choices: Vec<Choice>,
    /// The languages: address, tag, and whether it is the one that is shown.
    locales: Vec<(String, String, bool)>,
    asked: Asked,
    title: String,
    /// The file of a configuration that has these words.
    file: String,
    content: String,
    ticket_problem: Option<String>,
    wrong: Vec<Wrong>,
    message: Option<Rendered>,
    /// The lines that differ from what is in force.
    groups: Vec<Vec<Line>>,
    /// Messages of this kind that have not left.
    waiting: i64,
    /// Whether the words are the desk's own, and whether they are published here.
    own: bool,
    by_api: bool,
    revision: i64,
    versions: Vec<Version>,
    /// The draft that has other words for this message; and its version, also where it has not.
    kept: Option<Kept>,
    draft_version: i64,
    shown: Shown,
}

impl MessagesPage {
    /// The address at which an earlier version is looked at.
    fn at_version(&self, version: &Version) -> String {
        self.asked.address(&[("version", &version.revision.to_string())])
    }

    /// The address at which the draft is gone on with, and the one of the words that are live.
    fn at_draft(&self) -> String {
        self.asked.address(&[("draft", "1")])
    }

    fn at_live(&self) -> String {
        self.asked.address(&[])
    }
}

/// The words that the page shows in the place of those in force, and a word about what has happened.
#[derive(Default)]
struct Shown {
    words: Option<String>,
    why: String,
    notice: Option<(String, &'static str)>,
    /// The earlier version that is looked at.
    looked_at: Option<i64>,
    /// Whether the draft is gone on with.
    goes_on: bool,
}

/// The kinds of message by the key of their group: each group in the order in which such messages come.
const GROUPS: [(&str, &[MessageKind]); 3] = [
    (
        "messages.to-requesters",
        &[
            MessageKind::Acknowledgement,
            MessageKind::MailKept,
            MessageKind::Reply,
            MessageKind::StateChanged,
            MessageKind::AnswerReminder,
            MessageKind::Resolved,
            MessageKind::ConfirmationReminder,
            MessageKind::Closed,
        ],
    ),
    (
        "messages.to-agents",
        &[
            MessageKind::Assigned,
            MessageKind::RequesterWrote,
            MessageKind::Mentioned,
            MessageKind::Escalated,
            MessageKind::LeftInQueue,
            MessageKind::DayMoved,
            MessageKind::NotTakenUp,
            MessageKind::PromiseRunsOut,
            MessageKind::PromiseBroken,
        ],
    ),
    (
        "messages.of-access",
        &[MessageKind::ApprovalWanted, MessageKind::Delegation, MessageKind::ReviewWanted, MessageKind::AccessEnding],
    ),
];

/// The kinds to choose from; the digest, which has several messages in one, is last.
fn choices(f: &Frame, shown: &str) -> Vec<Choice> {
    let kind = |code: &'static str| (code, f.words.t(&format!("message.{code}")), code == shown);
    let of = |(group, kinds): (&str, &[MessageKind])| Choice {
        group: f.words.t(group),
        kinds: kinds.iter().map(|one| kind(one.code())).collect(),
    };
    let together = Choice { group: f.words.t("messages.together"), kinds: vec![kind(DIGEST)] };
    GROUPS.into_iter().map(of).chain([together]).collect()
}

fn wrong(mistake: &Mistake, content: &str) -> Wrong {
    let line = Some(mistake.line).filter(|line| *line > 0);
    let excerpt = line.and_then(|line| content.lines().nth(line - 1)).unwrap_or_default();
    Wrong { line, text: mistake.why.to_string(), excerpt: excerpt.trim().to_owned() }
}

/// The message that is asked for, and why its ticket is none.
async fn preview(visit: &Visit, asked: &Asked, draft: Option<&str>) -> Result<(Preview, Option<String>), Failure> {
    let kind = if asked.kind == DIGEST { None } else { MessageKind::from_code(&asked.kind) };
    if kind.is_none() && asked.kind != DIGEST {
        return Err(Failure::NoPage);
    }
    let key = asked.ticket.trim().to_ascii_uppercase();
    let ticket = (!key.is_empty()).then(|| key.parse()).transpose().ok();
    let mut wanted = Wanted { kind, locale: &asked.locale, ticket: ticket.flatten(), draft };
    let no_ticket = || visit.frame.words.t1("messages.no-ticket", &key);
    match visit.app.preview_message(&visit.actor, wanted).await {
        Err(Error::Missing { .. }) => {
            wanted.ticket = None;
            Ok((visit.app.preview_message(&visit.actor, wanted).await?, Some(no_ticket())))
        }
        found => Ok((found?, ticket.is_none().then(no_ticket))),
    }
}

/// The page of a message: the words that are live, those that are shown, and the message in them.
async fn render(visit: Visit, asked: Asked, live: LiveWords, shown: Shown) -> Result<Response, Failure> {
    let (Preview { source, message }, ticket_problem) = preview(&visit, &asked, shown.words.as_deref()).await?;
    let versions = visit.app.versions_of_words(&visit.actor, &asked.template()).await?;
    let correspondence = visit.app.correspondence.load_full();
    let f = visit.frame;
    let name = |kind: &str| f.words.t(&format!("message.{kind}"));
    let of = |kind: &str, locale: &str| Asked { kind: kind.to_owned(), locale: locale.to_owned(), ..asked.clone() };
    let locales = correspondence.templates.locales();
    let content = shown.words.clone().unwrap_or_else(|| source.clone());
    let (message, mistakes) = match message {
        Ok(message) => (Some(message), Vec::new()),
        Err(mistakes) => (None, mistakes),
    };
    let latest = versions.first().map_or(0, |version| version.revision);
    let drafted = live.is_drafted();
    let status = match shown.notice {
        Some((_, "bad" | "warn")) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let page_ = MessagesPage {
        choices: choices(&f, &asked.kind),
        locales: locales.map(|tag| (of(&asked.kind, tag).address(&[]), tag.to_owned(), tag == asked.locale)).collect(),
        title: name(&asked.kind),
        file: format!("templates/{}", asked.template()),
        wrong: mistakes.iter().map(|mistake| wrong(mistake, &content)).collect(),
        groups: lines::changed(&source, &content, LINES_MAX),
        content,
        ticket_problem,
        message,
        waiting: live.waiting,
        own: live.own.is_some(),
        by_api: live.document.by_api,
        revision: live.document.revision.unwrap_or(0),
        versions: versions.into_iter().map(|version| Version::of(&f, version, latest)).collect(),
        draft_version: live.draft.as_ref().map_or(0, |draft| draft.version),
        kept: live.draft.filter(|_| drafted).map(|draft| Kept::of(&f, &draft)),
        shown,
        asked,
        f,
    };
    page(status, &page_)
}

impl Asked {
    /// Its template in a configuration: the language and the name.
    fn template(&self) -> String {
        format!("{}/{}", self.locale, self.name())
    }

    fn name(&self) -> String {
        format!("{}.txt", self.kind)
    }

    /// The words that come with the program for it.
    fn shipped(&self) -> String {
        shipped_text(&self.locale, &self.name()).unwrap_or_default().to_owned()
    }

    /// The address of its page, with some more.
    fn address(&self, more: &[(&str, &str)]) -> String {
        let own = [("kind", self.kind.as_str()), ("locale", &self.locale), ("ticket", &self.ticket)];
        address("/admin/messages", own.into_iter().chain(more.iter().copied()))
    }

    /// The same with a kind and a language where none is named.
    fn or_first(mut self, visit: &Visit) -> Asked {
        if self.kind.is_empty() {
            MessageKind::Acknowledgement.code().clone_into(&mut self.kind);
        }
        let correspondence = visit.app.correspondence.load();
        let wish = if self.locale.is_empty() { &correspondence.locale } else { &self.locale };
        self.locale = correspondence.templates.locale(wish).to_owned();
        self
    }
}

/// The words of the message that is asked for, as they are live.
async fn live(visit: &Visit, asked: &Asked) -> Result<LiveWords, Failure> {
    let kind = MessageKind::from_code(&asked.kind);
    if kind.is_none() && asked.kind != DIGEST {
        return Err(Failure::NoPage);
    }
    Ok(visit.app.live_words(&visit.actor, &asked.template(), kind).await?)
}

/// `GET /admin/messages`: in the words that are in force, in those of an earlier version, or in those of the draft.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let asked = asked.or_first(&visit);
    let live = live(&visit, &asked).await?;
    let notice = asked.done.as_deref().map(|done| done_notice(&visit.frame, done));
    let mut shown = Shown { notice, ..Shown::default() };
    if let Some(revision) = asked.version {
        let words = visit.app.words_of_version(&visit.actor, &asked.template(), revision).await?;
        shown.words = Some(words.unwrap_or_else(|| asked.shipped()));
        shown.looked_at = Some(revision);
    } else if asked.draft.is_some() && live.draft.is_some() {
        shown.words = Some(live.drafted.clone().unwrap_or_else(|| asked.shipped()));
        shown.goes_on = true;
    }
    render(visit, asked, live, shown).await
}

/// The HTML of a message, shut in.
fn as_mail(html: &str) -> Response {
    let mut response = html.to_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_message_is_in_one_group() {
        for kind in MessageKind::ALL {
            let found = GROUPS.iter().flat_map(|(_, kinds)| kinds.iter()).filter(|one| **one == kind).count();
            assert_eq!(found, 1, "{}", kind.code());
        }
    }
}
