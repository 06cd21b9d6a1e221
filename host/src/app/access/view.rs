//! All that an approver needs for one decision: what exactly is given, who else has it, how earlier requests went, risk, cost, and
//! what the policy said. What was shown is kept with the decision.

use std::sync::Arc;

use serde::Serialize;

use crate::app::decide::pipeline::AccessFacts;
use crate::app::decide::translate;
use crate::app::tickets::change::{Key, Which, idempotency};
use crate::app::tickets::work::may_read;
use crate::app::{App, Error, Office};
use crate::desk::access::{self, AccessCase, AccessState, Question};
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::organisation::{App as CatalogApp, Organisation, Tier};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::rules::digest::Digest;
use crate::store::access::History;

/// The parts of the view that approvers may say they went by.
pub const INSIGHTS: [&str; 7] = ["peers", "history", "risk", "cost", "policy", "holds", "justification"];
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
    /// The same of those among them who have the person's title.
    pub title_size: u32,
    pub title_holders: u32,
    /// How the person's requests of the last year have ended.
    pub requested: u32,
    pub approved: u32,
    pub denied: u32,
    pub revoked: u32,
    /// All else that the person holds, as `app/tier`.
    pub holds: Vec<String>,
    /// Why the rules ask people.
    pub policy: String,
    /// `awaiting`; `asked` while a question of an approver waits for its answer; or how it was settled.
    pub state: &'static str,
    /// All that approvers have asked back, oldest first.
    pub questions: Vec<QuestionShown>,
    pub recommendation: Recommendation,
    /// All that the recommendation goes by.
    pub reasons: Vec<Reason>,
}

/// A question of an approver, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuestionShown {
    pub asked_by: String,
    pub question: String,
    /// `None` as long as there is none.
    pub answered_by: Option<String>,
    pub answer: Option<String>,
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

/// A fact that a recommendation goes by, or that an approver should have seen with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    LowRisk,
    HighRisk,
    /// Half of the department or more hold it.
    UsualAmongPeers,
    /// Fewer do.
    UnusualAmongPeers,
    /// No one to compare with.
    NoPeers,
    /// Access of the person was taken back within the last year.
    TakenBackBefore,
    /// A request of theirs was denied within the last year.
    DeniedBefore,
    NoSeatLeft,
}

impl Reason {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Reason::LowRisk => "low-risk",
            Reason::HighRisk => "high-risk",
            Reason::UsualAmongPeers => "usual-among-peers",
            Reason::UnusualAmongPeers => "unusual-among-peers",
            Reason::NoPeers => "no-peers",
            Reason::TakenBackBefore => "taken-back-before",
            Reason::DeniedBefore => "denied-before",
            Reason::NoSeatLeft => "no-seat-left",
        }
    }
}

/// A first word about a request for a tier, with all that it goes by.
fn recommend(
    tier: &Tier,
    (size, holders): (u32, u32),
    history: History,
    seats_left: Option<u32>,
) -> (Recommendation, Vec<Reason>) {
    let (high, low) = (matches!(tier.risk.as_str(), "high" | "critical"), tier.risk == "low");
    let usual = size > 0 && u64::from(holders) * 100 >= u64::from(size) * u64::from(USUAL_SHARE);
    let among_peers = match (size, usual) {
        (0, _) => Reason::NoPeers,
        (_, true) => Reason::UsualAmongPeers,
        (_, false) => Reason::UnusualAmongPeers,
    };
    let holds = [
        (high, Reason::HighRisk),
        (low, Reason::LowRisk),
        (true, among_peers),
        (history.revoked > 0, Reason::TakenBackBefore),
        (history.denied > 0, Reason::DeniedBefore),
        (seats_left == Some(0), Reason::NoSeatLeft),
    ];
    let recommendation = match (high || history.revoked > 0, low && usual) {
        (true, _) => Recommendation::ReviewCarefully,
        (false, true) => Recommendation::Approve,
        (false, false) => Recommendation::Review,
    };
    (recommendation, holds.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect())
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
        let questions = self.store.questions_about(ticket.id).await?;
        shown(&organisation, (&case, &questions), &facts).ok_or_else(missing)
    }
}

