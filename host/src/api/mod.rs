//! HTTP in JSON: every route and every layer of it. Handlers translate; the use cases are in `app`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::desk::organisation::directory::EntryKind;
use crate::desk::permission;
use crate::telemetry::MaybeTraces;

pub mod access;
pub mod admin;
mod attachments;
pub mod document;
pub mod http;
mod messages;
pub(crate) mod rules;
mod scim;
mod tables;
pub mod tickets;

use http::auth::{Door, OpensFor};
use http::body::incoming::{Patience, attend};
use http::fair::Fair;
pub use http::fair::rates::Most;
use http::fair::rates::Rates;
use http::observe::Watch;
use http::problem::{Kind, Problem};
pub use http::server::{Clients, serve};

/// The bounds of requests.
#[derive(Debug, Clone)]
pub struct Limits {
    pub usual: Bounds,
    /// For an upload of a reference table.
    pub table: Bounds,
    /// For an upload of a rule, which is larger and has to be compiled.
    pub upload: Bounds,
    /// For an upload of an attachment.
    pub attachment: Bounds,
    /// How many requests may come from a person and an address.
    pub most: Most,
    /// Who may read `/metrics`.
    pub metrics: MetricsFor,
    /// Whether only requests are answered that name a loopback host. Otherwise a page of another site, whose name resolves to this
    /// machine, could send requests with the demo's tokens, which are public (DNS rebinding).
    pub loopback_only: bool,
}

/// Those who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFor {
    All,
    /// Agents and admins.
    Staff,
    /// No one at this address: metrics have an address of their own.
    Elsewhere,
}

/// The bounds of one kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub body_bytes_max: usize,
    pub request_timeout: Duration,
}

/// The routes of tickets, of what is known about them, and of reports.
fn tickets() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(tickets::create, tickets::list::list))
        .routes(routes!(tickets::read))
        .routes(routes!(tickets::timeline))
        .routes(routes!(tickets::comment))
        .routes(routes!(tickets::transition))
        .routes(routes!(tickets::lifecycle::resolutions))
        .routes(routes!(tickets::lifecycle::promises))
        .routes(routes!(tickets::lifecycle::days::parts))
        .routes(routes!(tickets::lifecycle::escalate))
        .routes(routes!(tickets::links::links))
        .routes(routes!(tickets::links::merge))
        .routes(routes!(tickets::links::follow_up))
        .routes(routes!(tickets::search::search))
        .routes(routes!(tickets::search::views::list))
        .routes(routes!(tickets::search::views::read))
        .routes(routes!(tickets::search::views::tickets))
        .routes(routes!(tickets::search::views::count))
        .routes(routes!(tickets::lifecycle::watchers::watchers))
        .routes(routes!(tickets::lifecycle::watchers::watched))
        .routes(routes!(tickets::lifecycle::survey::read))
        .routes(routes!(tickets::lifecycle::outages::list))
        .routes(routes!(tickets::lifecycle::drafts::list))
        .routes(routes!(tickets::lifecycle::events::promises))
        .routes(routes!(tickets::lifecycle::events::handovers))
        .routes(routes!(tickets::lifecycle::time::read))
        .routes(routes!(admin::reports::read))
        .routes(routes!(tickets::bulk::step))
        .routes(routes!(tickets::bulk::macros))
        .routes(routes!(tickets::bulk::canned_replies))
        .routes(routes!(tickets::bulk::tasks))
        .routes(routes!(tickets::knowledge::list))
        .routes(routes!(tickets::knowledge::search))
        .routes(routes!(tickets::knowledge::read))
        .routes(routes!(tickets::knowledge::versions))
        .routes(routes!(tickets::decisions))
        .routes(routes!(tickets::messages))
        .routes(routes!(attachments::list))
        .routes(routes!(attachments::read))
        .routes(routes!(attachments::content))
        .routes(routes!(tickets::explain::explain))
}

