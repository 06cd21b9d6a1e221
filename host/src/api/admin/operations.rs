//! For whoever runs the desk: is it alive, is it ready, what has it done.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::api::http::auth::Caller;
use crate::api::http::problem::{Kind, Problem};
use crate::app::{App, Error};
use crate::desk::permission;

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether it can serve: the database answers within two seconds and takes what is written, and the rules that decided last are
/// in effect. Where not, it says why. A fault that keeps no request from being served follows in lines of its
/// own: a rules directory that is empty, cannot be read, or has more folders than are read; rules that have
/// ended with their folders, or have others in their place there, and were not retired; open tickets in teams that do not
/// exist; rules whose answers do not count since the configuration has changed; a clock that
/// was set back.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub async fn readyz(State(app): State<Arc<App>>) -> Result<String, Problem> {
    if let Err(error) = app.store.ping().await {
        return Err(Problem::new(Kind::BUSY, error.for_strangers()).with_internal(error.to_string()));
    }
    if !app.rules_are_ready() {
        return Err(Problem::new(Kind::BUSY, "the rules are being compiled: try again in a few seconds"));
    }
    let lines = ["ready".to_owned()].into_iter().chain(troubles(&app).await);
    Ok(lines.map(|line| line + "\n").collect())
}

/// The faults that keep no request from being served.
async fn troubles(app: &App) -> Vec<String> {
    let mut troubles = app.rules.catalog().troubles();
    let astray = app.tickets_astray();
    let astray = (astray > 0).then(|| format!("{astray} open tickets are in teams that do not exist"));
    let damaged: u64 = app.store.damaged_rows().values().sum();
    let damaged = (damaged > 0).then(|| format!("{damaged} damaged rows are left out of lists: the log names them"));
    let behind = app.rules_left_behind();
    let behind = (behind > 0).then(|| format!("{behind} live rules go by what the configuration has no more"));
    // Where the database went away since it answered, the next look says so.
    let late = app.clock_is_behind().await.ok().flatten().map(|by| {
        let minutes = by.as_mins();
        format!("the clock shows {minutes} minutes less than it did: access, tokens and deadlines end later by that")
    });
    troubles.extend(astray.into_iter().chain(damaged).chain(behind).chain(late));
    troubles
}

/// What the desk has counted, in Prometheus' text format.
///
/// The configuration may keep it for agents and admins, or serve it at another address.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    app.metrics.set_tickets_astray(app.tickets_astray());
    app.metrics.set_damaged_rows(app.store.damaged_rows());
    ([(CONTENT_TYPE, format)], app.metrics.render(&app.rules, app.following.revisions())).into_response()
}

/// The same for those who work on tickets.
#[utoipa::path(get, path = "/metrics", tag = "operations", security(("token" = [])), responses((status = 200, body = String)))]
pub async fn metrics_for_staff(app: State<Arc<App>>, Caller(actor): Caller) -> Result<Response, Problem> {
    permission::read_rules(&actor).map_err(|refusal| Problem::from(Error::from(refusal)))?;
    Ok(metrics(app).await)
}

/// Where it is served at another address.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 404, body = Problem)))]
pub async fn no_metrics() -> Problem {
    Problem::new(Kind::NOT_FOUND, "what this desk counts is served at another address")
}
