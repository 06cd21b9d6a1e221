//! `/api/v1/access`: who has access to what and why, and the story of one grant.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extend::grant_id;
use super::orders::OrderView;
use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::page::{List, PageQuery, Paged};
use crate::api::http::problem::Problem;
use crate::api::tickets::views::GrantView;
use crate::app::App;
use crate::app::access::decide::ListedGrant;
use crate::app::access::questions::{About, During, Evidence, Said, SignIn, StoredEvent, Story, UNUSED_DAYS_MAX};
use crate::desk::access::Grant;
use crate::desk::id::{AppId, GrantId, NotAnId};

/// Which access, and when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhoQuery {
    app: Option<String>,
    person: Option<String>,
    /// The instant that is asked about (RFC 3339); now where nothing is said.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// An instant before: also what was held since then and had ended at the other.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 200 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

impl WhoQuery {
    /// The time that is asked about: an instant, or all since another.
    fn during(&self, now: Timestamp) -> During {
        let until = self.at.unwrap_or(now);
        During { from: self.since.map_or(until, |since| since.min(until)), until }
    }
}

/// Access that was held, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceView {
    pub grant: GrantView,
    /// The tier that the person keeps by default, where the grant is over; `null` for what is held by the grant.
    pub stays: Option<String>,
    /// The ticket that gave it.
    pub ticket: String,
    pub requester: Option<String>,
    pub submitted_by: Option<String>,
    pub justification: Option<String>,
    /// The reason of the rules.
    pub policy: Option<String>,
    /// The approvers' words; none where the policy approved by itself.
    pub decisions: Vec<ApprovalView>,
}

/// An approver's word.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalView {
    approver: String,
    /// Those who let the approver decide for them; none where the approver was asked as well.
    in_place_of: Vec<String>,
    approve: bool,
    reason: String,
    /// Counts from 1.
    step: usize,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// An event of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    event: String,
    /// The event's facts, by name.
    detail: serde_json::Value,
}

/// All that is known of a grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoryView {
    evidence: EvidenceView,
    ledger: Vec<LedgerView>,
    orders: Vec<OrderView>,
    /// All that its person holds in the app, as it was read back there last.
    holds: Vec<HoldsView>,
}

/// Something that a person holds in an app.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldsView {
    entitlement: String,
    /// Whether it was there before any grant.
    preexisting: bool,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// List the access that is or was held, and why: to an app, by a person, or all. For agents and admins; about yourself; about an
/// app that you answer for.
#[utoipa::path(get, path = "/api/v1/access", tag = "access", security(("token" = [])), params(WhoQuery),
    responses((status = 200, body = Vec<EvidenceView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem), (status = 403, body = Problem)))]
pub async fn who(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<WhoQuery>,
) -> Result<Paged<EvidenceView>, Problem> {
    let (about, now) = (about(&query)?, app.clock.now());
    let limit = PageQuery { after: None, limit: query.limit }.limit()?;
    let after = List::Held.place(query.after.as_deref())?;
    let after = after.map(|[id]| GrantId(Uuid::from_u128(id)));
    let page = app.who_holds(&actor, &about, query.during(now), after, limit).await?;
    let next = page.next.map(|id| List::Held.write([id.0.as_u128()]));
    let organisation = app.organisation();
    let view = |found: Evidence| EvidenceView::new(found.grant.gives_access(&organisation, now), found);
    Ok(Paged { items: page.items.into_iter().map(view).collect(), next, limit })
}

/// For how long access is not used.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UnusedQuery {
    /// Only to this app.
    app: Option<String>,
    /// 1 to 3,650; 90 where nothing is said.
    #[param(minimum = 1, maximum = 3650)]
    days: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 200 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Access that is held and not used.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnusedView {
    grant: GrantView,
    /// When the person has signed in last; `null` where the app knows of no time.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in: Option<Timestamp>,
    /// When the app was asked for that.
    #[schema(value_type = String, format = DateTime)]
    looked_at: Timestamp,
}

/// List the access that is held and was not used for so many days, in apps that say when people sign in (`last-sign-in` of their
/// connector). Nothing is taken back. For agents and admins; about an app that you answer for.
#[utoipa::path(get, path = "/api/v1/access/unused", tag = "access", security(("token" = [])), params(UnusedQuery),
    responses((status = 200, body = Vec<UnusedView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem), (status = 403, body = Problem)))]
