//! Governed access: what is asked, who has to agree, what is granted. Approval is provisioning: the change that approves
//! holds the grant.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::change::at::At;
use super::id::{AppId, GrantId, PersonId, TicketId};
use super::organisation::{App, Calendar};
use super::permission::MayDecide;
use super::refusal::Refusal;
use super::sla;
use super::text::{is_blank, normal};
use super::ticket::edit::check_optional_reason;
use super::verdict::access::{AccessVerdict, Approval, Heard, Outcome, Scope};

mod approvers;
pub mod campaign;
mod decide;
mod ending;
mod follow;
mod grant;
mod guards;
mod ledger;
pub mod provisioning;
mod request;
mod review;

pub use approvers::{Named, Reassigned};
pub use decide::{AccessWrite, Question, answer_back, ask_back, decide, lapse, revoke};
pub(super) use decide::{cancelled, opened};
pub use ending::{begin, expire, next_reminder, remind};
pub use follow::{end, escalate, follow, nudge};
pub use grant::{EndReason, Grant, GrantState};
pub use guards::held_together;
pub use ledger::{LedgerEntry, LedgerEvent};
pub use request::AccessRequest;
pub use review::Review;

/// Where an access request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessState {
    DeniedByPolicy,
    Awaiting,
    Approved,
    Denied,
    Cancelled,
}

codes! {
    AccessState {
        DeniedByPolicy => "denied_by_policy",
        Awaiting => "awaiting",
        Approved => "approved",
        Denied => "denied",
        Cancelled => "cancelled",
    }
}

/// An access request with all that has been decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessCase {
    pub ticket: TicketId,
    pub requester: PersonId,
    pub submitted_by: PersonId,
    pub request: AccessRequest,
    pub state: AccessState,
    /// What is granted once all agree.
    pub scope: Option<Scope>,
    pub steps: Vec<Step>,
    /// Human decisions, in the order in which they were taken; never changed.
    pub decisions: Vec<HumanDecision>,
    /// Why it was decided so when it was asked for.
    pub reason: String,
    /// How many bytes at the beginning of the reason are the desk's own words, [`ALL_WORDS`] where all of it is; the rest is the
    /// rules'. `None` for requests from before this was kept.
    pub own_words: Option<usize>,
}

/// All of a reason is the desk's own.
pub const ALL_WORDS: usize = usize::MAX >> 1;

/// Why the desk denies what lapsed.
pub const NOT_IN_TIME: &str = "it was not decided in time";

/// One step of approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Those whom it asks now.
    pub approvers: Vec<PersonId>,
    pub needed: u32,
    pub due_at: Timestamp,
    /// The reason why they are approvers; empty for requests from before that was kept, which ask the same people as long as they are
    /// here.
    pub named: Vec<Named>,
    /// Those whom it asked before.
    pub former: Vec<PersonId>,
}

/// What one approver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanDecision {
    pub step: usize,
    pub approver: PersonId,
    /// The people in whose place it was decided; empty where the step asked the approver, too.
    pub in_place_of: Vec<PersonId>,
    pub approve: bool,
    pub reason: String,
    pub at: Timestamp,
}

impl AccessCase {
    /// The case that a verdict of the rules opens.
    pub fn open(
        ticket: TicketId,
        (requester, submitted_by): (PersonId, PersonId),
        request: AccessRequest,
        verdict: &AccessVerdict,
        at: &At<'_>,
    ) -> AccessCase {
        let app = at.organisation.apps.get(&request.app);
        let tier = app.and_then(|app| app.tier(request.tier.as_str())).and_then(|(_, tier)| tier.deadlines.as_ref());
        let own = tier.or_else(|| app.and_then(|app| app.deadlines.as_ref()));
        let calendar = own.unwrap_or(&at.organisation.defaults.deadlines).calendar(at.organisation);
        let (state, scope, steps) = match &verdict.outcome {
            Outcome::Denied => (AccessState::DeniedByPolicy, None, Vec::new()),
            Outcome::Approved(scope) => (AccessState::Approved, Some(scope.clone()), Vec::new()),
            Outcome::Await(Approval { scope, steps }) => {
                let steps = steps.iter().map(|step| Step {
                    approvers: step.approvers.clone(),
                    needed: step.needed,
                    due_at: step_due(calendar, at.now, step.due_in_hours),
                    named: step.named.clone(),
                    former: Vec::new(),
                });
                (AccessState::Awaiting, Some(scope.clone()), steps.collect())
            }
        };
        AccessCase {
            ticket,
            requester,
            submitted_by,
            request,
            state,
            scope,
            steps,
            decisions: Vec::new(),
            reason: verdict.reason.clone(),
            own_words: Some(if verdict.by_desk { ALL_WORDS } else { 0 }),
        }
    }