fn routes() -> OpenApiRouter<Arc<App>> {
    tickets()
        .routes(routes!(messages::preferences::read))
        .routes(routes!(messages::events::watch))
        .routes(routes!(messages::webhooks::list))
        .routes(routes!(messages::webhooks::deliveries))
        .routes(routes!(access::awaiting))
        .routes(routes!(access::decide))
        .routes(routes!(access::grants))
        .routes(routes!(access::extend::extend))
        .routes(routes!(access::catalog::catalog))
        .routes(routes!(access::catalog::app_role))
        .routes(routes!(access::catalog::desk_role))
        .routes(routes!(access::orders::list))
        .routes(routes!(access::orders::runs))
        .routes(routes!(access::questions::who))
        .routes(routes!(access::questions::unused))
        .routes(routes!(access::questions::story))
        .routes(routes!(access::view::view))
        .routes(routes!(access::view::ask_back))
        .routes(routes!(access::view::answer_back))
        .routes(routes!(access::offboard::offboarding))
        .routes(routes!(access::reviews::list))
        .routes(routes!(access::reviews::items))
        .routes(routes!(access::reviews::answer))
        .routes(routes!(access::brake::read))
        .routes(routes!(access::submissions::submit))
        .routes(routes!(access::submissions::read))
        .routes(routes!(access::policy::reassess))
        .routes(routes!(access::policy::at))
        .routes(routes!(access::findings::list))
        .routes(routes!(tickets::edits::revoke))
        .routes(routes!(rules::list))
        .routes(routes!(tables::list))
        .routes(routes!(tables::read))
        .routes(routes!(tables::history))
        .routes(routes!(tables::version))
        .routes(routes!(tables::compare))
        .routes(routes!(rules::stats::read))
        .routes(routes!(rules::versions::list))
        .routes(routes!(rules::versions::diff))
        .routes(routes!(rules::versions::read))
        .routes(routes!(rules::versions::component))
        .routes(routes!(rules::versions::manifest))
        .routes(routes!(rules::versions::signature))
        .routes(routes!(rules::deployments::events))
        .routes(routes!(admin::config::request_types))
        .routes(routes!(admin::config::categories))
        .routes(routes!(admin::config::teams))
        .routes(routes!(admin::config::unknown_teams))
        .routes(routes!(admin::config::priorities))
        .routes(routes!(admin::config::apps))
        .routes(routes!(admin::schedules::list))
        .routes(routes!(admin::schedules::runs))
        .routes(routes!(admin::published::list))
        .routes(routes!(admin::published::versions))
        .routes(routes!(admin::published::version))
        .routes(routes!(admin::operations::healthz))
        .routes(routes!(admin::operations::readyz))
}

/// The routes of those who write articles.
fn articles() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(tickets::knowledge::add))
        .routes(routes!(tickets::knowledge::change))
        .routes(routes!(tickets::knowledge::publish))
}

/// Writes for everyone that may be sent twice without harm, or whose answer says that they were done before.
fn repeatable() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(tickets::search::views::keep, tickets::search::views::remove))
        .routes(routes!(tickets::lifecycle::watchers::watch, tickets::lifecycle::watchers::unwatch))
        .routes(routes!(tickets::lifecycle::survey::answer))
        .routes(routes!(
            tickets::lifecycle::drafts::show,
            tickets::lifecycle::drafts::keep,
            tickets::lifecycle::drafts::forget
        ))
        .routes(routes!(tickets::lifecycle::drafts::submit))
        .routes(routes!(tickets::knowledge::draft))
        .routes(routes!(tickets::knowledge::suggest))
        .routes(routes!(tickets::knowledge::vote))
        .routes(routes!(tickets::knowledge::deflected))
        .routes(routes!(messages::preferences::put))
        .routes(routes!(access::view::delegations::list, access::view::delegations::add))
        .routes(routes!(access::view::delegations::end))
        .routes(routes!(access::orders::attest))
        .routes(routes!(access::orders::answer))
}

/// The routes of those who work on the tickets of others.
fn work() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(tickets::edits::edit))
        .routes(routes!(tickets::links::link))
        .routes(routes!(tickets::links::unlink))
        .routes(routes!(tickets::links::split))
        .routes(routes!(tickets::lifecycle::time::spend))
        .routes(routes!(tickets::bulk::add_task))
        .routes(routes!(tickets::bulk::mark_task))
        .routes(routes!(tickets::bulk::bulk))
}

