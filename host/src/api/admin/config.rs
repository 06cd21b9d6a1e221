//! `/api/v1/config`: what the organisation is, as far as whoever uses the desk needs to know.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::problem::{FieldProblem, Kind, Problem};
use crate::app::App;
use crate::desk::organisation::condition::{Clause, Condition, Test};
use crate::desk::organisation::{Category, FieldKind, FieldSpec, Member, Organisation, RequestType, Team};
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
    /// `text`, `long-text`, `number`, `flag`, `date`, `choice`, `choices`, `person`, `app`, `asset` or `file`. The last four take
    /// the id of a person or an app, the key of a row of a reference table, and the `id` of a file that was sent before.
    kind: &'static str,
    required: bool,
    help: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
    /// The most characters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    chars_max: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    /// The reference table of an `asset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    /// Where the field is asked: all of these hold. Elsewhere the desk refuses a value of it. Absent is everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    show_when: Vec<ClauseView>,
    /// Where the field has to be filled in though it is not `required`: all of these hold. Absent is nowhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    require_when: Vec<ClauseView>,
}

/// One question about a field that comes before.
#[derive(Serialize, ToSchema)]
pub struct ClauseView {
    field: String,
    /// `is`, `not`, `at-least`, `at-most` or `filled`.
    test: &'static str,
    /// For `is` and `not`: one of these; of a flag, `true` or `false`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<String>,
    /// For `at-least` and `at-most`.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<f64>,
    /// For `filled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<bool>,
}

impl From<&Clause> for ClauseView {
    fn from(clause: &Clause) -> Self {
        let (test, texts, number, filled) = match &clause.test {
            Test::Is(texts) => ("is", texts.clone(), None, None),
            Test::Not(texts) => ("not", texts.clone(), None, None),
            Test::AtLeast(least) => ("at-least", Vec::new(), Some(*least), None),
            Test::AtMost(most) => ("at-most", Vec::new(), Some(*most), None),
            Test::Filled(filled) => ("filled", Vec::new(), None, Some(*filled)),
        };
        Self { field: clause.field.clone(), test, texts, number, filled }
    }
}

impl From<&FieldSpec> for FieldView {
    fn from(field: &FieldSpec) -> Self {
        let clauses = |condition: &Condition| condition.0.iter().map(ClauseView::from).collect();
        let mut view = Self {
            name: field.name.clone(),
            label: field.label.clone(),
            kind: "text",
            required: field.required,
            help: field.help.clone(),
            options: Vec::new(),
            chars_max: None,
            min: None,
            max: None,
            table: None,
            show_when: clauses(&field.show_when),
            require_when: clauses(&field.require_when),
        };
        view.kind = match &field.kind {
            FieldKind::Text { chars_max } | FieldKind::LongText { chars_max } => {
                view.chars_max = Some(*chars_max);
                if matches!(field.kind, FieldKind::Text { .. }) { "text" } else { "long-text" }
            }
            FieldKind::Number { min, max } => {
                (view.min, view.max) = (*min, *max);
                "number"
            }
            FieldKind::Flag => "flag",
            FieldKind::Date => "date",
            FieldKind::Choice { options } | FieldKind::Choices { options } => {
                view.options = options.clone();
                if matches!(field.kind, FieldKind::Choice { .. }) { "choice" } else { "choices" }
            }
            FieldKind::Person => "person",
            FieldKind::App => "app",
            FieldKind::Asset { table } => {
                view.table = Some(table.clone());
                "asset"
            }
            FieldKind::File => "file",
        };
        view
    }
}

impl From<&RequestType> for RequestTypeView {
    fn from(form: &RequestType) -> Self {
        Self {
            id: form.id.to_string(),
            name: form.name.clone(),
            kind: form.kind.code(),
            grants_access: form.grants_access,
            fields: form.fields.iter().map(FieldView::from).collect(),
        }
    }
}

/// A category of the taxonomy.
#[derive(Serialize, ToSchema)]
pub struct CategoryView {
    id: String,
    name: String,
    team: Option<String>,
    /// Of such tickets, where no rule has answered.
    priority: Option<String>,
    /// The canned reply that stands first where such tickets are answered.
    template: Option<String>,
    /// The category of the articles that come of such tickets; null is their own.
    knowledge: Option<String>,
    /// Promises about such tickets in the place of those of their priority; where there are none, those of the nearest parent stand.
    promises: Vec<CategoryPromiseView>,
}

/// The promises of a category about tickets of one priority, in minutes that the calendar of the priority is open.
#[derive(Serialize, ToSchema)]
pub struct CategoryPromiseView {
    priority: String,
    first_response_minutes: u32,
    resolution_minutes: u32,
    /// Between two public answers; null promises nothing.
    next_update_minutes: Option<u32>,
}

impl From<&Category> for CategoryView {
    fn from(category: &Category) -> Self {
        Self {
            id: category.id.to_string(),
            name: category.name.clone(),
            team: category.team.as_ref().map(ToString::to_string),
            priority: category.priority.as_ref().map(ToString::to_string),
            template: category.template.as_ref().map(ToString::to_string),
            knowledge: category.knowledge.as_ref().map(ToString::to_string),
            promises: category
                .promises
                .iter()
                .map(|(priority, targets)| CategoryPromiseView {
                    priority: priority.to_string(),
                    first_response_minutes: targets.first_response,
                    resolution_minutes: targets.resolution,
                    next_update_minutes: targets.update,
                })
                .collect(),
        }
    }
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
    read(&app, &caller, |organisation| organisation.request_types.values().map(RequestTypeView::from).collect())
}

/// List the categories and tags.
#[utoipa::path(get, path = "/api/v1/config/taxonomy", tag = "config", security(("token" = [])),
    responses((status = 200, body = TaxonomyView)))]
pub async fn categories(State(app): State<Arc<App>>, caller: Caller) -> Result<axum::Json<TaxonomyView>, Problem> {
    read(&app, &caller, |organisation| TaxonomyView {
        categories: organisation.categories.values().map(CategoryView::from).collect(),
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

/// A team that does not exist any more and has open tickets.
#[derive(Serialize, ToSchema)]
pub struct UnknownTeamView {
    /// The id that the team had.
    team: String,
    /// Tickets in it on which work is owed.
    open_tickets: i64,
}

/// List the teams that do not exist and have open tickets; `GET /api/v1/tickets?team=` lists those. A change by hand gives them
/// another team.
#[utoipa::path(get, path = "/api/v1/config/unknown-teams", tag = "config", security(("token" = [])),
    responses((status = 200, body = Vec<UnknownTeamView>), (status = 403, body = Problem)))]
pub async fn unknown_teams(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<axum::Json<Vec<UnknownTeamView>>, Problem> {
    let teams = app.teams_that_are_no_more(&actor).await?;
    Ok(axum::Json(teams.into_iter().map(|(team, open_tickets)| UnknownTeamView { team, open_tickets }).collect()))
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

/// Read the configuration directory again. Where anything in it is wrong, nothing changes. Where the desk asks for two people and the
/// files make access easier to get, they wait (409) until another administrator does the same.
#[utoipa::path(post, path = "/api/v1/config/reload", tag = "config", security(("token" = [])),
    responses((status = 204), (status = 409, body = Problem), (status = 422, body = Problem)))]
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