impl Office {
    /// Asks something back before deciding; the one who has asked for access hears of it. The time in which the request can be
    /// approved goes on. One question at a time waits for its answer.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] where the request does not await the actor, or another question waits;
    /// [`Error::Rejected`] without words.
    pub async fn ask_back(
        &self,
        actor: &Actor,
        number: TicketNumber,
        question: &str,
        key: Option<Key>,
    ) -> Result<(), Error> {
        let missing = || Error::Missing { what: "access request", name: number.to_string() };
        let key = idempotency(actor, key);
        self.change_asked(Which::Number(number), key, |(ticket, case), asked, at| {
            may_read(actor, ticket, case)?;
            let case = case.ok_or_else(missing)?;
            let (now, _) = case.following(at.organisation, at.now);
            let permit = permission::decide_access(actor, ticket, &now)?;
            Ok(access::ask_back(ticket, case, (question, asked), &permit, at)?)
        })
        .await
    }

    /// Answers what an approver has asked back. For those who have asked for the access, and the one who is to have it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] where no question waits for the actor's answer; [`Error::Rejected`] without words.
    pub async fn answer_back(
        &self,
        actor: &Actor,
        number: TicketNumber,
        answer: &str,
        key: Option<Key>,
    ) -> Result<(), Error> {
        let missing = || Error::Missing { what: "access request", name: number.to_string() };
        let by = actor.person().ok_or(Refusal::NotAskedBack)?;
        let key = idempotency(actor, key);
        self.change_asked(Which::Number(number), key, |(ticket, case), asked, at| {
            may_read(actor, ticket, case)?;
            Ok(access::answer_back(ticket, case.ok_or_else(missing)?, asked, (by, answer), at)?)
        })
        .await
    }
}

impl Office {
    /// The questions about the actor's requests that wait for an answer, each with its ticket, oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn questions_to(&self, actor: &Actor) -> Result<Vec<(TicketNumber, Question)>, Error> {
        match actor.person() {
            Some(person) => Ok(self.store.questions_to(person).await?),
            None => Ok(Vec::new()),
        }
    }
}

fn question_shown(question: &Question) -> QuestionShown {
    let answer = question.answer.as_ref();
    QuestionShown {
        asked_by: question.asked_by.to_string(),
        question: question.question.clone(),
        answered_by: answer.map(|(by, ..)| by.to_string()),
        answer: answer.map(|(_, words, _)| words.clone()),
    }
}

/// The view of a case by these facts; `None` where the catalog has the tier no more.
fn shown(
    organisation: &Organisation,
    (case, questions): (&AccessCase, &[Question]),
    facts: &AccessFacts,
) -> Option<Shown> {
    let app = organisation.apps.get(&case.request.app)?;
    let tier_asked = case.scope.as_ref().map_or(&case.request.tier, |scope| &scope.tier);
    let (_, tier) = app.tier(tier_asked.as_str())?;
    let mut view = view(organisation, case, facts, (app, tier));
    if case.state == AccessState::Awaiting && questions.iter().any(|question| question.answer.is_none()) {
        view.state = "asked";
    }
    view.questions = questions.iter().map(question_shown).collect();
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
    let peers = translate::peers(&facts.peers, app, tier);
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
    let seats_left = tier.seats.map(|seats| seats.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX)));
    let of_peers = (peers.department_size, peers.department_holders);
    let (recommendation, reasons) = recommend(tier, of_peers, facts.history, seats_left);
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
        seats_left,
        department_size: peers.department_size,
        department_holders: peers.department_holders,
        title_size: facts.alike.size,
        title_holders: facts.alike.holders_of(app, tier),
        requested: facts.history.requested,
        approved: facts.history.approved,
        denied: facts.history.denied,
        revoked: facts.history.revoked,
        holds,
        state: case.state.code(),
        questions: Vec::new(),
        policy: if case.state == AccessState::Awaiting { case.reason.clone() } else { String::new() },
        recommendation,
        reasons,
    }
}
