//! Writing articles: new ones, those that come of a resolved ticket, changes, and who may read them.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::number;
use crate::app::Error;
use crate::desk::change::condition::Condition;
use crate::desk::id::TicketNumber;
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::desk::ticket::knowledge::{ArticleState, ArticleText};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::said::Found;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// A state that an article may go to.
struct Choice {
    code: &'static str,
    text: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "knowledge/write.html")]
struct WritePage {
    f: Frame,
    /// The article; none for a new one.
    key: Option<String>,
    version: String,
    text: ArticleText,
    states: Vec<Choice>,
    categories: Vec<(String, String, bool)>,
    problems: Vec<Found>,
}

/// An article as it stands, for its form.
struct Stands {
    key: Option<String>,
    version: String,
    state: ArticleState,
}

fn render(
    visit: Visit,
    stands: Stands,
    text: ArticleText,
    problems: Vec<Found>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let f = visit.frame;
    let Stands { key, version, state } = stands;
    let states = ArticleState::ALL.into_iter().filter(|to| *to == state || state.may_become(*to)).map(|to| Choice {
        code: to.code(),
        text: f.words.t(&format!("help.{}", to.code())),
        chosen: to == state,
    });
    let states = states.collect();
    let chosen = |id: &str| text.category.as_deref() == Some(id);
    let categories = f.organisation.categories.values();
    let categories = categories.map(|c| (c.id.to_string(), c.name.clone(), chosen(c.id.as_str()))).collect();
    page(status, &WritePage { key, version, states, categories, text, problems, f })
}

fn text_of(form: &Form) -> ArticleText {
    ArticleText {
        title: form.text("title"),
        body: form.text("body"),
        language: form.text("language"),
        category: form.given("category"),
        review_on: None,
    }
}

/// The id of a field of the form, and its label.
fn field(f: &Frame, name: &str) -> (&'static str, String) {
    match name {
        "title" => ("title", f.words.t("help.heading")),
        "body" => ("article-body", f.words.t("help.body")),
        "category" => ("article-category", f.words.t("field.category")),
        "language" => ("article-language", f.words.t("help.language")),
        other => ("", f.named("help", other)),
    }
}

/// The page for what was refused; other failures are passed on.
fn refused(visit: Visit, stands: Stands, text: ArticleText, error: Error) -> Result<Response, Failure> {
    match error {
        Error::Rejected { problems } => {
            let f = &visit.frame;
            let found = |problem: &Problem| {
                let (id, label) = field(f, &problem.field);
                f.found((id, &label), problem)
            };
            let problems = problems.iter().map(found).collect();
            render(visit, stands, text, problems, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Error::Stale { version } => {
            let problems = vec![Found::at("", visit.frame.words.t("help.stale"))];
            let stands = Stands { version: version.to_string(), ..stands };
            render(visit, stands, text, problems, StatusCode::PRECONDITION_FAILED)
        }
        other => Err(other.into()),
    }
}

const fn new() -> Stands {
    Stands { key: None, version: String::new(), state: ArticleState::Draft }
}

/// `GET /help/new`.
pub async fn form(visit: Visit) -> Result<Response, Failure> {
    permission::write_knowledge(&visit.actor).map_err(Error::from)?;
    render(visit, new(), ArticleText::default(), Vec::new(), StatusCode::OK)
}

/// `POST /help/new`.
pub async fn add(visit: Visit, form: Form) -> Result<Response, Failure> {
    let text = text_of(&form);
    match visit.app.add_article(&visit.actor, text.clone()).await {
        Ok(article) => Ok(Redirect::to(&format!("/help/{}/edit", article.number)).into_response()),
        Err(error) => refused(visit, new(), text, error),
    }
}

/// `POST /tickets/{key}/article`: a draft of how a ticket was resolved.
pub async fn from_ticket(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    let ticket: TicketNumber = key.parse().map_err(|_| Failure::NoPage)?;
    let (article, _) = visit.app.draft_article(&visit.actor, ticket).await?;
    Ok(Redirect::to(&format!("/help/{}/edit", article.number)).into_response())
}

/// `GET /help/{key}/edit`.
pub async fn edit(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    permission::write_knowledge(&visit.actor).map_err(Error::from)?;
    let (article, _) = visit.app.article(&visit.actor, number(&key)?).await?;
    let stands = Stands { key: Some(key), version: article.version.to_string(), state: article.state };
    render(visit, stands, article.text, Vec::new(), StatusCode::OK)
}

/// `POST /help/{key}/edit`.
pub async fn save(visit: Visit, Path(key): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&key)?;
    let (article, _) = visit.app.article(&visit.actor, number).await?;
    let mut text = text_of(&form);
    text.review_on = article.text.review_on;
    let to = ArticleState::from_code(&form.text("state")).filter(|to| *to != article.state);
    let seen = Condition::version(form.text("version"));
    let stands = Stands { key: Some(key.clone()), version: form.text("version"), state: article.state };
    match visit.app.change_article(&visit.actor, number, &seen, (Some(text.clone()), to)).await {
        Ok(_) => Ok(Redirect::to(&format!("/help/{key}?done=saved")).into_response()),
        Err(error) => refused(visit, stands, text, error),
    }
}