/// Writes of the same people that may be sent twice without harm.
fn repeatable_work() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(tickets::lifecycle::outages::declare, tickets::lifecycle::outages::end))
        .routes(routes!(tickets::lifecycle::days::put))
}

/// The routes of the company's identity provider: SCIM, which describes itself.
fn directory() -> OpenApiRouter<Arc<App>> {
    const BOTH: &[EntryKind] = &[EntryKind::User, EntryKind::Group];
    let ([types, one_type], [schemas, one_schema]) = (scim::resource_types(), scim::schemas());
    OpenApiRouter::new()
        .route("/scim/v2/ServiceProviderConfig", scim::features())
        .route("/scim/v2/ResourceTypes", types)
        .route("/scim/v2/ResourceTypes/{id}", one_type)
        .route("/scim/v2/Schemas", schemas)
        .route("/scim/v2/Schemas/{id}", one_schema)
        .route("/scim/v2/.search", scim::search_of(BOTH))
        .route("/scim/v2/Users/.search", scim::search_of(&[EntryKind::User]))
        .route("/scim/v2/Groups/.search", scim::search_of(&[EntryKind::Group]))
        .route("/scim/v2/Users", scim::all_of(EntryKind::User))
        .route("/scim/v2/Users/{id}", scim::one_of(EntryKind::User))
        .route("/scim/v2/Groups", scim::all_of(EntryKind::Group))
        .route("/scim/v2/Groups/{id}", scim::one_of(EntryKind::Group))
        .route("/scim/v2/{*rest}", scim::missing())
}

/// The routes of those who administer the desk.
fn administration() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(rules::reload))
        .routes(routes!(tables::roll_back))
        .routes(routes!(tables::approve))
        .routes(routes!(rules::deployments::promote))
        .routes(routes!(rules::deployments::demote))
        .routes(routes!(rules::deployments::approve))
        .routes(routes!(rules::deployments::rollback))
        .routes(routes!(rules::deployments::suspend))
        .routes(routes!(rules::deployments::resume))
        .routes(routes!(rules::deployments::retire))
        .routes(routes!(admin::config::reload))
        .routes(routes!(admin::schedules::step))
        .routes(routes!(admin::people::export))
        .routes(routes!(admin::people::erase))
        .routes(routes!(access::reviews::start))
        .routes(routes!(access::brake::resume))
        .routes(routes!(access::findings::settle))
        .routes(routes!(admin::published::roll_back))
        .routes(routes!(admin::jobs::dead))
        .routes(routes!(admin::jobs::retry))
        .routes(routes!(messages::webhooks::enable))
        .routes(routes!(messages::webhooks::pause))
        .routes(routes!(messages::webhooks::make_secret))
        .routes(routes!(messages::webhooks::replay))
        .routes(routes!(messages::webhooks::replay_one))
}

/// The routes whose requests are larger and take longer than others; for those who administer the desk.
fn uploads() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(rules::deploy::upload))
        .routes(routes!(tickets::dry_run::dry_run))
        .routes(routes!(access::policy::backtest))
}

/// The routes that take a file, which may take as long as its sender's line needs.
fn files() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(attachments::upload))
        .routes(routes!(attachments::attach))
        .routes(routes!(messages::mail::deliver))
}

/// The routes that take a whole reference table; for those who administer the desk.
fn whole_tables() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(tables::put, tables::remove))
        .routes(routes!(admin::published::publish))
        .routes(routes!(admin::published::check))
        .routes(routes!(admin::published::draft, admin::published::keep_draft, admin::published::drop_draft))
}

/// All routes as the handlers describe them.
fn described() -> utoipa::openapi::OpenApi {
    let metrics = OpenApiRouter::new().routes(routes!(admin::operations::metrics));
    let routes = routes().merge(articles()).merge(repeatable()).merge(work()).merge(administration());
    routes
        .merge(repeatable_work())
        .merge(whole_tables())
        .merge(uploads())
        .merge(files())
        .merge(metrics)
        .split_for_parts()
        .1
}

