//! `GET /api/v1/catalog`: the apps that a person may ask for, and how they stand to each; and for an audit, all that a role gives
//! and who has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::access::catalog::{CatalogItem, Standing};
use crate::app::access::people::roles::{CatalogRole, RoleInApp, RoleOfDesk};
use crate::app::access::questions::Evidence;
use crate::desk::actor::Role;
use crate::desk::id::{AppId, PersonId, TierId};
use crate::desk::organisation::Tier;
use crate::desk::text::quoted;

/// Which apps.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogQuery {
    /// Words that the name, the description, the keywords or a tier's name has; all of them count.
    #[serde(default)]
    search: String,
}

/// An app that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogAppView {
    id: String,
    name: String,
    description: String,
    keywords: Vec<String>,
    owner: Option<String>,
    /// Apps that may do as well.
    alternatives: Vec<String>,
    /// `automatic` where the desk writes to the app, `manual` where a person does, `recorded` where the desk only keeps who may
    /// have it.
    provisioning: &'static str,
    tiers: Vec<CatalogTierView>,
}

/// A tier that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogTierView {
    id: String,
    name: String,
    risk: String,
    max_duration_hours: u32,
    /// The choices that a form offers.
    durations: Vec<u32>,
    groups: Vec<String>,
    roles: Vec<String>,
    /// Of a seat, such as `12.50`.
    monthly_cost: Option<String>,
    currency: Option<String>,
    seats_left: Option<u32>,
    /// The grant by which you hold it.
    held: Option<HeldView>,
    /// Whether a request of yours waits for approval.
    requested: bool,
}

/// A grant that is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldView {
    grant: String,
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// List the apps that you may ask for, with what you hold already.
#[utoipa::path(get, path = "/api/v1/catalog", tag = "access", security(("token" = [])), params(CatalogQuery),
    responses((status = 200, body = Vec<CatalogAppView>), (status = 400, body = Problem)))]
pub async fn catalog(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<CatalogQuery>,
) -> Result<axum::Json<Vec<CatalogAppView>>, Problem> {
    let catalog = app.catalog(&actor, &query.search).await?;
    Ok(axum::Json(catalog.items.into_iter().map(|item| CatalogAppView::new(item, &catalog.currency)).collect()))
}

impl CatalogAppView {
    fn new(item: CatalogItem, currency: &str) -> Self {
        let CatalogItem { app, connector, tiers } = item;
        let tiers = app.tiers.iter().zip(tiers).map(|(tier, standing)| CatalogTierView::new(tier, standing, currency));
        CatalogAppView {
            tiers: tiers.collect(),
            id: app.id.to_string(),
            name: app.name,
            description: app.description,
            keywords: app.keywords,
            owner: app.owner.map(|owner| owner.to_string()),
            alternatives: app.alternatives.iter().map(ToString::to_string).collect(),
            provisioning: match connector {
                None => "recorded",
                Some("manual") => "manual",
                Some(_) => "automatic",
            },
        }
    }
}

impl CatalogTierView {
    fn new(tier: &Tier, standing: Standing, currency: &str) -> Self {
        let cost = tier.monthly_cost.map(|cost| format!("{}.{:02}", cost / 100, cost % 100));
        CatalogTierView {
            id: tier.id.to_string(),
            name: tier.name.clone(),
            risk: tier.risk.clone(),
            max_duration_hours: tier.hours_max,
            durations: tier.presets.clone(),
            groups: tier.groups.iter().map(ToString::to_string).collect(),
            roles: tier.roles.clone(),
            currency: cost.as_ref().map(|_| currency.to_owned()),
            monthly_cost: cost,
            seats_left: standing.seats_left,
            held: standing.held.map(|grant| HeldView {
                grant: grant.id.to_string(),
                state: grant.state.code(),
                expires_at: grant.expires_at,
            }),
            requested: standing.requested,
        }
    }
}

/// A part at the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskRoleView {
    role: &'static str,
    /// Each act of the table of permissions that it has.
    may: Vec<MayView>,
    /// The groups whose members have it when they sign in by the identity provider; `*` is everyone.
    groups: Vec<String>,
    /// Those who are here and have it.
    holders: Vec<DeskHolderView>,
    /// Whether all of them are named.
    complete: bool,
}

/// An act that a role has.
#[derive(Debug, Serialize, ToSchema)]
pub struct MayView {
    act: &'static str,
    text: String,
    /// `any`, or the condition on the ticket: `own`, `watched`, `awaiting` (the request asks them), `owned-app`, `held`,
    /// `department`.
    on: &'static str,
}

/// A person who has a part at the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskHolderView {
    person: String,
    /// `token`, `password`, or `sign-in` for one whom the organisation has in such a group.
    by: Vec<&'static str>,
}

