//! `ruledesk decisions policy`: what the policy allowed on a day.

use clap::Args;

use super::desk;
use crate::api::access::policy::PolicyAtView;
use crate::app::replay::policy::{PolicyQuestion, as_of};
use crate::cli::{Failure, Place};
use crate::desk::id::PersonId;
use crate::rules::text::{in_json, shown};

/// Asks the versions of the rules for access that were live on a day, out of the archive, about a person and an item. The directory,
/// the catalog, the tables and what is held are as they are today.
#[derive(Debug, Args)]
pub struct Policy {
    #[command(flatten)]
    place: Place,
    /// The day, of which its end counts, or an instant (RFC 3339).
    #[arg(long)]
    at: String,
    /// Who would have it, by their id.
    #[arg(long)]
    person: PersonId,
    /// The app, by its id in the catalog.
    #[arg(long)]
    app: String,
    /// The tier of the app.
    #[arg(long)]
    tier: String,
    /// A role in the app.
    #[arg(long)]
    role: Option<String>,
    /// For how long it is asked for.
    #[arg(long)]
    hours: Option<u32>,
    /// Prints the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub async fn run(args: Policy) -> Result<(), Failure> {
    let (config, source) = desk::configuration(&args.place, None)?;
    let actor = desk::actor(&config, None)?;
    let at = as_of(&args.at, &config.organisation);
    let at = at.ok_or_else(|| format!("`{}` is no time: write a day such as 2026-03-01, or an instant", args.at))?;
    let Policy { person, app: item, tier, role, hours, json, .. } = args;
    let question = PolicyQuestion { person, app: item, tier, role, hours, at };
    let app = desk::open_to_read(config, source).await?;
    let asked = app.policy_at(&actor, &question).await;
    app.close().await;
    let view = PolicyAtView::new(at, asked.map_err(desk::told)?);
    if json {
        println!("{}", in_json(&format!("{:#}", serde_json::to_value(&view)?)));
        return Ok(());
    }
    for line in view.lines() {
        println!("{}", shown(&line));
    }
    Ok(())
}
