//! The words of messages to people: each as it would be about a ticket, in the words that are in force or in a draft of them, with
//! what is wrong at its line.

use askama::Template;
use axum::extract::Query;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::jobs::messages::preview::{DIGEST, Mistake, Preview, Rendered, Wanted};
use crate::desk::change::message::MessageKind;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode};
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// A message's HTML is shown as mail programs show it: no scripts, no forms, nothing fetched, in an origin of its own.
const SANDBOX: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// Which message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    kind: String,
    locale: String,
    ticket: String,
}

/// Something that is wrong with the words.
struct Wrong {
    line: Option<usize>,
    text: String,
    excerpt: String,
}

#[derive(Template)]
#[template(path = "admin/messages.html")]
struct MessagesPage {
    f: Frame,
    /// The kinds of message, and the languages: address, words, and whether it is the one that is shown.
    kinds: Vec<(String, String, bool)>,
    locales: Vec<(String, String, bool)>,
    asked: Asked,
    title: String,
    /// The file of a configuration that has these words.
    file: String,
    content: String,
    ticket_problem: Option<String>,
    wrong: Vec<Wrong>,
    message: Option<Rendered>,
}

/// Every kind of message by its word; the digest last.
fn kinds() -> impl Iterator<Item = &'static str> {
    MessageKind::ALL.into_iter().map(MessageKind::code).chain([DIGEST])
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

fn render(
    visit: Visit,
    asked: Asked,
    draft: Option<String>,
    found: (Preview, Option<String>),
) -> Result<Response, Failure> {
    let (Preview { source, message }, ticket_problem) = found;
    let f = visit.frame;
    let address = |kind: &str, locale: &str| {
        let pairs = [("kind", kind), ("locale", locale), ("ticket", asked.ticket.as_str())];
        format!("/admin/messages?{}", encode(&pairs))
    };
    let name = |kind: &str| f.words.t(&format!("message.{kind}"));
    let correspondence = visit.app.correspondence.load_full();
    let locales = correspondence.templates.locales();
    let content = draft.unwrap_or(source);
    let (message, mistakes) = match message {
        Ok(message) => (Some(message), Vec::new()),
        Err(mistakes) => (None, mistakes),
    };
    let page_ = MessagesPage {
        kinds: kinds().map(|kind| (address(kind, &asked.locale), name(kind), kind == asked.kind)).collect(),
        locales: locales.map(|tag| (address(&asked.kind, tag), tag.to_owned(), tag == asked.locale)).collect(),
        title: name(&asked.kind),
        file: format!("templates/{}/{}.txt", asked.locale, asked.kind),
        wrong: mistakes.iter().map(|mistake| wrong(mistake, &content)).collect(),
        content,
        ticket_problem,
        message,
        asked,
        f,
    };
    page(StatusCode::OK, &page_)
}

impl Asked {
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

/// `GET /admin/messages`.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let asked = asked.or_first(&visit);
    let found = preview(&visit, &asked, None).await?;
    render(visit, asked, None, found)
}

/// `POST /admin/messages`: the same in the words of a draft; as the HTML of the mail where that is asked for.
pub async fn look(visit: Visit, form: Form) -> Result<Response, Failure> {
    let asked = Asked { kind: form.text("kind"), locale: form.text("locale"), ticket: form.text("ticket") };
    let (asked, draft) = (asked.or_first(&visit), form.text("content"));
    let found = preview(&visit, &asked, Some(&draft)).await?;
    match (form.text("do").as_str(), &found.0.message) {
        ("html", Ok(message)) => Ok(as_mail(&message.html)),
        _ => render(visit, asked, Some(draft), found),
    }
}

/// The HTML of a message, shut in.
fn as_mail(html: &str) -> Response {
    let mut response = html.to_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    response
}
