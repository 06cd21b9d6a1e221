//! `/api/v1/config`: what the organisation is, as far as whoever uses the desk needs to know.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::problem::{FieldProblem, Kind, Problem};
use crate::app::App;
use crate::desk::organisation::{FieldKind, Member, Organisation, Team};
use crate::desk::permission;

/// A request type and its form.
#[derive(Serialize, ToSchema)]
pub struct RequestTypeView {
    id: String,
    name: String,
    kind: &'static str,
    grants_access: bool,
    fields: Vec<FieldView>,
}

/// A field of a form.
#[derive(Serialize, ToSchema)]
pub struct FieldView {
    name: String,
    label: String,
    /// `text`, `number`, `flag`, `date`, `choice` or `choices`.
    kind: &'static str,
    required: bool,
    help: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
}

/// A category of the taxonomy.
#[derive(Serialize, ToSchema)]
pub struct CategoryView {
    id: String,
    name: String,
    team: Option<String>,
}

/// Categories and tags.
#[derive(Serialize, ToSchema)]
pub struct TaxonomyView {
    categories: Vec<CategoryView>,
    tags: Vec<String>,
}

/// A team.
#[derive(Serialize, ToSchema)]
pub struct TeamView {
    id: String,
    name: String,
    tier: u8,
    strategy: &'static str,
    members: Vec<MemberView>,
}

/// Somebody's part in a team.
#[derive(Serialize, ToSchema)]
pub struct MemberView {
    person: String,
    /// For agents and admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    skills: Option<Vec<String>>,
    /// For agents and admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<bool>,
}

/// A priority level and what it promises, in minutes that the desk is open.
#[derive(Serialize, ToSchema)]
pub struct PriorityView {
    id: String,
    name: String,
    first_response_minutes: u32,
    resolution_minutes: u32,
}

/// An app of the catalog.
#[derive(Serialize, ToSchema)]
pub struct AppView {
    id: String,
    name: String,
    owner: Option<String>,
    tiers: Vec<TierView>,
}

/// A licence tier.
#[derive(Serialize, ToSchema)]
pub struct TierView {
    id: String,
    name: String,
    risk: String,
    max_duration_hours: u32,
    groups: Vec<String>,
    roles: Vec<String>,
}

/// Something in the organisation, for whoever may read it.
fn read<T>(app: &App, caller: &Caller, view: impl FnOnce(&Organisation) -> T) -> Result<axum::Json<T>, Problem> {
    permission::read_configuration(&caller.0).map_err(crate::app::Error::from)?;
    Ok(axum::Json(view(&app.organisation())))
}

fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

/// List the request types with their forms.
#[utoipa::path(get, path = "/api/v1/config/request-types", tag = "config", security(("token" = [])),
    responses((status = 200, body = Vec<RequestTypeView>)))]
pub async fn request_types(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<axum::Json<Vec<RequestTypeView>>, Problem> {
    let field = |field: &crate::desk::organisation::FieldSpec| {
        let (kind, options) = match &field.kind {
            FieldKind::Text { .. } => ("text", Vec::new()),
            FieldKind::Number { .. } => ("number", Vec::new()),
            FieldKind::Flag => ("flag", Vec::new()),
            FieldKind::Date => ("date", Vec::new()),
            FieldKind::Choice { options } => ("choice", options.clone()),
            FieldKind::Choices { options } => ("choices", options.clone()),
        };
        let (name, label, help) = (field.name.clone(), field.label.clone(), field.help.clone());
        FieldView { name, label, kind, required: field.required, help, options }
    };
    read(&app, &caller, |organisation| {
        let types = organisation.request_types.values();
        types
            .map(|form| RequestTypeView {
                id: form.id.to_string(),
                name: form.name.clone(),
                kind: form.kind.code(),
                grants_access: form.grants_access,
                fields: form.fields.iter().map(field).collect(),
            })
            .collect()
    })
}

/// List the categories and tags.
#[utoipa::path(get, path = "/api/v1/config/taxonomy", tag = "config", security(("token" = [])),
    responses((status = 200, body = TaxonomyView)))]
