//! `/api/v1/articles`: the knowledge base.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::headers::condition::condition;
use crate::api::http::json::Json;
use crate::api::http::page::{self, List, PageQuery, Paged};
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::tickets::knowledge::{ArticleFilter, ArticleVersion, Found, Usefulness};
use crate::desk::text::quoted;
use crate::desk::ticket::knowledge::{Article, ArticleNumber, ArticleState, ArticleText};

/// Articles on a page where the client does not say how many.
const LIMIT: usize = 50;

/// The text of an article.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArticleBody {
    /// Up to 300 characters.
    title: String,
    /// Up to 50,000 characters.
    body: String,
    /// A language tag such as `de`; empty for any.
    #[serde(default)]
    language: String,
    /// A category of the taxonomy.
    #[serde(default)]
    category: Option<String>,
    /// The day on which it is to be looked at again.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    review_on: Option<Date>,
}

impl From<ArticleBody> for ArticleText {
    fn from(ArticleBody { title, body, language, category, review_on }: ArticleBody) -> Self {
        Self { title, body, language, category, review_on }
    }
}

/// An article.
#[derive(Serialize, ToSchema)]
pub struct ArticleView {
    /// Such as `KB-7`.
    key: String,
    /// Send it back in `If-Match` to change the article.
    version: i64,
    /// `draft`, `internal`, `public` or `retired`.
    state: &'static str,
    title: String,
    body: String,
    language: String,
    category: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    review_on: Option<Date>,
    /// The ticket that it was made from; absent for readers who see no others' tickets.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    author: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl ArticleView {
    fn new(article: Article, works_on_tickets: bool) -> Self {
        let ArticleText { title, body, language, category, review_on } = article.text;
        Self {
            key: article.number.to_string(),
            version: article.version,
            state: article.state.code(),
            title,
            body,
            language,
            category,
            review_on,
            source: article.source.filter(|_| works_on_tickets).map(|number| number.to_string()),
            author: article.author,
            created_at: article.created_at,
            updated_at: article.updated_at,
        }
    }
}

/// How useful an article has been.
#[derive(Serialize, ToSchema)]
pub struct UsefulnessView {
    helpful: i64,
    unhelpful: i64,
    /// How often it spared a ticket.
    deflections: i64,
}

impl From<Usefulness> for UsefulnessView {
    fn from(Usefulness { helpful, unhelpful, deflections }: Usefulness) -> Self {
        Self { helpful, unhelpful, deflections }
    }
}

/// An article with how useful it has been.
#[derive(Serialize, ToSchema)]
pub struct WholeArticleView {
    #[serde(flatten)]
    article: ArticleView,
    usefulness: UsefulnessView,
}

/// An article that was found.
#[derive(Serialize, ToSchema)]
pub struct FoundView {
    key: String,
    state: &'static str,
    title: String,
    language: String,
    category: Option<String>,
    /// A piece of the body, in parts.
    piece: Vec<PartView>,
}

/// A part of a piece of text.
#[derive(Serialize, ToSchema)]
pub struct PartView {
    text: String,
    /// Whether it was looked for.
    found: bool,
}

impl From<Found> for FoundView {
    fn from(Found { article, piece }: Found) -> Self {
        Self {
            key: article.number.to_string(),
            state: article.state.code(),
            title: article.text.title,
            language: article.text.language,
            category: article.text.category,
            piece: piece.into_iter().map(|(text, found)| PartView { text, found }).collect(),
        }
    }
}

