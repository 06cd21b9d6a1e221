//! `/api/v1/preferences`: how the caller wants to hear of things.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::jobs::messages::{Preference, Wanted};

/// How a person wants to hear of things.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferencesBody {
    /// `immediately`, `digest` for once a day, or `off`. Decisions that others wait for are asked for at once in any case.
    delivery: String,
    /// The language of messages, such as `de`; none for what the directory says, else the desk's.
    #[serde(default)]
    locale: Option<String>,
    /// Another choice for single kinds of message, such as `"state-changed": "off"`.
    #[serde(default)]
    kinds: BTreeMap<String, String>,
}

impl From<Preference> for PreferencesBody {
    fn from(Preference { delivery, locale, kinds }: Preference) -> Self {
        let kinds = kinds.into_iter().map(|(kind, choice)| (kind.code().to_owned(), choice.code().to_owned()));
        Self { delivery: delivery.code().to_owned(), locale, kinds: kinds.collect() }
    }
}

/// Read how you hear of things.
#[utoipa::path(get, path = "/api/v1/preferences", tag = "people", security(("token" = [])),
    responses((status = 200, body = PreferencesBody), (status = 403, body = Problem)))]
pub async fn read(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<PreferencesBody>, Problem> {
    Ok(axum::Json(app.own_preference(&actor).await?.into()))
}

/// Choose how you hear of things: messages that wait follow it, too.
#[utoipa::path(put, path = "/api/v1/preferences", tag = "people", security(("token" = [])),
    request_body = PreferencesBody,
    responses((status = 200, body = PreferencesBody), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn put(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(PreferencesBody { delivery, locale, kinds }): Json<PreferencesBody>,
) -> Result<axum::Json<PreferencesBody>, Problem> {
    Ok(axum::Json(app.prefer(&actor, Wanted { delivery, locale, kinds }).await?.into()))
}