/// Pages for people, which another room makes: here their requests get an id and the bounds of all others.
pub struct Pages {
    pub routes: Router,
    /// Routes whose requests are larger and take longer.
    pub uploads: Router,
    /// The answer to a browser that asks for what is not there.
    pub missing: Router,
}

impl Pages {
    fn bounded(self, app: &Arc<App>, (usual, upload): (Bounds, Bounds), rates: &Rates) -> Router {
        let bound = |routes: Router, bounds: Bounds| {
            let patience = Patience { request_timeout: bounds.request_timeout, takes_keys: true };
            routes
                .route_layer(middleware::from_fn(http::address::check))
                .route_layer(DefaultBodyLimit::max(bounds.body_bytes_max))
                .route_layer(middleware::from_fn_with_state(bounds, bound_body))
                .route_layer(middleware::from_fn_with_state((Arc::clone(app), rates.clone()), http::auth::pass))
                .route_layer(middleware::from_fn_with_state(patience, attend))
        };
        bound(self.routes, usual).merge(bound(self.uploads, upload))
    }
}

/// The answer to who asks for what is not there: a page for a browser, a problem for a program.
async fn not_found(page: Option<Router>, request: Request) -> Response {
    let accepts = http::headers::header_text(request.headers(), ACCEPT);
    match page.filter(|_| accepts.is_some_and(|accepts| accepts.contains("text/html"))) {
        Some(page) => match page.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        None => Problem::new(Kind::NOT_FOUND, "no such path; see /openapi.json").into_response(),
    }
}

/// The whole interface, with pages where there are any; requests are traced where there is a place for traces.
pub fn router(app: Arc<App>, limits: Limits, traces: MaybeTraces, pages: Option<Pages>) -> Router {
    let fair = Fair::default();
    let rates = Rates::new(limits.most);
    let door = |opens_for| Door { app: Arc::clone(&app), fair: fair.clone(), rates: rates.clone(), opens_for };
    let administrators = OpensFor::Only(|actor| permission::administer(actor).map(drop));
    let authors = OpensFor::Only(|actor| permission::write_knowledge(actor).map(drop));
    let agents = OpensFor::Only(|actor| permission::edit_tickets(actor).map(drop));
    let without_keys = |routes, bounds, opens_for| bounded(keyless(routes), bounds, door(opens_for), false);
    let with_keys = |routes, bounds, opens_for| bounded(routes, bounds, door(opens_for), true);
    let routes = with_keys(routes(), limits.usual, OpensFor::All)
        .merge(without_keys(directory(), limits.usual, OpensFor::All))
        .merge(with_keys(work(), limits.usual, agents))
        .merge(without_keys(repeatable_work(), limits.usual, agents))
        .merge(without_keys(articles(), limits.usual, authors))
        .merge(without_keys(repeatable(), limits.usual, OpensFor::All))
        .merge(without_keys(administration(), limits.usual, administrators))
        .merge(without_keys(whole_tables(), limits.table, administrators))
        .merge(without_keys(uploads(), limits.upload, administrators));
    let routes = routes.merge(without_keys(files(), limits.attachment, OpensFor::All));
    let metrics = match limits.metrics {
        MetricsFor::All => routes!(admin::operations::metrics),
        MetricsFor::Staff => routes!(admin::operations::metrics_for_staff),
        MetricsFor::Elsewhere => routes!(admin::operations::no_metrics),
    };
    let routes = routes.merge(with_keys(OpenApiRouter::new().routes(metrics), limits.usual, OpensFor::All));
    let (router, _) = routes.split_for_parts();
    // Each answer shares these bytes.
    let document = axum::body::Bytes::from(document::text());
    let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
    let missing = pages.as_ref().map(|pages| {
        let state = (Arc::clone(&app), rates.clone());
        pages.missing.clone().layer(middleware::from_fn_with_state(state, http::auth::pass))
    });
    let not_found = move |request: Request| not_found(missing.clone(), request);
    let router = router
        .route("/openapi.json", get(async move || (json, document).into_response()))
        .merge(problems())
        .fallback(not_found)
        .method_not_allowed_fallback(async || Problem::new(Kind::NOT_ALLOWED, "see /openapi.json"))
        .with_state(Arc::clone(&app));
    let router = match pages {
        Some(pages) => router.merge(pages.bounded(&app, (limits.usual, limits.upload), &rates)),
        None => router,
    };
    let router =
        if limits.loopback_only { router.layer(middleware::from_fn(http::address::loopback_only)) } else { router };
    router
        // From the outermost in: an id for everything, then log, counts and trace, then each route's bounds.
        .layer(middleware::from_fn(http::address::unambiguous))
        .layer(middleware::from_fn_with_state(Watch { app, traces }, http::observe::observe))
        .layer(middleware::from_fn(http::observe::identify))
}

