//! HTTP in JSON: every route and every layer on this screen. Handlers translate; the use cases are in `app`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_body_util::BodyExt;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

mod access;
mod auth;
mod config;
mod deploy;
mod deployments;
mod error;
mod json;
mod operations;
pub mod page;
pub mod problem;
mod rules;
mod tickets;
mod upload;
mod views;

use problem::{Kind, Problem};

/// What bounds requests.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub usual: Bounds,
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
        .routes(routes!(tickets::create, tickets::list))
        .routes(routes!(tickets::read))
        .routes(routes!(tickets::timeline))
        .routes(routes!(tickets::comment))
        .routes(routes!(tickets::transition))
        .routes(routes!(tickets::decisions))
        .routes(routes!(tickets::messages))
        .routes(routes!(access::awaiting))
        .routes(routes!(access::decide))
        .routes(routes!(access::grants))
        .routes(routes!(rules::list))
        .routes(routes!(rules::reload))
        .routes(routes!(deployments::promote))
        .routes(routes!(deployments::demote))
        .routes(routes!(deployments::approve))
        .routes(routes!(deployments::rollback))
        .routes(routes!(deployments::suspend))
        .routes(routes!(deployments::resume))
        .routes(routes!(deployments::retire))
        .routes(routes!(deployments::events))
        .routes(routes!(config::request_types))
        .routes(routes!(config::categories))
        .routes(routes!(config::teams))
        .routes(routes!(config::priorities))
        .routes(routes!(config::apps))
        .routes(routes!(config::reload))
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
}

/// The routes whose requests are larger and take longer than others.
fn uploads() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(deploy::upload))
}

/// The OpenAPI 3.1 document, made from the handlers themselves.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().merge(uploads()).split_for_parts().1
}

/// The whole interface.
pub fn router(app: Arc<App>, limits: Limits) -> Router {
    let routes = bounded(routes(), limits.usual).merge(bounded(uploads(), limits.upload));
    let (router, document) = routes.split_for_parts();
    let document = document.to_json().unwrap_or_default();
    let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
    router
        .route("/openapi.json", get(async move || (json, document).into_response()))
        .fallback(async || Problem::new(Kind::NOT_FOUND, "no such path; see /openapi.json"))
        .method_not_allowed_fallback(async || Problem::new(Kind::NOT_ALLOWED, "see /openapi.json"))
        .with_state(app)
        // From the outermost in: an id for everything, then the log line, then each route's bounds.
        .layer(middleware::from_fn(log))
        .layer(middleware::from_fn(identify))
}

fn bounded(routes: OpenApiRouter<Arc<App>>, bounds: Bounds) -> OpenApiRouter<Arc<App>> {
    routes
        .route_layer(DefaultBodyLimit::max(bounds.body_bytes_max))
        .route_layer(middleware::from_fn_with_state(bounds, bound_body))
        .route_layer(middleware::from_fn_with_state(bounds, bound_time))
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Debug, Clone)]
struct RequestId(HeaderValue);

/// Gives each request an id, the client's own if it sent a short plain one.
async fn identify(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).filter(|id| id.len() <= 64).cloned();
    let id = given.unwrap_or_else(|| {
        let id = crate::app::Clock::System.new_id().to_string();
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
    });
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Logs what went wrong, once, with what only an operator may see.
async fn log(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let id = id.as_ref().and_then(|id| id.0.to_str().ok()).unwrap_or_default();
    let status = response.status().as_u16();
    if response.status().is_server_error() {
        let internal = response.extensions().get::<Problem>().and_then(Problem::internal).unwrap_or_default();
        tracing::error!(request_id = id, %method, path, status, internal, "request failed");
    } else {
        tracing::debug!(request_id = id, %method, path, status, "request");
    }
    response
}

/// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
const DRAINED_BYTES_MAX: usize = 32 << 20;

/// A body that says that it is too large is not kept.
async fn bound_body(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_none_or(|length| length <= bounds.body_bytes_max) {
        return next.run(request).await;
    }
    let mut body = request.into_body();
    let mut left = DRAINED_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len()));
        if left == 0 {
            break;
        }
    }
    Problem::too_large().into_response()
}

/// A request that takes too long is answered; what it had begun to write is written or not, never half.
async fn bound_time(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(bounds.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Kind::TIMED_OUT, "try again, with the same Idempotency-Key").into_response(),
    }
}

/// What a successful creation answers with.
const CREATED: StatusCode = StatusCode::CREATED;