pub async fn categories(State(app): State<Arc<App>>, caller: Caller) -> Result<axum::Json<TaxonomyView>, Problem> {
    read(&app, &caller, |organisation| TaxonomyView {
        categories: organisation
            .categories
            .values()
            .map(|category| CategoryView {
                id: category.id.to_string(),
                name: category.name.clone(),
                team: category.team.as_ref().map(ToString::to_string),
            })
            .collect(),
        tags: texts(&organisation.tags),
    })
}

/// List the teams with their members.
#[utoipa::path(get, path = "/api/v1/config/teams", tag = "config", security(("token" = [])),
    responses((status = 200, body = Vec<TeamView>)))]
pub async fn teams(State(app): State<Arc<App>>, caller: Caller) -> Result<axum::Json<Vec<TeamView>>, Problem> {
    let works = permission::works_on_tickets(&caller.0);
    let view = |team: &Team| TeamView {
        id: team.id.to_string(),
        name: team.name.clone(),
        tier: team.tier,
        strategy: team.strategy.code(),
        members: team.members.iter().map(|member| MemberView::new(member, works)).collect(),
    };
    read(&app, &caller, |organisation| organisation.teams.values().map(view).collect())
}

impl MemberView {
    fn new(member: &Member, for_those_who_work: bool) -> Self {
        Self {
            person: member.person.to_string(),
            skills: for_those_who_work.then(|| texts(&member.skills)),
            available: for_those_who_work.then_some(member.available),
        }
    }
}

/// List the priority levels and what they promise, the most urgent first.
#[utoipa::path(get, path = "/api/v1/config/priorities", tag = "config", security(("token" = [])),
    responses((status = 200, body = Vec<PriorityView>)))]
pub async fn priorities(State(app): State<Arc<App>>, caller: Caller) -> Result<axum::Json<Vec<PriorityView>>, Problem> {
    read(&app, &caller, |organisation| {
        let levels = organisation.priorities.iter();
        levels
            .map(|level| PriorityView {
                id: level.id.to_string(),
                name: level.name.clone(),
                first_response_minutes: level.first_response_minutes,
                resolution_minutes: level.resolution_minutes,
            })
            .collect()
    })
}

/// List the apps that access can be requested to.
#[utoipa::path(get, path = "/api/v1/config/apps", tag = "config", security(("token" = [])),
    responses((status = 200, body = Vec<AppView>)))]
pub async fn apps(State(app): State<Arc<App>>, caller: Caller) -> Result<axum::Json<Vec<AppView>>, Problem> {
    let tier = |tier: &crate::desk::organisation::Tier| TierView {
        id: tier.id.to_string(),
        name: tier.name.clone(),
        risk: tier.risk.clone(),
        max_duration_hours: tier.hours_max,
        groups: texts(&tier.groups),
        roles: tier.roles.clone(),
    };
    read(&app, &caller, |organisation| {
        let apps = organisation.apps.values();
        apps.map(|app| AppView {
            id: app.id.to_string(),
            name: app.name.clone(),
            owner: app.owner.as_ref().map(ToString::to_string),
            tiers: app.tiers.iter().map(tier).collect(),
        })
        .collect()
    })
}

/// Read the configuration directory again. Where anything in it is wrong, nothing changes.
#[utoipa::path(post, path = "/api/v1/config/reload", tag = "config", security(("token" = [])),
    responses((status = 204), (status = 422, body = Problem)))]
pub async fn reload(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::http::StatusCode, Problem> {
    let problems = app.reload_configuration(&actor).await?;
    if problems.is_empty() {
        return Ok(axum::http::StatusCode::NO_CONTENT);
    }
    let field =
        |message: String| FieldProblem { field: "configuration".to_owned(), code: "invalid".to_owned(), message };
    let fields = problems.into_iter().map(field).collect();
    Err(Problem::new(Kind::REJECTED, "the configuration stays as it was").with_fields(fields))
}