    /// The reason in two pieces: the desk's own words, and those of rules. Where it was not kept whose they are, all may be the desk's.
    pub fn said(&self) -> (&str, &str) {
        let own = self.own_words.unwrap_or(ALL_WORDS);
        self.reason.split_at_checked(own).unwrap_or((&self.reason, ""))
    }

    /// The case as it opens once the guards have looked at it: one that is approved at once needs a seat, and none may ask for what
    /// must not be held together with something that is held or asked for (I5). `heard` says whether all rules have answered.
    #[must_use]
    pub(super) fn guarded(self, heard: Heard, at: &At<'_>) -> AccessCase {
        let delegates =
            at.organisation.people.values().any(|person| !person.delegations.is_empty() || person.same_as.is_some());
        let case = if delegates { self.following(at.organisation, at.now).0 } else { self };
        let case = campaign::broken_glass(case, heard, at);
        let (after, denied) = case.reviewed(at);
        let now = at.review().verdict.as_ref();
        let of_rules = denied.is_some() && now.is_some_and(|now| matches!(now.outcome, Outcome::Denied));
        let own_words = Some(if of_rules { 0 } else { ALL_WORDS });
        match denied.or_else(|| guards::refuses_request(&after, at)).or_else(|| guards::begins_too_late(&after, at)) {
            Some(reason) => AccessCase { state: AccessState::DeniedByPolicy, scope: None, reason, own_words, ..after },
            None => after,
        }
    }

    /// Whether any step names an approver.
    pub fn names_approver(&self, person: &PersonId) -> bool {
        self.steps.iter().any(|step| step.approvers.contains(person))
    }

    /// Whether this person asked for the access or is to have it (I2).
    pub fn concerns(&self, person: &PersonId) -> bool {
        [&self.requester, &self.submitted_by, &self.request.subject].contains(&person)
    }

    /// The first step that has not enough approvals, and its number; `None` when all have.
    pub fn current_step(&self) -> Option<(usize, &Step)> {
        self.open_steps().next()
    }

    fn open_steps(&self) -> impl Iterator<Item = (usize, &Step)> {
        self.steps.iter().enumerate().filter(|(number, step)| {
            let agreed = self.decisions.iter().filter(|d| d.step == *number && d.approve).count();
            agreed < step.needed as usize
        })
    }

    /// Who may decide now.
    pub fn awaited(&self) -> Vec<&PersonId> {
        let Some((number, step)) = self.current_step().filter(|_| self.state == AccessState::Awaiting) else {
            return Vec::new();
        };
        let decided = |person: &PersonId| self.decisions.iter().any(|d| d.step == number && d.approver == *person);
        step.approvers.iter().filter(|person| !decided(person)).collect()
    }

    /// The bytes of all texts that people and rules have put into it.
    pub fn text_bytes(&self) -> usize {
        let decisions = self.decisions.iter().map(|decision| decision.reason.len());
        self.request.justification.len() + self.reason.len() + decisions.sum::<usize>()
    }

    /// Until when it may be approved; `None` where nothing is awaited. The time of every step runs from the request on, so a later
    /// step's may be over first: then an approval of the present step would lead nowhere.
    pub fn due_at(&self) -> Option<Timestamp> {
        let awaiting = self.state == AccessState::Awaiting;
        self.open_steps().filter(|_| awaiting).map(|(_, step)| step.due_at).min()
    }

    /// Whether it was not decided in time, so that all that is left is a denial.
    pub fn lapsed(&self, now: Timestamp) -> bool {
        self.due_at().is_some_and(|due| due <= now)
    }