impl From<RoleOfDesk> for DeskRoleView {
    fn from(found: RoleOfDesk) -> Self {
        let may = found.may.iter().map(|&(act, on)| MayView { act: act.code(), text: act.to_string(), on });
        let holder = |(person, by): (PersonId, BTreeSet<&'static str>)| DeskHolderView {
            person: person.to_string(),
            by: by.into_iter().collect(),
        };
        DeskRoleView {
            role: found.role.code(),
            may: may.collect(),
            groups: found.groups,
            holders: found.holders.into_iter().map(holder).collect(),
            complete: found.complete,
        }
    }
}

impl DeskRoleView {
    /// The same as lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} may:", self.role)];
        lines.extend(self.may.iter().map(|may| match may.on {
            "any" => format!("  {}", may.text),
            on => format!("  {} ({on})", may.text),
        }));
        if !self.groups.is_empty() {
            lines.push(format!(
                "who signs in by the identity provider has it in a group of: {}",
                self.groups.join(", ")
            ));
        }
        lines.push(format!("{} have it:", held(self.holders.len(), self.complete)));
        lines.extend(self.holders.iter().map(|one| format!("  {} (by {})", one.person, one.by.join(", "))));
        lines
    }
}

/// How many are named.
fn held(named: usize, complete: bool) -> String {
    if complete { named.to_string() } else { format!("more than {named}") }
}

/// Say all that a part at the desk lets a person do, and who has it now. For agents and admins.
#[utoipa::path(get, path = "/api/v1/access/roles/{role}", tag = "access", security(("token" = [])),
    params(("role" = String, Path, description = "`requester`, `agent`, `approver`, `admin` or `directory`")),
    responses((status = 200, body = DeskRoleView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn desk_role(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(role): Path<String>,
) -> Result<axum::Json<DeskRoleView>, Problem> {
    let missing = || Problem::new(Kind::NOT_FOUND, format!("there is no role {}", quoted(&role)));
    let found = app.role_of_desk(&actor, Role::from_code(&role).ok_or_else(missing)?).await?;
    Ok(axum::Json(found.into()))
}

/// Which role of the tier.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AppRoleQuery {
    /// One of its roles; the tier with any of them or none where nothing is said.
    role: Option<String>,
}

/// A tier of an app, with one of its roles where one was asked about. All that only the catalog knows is absent where the catalog has it
/// no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppRoleView {
    app: String,
    tier: String,
    role: Option<String>,
    /// Whether the catalog has it still. Where it has not, no one may ask for it, and some who asked before hold it.
    in_catalog: bool,
    /// The tier's name. Absent where the catalog has it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Absent where the catalog has it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<String>,
    /// Roles that may be asked for with it. Absent where the catalog has it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<String>>,
    /// All that it gives in the app, such as `account`, `tier:pro` and `group:editors`: as the catalog says, else as those hold it who
    /// asked when the catalog had it.
    gives: Vec<String>,
    /// By what the desk writes to the app; `null` where it only keeps who may have it, and where the catalog has it no more.
    connector: Option<&'static str>,
    /// The groups whose members may ask for it; none where every person may. Absent where the catalog has it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    requestable_by: Option<Vec<String>>,
    /// How many may ask for it today.
    may_ask: usize,
    /// Absent where the catalog has it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration_hours: Option<u32>,
    /// The longest grant that is given at once in an emergency.
    emergency_hours: Option<u32>,
    /// The live rules that decide about it, in the order in which they are asked; none where it cannot be asked for.
    rules: Vec<DecidingRuleView>,
    /// Those who are asked where no rule names approvers; none where it cannot be asked for.
    access_approvers: Vec<String>,
    /// The names of all that keeps it from being held with something else. Absent where the catalog has it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    incompatible: Option<Vec<String>>,
    holders: Vec<AppHolderView>,
    /// Whether all who hold it are named.
    complete: bool,
}

/// A rule that decides about access.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecidingRuleView {
    rule: String,
    version: String,
}

/// A person who holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppHolderView {
    person: String,
    role: Option<String>,
    grant: String,
    ticket: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The reason of the rules.
    policy: String,
    /// The people whom each step of approval asked; none where the rules approved by themselves.
    steps: Vec<Vec<String>>,
    /// Those who approved.
    approved_by: Vec<String>,
}

impl From<Evidence> for AppHolderView {
    fn from(found: Evidence) -> Self {
        let Evidence { grant, ticket, case, .. } = found;
        let steps = case.iter().flat_map(|case| &case.steps).map(|step| texts(&step.approvers));
        let approved = case.iter().flat_map(|case| &case.decisions).filter(|decision| decision.approve);
        AppHolderView {
            steps: steps.collect(),
            approved_by: approved.map(|decision| decision.approver.to_string()).collect(),
            person: grant.subject.to_string(),
            grant: grant.id.to_string(),
            ticket: ticket.to_string(),
            expires_at: grant.expires_at,
            policy: case.map(|case| case.reason).unwrap_or_default(),
            role: grant.role,
        }
    }
}