pub async fn unused(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<UnusedQuery>,
) -> Result<Paged<UnusedView>, Problem> {
    let (limit, after) = query.page()?;
    let (of, days) = query.read()?;
    let page = app.unused(&actor, (of.as_ref(), days), after, limit).await?;
    let next = page.next.map(|id| List::Unused.write([id.0.as_u128()]));
    let (organisation, now) = (app.organisation(), app.clock.now());
    let view =
        |(grant, sign_in): (Grant, SignIn)| UnusedView::new(grant.gives_access(&organisation, now), grant, sign_in);
    Ok(Paged { items: page.items.into_iter().map(view).collect(), next, limit })
}

impl UnusedView {
    fn new(effective: bool, grant: Grant, sign_in: SignIn) -> Self {
        let grant = GrantView::new((grant, effective));
        UnusedView { grant, last_sign_in: sign_in.last, looked_at: sign_in.looked_at }
    }
}

impl UnusedQuery {
    fn page(&self) -> Result<(usize, Option<GrantId>), Problem> {
        let limit = PageQuery { after: None, limit: self.limit }.limit()?;
        let after = List::Unused.place(self.after.as_deref())?;
        Ok((limit, after.map(|[id]| GrantId(Uuid::from_u128(id)))))
    }

    fn read(&self) -> Result<(Option<AppId>, u16), Problem> {
        let wrong = |why: NotAnId| Problem::bad_query(format!("`app`: {why}"));
        let app = self.app.as_deref().map(|app| app.parse().map_err(wrong)).transpose()?;
        let days = self.days.unwrap_or(90);
        if !(1..=UNUSED_DAYS_MAX).contains(&days) {
            return Err(Problem::bad_query(format!("`days` is 1 to {UNUSED_DAYS_MAX}")));
        }
        Ok((app, days))
    }
}

fn about(query: &WhoQuery) -> Result<About, Problem> {
    let wrong = |name: &str, why: NotAnId| Problem::bad_query(format!("`{name}`: {why}"));
    match (&query.app, &query.person) {
        (Some(app), None) => app.parse().map(About::App).map_err(|why| wrong("app", why)),
        (None, Some(person)) => person.parse().map(About::Person).map_err(|why| wrong("person", why)),
        (None, None) => Ok(About::All),
        (Some(_), Some(_)) => Err(Problem::bad_query("ask about an app or about a person, not about both")),
    }
}

/// Read the story of a grant: who asked, what the policy said, who approved, what was sent to the app and what came back, and when
/// and why it ended.
#[utoipa::path(get, path = "/api/v1/grants/{id}", tag = "access", security(("token" = [])),
    params(("id" = String, Path)), responses((status = 200, body = StoryView), (status = 404, body = Problem)))]
pub async fn story(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<StoryView>, Problem> {
    let story = app.story_of_grant(&actor, grant_id(&id)?).await?;
    let effective = story.evidence.grant.gives_access(&app.organisation(), app.clock.now());
    Ok(axum::Json(StoryView::new(effective, story)))
}

impl StoryView {
    fn new(effective: bool, story: Story) -> Self {
        let Story { evidence, events, ops, holdings } = story;
        let holds = holdings.into_iter().map(|holding| HoldsView {
            entitlement: holding.entitlement.to_string(),
            preexisting: holding.preexisting,
            since: holding.since,
        });
        StoryView {
            evidence: EvidenceView::new(effective, evidence),
            ledger: events.into_iter().map(LedgerView::from).collect(),
            orders: ops.into_iter().map(OrderView::from).collect(),
            holds: holds.collect(),
        }
    }
}

impl EvidenceView {
    fn new(effective: bool, found: Evidence) -> Self {
        let Evidence { grant, damaged, ticket, case, stays } = found;
        let decisions = case.iter().flat_map(|case| &case.decisions).map(|decision| ApprovalView {
            approver: decision.approver.to_string(),
            in_place_of: decision.in_place_of.iter().map(ToString::to_string).collect(),
            approve: decision.approve,
            reason: decision.reason.clone(),
            step: decision.step + 1,
            at: decision.at,
        });
        EvidenceView {
            decisions: decisions.collect(),
            grant: GrantView::listed((ListedGrant { grant, damaged }, effective)),
            stays: stays.map(|tier| tier.to_string()),
            ticket: ticket.to_string(),
            requester: case.as_ref().map(|case| case.requester.to_string()),
            submitted_by: case.as_ref().map(|case| case.submitted_by.to_string()),
            justification: case.as_ref().map(|case| case.request.justification.clone()),
            policy: case.map(|case| case.reason),
        }
    }
}

impl From<StoredEvent> for LedgerView {
    fn from(event: StoredEvent) -> Self {
        let (code, detail) = match event.said {
            Said::Event(said) => (said.code().to_owned(), crate::app::access::questions::facts(&said)),
            Said::Sentence { event, detail } => (event, detail.into()),
        };
        LedgerView { at: event.at, event: code, detail }
    }
}
