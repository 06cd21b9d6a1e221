//! `/scim/v2`: a SCIM 2.0 server (RFC 7643, RFC 7644), by which the company's identity provider tells the desk who works here. It
//! describes itself at `/scim/v2/Schemas`, and is no part of the desk's own document.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use serde_json::Value;

use super::http::auth::Caller;
use super::http::body::json::parse;
use super::http::headers::condition::condition;
use super::http::problem::Kind;
use crate::app::access::people::directory::{Entry, still_away};
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::organisation::directory::EntryKind;
use crate::desk::permission;

mod answer;
mod filter;
mod patch;
mod query;
mod schema;

use answer::{Failed, created, listed, resource, sent, shown, version};
use query::Asked;

/// How often a change is made again while others change the same.
const TRIES_MAX: usize = 8;

/// The server's features.
pub fn features() -> MethodRouter<Arc<App>> {
    get(config)
}

/// The kinds of resources, and one of them.
pub fn resource_types() -> [MethodRouter<Arc<App>>; 2] {
    [get(|caller: Caller| async move { described(&caller, schema::resource_types()) }), get(resource_type)]
}

/// The attributes of all kinds, and of one.
pub fn schemas() -> [MethodRouter<Arc<App>>; 2] {
    [get(|caller: Caller| async move { described(&caller, schema::schemas()) }), get(one_schema)]
}

/// All else below the server's address.
pub fn missing() -> MethodRouter<Arc<App>> {
    any(|| async { Failed::missing("there is no such place; see /scim/v2/ResourceTypes") })
}

/// The person who keeps the directory here: known before a body is read.
struct Keeper(Actor);

impl FromRequestParts<Arc<App>> for Keeper {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut request::Parts, app: &Arc<App>) -> Result<Self, Failed> {
        let caller = Caller::from_request_parts(parts, app).await.map_err(Failed::Other)?;
        may(&caller)?;
        Ok(Self(caller.0))
    }
}

fn may(caller: &Caller) -> Result<(), Failed> {
    permission::manage_directory(&caller.0).map(drop).map_err(|refusal| Error::from(refusal).into())
}

async fn config(caller: Caller) -> Result<Response, Failed> {
    may(&caller)?;
    Ok(sent(StatusCode::OK, &schema::config()))
}

fn described(caller: &Caller, all: Vec<Value>) -> Result<Response, Failed> {
    may(caller)?;
    Ok(listed(all.into_iter(), &Asked::read(None)?))
}

async fn resource_type(caller: Caller, Path(id): Path<String>) -> Result<Response, Failed> {
    may(&caller)?;
    one(schema::resource_types(), &id)
}

async fn one_schema(caller: Caller, Path(id): Path<String>) -> Result<Response, Failed> {
    may(&caller)?;
    one(schema::schemas(), &id)
}

fn one(all: Vec<Value>, id: &str) -> Result<Response, Failed> {
    let found = all.into_iter().find(|one| one.get("id").and_then(Value::as_str) == Some(id));
    found.map(|one| sent(StatusCode::OK, &one)).ok_or_else(|| Failed::missing("there is no such description"))
}

/// A body as JSON, of which the same is asked as of every other: each key once, and no zero character.
fn json(body: &Bytes) -> Result<Value, Failed> {
    parse(body).map_err(|problem| {
        let word = if problem.is_of(Kind::REJECTED) { "invalidValue" } else { "invalidSyntax" };
        Failed::bad(word, format!("the body is not taken: {}", problem.detail()))
    })
}

/// The versions that a client means.
fn meant(headers: &HeaderMap) -> Result<Condition, Failed> {
    condition(headers).map_err(|problem| Failed::bad("invalidValue", problem.detail()))
}

/// Refuses a change that is meant for other versions than the one that is there, as it was shown with its groups.
fn check_meant(app: &App, meant: &Condition, entry: &Entry) -> Result<(), Failed> {
    let shown = version(entry, &app.groups_of_user(entry.id));
    if meant.holds_for(Some(&shown)) { Ok(()) } else { Err(Error::Stale { version: entry.version }.into()) }
}

fn whole(app: &App, entry: &Entry) -> Value {
    resource(entry, &app.groups_of_user(entry.id))
}

/// A list, made apart from the threads that serve: it takes longer the more entries there are, each of which is compared with the filter.
async fn list_of(app: &Arc<App>, actor: Actor, kinds: Vec<EntryKind>, asked: Asked) -> Result<Response, Failed> {
    let all = Arc::clone(app);
    let list = move || {
        let entries =
            kinds.into_iter().map(|kind| all.directory_entries(&actor, kind)).collect::<Result<Vec<_>, _>>()?;
        let app: &App = &all;
        let resources = entries.iter().flatten().map(|entry| whole(app, entry));
        Ok::<_, Failed>(listed(resources, &asked))
    };
    app.apart(list).await?
}

