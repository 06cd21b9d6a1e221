//! `ruledesk decisions role`: all that a person could do with a role.

use clap::Args;
use serde_json::Value;

use super::desk;
use crate::api::access::catalog::{AppRoleView, DeskRoleView, app_role_lines};
use crate::app::App;
use crate::app::tokens::provider::Offer;
use crate::cli::{Failure, Place};
use crate::desk::actor::{Actor, Role as Part};
use crate::desk::id::{AppId, TierId};
use crate::rules::text::{in_json, shown};

/// Says all that a part at the desk lets a person do, or all that a tier of an app gives with one of its roles: who may ask for it, by
/// which rules it is given, and who has it now.
#[derive(Debug, Args)]
pub struct Role {
    #[command(flatten)]
    place: Place,
    /// A part at the desk: `requester`, `agent`, `approver`, `admin`, `directory` or `mail`.
    #[arg(required_unless_present = "app", conflicts_with_all = ["app", "tier", "role"])]
    part: Option<String>,
    /// An app of the catalog.
    #[arg(long, requires = "tier")]
    app: Option<AppId>,
    /// A tier of the app.
    #[arg(long, requires = "app")]
    tier: Option<TierId>,
    /// A role that may be asked for with the tier.
    #[arg(long, requires = "app")]
    role: Option<String>,
    /// Prints the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub async fn run(role: Role) -> Result<(), Failure> {
    let (config, source) = desk::configuration(&role.place, None)?;
    let actor = desk::actor(&config, None)?;
    let provider = config.outgoing.sign_in.as_ref();
    let provider = provider.map(|one| Offer { name: one.name.clone(), parts: one.roles.clone() });
    let app = desk::open_to_read(config, source).await?;
    // For its groups alone: nothing is asked of it here.
    if let Some(offer) = provider {
        drop(app.offer_provider(offer));
    }
    let asked = ask(&app, &actor, &role).await;
    app.close().await;
    let (json, lines) = asked?;
    if role.json {
        println!("{}", in_json(&format!("{json:#}")));
        return Ok(());
    }
    for line in lines {
        println!("{}", shown(&line));
    }
    Ok(())
}

async fn ask(app: &App, actor: &Actor, role: &Role) -> Result<(Value, Vec<String>), Failure> {
    if let (Some(of), Some(tier)) = (&role.app, &role.tier) {
        let found = app.role_in_app(actor, (of, tier), role.role.as_deref()).await.map_err(desk::told)?;
        let lines = app_role_lines(&found);
        return Ok((serde_json::to_value(AppRoleView::from(found))?, lines));
    }
    let part = role.part.as_deref().unwrap_or_default();
    let known = Part::from_code(part)
        .ok_or_else(|| format!("there is no role `{part}` at the desk; name an --app and a --tier"))?;
    let view = DeskRoleView::from(app.role_of_desk(actor, known).await.map_err(desk::told)?);
    Ok((serde_json::to_value(&view)?, view.lines()))
}
