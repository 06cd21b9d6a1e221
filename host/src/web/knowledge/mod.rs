//! The knowledge base: read, searched, offered while a request is written, and judged by those whom it was to help.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::frame::failure::Failure;
use super::frame::form::Form;
use super::frame::times::When;
use super::frame::{Frame, page};
use super::session::Visit;
use crate::app::tickets::knowledge::{ArticleFilter, Found, Usefulness};
use crate::desk::ticket::knowledge::{Article, ArticleNumber, ArticleState};

pub mod write;

/// Articles on a page.
const ROWS: usize = 50;

/// An article in a list.
pub struct Entry {
    pub key: String,
    pub title: String,
    /// Its beginning, or the piece that has the words: parts in turn, and whether each was looked for.
    pub piece: Vec<(String, bool)>,
    pub category: String,
    /// Its state, where not all may read it.
    pub state: Option<String>,
}

/// The most characters of an article's beginning in a list.
const BEGINNING_CHARS: usize = 160;

fn entry(f: &Frame, article: &Article, piece: Vec<(String, bool)>) -> Entry {
    let hidden = (article.state != ArticleState::Public).then(|| f.words.t(&format!("help.{}", article.state.code())));
    Entry {
        key: article.number.to_string(),
        title: article.text.title.clone(),
        piece,
        category: article.text.category.as_deref().map(|id| f.category(id)).unwrap_or_default(),
        state: hidden,
    }
}

fn listed(f: &Frame, article: &Article) -> Entry {
    let beginning: String =
        article.text.body.lines().next().unwrap_or_default().chars().take(BEGINNING_CHARS).collect();
    entry(f, article, vec![(beginning, false)])
}

fn found(f: &Frame, found: Found) -> Entry {
    entry(f, &found.article, found.piece)
}

/// The articles with some words, the best first.
///
/// # Errors
///
/// Where they cannot be read.
pub async fn with_words(visit: &Visit, text: &str) -> Result<Vec<Entry>, Failure> {
    let all = visit.app.search_articles(&visit.actor, text, None, ROWS).await?;
    Ok(all.into_iter().map(|article| found(&visit.frame, article)).collect())
}

#[derive(Template)]
#[template(path = "knowledge/list.html")]
struct ListPage {
    f: Frame,
    q: String,
    entries: Vec<Entry>,
}

/// The words that are looked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

/// `GET /help`.
pub async fn list(visit: Visit, Query(Asked { q }): Query<Asked>) -> Result<Response, Failure> {
    let entries = match q.trim() {
        "" => {
            let all = visit.app.articles(&visit.actor, ArticleFilter::default(), ROWS).await?;
            all.items.iter().map(|article| listed(&visit.frame, article)).collect()
        }
        words => with_words(&visit, words).await?,
    };
    page(StatusCode::OK, &ListPage { f: visit.frame, q, entries })
}

/// An article that may answer a request before it is sent.
#[derive(Debug, Serialize)]
pub struct Suggested {
    key: String,
    title: String,
    piece: String,
}

/// `GET /help/suggest`: for the script of the form, as one types.
pub async fn suggest(visit: Visit, Query(Asked { q }): Query<Asked>) -> Result<Json<Vec<Suggested>>, Failure> {
    let all = visit.app.suggest_articles(&visit.actor, &q).await?;
    let suggested = all.into_iter().map(|Found { article, piece }| Suggested {
        key: article.number.to_string(),
        title: article.text.title,
        piece: piece.into_iter().map(|(part, _)| part).collect(),
    });
    Ok(Json(suggested.collect()))
}

#[derive(Template)]
#[template(path = "knowledge/article.html")]
struct ArticlePage {
    f: Frame,
    entry: Entry,
    body: String,
    updated: When,
    source: Option<String>,
    useful: Option<Usefulness>,
    may_write: bool,
    notice: Option<String>,
}

/// The act after which the page is shown.
#[derive(Debug, Default, Deserialize)]
pub struct How {
    done: Option<String>,
}

/// An article's key in a path.
fn number(key: &str) -> Result<ArticleNumber, Failure> {
    key.parse().map_err(|_| Failure::NoPage)
}

/// `GET /help/{key}`.
pub async fn show(visit: Visit, Path(key): Path<String>, Query(how): Query<How>) -> Result<Response, Failure> {
    let (article, useful) = visit.app.article(&visit.actor, number(&key)?).await?;
    let f = visit.frame;
    let done = how.done.filter(|done| matches!(done.as_str(), "vote" | "solved" | "saved"));
    let works = f.works();
    let page_ = ArticlePage {
        entry: entry(&f, &article, Vec::new()),
        body: article.text.body,
        updated: f.times.ago(article.updated_at),
        source: article.source.filter(|_| works).map(|number| number.to_string()),
        useful: works.then_some(useful),
        may_write: works,
        notice: done.map(|done| f.words.t(&format!("help.done.{done}"))),
        f,
    };
    page(StatusCode::OK, &page_)
}

/// `POST /help/{key}/vote`.
pub async fn vote(visit: Visit, Path(key): Path<String>, form: Form) -> Result<Response, Failure> {
    visit.app.vote(&visit.actor, number(&key)?, form.text("helpful") == "yes").await?;
    Ok(Redirect::to(&format!("/help/{key}?done=vote")).into_response())
}

/// `POST /help/{key}/solved`: it spared the reader a ticket.
pub async fn solved(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    visit.app.deflected(&visit.actor, number(&key)?).await?;
    Ok(Redirect::to(&format!("/help/{key}?done=solved")).into_response())
}