/// The routes of all users, or all groups.
pub fn all_of(kind: EntryKind) -> MethodRouter<Arc<App>> {
    get(move |State(app): State<Arc<App>>, Keeper(actor): Keeper, RawQuery(query): RawQuery| async move {
        let asked = Asked::read(query.as_deref())?;
        list_of(&app, actor, vec![kind], asked).await
    })
    .post(
        move |State(app): State<Arc<App>>, Keeper(actor): Keeper, RawQuery(query): RawQuery, body: Bytes| async move {
            let asked = Asked::read(query.as_deref())?;
            Ok::<_, Failed>(created(&app.add_entry(&actor, kind, json(&body)?).await?, &asked))
        },
    )
}

/// The routes that look for users, groups or both by a body, which is longer than an address may be.
pub fn search_of(kinds: &'static [EntryKind]) -> MethodRouter<Arc<App>> {
    post(move |State(app): State<Arc<App>>, Keeper(actor): Keeper, body: Bytes| async move {
        let asked = Asked::of_body(&json(&body)?)?;
        list_of(&app, actor, kinds.to_vec(), asked).await
    })
}

/// A request about one user or group.
struct About {
    app: Arc<App>,
    keeper: Keeper,
    id: String,
    asked: Asked,
    headers: HeaderMap,
}

impl About {
    /// Changes it; where that may take a while, as many operations on a large group do, apart from the threads that serve.
    async fn change(
        self,
        (kind, is_long): (EntryKind, bool),
        change: impl Fn(&Value) -> Result<Value, Failed> + Send + Sync + 'static,
    ) -> Result<Response, Failed> {
        let About { app, keeper: Keeper(actor), id, asked, headers } = self;
        let (meant, change) = (meant(&headers)?, Arc::new(change));
        for _ in 0..TRIES_MAX {
            let before = app.directory_entry(&actor, kind, &id)?;
            check_meant(&app, &meant, &before)?;
            let (change, body) = (Arc::clone(&change), before.body);
            let new = if is_long { app.apart(move || change(&body)).await?? } else { change(&body)? };
            match app.change_entry(&actor, (kind, &id), Some(before.version), |_| Ok(new.clone())).await {
                // Another change of it was quicker: this one is made of what it is by now, if it is meant for that.
                Err(Error::Stale { .. }) => {}
                changed => {
                    let entry = changed?;
                    let groups = app.groups_of_user(entry.id);
                    return Ok(shown((&entry, &groups), &asked, &HeaderMap::new()));
                }
            }
        }
        Err(Failed::Scim { status: StatusCode::SERVICE_UNAVAILABLE, word: None, detail: "try again soon".to_owned() })
    }
}

type Parts = (State<Arc<App>>, Keeper, Path<String>, RawQuery, HeaderMap);

fn about((State(app), keeper, Path(id), RawQuery(query), headers): Parts) -> Result<About, Failed> {
    Ok(About { app, keeper, id, asked: Asked::read(query.as_deref())?, headers })
}

/// The routes of one user or group.
pub fn one_of(kind: EntryKind) -> MethodRouter<Arc<App>> {
    get(move |app: State<Arc<App>>, keeper: Keeper, id: Path<String>, query: RawQuery, headers: HeaderMap| async move {
        let About { app, keeper: Keeper(actor), id, asked, headers } = about((app, keeper, id, query, headers))?;
        let entry = app.directory_entry(&actor, kind, &id)?;
        let groups = app.groups_of_user(entry.id);
        Ok::<_, Failed>(shown((&entry, &groups), &asked, &headers))
    })
    .put(
        move |app: State<Arc<App>>,
              keeper: Keeper,
              id: Path<String>,
              query: RawQuery,
              headers: HeaderMap,
              body: Bytes| async move {
            let new = json(&body)?;
            let change = move |before: &Value| Ok(still_away(before, new.clone()));
            about((app, keeper, id, query, headers))?.change((kind, false), change).await
        },
    )
    .patch(
        move |app: State<Arc<App>>,
              keeper: Keeper,
              id: Path<String>,
              query: RawQuery,
              headers: HeaderMap,
              body: Bytes| async move {
            let request = json(&body)?;
            let change = move |before: &Value| patch::patched(before, &request).map_err(Failed::from);
            about((app, keeper, id, query, headers))?.change((kind, true), change).await
        },
    )
    .delete(
        move |app: State<Arc<App>>, keeper: Keeper, id: Path<String>, query: RawQuery, headers: HeaderMap| async move {
            let About { app, keeper: Keeper(actor), id, headers, .. } = about((app, keeper, id, query, headers))?;
            let (meant, gone) = (meant(&headers)?, app.directory_entry(&actor, kind, &id)?);
            check_meant(&app, &meant, &gone)?;
            let named = (meant != Condition::default()).then_some(gone.version);
            app.delete_entry(&actor, (kind, &id), named).await?;
            Ok::<_, Failed>(StatusCode::NO_CONTENT.into_response())
        },
    )
}
