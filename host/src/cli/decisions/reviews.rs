//! `ruledesk decisions reviews`: the evidence of access reviews, for an audit.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::pages::{self, PAGE, Printed};
use crate::app::Office;
use crate::app::access::reviews::{Reviewed, Which};
use crate::app::observe::csv::plain;
use crate::cli::desk::{self, Shell};
use crate::cli::which::an_id;
use crate::cli::{self, Failure};
use crate::desk::actor::Actor;
use crate::desk::id::CampaignId;
use crate::rules::text::shown;

/// Lists the reviews of a campaign: who was asked about which access, what was said, by whom, why and when.
#[derive(Debug, Args)]
pub struct Reviews {
    #[command(flatten)]
    place: cli::Place,
    /// The campaign's id; without one, the campaigns are listed.
    #[arg(value_parser = an_id::<CampaignId>)]
    campaign: Option<CampaignId>,
    #[command(flatten)]
    printed: Printed,
}

/// A review as one row.
#[derive(Debug, Serialize)]
struct Row {
    review: String,
    grant: String,
    subject: String,
    app: String,
    tier: String,
    role: String,
    reviewers: String,
    asked_at: Timestamp,
    due_at: Timestamp,
    /// `open`, `keep`, `revoke`, `lapsed`, `ended` or `unasked`.
    verdict: &'static str,
    decided_by: String,
    /// The reviewers in whose place it was said.
    in_place_of: String,
    reason: String,
    decided_at: Option<Timestamp>,
    /// How the grant stands.
    state: &'static str,
    /// Empty where the app does not say, or knows of none.
    last_sign_in: Option<Timestamp>,
}

/// Prints it.
pub async fn run(reviews: Reviews) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&reviews.place, None).await?;
    let printed = print(&office, &actor, &reviews).await;
    office.close().await;
    printed
}

async fn print(office: &Office, actor: &Actor, reviews: &Reviews) -> Result<(), Failure> {
    let Some(campaign) = reviews.campaign else {
        let campaigns = office.campaigns(actor).await.map_err(desk::told)?;
        if campaigns.is_empty() {
            eprintln!(
                "no access was reviewed yet: an administrator begins a campaign on the page of reviews or by API"
            );
        }
        for (campaign, progress) in campaigns {
            let done = progress.kept + progress.revoked + progress.lapsed + progress.ended;
            let (id, name) = (campaign.id, shown(&campaign.name));
            let unasked = match progress.unasked {
                0 => String::new(),
                count => format!(", {count} with no one to ask"),
            };
            println!("{id}  {name}: {done} of {} answered{unasked}, due {}", done + progress.open, campaign.due_at);
        }
        return Ok(());
    };
    let which = Which::Campaign(campaign);
    let page = async |after| office.reviews(actor, &which, after, PAGE).await;
    reviews.printed.print(page, |reviewed| Some(Row::of(reviewed))).await
}

impl pages::Row for Row {
    fn say(&self) {
        let by = if self.decided_by.is_empty() { String::new() } else { format!(" by {}", self.decided_by) };
        let place =
            if self.in_place_of.is_empty() { String::new() } else { format!(" in the place of {}", self.in_place_of) };
        println!(
            "{} has {}/{}: {}{by}{place} {}",
            self.subject,
            self.app,
            self.tier,
            self.verdict,
            shown(&self.reason)
        );
        println!("  asked were {}, until {}; the access is {}", self.reviewers, self.due_at, self.state);
    }

    fn for_a_sheet(self) -> Row {
        let (role, reason) = (plain(self.role), plain(self.reason));
        Row { role, reason, ..self }
    }
}

impl Row {
    fn of((item, grant, sign_in): Reviewed) -> Row {
        let reviewers: Vec<String> = item.reviewers.iter().map(ToString::to_string).collect();
        let answer = item.answer;
        let places = answer.iter().flat_map(|answer| &answer.in_place_of);
        let places: Vec<String> = places.map(ToString::to_string).collect();
        Row {
            review: item.id.to_string(),
            grant: grant.id.to_string(),
            subject: grant.subject.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
            role: grant.role.unwrap_or_default(),
            reviewers: reviewers.join(" "),
            asked_at: item.asked_at,
            due_at: item.due_at,
            verdict: answer.as_ref().map_or("open", |answer| answer.verdict.code()),
            decided_by: answer.as_ref().and_then(|a| a.by.as_ref()).map(ToString::to_string).unwrap_or_default(),
            in_place_of: places.join(" "),
            decided_at: answer.as_ref().map(|answer| answer.at),
            reason: answer.map(|answer| answer.reason).unwrap_or_default(),
            state: grant.state.code(),
            last_sign_in: sign_in.and_then(|sign_in| sign_in.last),
        }
    }
}
