//! `/api/v1/access/reviews`: campaigns that ask whether access is still needed, and the word of those who are asked.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::CREATED;
use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::page::{List, PageQuery, Paged};
use crate::api::http::problem::{Kind, Problem};
use crate::api::tickets::views::GrantView;
use crate::app::App;
use crate::app::access::reviews::{Campaign, NewCampaign, Progress, Reviewed, Which};
use crate::desk::access::campaign::{Asks, ReviewAnswer, ReviewItem};
use crate::desk::id::{CampaignId, ReviewItemId};
use crate::desk::text::quoted;

/// A campaign to begin.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignBody {
    /// Up to 1,000 characters.
    name: String,
    /// The app whose access is reviewed. Default: all.
    #[serde(default)]
    app: Option<String>,
    /// Who is asked first: `owner` of the app, which is the default, or `manager` of the person.
    #[serde(default)]
    reviewers: Option<String>,
    /// The day by which access that nobody keeps is taken back.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
}

/// A campaign, and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignView {
    id: String,
    name: String,
    /// `null` for all apps.
    app: Option<String>,
    /// `owner` or `manager`.
    reviewers: &'static str,
    started_by: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    open: i64,
    kept: i64,
    revoked: i64,
    /// Taken back because no reviewer has kept it in time.
    lapsed: i64,
    /// Ended before anything was said.
    ended: i64,
    /// As they were: only their holders are left who could review them, and an administrator looks at them by other means.
    unasked: i64,
}

/// The review of one grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewItemView {
    id: String,
    /// `null` where the grant was given in an emergency.
    campaign: Option<String>,
    grant: GrantView,
    /// When the person has signed in last to the app; `null` where it does not say, or knows of none.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in: Option<Timestamp>,
    /// When the app was asked for that; `null` where it does not say.
    #[schema(value_type = Option<String>, format = DateTime)]
    sign_in_looked_at: Option<Timestamp>,
    reviewers: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// `keep`, `revoke`, `lapsed`, `ended` or `unasked`; `null` while it is open.
    verdict: Option<&'static str>,
    decided_by: Option<String>,
    /// The reviewers in whose place it was said.
    in_place_of: Vec<String>,
    reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
}

/// The word of a reviewer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    keep: bool,
    /// Needed where it is not kept; up to 1,000 characters.
    #[serde(default)]
    reason: String,
}

/// Which reviews.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReviewQuery {
    /// Those of a campaign, which is the evidence of it. For agents and admins.
    #[serde(default)]
    campaign: Option<String>,
    /// Whether those are meant of what was given in emergencies. For agents and admins.
    #[serde(default)]
    emergencies: bool,
    /// 1 to 200; 200 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    #[serde(default)]
    limit: Option<i64>,
    /// The place after which the page begins, as the page before gives it.
    #[serde(default)]
    after: Option<String>,
}

impl From<(Campaign, Progress)> for CampaignView {
    fn from((campaign, progress): (Campaign, Progress)) -> Self {
        CampaignView {
            id: campaign.id.to_string(),
            name: campaign.name,
            app: campaign.app.map(|app| app.to_string()),
            reviewers: campaign.asks.code(),
            started_by: campaign.started_by,
            started_at: campaign.started_at,
            due_at: campaign.due_at,
            open: progress.open,
            kept: progress.kept,
            revoked: progress.revoked,
            lapsed: progress.lapsed,
            ended: progress.ended,
            unasked: progress.unasked,
        }
    }
}

impl From<Reviewed> for ReviewItemView {
    fn from((item, grant, sign_in): Reviewed) -> Self {
        let effective = !grant.has_ended(item.asked_at);
        let answer = item.answer;
        ReviewItemView {
            id: item.id.to_string(),
            campaign: item.campaign.map(|campaign| campaign.to_string()),
            grant: GrantView::new((grant, effective)),
            last_sign_in: sign_in.and_then(|sign_in| sign_in.last),
            sign_in_looked_at: sign_in.map(|sign_in| sign_in.looked_at),
            reviewers: item.reviewers.iter().map(ToString::to_string).collect(),
            asked_at: item.asked_at,
            due_at: item.due_at,
            verdict: answer.as_ref().map(|answer| answer.verdict.code()),
            decided_by: answer.as_ref().and_then(|answer| answer.by.as_ref()).map(ToString::to_string),
            in_place_of: places(answer.as_ref()),
            reason: answer.as_ref().map(|answer| answer.reason.clone()),
            decided_at: answer.map(|answer| answer.at),
        }
    }
}

impl CampaignBody {
    fn read(self) -> Result<NewCampaign, Problem> {
        let asks = self.reviewers.as_deref().unwrap_or(Asks::Owner.code());
        let asks =
            Asks::from_code(asks).ok_or_else(|| Problem::new(Kind::BAD_BODY, "`reviewers` is `owner` or `manager`"))?;
        Ok(NewCampaign { name: self.name, app: self.app, asks, due_at: self.due_at })
    }
}