impl From<RoleInApp> for AppRoleView {
    fn from(found: RoleInApp) -> Self {
        let gives = texts(&found.gives());
        let rule =
            |(rule, version): &(String, String)| DecidingRuleView { rule: rule.clone(), version: version.clone() };
        let catalog = found.catalog.as_ref();
        AppRoleView {
            app: found.app.to_string(),
            tier: found.tier.to_string(),
            role: found.role,
            in_catalog: catalog.is_some(),
            name: catalog.map(|catalog| catalog.tier.name.clone()),
            risk: catalog.map(|catalog| catalog.tier.risk.clone()),
            roles: catalog.map(|catalog| catalog.tier.roles.clone()),
            gives,
            connector: catalog.and_then(|catalog| catalog.connector),
            requestable_by: catalog.map(|catalog| texts(&catalog.app.requestable_by)),
            may_ask: catalog.map_or(0, |catalog| catalog.may_ask),
            max_duration_hours: catalog.map(|catalog| catalog.tier.hours_max),
            emergency_hours: catalog.and_then(|catalog| catalog.tier.emergency_hours),
            rules: catalog.iter().flat_map(|catalog| &catalog.rules).map(rule).collect(),
            access_approvers: catalog.map(|catalog| texts(&catalog.approvers)).unwrap_or_default(),
            incompatible: catalog.map(|catalog| catalog.incompatible.clone()),
            holders: found.holders.into_iter().map(AppHolderView::from).collect(),
            complete: found.complete,
        }
    }
}

fn texts(all: &[impl ToString]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// The same as lines for people.
pub fn app_role_lines(found: &RoleInApp) -> Vec<String> {
    let role = found.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
    let (of, gives) = (format!("{}/{}{role}", found.app, found.tier), texts(&found.gives()).join(", "));
    let mut lines = match &found.catalog {
        Some(catalog) => catalog_lines(catalog, &of, &gives),
        None => {
            vec![format!("{of} gives: {gives}"), "the catalog has it no more, so that no one may ask for it".to_owned()]
        }
    };
    lines.push(format!("{} hold it:", held(found.holders.len(), found.complete)));
    lines.extend(found.holders.iter().cloned().map(AppHolderView::from).map(|one| {
        let by = if one.approved_by.is_empty() { "the policy alone".to_owned() } else { one.approved_by.join(", ") };
        format!("  {} until {} ({}), approved by {by}: {}", one.person, one.expires_at, one.ticket, one.policy)
    }));
    lines
}

fn catalog_lines(found: &CatalogRole, of: &str, gives: &str) -> Vec<String> {
    let CatalogRole { app, tier, .. } = found;
    let by = match app.requestable_by.as_slice() {
        [] => "every person".to_owned(),
        groups => format!("members of {}", texts(groups).join(", ")),
    };
    let mut lines = vec![
        format!("{of} ({}, risk {}) gives: {gives}", tier.name, tier.risk),
        format!("{by} may ask for it, {} today, for at most {} hours", found.may_ask, tier.hours_max),
    ];
    lines.extend(tier.emergency_hours.map(|hours| format!("in an emergency it is given at once for {hours} hours")));
    lines.extend(found.rules.iter().map(|(rule, version)| format!("decided by {rule} {version}")));
    lines.push(format!("asked where no rule names approvers: {}", texts(&found.approvers).join(", ")));
    lines.extend(found.incompatible.iter().map(|name| format!("not held together: {name}")));
    lines
}

/// Say all that a tier of an app gives, with a role where one is named: who may ask for it, by which rules it is given, and who holds
/// it now. For agents and admins; for those who answer for the app.
#[utoipa::path(get, path = "/api/v1/catalog/{app}/{tier}", tag = "access", security(("token" = [])),
    params(("app" = String, Path), ("tier" = String, Path), AppRoleQuery),
    responses((status = 200, body = AppRoleView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn app_role(
    State(desk): State<Arc<App>>,
    Caller(actor): Caller,
    Path((app, tier)): Path<(String, String)>,
    Query(query): Query<AppRoleQuery>,
) -> Result<axum::Json<AppRoleView>, Problem> {
    let missing =
        || Problem::new(Kind::NOT_FOUND, format!("the catalog has no {} with a tier {}", quoted(&app), quoted(&tier)));
    let ids = app.parse::<AppId>().ok().zip(tier.parse::<TierId>().ok());
    let (app_id, tier_id) = ids.ok_or_else(missing)?;
    let found = desk.role_in_app(&actor, (&app_id, &tier_id), query.role.as_deref()).await?;
    Ok(axum::Json(found.into()))
}