    /// The case as the desk itself denies it, for [`NOT_IN_TIME`]; `None` while there is time, or nothing is awaited.
    pub fn denial(&self, now: Timestamp) -> Option<AccessCase> {
        self.lapsed(now).then(|| AccessCase { state: AccessState::Denied, ..self.clone() })
    }

    /// The case after its ticket was cancelled; what is settled stays as it is.
    #[must_use]
    pub fn cancelled(&self) -> AccessCase {
        let state = if self.state == AccessState::Awaiting { AccessState::Cancelled } else { self.state };
        AccessCase { state, ..self.clone() }
    }

    /// The case with no more in its scope than the catalog gives now, which may be less than when it was asked for (I5).
    ///
    /// # Errors
    /// [`Refusal::NotInCatalog`] where the app or the tier is gone.
    pub fn within(mut self, apps: &BTreeMap<AppId, App>) -> Result<AccessCase, Refusal> {
        if let Some(scope) = &mut self.scope {
            let tier = apps.get(&self.request.app).and_then(|app| app.tier(scope.tier.as_str()));
            let Some((_, tier)) = tier else {
                return Err(Refusal::NotInCatalog { app: self.request.app.clone(), tier: scope.tier.clone() });
            };
            scope.duration_hours = scope.duration_hours.min(tier.hours_max);
            scope.groups.retain(|group| tier.groups.iter().any(|given| given.as_str() == group));
            scope.role = scope.role.take().filter(|role| tier.roles.contains(role));
        }
        Ok(self)
    }

    /// The grant that an approved case gives; expiry counts from its beginning and never exceeds the scope (I6).
    pub fn grant(&self, id: GrantId, now: Timestamp) -> Option<Grant> {
        let scope = self.scope.as_ref().filter(|_| self.state == AccessState::Approved)?;
        let begins = self.request.starts.map_or(now, |starts| starts.max(now));
        Some(Grant {
            id,
            ticket: self.ticket,
            subject: self.request.subject.clone(),
            app: self.request.app.clone(),
            tier: scope.tier.clone(),
            role: scope.role.clone(),
            groups: scope.groups.clone(),
            granted_at: begins,
            expires_at: in_hours(begins, scope.duration_hours),
            revoked_at: None,
            state: if begins > now { GrantState::Scheduled } else { GrantState::Active },
            end_reason: None,
        })
    }

    /// The case after one approver's decision: approved when the last needed approval is in.
    ///
    /// # Errors
    /// Where the case is settled, the step does not await this person, or the decision is not one that may be given.
    pub fn decided(
        &self,
        decision: &ApproverDecision,
        permit: &MayDecide,
        now: Timestamp,
    ) -> Result<AccessCase, Refusal> {
        let approver = permit.on(self.ticket)?;
        let number = self.step_decided_by(approver, decision, now)?;
        decision.check_reason()?;
        let mut after = self.clone();
        if let (Some(hours), Some(scope)) = (decision.hours, after.scope.as_mut()) {
            if hours == 0 || hours > scope.duration_hours {
                return Err(Refusal::NotShorter { hours, hours_max: scope.duration_hours });
            }
            scope.duration_hours = hours;
        }
        if let Some(scope) = after.scope.as_mut().filter(|_| decision.approve) {
            decision.narrow.apply(scope)?;
        }
        after.decisions.push(HumanDecision {
            step: number,
            approver: approver.clone(),
            in_place_of: Vec::new(),
            approve: decision.approve,
            reason: normal(&decision.reason).into_owned(),
            at: now,
        });
        if !decision.approve {
            after.state = AccessState::Denied;
        } else if after.current_step().is_none() {
            after.state = AccessState::Approved;
        }
        Ok(after)
    }

    /// The number of the step that awaits this decision of an approver.
    fn step_decided_by(
        &self,
        approver: &PersonId,
        decision: &ApproverDecision,
        now: Timestamp,
    ) -> Result<usize, Refusal> {
        let open = self.current_step().filter(|_| self.state == AccessState::Awaiting);
        let (number, step) = open.ok_or(Refusal::AccessSettled { state: self.state.code() })?;
        if self.concerns(approver) {
            return Err(Refusal::OwnAccess);
        }
        if self.decisions.iter().any(|d| d.step == number && d.approver == *approver) {
            return Err(Refusal::DecidedAlready);
        }
        if !step.approvers.contains(approver) {
            let elsewhere = self.approved_another(number, approver);
            return Err(if elsewhere { Refusal::ApprovedAnotherStep } else { Refusal::NotAnApprover });
        }
        match self.due_at().filter(|due| decision.approve && *due <= now) {
            Some(due_at) => Err(Refusal::Overdue { due_at }),
            None => Ok(number),
        }
    }
}

