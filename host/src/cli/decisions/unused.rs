//! `ruledesk decisions unused`: access that is held and not used, in apps that say when people sign in.

use std::io;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::app::Office;
use crate::app::access::questions::{SignIn, UNUSED_DAYS_MAX};
use crate::cli::desk::{self, Shell};
use crate::cli::{self, Failure};
use crate::desk::access::Grant;
use crate::desk::actor::Actor;
use crate::desk::id::AppId;
use crate::rules::text::shown;

/// Grants that are read at a time.
const PAGE: usize = 500;

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
    /// One row a grant, with a line of names first (RFC 4180).
    #[arg(long, group = "form")]
    csv: bool,
    /// One JSON object a line.
    #[arg(long, group = "form")]
    json: bool,
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
    let mut csv = unused.csv.then(|| csv::Writer::from_writer(io::stdout().lock()));
    let mut after = None;
    loop {
        let of = (unused.app.as_ref(), unused.days);
        let page = office.unused(actor, of, after, PAGE).await.map_err(desk::told)?;
        for row in page.items.into_iter().map(Row::of) {
            match &mut csv {
                Some(csv) => csv.serialize(Row { role: super::access::plain(row.role.clone()), ..row })?,
                None if unused.json => println!("{}", serde_json::to_string(&row)?),
                None => say(&row),
            }
        }
        after = page.next;
        if after.is_none() {
            return csv.as_mut().map_or(Ok(()), |csv| Ok(csv.flush()?));
        }
    }
}

fn say(row: &Row) {
    let role = if row.role.is_empty() { String::new() } else { format!(" as {}", shown(&row.role)) };
    let last =
        row.last_sign_in.map_or_else(|| "never signed in".to_owned(), |last| format!("signed in last at {last}"));
    println!("{} has {}/{}{role} since {}, and {last}", row.subject, row.app, row.tier, row.granted_at);
    println!("  the app was asked at {}; it ends at {} ({})", row.looked_at, row.expires_at, row.grant);
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