impl ReviewQuery {
    fn which(&self, caller: &Caller) -> Result<Which, Problem> {
        let bad = |text: &str| Problem::bad_query(format!("`campaign`: {} is no id: it is a UUID", quoted(text)));
        match (&self.campaign, self.emergencies) {
            (Some(text), _) => Ok(Which::Campaign(text.parse::<CampaignId>().map_err(|_| bad(text))?)),
            (None, true) => Ok(Which::Emergencies),
            (None, false) => {
                let own = caller.0.person().map(|person| Which::Awaiting(vec![person.clone()]));
                own.ok_or_else(|| Problem::bad_query("name a `campaign`: no reviews wait for a token without a person"))
            }
        }
    }

    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, after: self.after.clone() }
    }
}

/// Begin a campaign of access reviews. For admins. What is in an open review already is left to that.
#[utoipa::path(post, path = "/api/v1/access/reviews", tag = "access", security(("token" = [])), request_body = CampaignBody,
    responses((status = 201, body = CampaignView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn start(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<CampaignBody>,
) -> Result<(StatusCode, axum::Json<CampaignView>), Problem> {
    let started = app.start_campaign(&actor, body.read()?).await?;
    Ok((CREATED, axum::Json(started.into())))
}

/// List the campaigns of access reviews, newest first, up to 200. For agents and admins.
#[utoipa::path(get, path = "/api/v1/access/reviews", tag = "access", security(("token" = [])),
    responses((status = 200, body = Vec<CampaignView>), (status = 403, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<axum::Json<Vec<CampaignView>>, Problem> {
    Ok(axum::Json(app.campaigns(&actor).await?.into_iter().map(CampaignView::from).collect()))
}

/// List the reviews that wait for your word; or those of a campaign, with their ends.
#[utoipa::path(get, path = "/api/v1/access/review-items", tag = "access", security(("token" = [])), params(ReviewQuery),
    responses((status = 200, body = Vec<ReviewItemView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 403, body = Problem)))]
pub async fn items(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ReviewQuery>,
) -> Result<Paged<ReviewItemView>, Problem> {
    let (which, page) = (query.which(&caller)?, query.page());
    let limit = page.limit()?;
    let after = List::Reviews.place(page.after.as_deref())?;
    let found = app.reviews(&caller.0, &which, after.map(|[id]| ReviewItemId(Uuid::from_u128(id))), limit).await?;
    let next = found.next.map(|id| List::Reviews.write([id.0.as_u128()]));
    Ok(Paged { items: found.items.into_iter().map(ReviewItemView::from).collect(), next, limit })
}

/// Say whether access is still needed. What is not kept is taken back at once.
#[utoipa::path(post, path = "/api/v1/access/review-items/{id}/answer", tag = "access", security(("token" = [])),
    params(("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = AnswerBody,
    responses((status = 200, body = AnsweredView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn answer(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<AnswerBody>,
) -> Result<axum::Json<AnsweredView>, Problem> {
    let key = key_of(&headers, &format!("review {id}"), &body)?;
    let missing = || Problem::new(Kind::NOT_FOUND, format!("there is no review {}: its id is a UUID", quoted(&id)));
    let item = id.parse().map_err(|_| missing())?;
    Ok(axum::Json(app.answer_review(&actor, item, (body.keep, body.reason), key).await?.into()))
}

/// A review after its answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnsweredView {
    id: String,
    grant: String,
    verdict: Option<&'static str>,
    decided_by: Option<String>,
    /// The reviewers in whose place it was said.
    in_place_of: Vec<String>,
    reason: Option<String>,
}

fn places(answer: Option<&ReviewAnswer>) -> Vec<String> {
    answer.into_iter().flat_map(|answer| &answer.in_place_of).map(ToString::to_string).collect()
}

impl From<ReviewItem> for AnsweredView {
    fn from(item: ReviewItem) -> Self {
        let answer = item.answer;
        AnsweredView {
            id: item.id.to_string(),
            grant: item.grant.to_string(),
            verdict: answer.as_ref().map(|answer| answer.verdict.code()),
            decided_by: answer.as_ref().and_then(|answer| answer.by.as_ref()).map(ToString::to_string),
            in_place_of: places(answer.as_ref()),
            reason: answer.map(|answer| answer.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::actor::Actor;

    #[test]
    fn a_token_without_a_person_is_asked_for_a_campaign() {
        let wanted = ReviewQuery::default().which(&Caller(Actor::System));
        assert!(wanted.is_err_and(|problem| problem.detail().starts_with("name a `campaign`")));
    }
}
