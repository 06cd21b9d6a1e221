//! All that an approver needs for one decision: what exactly is given, who else has it, how earlier requests went, risk, cost, and
//! what the policy said. What was shown is kept with the decision.

use std::sync::Arc;

use serde::Serialize;

use crate::app::decide::pipeline::AccessFacts;
use crate::app::decide::translate;
use crate::app::tickets::work::may_read;
use crate::app::{App, Error};
use crate::desk::access::{AccessCase, AccessState};
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::organisation::{App as CatalogApp, Organisation, Tier};
use crate::rules::digest::Digest;

/// The share of peers from which on an access is usual, in hundredths.
const USUAL_SHARE: u32 = 50;

/// The facts that an approver is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionView {
    pub subject: String,
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    /// The longest that the approver may give.
    pub duration_hours: u32,
    pub justification: String,
    /// Whether it is more time for access that is held.
    pub extends: bool,
    /// All that is written to the app the moment the last approval is in.
    pub provisions: Vec<String>,
    /// How: the word of the connector's kind; `None` where the desk only keeps who may have it.
    pub connector: Option<&'static str>,
    pub risk: String,
    /// Of a seat for a month, in hundredths of the currency.
    pub monthly_cost: Option<u64>,
    pub currency: String,
    pub seats_left: Option<u32>,
    /// People of the same department, and how many of them hold the tier or a higher one.
    pub department_size: u32,
    pub department_holders: u32,
    /// How the person's requests of the last year have ended.
    pub requested: u32,
    pub approved: u32,
    pub denied: u32,
    pub revoked: u32,
    /// All else that the person holds, as `app/tier`.
    pub holds: Vec<String>,
    /// Why the rules ask people.
    pub policy: String,
    pub recommendation: Recommendation,
}

/// A first word about a request. It decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recommendation {
    /// Usual among peers and of the lowest risk.
    Approve,
    /// Neither usual nor alarming.
    Review,
    /// Of a high risk, or asked for by one whose access was taken back.
    ReviewCarefully,
}

/// A view with its digest, by which a decision says which one was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub view: DecisionView,
    pub snapshot: String,
}

impl App {
    /// The view that the approver of a request is shown now.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where there is no such request, or the actor may not read it.
    pub async fn decision_view(self: &Arc<Self>, actor: &Actor, number: TicketNumber) -> Result<Shown, Error> {
        let missing = || Error::Missing { what: "access request", name: number.to_string() };
        let (ticket, case) = self.store.ticket_and_case(number).await?.ok_or_else(missing)?;
        may_read(actor, &ticket, case.as_ref())?;
        let case = case.ok_or_else(missing)?;
        let organisation = self.organisation();
        let facts = self.access_facts(&organisation, &case.request, self.clock.now()).await?;
        shown(&organisation, &case, &facts).ok_or_else(missing)
    }
}

/// The view of a case by these facts; `None` where the catalog has the tier no more.
pub(super) fn shown(organisation: &Organisation, case: &AccessCase, facts: &AccessFacts) -> Option<Shown> {
    let app = organisation.apps.get(&case.request.app)?;
    let tier_asked = case.scope.as_ref().map_or(&case.request.tier, |scope| &scope.tier);
    let (_, tier) = app.tier(tier_asked.as_str())?;
    let view = view(organisation, case, facts, (app, tier));
    let text = serde_json::to_string(&view).unwrap_or_default();
    Some(Shown { snapshot: Digest::of(text.as_bytes()).to_string(), view })
}

fn view(
    organisation: &Organisation,
    case: &AccessCase,
    facts: &AccessFacts,
    (app, tier): (&CatalogApp, &Tier),
) -> DecisionView {
    let request = &case.request;
    let peers = translate::peers(organisation, &request.subject, app, tier, &facts.holders);
    let others: Vec<_> = facts.holders.iter().filter(|(person, _)| *person != request.subject).collect();
    let taken = others.iter().filter(|(_, held)| *held == tier.id).count();
    let scope = case.scope.clone();
    let mut provisions = vec!["account".to_owned(), format!("tier:{}", tier.id)];
    if let Some(scope) = &scope {
        provisions.extend(scope.role.iter().map(|role| format!("role:{role}")));
        provisions.extend(scope.groups.iter().map(|group| format!("group:{group}")));
    }
    let mut holds: Vec<String> = facts
        .grants
        .iter()
        .filter(|grant| grant.state.supports() && grant.revoked_at.is_none())
        .map(|grant| format!("{}/{}", grant.app, grant.tier))
        .collect();
    holds.sort_unstable();
    holds.dedup();
    let usual = peers.department_size > 0 && peers.department_holders * 100 >= peers.department_size * USUAL_SHARE;
    let recommendation = match tier.risk.as_str() {
        "high" | "critical" => Recommendation::ReviewCarefully,
        _ if facts.history.revoked > 0 => Recommendation::ReviewCarefully,
        "low" if usual => Recommendation::Approve,
        _ => Recommendation::Review,
    };
    DecisionView {
        subject: request.subject.to_string(),
        app: app.id.to_string(),
        tier: tier.id.to_string(),
        role: scope.as_ref().map_or_else(|| request.role.clone(), |scope| scope.role.clone()),
        duration_hours: scope.as_ref().map_or(tier.hours_max, |scope| scope.duration_hours),
        justification: request.justification.clone(),
        extends: request.extends,
        provisions,
        connector: organisation.connector_of(&app.id).map(|connector| connector.kind.code()),
        risk: tier.risk.clone(),
        monthly_cost: tier.monthly_cost,
        currency: organisation.currency.clone(),
        seats_left: tier.seats.map(|seats| seats.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))),
        department_size: peers.department_size,
        department_holders: peers.department_holders,
        requested: facts.history.requested,
        approved: facts.history.approved,
        denied: facts.history.denied,
        revoked: facts.history.revoked,
        holds,
        policy: if case.state == AccessState::Awaiting { case.reason.clone() } else { String::new() },
        recommendation,
    }
}