/// An article's version as it was written.
#[derive(Serialize, ToSchema)]
pub struct ArticleVersionView {
    version: i64,
    state: &'static str,
    title: String,
    body: String,
    author: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<ArticleVersion> for ArticleVersionView {
    fn from(version: ArticleVersion) -> Self {
        Self {
            version: version.version,
            state: version.state.code(),
            title: version.text.title,
            body: version.text.body,
            author: version.author,
            at: version.at,
        }
    }
}

/// A key in a path; what is no key names no article.
fn number(key: &str) -> Result<ArticleNumber, Problem> {
    key.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no article {}: {e}", quoted(key))))
}

fn state(code: &str) -> Result<ArticleState, Problem> {
    ArticleState::from_code(code).ok_or_else(|| Problem::bad_field("to", &no_state()))
}

fn no_state() -> String {
    format!("is no state: use {}", ArticleState::ALL.map(ArticleState::code).join(", "))
}

/// An article with its version as `ETag`, for one who writes it.
fn one(status: StatusCode, article: Article) -> Response {
    let etag = HeaderValue::from_str(&format!("\"{}\"", article.version));
    let mut response = (status, axum::Json(ArticleView::new(article, true))).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Which articles.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArticlesQuery {
    state: Option<String>,
    category: Option<String>,
    /// Those that are to be looked at again by this day.
    #[param(value_type = Option<String>, format = Date)]
    review_by: Option<Date>,
    /// The key of the last article that you have.
    after: Option<String>,
    /// 1 to 200; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

impl ArticlesQuery {
    fn filter(&self) -> Result<ArticleFilter, Problem> {
        let wrong = |name: &str, why: &str| Problem::bad_query(format!("`{name}`: {why}"));
        let after = self.after.as_deref().map(str::parse::<ArticleNumber>).transpose();
        let after = after.map_err(|e| wrong("after", &e.to_string()))?.map_or(0, |ArticleNumber(number)| number);
        let known = |code: &str| ArticleState::from_code(code).ok_or_else(|| wrong("state", &no_state()));
        let states = self.state.as_deref().map(known).transpose()?.into_iter().collect();
        // A day after all days that have an instant narrows nothing, and one before them leaves nothing.
        let beyond = |day: Date| if day.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let first =
            |day: Date| TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).unwrap_or_else(|_| beyond(day));
        let review_by = self.review_by.map(first);
        Ok(ArticleFilter { states, category: self.category.clone(), review_by, after })
    }
}

/// List articles by number. Requesters see the public ones. A page ends early where its articles are long.
#[utoipa::path(get, path = "/api/v1/articles", tag = "knowledge", security(("token" = [])), params(ArticlesQuery),
    responses((status = 200, body = Vec<ArticleView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<ArticlesQuery>,
) -> Result<Paged<ArticleView>, Problem> {
    let limit = page::limit(query.limit, LIMIT)?;
    let works = crate::desk::permission::works_on_tickets(&actor);
    let found = app.articles(&actor, query.filter()?, limit).await?;
    let next = found.next.map(|number| number.to_string());
    Ok(Paged { items: found.items.into_iter().map(|article| ArticleView::new(article, works)).collect(), next, limit })
}

/// Write an article, as a draft. For agents and admins.
#[utoipa::path(post, path = "/api/v1/articles", tag = "knowledge", security(("token" = [])), request_body = ArticleBody,
    responses((status = 201, body = ArticleView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn add(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<ArticleBody>,
) -> Result<Response, Problem> {
    Ok(one(StatusCode::CREATED, app.add_article(&actor, body.into()).await?))
}

/// Make a draft of how a ticket was resolved; 200 with the article that was made of it before, where one was.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/article", tag = "knowledge", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 201, body = ArticleView), (status = 200, body = ArticleView, description = "made before"),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn draft(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let (article, new) = app.draft_article(&actor, super::number(&key)?).await?;
    Ok(one(if new { StatusCode::CREATED } else { StatusCode::OK }, article))
}

/// Read an article. Requesters read the public ones.
#[utoipa::path(get, path = "/api/v1/articles/{key}", tag = "knowledge", security(("token" = [])),
    params(("key" = String, Path, description = "such as `KB-7`")),
    responses((status = 200, body = WholeArticleView), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let (article, usefulness) = app.article(&actor, number(&key)?).await?;
    let etag = format!("\"{}\"", article.version);
    let article = ArticleView::new(article, crate::desk::permission::works_on_tickets(&actor));
    let whole = WholeArticleView { article, usefulness: usefulness.into() };
    Ok(([(header::ETAG, etag)], axum::Json(whole)).into_response())
}

/// Write another version of an article. For agents and admins.
#[utoipa::path(put, path = "/api/v1/articles/{key}", tag = "knowledge", security(("token" = [])),
    params(("key" = String, Path), ("If-Match" = String, Header, description = "ETags that you mean, or *")),
    request_body = ArticleBody,
    responses((status = 200, body = ArticleView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
pub async fn change(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    headers: HeaderMap,
    Json(body): Json<ArticleBody>,
) -> Result<Response, Problem> {
    let change = (Some(body.into()), None);
    Ok(one(StatusCode::OK, app.change_article(&actor, number(&key)?, &condition(&headers)?, change).await?))
}

/// The state that an article is to go to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArticleStateBody {
    /// `draft`, `internal`, `public` or `retired`.
    to: String,
}

/// Publish an article, take it back, or retire it. For agents and admins.
#[utoipa::path(post, path = "/api/v1/articles/{key}/state", tag = "knowledge", security(("token" = [])),
    params(("key" = String, Path), ("If-Match" = String, Header, description = "ETags that you mean, or *")),
    request_body = ArticleStateBody,
    responses((status = 200, body = ArticleView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub async fn publish(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    headers: HeaderMap,
    Json(body): Json<ArticleStateBody>,
) -> Result<Response, Problem> {
    let change = (None, Some(state(&body.to)?));
    Ok(one(StatusCode::OK, app.change_article(&actor, number(&key)?, &condition(&headers)?, change).await?))
}

/// Read the versions of an article, the latest first. For agents and admins.
#[utoipa::path(get, path = "/api/v1/articles/{key}/versions", tag = "knowledge", security(("token" = [])),
    params(("key" = String, Path), PageQuery),
    responses((status = 200, body = Vec<ArticleVersionView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn versions(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<ArticleVersionView>, Problem> {
    let limit = query.limit()?;
    let before = query.after.as_deref().map(|text| List::ArticleVersions.read_whole(text)).transpose()?;
    let found = app.article_versions(&actor, number(&key)?, before.map(|[version]| version), limit).await?;
    let next = found.next.map(|version| List::ArticleVersions.write([page::whole(version)]));
    Ok(Paged { items: found.items.into_iter().map(ArticleVersionView::from).collect(), next, limit })
}

/// The words that are looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArticleSearchQuery {
    /// Words, all of which an article has; beginnings are enough, case and accents do not matter.
    q: String,
    /// Only in this language, and those for any.
    language: Option<String>,
    /// 1 to 200; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Search the knowledge base, the best first.
#[utoipa::path(get, path = "/api/v1/articles/search", tag = "knowledge", security(("token" = [])),
    params(ArticleSearchQuery), responses((status = 200, body = Vec<FoundView>), (status = 400, body = Problem)))]
pub async fn search(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<ArticleSearchQuery>,
) -> Result<axum::Json<Vec<FoundView>>, Problem> {
    let limit = page::limit(query.limit, LIMIT)?;
    let found = app.search_articles(&actor, &query.q, query.language.as_deref(), limit).await?;
    Ok(axum::Json(found.into_iter().map(FoundView::from).collect()))
}

/// A submission that is not sent yet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestBody {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    body: String,
}

/// Find the articles that may answer a submission before it is sent: up to 5, the likest first.
#[utoipa::path(post, path = "/api/v1/articles/suggestions", tag = "knowledge", security(("token" = [])),
    request_body = SuggestBody, responses((status = 200, body = Vec<FoundView>)))]
pub async fn suggest(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<SuggestBody>,
) -> Result<axum::Json<Vec<FoundView>>, Problem> {
    let found = app.suggest_articles(&actor, &format!("{} {}", body.subject, body.body)).await?;
    Ok(axum::Json(found.into_iter().map(FoundView::from).collect()))
}

/// Whether an article helped.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteBody {
    helpful: bool,
}

/// Say whether an article helped; a later vote of yours replaces it.
#[utoipa::path(post, path = "/api/v1/articles/{key}/votes", tag = "knowledge", security(("token" = [])),
    params(("key" = String, Path)), request_body = VoteBody,
    responses((status = 200, body = UsefulnessView), (status = 404, body = Problem)))]
pub async fn vote(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Json(body): Json<VoteBody>,
) -> Result<axum::Json<UsefulnessView>, Problem> {
    Ok(axum::Json(app.vote(&actor, number(&key)?, body.helpful).await?.into()))
}

/// Say that an article solved it, so that no ticket was needed; counted once a day.
#[utoipa::path(post, path = "/api/v1/articles/{key}/deflections", tag = "knowledge", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = UsefulnessView), (status = 404, body = Problem)))]
pub async fn deflected(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<UsefulnessView>, Problem> {
    Ok(axum::Json(app.deflected(&actor, number(&key)?).await?.into()))
}
