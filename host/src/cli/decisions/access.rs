//! `ruledesk decisions access`: who has access to what, and why, for an audit.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::pages::{self, PAGE, Printed};
use crate::app::Office;
use crate::app::access::questions::{About, Evidence};
use crate::app::observe::csv::plain;
use crate::cli::desk::{self, Shell};
use crate::cli::{self, Failure};
use crate::desk::access::HumanDecision;
use crate::desk::actor::Actor;
use crate::desk::id::{AppId, PersonId, TierId};
use crate::rules::text::shown;

/// Lists the access that is held, or was at an instant, with who asked, what the policy said, who approved and when it ends.
#[derive(Debug, Args)]
pub struct Access {
    #[command(flatten)]
    place: cli::Place,
    /// Only to this app.
    #[arg(long, group = "about")]
    app: Option<AppId>,
    /// Only this tier of the app.
    #[arg(long, requires = "app")]
    tier: Option<TierId>,
    /// Only this role in the app.
    #[arg(long, requires = "app")]
    role: Option<String>,
    /// Only by this person.
    #[arg(long, group = "about")]
    person: Option<PersonId>,
    /// The instant (RFC 3339); now where nothing is said.
    #[arg(long)]
    at: Option<Timestamp>,
    #[command(flatten)]
    printed: Printed,
}

/// The state of what a person keeps by default, whose grant is over.
const BY_DEFAULT: &str = "by-default";

/// A grant with its reasons, as one row.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    grant: String,
    ticket: String,
    subject: String,
    app: String,
    tier: String,
    role: String,
    groups: String,
    granted_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    state: &'static str,
    end_reason: &'static str,
    requester: String,
    submitted_by: String,
    justification: String,
    policy: String,
    /// Each with the time of the approval.
    approvers: String,
}

/// Prints it.
pub async fn run(access: Access) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&access.place, None).await?;
    let printed = print(&office, &actor, &access).await;
    office.close().await;
    printed
}

async fn print(office: &Office, actor: &Actor, access: &Access) -> Result<(), Failure> {
    let about = match (&access.app, &access.person) {
        (Some(app), _) => About::App(app.clone()),
        (None, Some(person)) => About::Person(person.clone()),
        (None, None) => About::All,
    };
    let at = access.at.unwrap_or_else(|| office.clock.now());
    if access.printed.is_text() {
        say_what_it_gives(office, access);
    }
    let page = async |after| office.who_holds(actor, &about, at, after, PAGE).await;
    access.printed.print(page, |found| access.is_about(&found).then(|| Row::of(found))).await
}

impl Access {
    /// Whether a grant is of the tier and the role that are asked about.
    fn is_about(&self, found: &Evidence) -> bool {
        let has = |role: &String| found.stays.is_none() && found.grant.role.as_ref() == Some(role);
        self.tier.as_ref().is_none_or(|tier| found.tier() == tier) && self.role.as_ref().is_none_or(has)
    }
}

/// Says all that a tier, with a role where one is asked about, gives to each who has it.
fn say_what_it_gives(office: &Office, access: &Access) {
    let organisation = office.organisation();
    let app = access.app.as_ref().and_then(|app| organisation.apps.get(app));
    let Some((app, (_, tier))) = app.zip(app.zip(access.tier.as_ref()).and_then(|(app, tier)| app.tier(tier.as_str())))
    else {
        return;
    };
    let groups: Vec<String> = tier.groups.iter().map(ToString::to_string).collect();
    let role = access.role.as_ref().map(|role| format!(", the role {}", shown(role))).unwrap_or_default();
    let groups = if groups.is_empty() { String::new() } else { format!(", the groups {}", shown(&groups.join(", "))) };
    println!(
        "{}/{} gives an account, the tier {}{role}{groups}; its risk is {}",
        app.id,
        tier.id,
        shown(&tier.name),
        tier.risk
    );
}

impl pages::Row for Row {
    fn say(&self) {
        let role = if self.role.is_empty() { String::new() } else { format!(" as {}", shown(&self.role)) };
        let word = if self.state == BY_DEFAULT { "since" } else { "until" };
        println!(
            "{} has {}/{}{role} {word} {} ({}, {})",
            self.subject, self.app, self.tier, self.expires_at, self.state, self.ticket
        );
        println!("  asked by {}: {}", self.requester, shown(&self.justification));
        let by = if self.approvers.is_empty() { "the policy alone" } else { &self.approvers };
        println!("  approved by {by}: {}", shown(&self.policy));
    }

    fn for_a_sheet(self) -> Row {
        Row {
            role: plain(self.role),
            groups: plain(self.groups),
            justification: plain(self.justification),
            policy: plain(self.policy),
            ..self
        }
    }
}

impl Row {
    pub(super) fn of(found: Evidence) -> Row {
        let tier = found.tier().to_string();
        let Evidence { grant, ticket, case, stays, .. } = found;
        let approvers = case.iter().flat_map(|case| &case.decisions).filter(|decision| decision.approve);
        let approvers: Vec<String> = approvers.map(approval).collect();
        let of_case =
            |text: fn(&crate::desk::access::AccessCase) -> String| case.as_ref().map(text).unwrap_or_default();
        Row {
            requester: of_case(|case| case.requester.to_string()),
            submitted_by: of_case(|case| case.submitted_by.to_string()),
            justification: of_case(|case| case.request.justification.clone()),
            policy: of_case(|case| case.reason.clone()),
            approvers: approvers.join(", "),
            grant: grant.id.to_string(),
            ticket: ticket.to_string(),
            subject: grant.subject.to_string(),
            app: grant.app.to_string(),
            tier,
            role: grant.role.filter(|_| stays.is_none()).unwrap_or_default(),
            groups: grant.groups.join(" "),
            granted_at: grant.granted_at,
            expires_at: grant.expires_at,
            revoked_at: grant.revoked_at,
            state: if stays.is_some() { BY_DEFAULT } else { grant.state.code() },
            end_reason: grant.end_reason.map(|reason| reason.code()).unwrap_or_default(),
        }
    }
}

/// Who approved, in whose place, and when.
fn approval(decision: &HumanDecision) -> String {
    let places: Vec<&str> = decision.in_place_of.iter().map(|person| person.as_str()).collect();
    let places = if places.is_empty() { String::new() } else { format!(" in the place of {}", places.join(" and ")) };
    format!("{}{places} at {}", decision.approver, decision.at)
}