/// One approver's decision, before it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApproverDecision {
    pub approve: bool,
    pub reason: String,
    /// A shorter grant than the rules allow; never a longer one.
    pub hours: Option<u32>,
    pub narrow: Narrow,
    /// The view that the approver was shown; `None` where they did not say.
    pub seen: Option<Seen>,
}

impl ApproverDecision {
    /// A denial needs a reason, an approval may have one.
    fn check_reason(&self) -> Result<(), Refusal> {
        if let Some(problem) = check_optional_reason("reason", &self.reason) {
            return Err(problem.into());
        }
        if !self.approve && is_blank(&self.reason) {
            return Err(Refusal::ReasonMissing);
        }
        Ok(())
    }
}

/// Less than the rules allow: the parts of the scope that an approver leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Whether the role is left out.
    pub without_role: bool,
    /// The groups that are given; `None` for all of the scope.
    pub groups: Option<Vec<String>>,
}

impl Narrow {
    /// Takes what is left out from a scope.
    fn apply(&self, scope: &mut Scope) -> Result<(), Refusal> {
        if self.without_role {
            scope.role = None;
        }
        let Some(groups) = &self.groups else { return Ok(()) };
        if let Some(other) = groups.iter().find(|group| !scope.groups.contains(group)) {
            return Err(Refusal::NotNarrower { group: other.clone(), groups: scope.groups.clone() });
        }
        scope.groups.retain(|group| groups.contains(group));
        Ok(())
    }
}

/// A view that an approver was shown, and what of it counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The name of what was shown, by its content.
    pub snapshot: String,
    /// The view as the program wrote it then.
    pub shown: String,
    /// The parts that the approver says they went by, such as `peers` or `risk`.
    pub insights: Vec<String>,
}

/// The furthest that anything of access lies ahead, in hours: a hundred years.
const HOURS_MAX: u32 = 100 * 366 * 24;

/// The end of a time of so many hours for approvers: hours of the clock, or of a calendar's open time. For a calendar that never opens
/// the clock's hours count.
fn step_due(calendar: Option<&Calendar>, now: Timestamp, hours: u32) -> Timestamp {
    let open = calendar.and_then(|calendar| sla::due(calendar, now, i64::from(hours.min(HOURS_MAX)) * 3_600_000));
    open.unwrap_or_else(|| in_hours(now, hours))
}

fn in_hours(now: Timestamp, hours: u32) -> Timestamp {
    // No further than a calendar reaches, with room for its time zones.
    let hours = hours.min(HOURS_MAX);
    Timestamp::from_millisecond(now.as_millisecond() + i64::from(hours) * 3_600_000).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::time;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::desk::organisation::OpenHours;

    #[test]
    fn approvers_have_open_hours_over_a_weekend_and_over_both_changes_of_the_clocks() {
        let open = OpenHours { start: time(9, 0, 0, 0), end: time(17, 0, 0, 0) };
        let week = std::array::from_fn(|day| if day < 5 { vec![open] } else { Vec::new() });
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let calendar = Calendar { zone: zone.clone(), week, holidays: BTreeSet::new() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // Friday at four in Berlin, before the night in which summer time begins, and before the one in which it ends.
        let (spring, autumn) = (at("2026-03-27T15:00:00Z"), at("2026-10-23T14:00:00Z"));
        assert_eq!(step_due(Some(&calendar), spring, 3), at("2026-03-30T09:00:00Z"));
        assert_eq!(step_due(Some(&calendar), autumn, 3), at("2026-10-26T10:00:00Z"));
        assert_eq!(step_due(None, spring, 3), at("2026-03-27T18:00:00Z"));
        let never = Calendar { zone, week: std::array::from_fn(|_| Vec::new()), holidays: BTreeSet::new() };
        assert_eq!(step_due(Some(&never), spring, 3), at("2026-03-27T18:00:00Z"));
    }
}