/// Each `type` leads to what it means (RFC 9457, section 3.1.1), for everybody: the answer that has one may be about a token.
fn problems<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(http::problem::LIST, get(http::problem::explain_all))
        .route("/problems/{kind}", get(http::problem::explain))
}

/// The routes at an address of their own, for those who look after the desk: counts, and whether it is well.
pub fn operations(app: Arc<App>) -> Router {
    let routes = OpenApiRouter::new()
        .routes(routes!(admin::operations::healthz))
        .routes(routes!(admin::operations::readyz))
        .routes(routes!(admin::operations::metrics));
    let (router, _) = routes.split_for_parts();
    let router = router.merge(problems());
    router.fallback(async || Problem::new(Kind::NOT_FOUND, "no such path here")).with_state(app)
}

/// Routes whose writes honour no `Idempotency-Key`: one is refused.
fn keyless(routes: OpenApiRouter<Arc<App>>) -> OpenApiRouter<Arc<App>> {
    routes.route_layer(middleware::from_fn(http::headers::key::refuse))
}

fn bounded(routes: OpenApiRouter<Arc<App>>, bounds: Bounds, door: Door, takes_keys: bool) -> OpenApiRouter<Arc<App>> {
    let patience = Patience { request_timeout: bounds.request_timeout, takes_keys };
    let described = serde_json::to_value(routes.get_openapi()).unwrap_or_default();
    let without_query = Arc::new(http::address::without_query(&described));
    let looked_at = Arc::new(http::headers::condition::looked_at(&described));
    routes
        .route_layer(middleware::from_fn(http::page::link_next))
        .route_layer(middleware::from_fn_with_state(looked_at, http::headers::condition::refuse))
        .route_layer(middleware::from_fn_with_state(without_query, http::address::takes))
        .route_layer(middleware::from_fn(http::address::check))
        .route_layer(DefaultBodyLimit::max(bounds.body_bytes_max))
        .route_layer(middleware::from_fn_with_state(bounds, bound_body))
        .route_layer(middleware::from_fn_with_state(door, http::auth::enter))
        .route_layer(middleware::from_fn_with_state(patience, attend))
}

fn fits(headers: &HeaderMap, bounds: Bounds) -> Result<(), Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > bounds.body_bytes_max) {
        return Err(Problem::too_large());
    }
    let is_other = |name, as_it_is: &[u8]| {
        headers.get_all(name).iter().any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(as_it_is))
    };
    // A chunked body is taken; one with a compressing transfer coding is refused (RFC 9112, 6.1).
    if is_other(CONTENT_ENCODING, b"identity") || is_other(TRANSFER_ENCODING, b"chunked") {
        Err(Problem::new(Kind::ENCODED, "send the body as it is, not compressed"))
    } else {
        Ok(())
    }
}

/// Refuses a body whose headers say that it is too large or compressed.
async fn bound_body(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    if let Err(problem) = fits(request.headers(), bounds) {
        return problem.into_response();
    }
    next.run(request).await
}

/// What a successful creation answers with.
const CREATED: StatusCode = StatusCode::CREATED;
