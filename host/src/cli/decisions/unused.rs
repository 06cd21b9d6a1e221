//! `ruledesk decisions unused`: access that is held and not used, in apps that say when people sign in.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::pages::{self, PAGE, Printed};
use crate::app::Office;
use crate::app::access::questions::{SignIn, UNUSED_DAYS_MAX};
use crate::app::observe::csv::plain;
use crate::cli::desk::{self, Shell};
use crate::cli::{self, Failure};
use crate::desk::access::Grant;
use crate::desk::actor::Actor;
use crate::desk::id::AppId;
use crate::rules::text::shown;

/// Lists the access that was not used for so many days. Nothing is taken back: that is for a review, or for those who answer for the
/// app.
#[derive(Debug, Args)]
pub struct Unused {
    #[command(flatten)]
    place: cli::Place,
    /// For how many days.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=i64::from(UNUSED_DAYS_MAX)))]
    days: u16,
    /// Only to this app.
    #[arg(long)]
    app: Option<AppId>,
    #[command(flatten)]
    printed: Printed,
}

/// A grant as one row.
#[derive(Debug, Serialize)]
struct Row {
    grant: String,
    subject: String,
    app: String,
    tier: String,
    role: String,
    granted_at: Timestamp,
    expires_at: Timestamp,
    /// Empty where the app knows of none.
    last_sign_in: Option<Timestamp>,
    /// When the app was asked for that.
    looked_at: Timestamp,
}

/// Prints it.
pub async fn run(unused: Unused) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&unused.place, None).await?;
    let printed = print(&office, &actor, &unused).await;
    office.close().await;
    printed
}

async fn print(office: &Office, actor: &Actor, unused: &Unused) -> Result<(), Failure> {
    let of = (unused.app.as_ref(), unused.days);
    let page = async |after| office.unused(actor, of, after, PAGE).await;
    unused.printed.print(page, |found| Some(Row::of(found))).await
}

impl pages::Row for Row {
    fn say(&self) {
        let role = if self.role.is_empty() { String::new() } else { format!(" as {}", shown(&self.role)) };
        let last =
            self.last_sign_in.map_or_else(|| "never signed in".to_owned(), |last| format!("signed in last at {last}"));
        println!("{} has {}/{}{role} since {}, and {last}", self.subject, self.app, self.tier, self.granted_at);
        println!("  the app was asked at {}; it ends at {} ({})", self.looked_at, self.expires_at, self.grant);
    }

    fn for_a_sheet(self) -> Row {
        Row { role: plain(self.role), ..self }
    }
}

impl Row {
    fn of((grant, sign_in): (Grant, SignIn)) -> Row {
        Row {
            grant: grant.id.to_string(),
            subject: grant.subject.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
            role: grant.role.unwrap_or_default(),
            granted_at: grant.granted_at,
            expires_at: grant.expires_at,
            last_sign_in: sign_in.last,
            looked_at: sign_in.looked_at,
        }
    }
}
