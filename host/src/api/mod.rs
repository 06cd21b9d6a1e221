//! HTTP in JSON: every route and every layer on this screen. Handlers translate; the use cases are in `app`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::telemetry::MaybeTraces;

mod access;
pub mod admin;
pub mod http;
mod rules;
mod tables;
pub mod tickets;

use http::auth::{Door, OpensFor};
use http::fair::Fair;
use http::observe::Watch;
use http::problem::{Kind, Problem};
pub use http::server::serve;

/// What bounds requests.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub usual: Bounds,
    /// For a reference table that is put.
    pub table: Bounds,
    /// For a rule that is uploaded, which is larger and has to be compiled.
    pub upload: Bounds,
}

/// What bounds one kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub body_bytes_max: usize,
    pub request_timeout: Duration,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "RuleDesk",
        description = "An IT service desk whose decisions are made by WebAssembly components. \
                       Errors are `application/problem+json` (RFC 9457) with a stable `type`."
    ),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_with(Default::default).add_security_scheme("token", scheme);
    }
}

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(tickets::create, tickets::list::list))
        .routes(routes!(tickets::read, tickets::edits::edit))
        .routes(routes!(tickets::timeline))
        .routes(routes!(tickets::comment))
        .routes(routes!(tickets::transition))
        .routes(routes!(tickets::decisions))
        .routes(routes!(tickets::messages))
        .routes(routes!(tickets::explain::explain))
        .routes(routes!(access::awaiting))
        .routes(routes!(access::decide))
        .routes(routes!(access::grants))
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
        .routes(routes!(admin::config::priorities))
        .routes(routes!(admin::config::apps))
        .routes(routes!(admin::operations::healthz))
        .routes(routes!(admin::operations::readyz))
        .routes(routes!(admin::operations::metrics))
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
        .routes(routes!(admin::jobs::dead))
        .routes(routes!(admin::jobs::retry))
}

/// The routes whose requests are larger and take longer than others; for those who administer the desk.
fn uploads() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(rules::deploy::upload)).routes(routes!(tickets::dry_run::dry_run))
}

/// The routes that take a whole reference table; for those who administer the desk.
fn whole_tables() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(tables::put, tables::remove))
}

/// The OpenAPI 3.1 document, made from the handlers themselves.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().merge(administration()).merge(whole_tables()).merge(uploads()).split_for_parts().1
}

/// The whole interface; requests are traced where there is a place for traces.
pub fn router(app: Arc<App>, limits: Limits, traces: MaybeTraces) -> Router {
    let fair = Fair::default();
    let door = |opens_for| Door { app: Arc::clone(&app), fair: fair.clone(), opens_for };
    let administrators = || door(OpensFor::Administrators);
    let routes = bounded(routes(), limits.usual, door(OpensFor::All))
        .merge(bounded(administration(), limits.usual, administrators()))
        .merge(bounded(whole_tables(), limits.table, administrators()))
        .merge(bounded(uploads(), limits.upload, administrators()));
    let (router, document) = routes.split_for_parts();
    let document = document.to_json().unwrap_or_default();
    let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
    router
        .route("/openapi.json", get(async move || (json, document).into_response()))
        .fallback(async || Problem::new(Kind::NOT_FOUND, "no such path; see /openapi.json"))
        .method_not_allowed_fallback(async || Problem::new(Kind::NOT_ALLOWED, "see /openapi.json"))
        .with_state(Arc::clone(&app))
        // From the outermost in: an id for everything, then log, counts and trace, then each route's bounds.
        .layer(middleware::from_fn_with_state(Watch { app, traces }, http::observe::observe))
        .layer(middleware::from_fn(http::observe::identify))
}

fn bounded(routes: OpenApiRouter<Arc<App>>, bounds: Bounds, door: Door) -> OpenApiRouter<Arc<App>> {
    routes
        .route_layer(middleware::from_fn(http::address::check))
        .route_layer(DefaultBodyLimit::max(bounds.body_bytes_max))
        .route_layer(middleware::from_fn_with_state(bounds, bound_body))
        .route_layer(middleware::from_fn_with_state(door, http::auth::enter))
        .route_layer(middleware::from_fn_with_state(bounds, bound_time))
}

/// A body that says that it is too large is not kept.
async fn bound_body(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_none_or(|length| length <= bounds.body_bytes_max) {
        return next.run(request).await;
    }
    http::auth::drain(request.into_body()).await;
    Problem::too_large().into_response()
}

/// What was handed over to be written when the time ran out may be written yet.
const MAY_BE_DONE: &str = "it may have been done, or be done yet: look before you send it again, or send it again with the same \
                           Idempotency-Key";

/// A request that takes too long is answered; what it had begun to write is written or not, never half.
async fn bound_time(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(bounds.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Kind::TIMED_OUT, MAY_BE_DONE).into_response(),
    }
}

/// What a successful creation answers with.
const CREATED: StatusCode = StatusCode::CREATED;
