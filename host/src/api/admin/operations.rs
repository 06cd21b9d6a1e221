//! For whoever runs the desk: is it alive, is it ready, what has it done.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::api::http::problem::{Kind, Problem};
use crate::app::App;

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether it can serve: the database answers within two seconds and takes what is written, and the rules that decided last are
/// in effect. Where not, it says why. What is not as it should be, and keeps nobody from being served, follows in lines of its
/// own: a rules directory that is empty, cannot be read, or has more folders than are read.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub async fn readyz(State(app): State<Arc<App>>) -> Result<String, Problem> {
    if let Err(error) = app.store.ping().await {
        return Err(Problem::new(Kind::BUSY, error.for_strangers()).with_internal(error.to_string()));
    }
    if !app.rules_are_ready() {
        return Err(Problem::new(Kind::BUSY, "the rules are being compiled: try again in a few seconds"));
    }
    let troubles = app.rules.catalog().directory().troubles();
    Ok(["ready".to_owned()].into_iter().chain(troubles).map(|line| line + "\n").collect())
}

/// What the desk has counted, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, body = String)))]
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, format)], app.metrics.render(&app.rules, app.following.revisions())).into_response()
}
