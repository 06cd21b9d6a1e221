//! The approver's pages: what waits for them, and one request with all that they need to decide. Looking never decides.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

pub mod delegations;
pub mod links;
mod questions;

use self::questions::Asked;
pub use self::questions::{answer, ask};
use super::frame::failure::{Failure, if_any};
use super::frame::form::Form;
use super::frame::shown::Decided;
use super::frame::times::When;
use super::frame::{Frame, page};
use super::session::Visit;
use crate::app::Error;
use crate::app::access::view::{DecisionView, INSIGHTS, Recommendation, Shown};
use crate::app::tickets::work::TicketSummary;
use crate::desk::access::{AccessCase, AccessState, ApproverDecision, Narrow, Seen};
use crate::desk::id::TicketNumber;
use crate::desk::permission;

/// Requests on a page.
const ROWS: usize = 50;

/// A request in the list.
struct Waiting {
    key: String,
    who: String,
    what: String,
    risk: String,
    due: Option<When>,
    asked: When,
}

#[derive(Template)]
#[template(path = "approvals/list.html")]
struct ListPage {
    f: Frame,
    rows: Vec<Waiting>,
    /// Who decides in whose place, and when, by the configuration.
    stand_ins: Vec<String>,
    /// The same by the people's own word, which the reader may end.
    given: Vec<delegations::Given>,
    /// Whom the reader may choose.
    people: Vec<(String, String)>,
    /// The form as it was filled in: whom, from which day, until which.
    filled: (String, String, String),
    problems: Vec<String>,
    /// The act that was done, in words.
    done: Option<String>,
}

/// The access that is asked for, exactly.
struct Wanted {
    app: String,
    tier: String,
    role: Option<String>,
    hours: u32,
    span: String,
    risk: String,
    groups: Vec<String>,
    owner: Option<String>,
    hours_max: u32,
}

fn wanted(f: &Frame, case: &AccessCase) -> Wanted {
    let app = f.organisation.apps.get(&case.request.app);
    let tier_id = case.scope.as_ref().map_or(&case.request.tier, |scope| &scope.tier);
    let tier = app.and_then(|app| app.tier(tier_id.as_str())).map(|(_, tier)| tier);
    let hours =
        case.scope.as_ref().map(|scope| scope.duration_hours).or(case.request.duration_hours).unwrap_or_default();
    Wanted {
        app: f.app(case.request.app.as_str()),
        tier: tier.map_or_else(|| tier_id.to_string(), |tier| tier.name.clone()),
        role: case.scope.as_ref().and_then(|scope| scope.role.clone()),
        hours,
        span: f.times.span(i64::from(hours) * 60),
        risk: tier.map(|tier| tier.risk.clone()).unwrap_or_default(),
        groups: case.scope.as_ref().map(|scope| scope.groups.clone()).unwrap_or_default(),
        owner: app.and_then(|app| app.owner.as_ref()).map(|owner| f.name(owner)),
        hours_max: tier.map_or(hours, |tier| tier.hours_max),
    }
}

/// A request whose row is damaged.
fn unreadable(f: &Frame, ticket: &TicketSummary) -> Waiting {
    Waiting {
        key: ticket.number.to_string(),
        who: f.name(&ticket.requester),
        what: f.words.t("state.damaged"),
        risk: String::new(),
        due: None,
        asked: f.times.ago(ticket.created_at),
    }
}

/// The act that the list comes after.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct After {
    done: String,
}

/// `GET /approvals`.
pub async fn list(visit: Visit, Query(After { done }): Query<After>) -> Result<Response, Failure> {
    let done = ["given", "ended"].into_iter().find(|known| *known == done);
    let done = done.map(|done| visit.frame.words.t(&format!("delegation.done-{done}")));
    list_page(visit, &Form::default(), Vec::new(), done).await
}

/// The list after an act, or with a form below it in which something is wrong.
async fn list_page(
    visit: Visit,
    form: &Form,
    problems: Vec<String>,
    done: Option<String>,
) -> Result<Response, Failure> {
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (found, _) = visit.app.awaiting(&visit.actor, None, ROWS).await?;
    let all = visit.app.delegations(&visit.actor).await?;
    let (stand_ins, given, people) = {
        let (f, reader) = (&visit.frame, visit.person());
        (delegations::stand_ins(f, reader), delegations::given(f, reader, &all), delegations::offered(f, reader))
    };
    let f = visit.frame;
    let rows = found.items.iter().map(|(ticket, case)| {
        let Some(case) = case else { return unreadable(&f, ticket) };
        let Wanted { app, tier, span, risk, .. } = wanted(&f, case);
        Waiting {
            key: ticket.number.to_string(),
            who: f.name(&case.request.subject),
            what: format!("{app} · {tier} · {span}"),
            risk,
            due: case.due_at().map(|due| f.times.due(due)),
            asked: f.times.ago(ticket.created_at),
        }
    });
    let rows = rows.collect();
    let filled = (form.text("to"), form.text("from"), form.text("until"));
    page(status, &ListPage { rows, stand_ins, given, people, filled, problems, done, f })
}

/// A step of approval.
struct StepShown {
    who: Vec<String>,
    needed: u32,
    due: When,
    /// Whether it is the present one.
    now: bool,
    decided: Vec<Decided>,
}

#[derive(Template)]
#[template(path = "approvals/show.html")]
struct ShowPage {
    f: Frame,
    key: String,
    who: String,
    title: String,
    department: String,
    asked_by: Option<String>,
    wanted: Wanted,
    justification: String,
    reason: String,
    steps: Vec<StepShown>,
    /// Whether the reader may decide now.
    may: bool,
    state: String,
    settled: bool,
    problem: Option<String>,
    filled: (String, String),
    key_of_form: String,
    extends: bool,
    /// All that is known about the request, while it waits.
    known: Option<Known>,
    /// All that approvers have asked back, oldest first.
    questions: Vec<Asked>,
    /// Whether a question waits for its answer.
    asked: bool,
    /// Whether it is for the reader to answer.
    answers: bool,
    /// The parts of the page that an approver may say they went by, each with its name.
    insights: Vec<(&'static str, String, bool)>,
    /// The groups that may be given, and whether the reader gives them.
    groups: Vec<(String, bool)>,
    /// Whether the reader leaves the role out.
    without_role: bool,
}

impl ShowPage {
    /// Whether the reader has said that less is to be given, or what they went by: that stays in sight when the page comes again.
    fn gives_less(&self) -> bool {
        let leaves_out = self.without_role || self.groups.iter().any(|(_, given)| !given);
        leaves_out || !self.filled.0.is_empty() || self.insights.iter().any(|(_, _, ticked)| *ticked)
    }
}

/// All that is known about a request, for a decision.
struct Known {
    peers: String,
    before: String,
    holds: Vec<String>,
    cost: Option<String>,
    seats: Option<u32>,
    how: String,
    advice: String,
    /// The facts behind the advice.
    why: Vec<String>,
    /// `good`, `warn` or empty.
    tone: &'static str,
    snapshot: String,
}

/// How many of those around the person hold the same.
fn peers(f: &Frame, view: &DecisionView) -> String {
    let all = f.words.t2("approvals.peers-have", view.department_holders, view.department_size);
    if view.title_size == 0 {
        return all;
    }
    format!("{all} · {}", f.words.t2("approvals.alike-have", view.title_holders, view.title_size))
}

fn known(f: &Frame, Shown { view, snapshot }: Shown) -> Known {
    let words = &f.words;
    let cost = |cost: u64| format!("{} {}", words.decimal(cost as f64 / 100.0, 2), view.currency);
    let (advice, tone) = match view.recommendation {
        Recommendation::Approve => ("approvals.usual", "good"),
        Recommendation::Review => ("approvals.review", ""),
        Recommendation::ReviewCarefully => ("approvals.careful", "warn"),
    };
    let ended = words.t2("approvals.before-ended", view.denied, view.revoked);
    Known {
        peers: peers(f, &view),
        before: format!("{} {ended}", words.t2("approvals.before-asked", view.requested, view.approved)),
        holds: view.holds,
        cost: view.monthly_cost.map(|of| words.t1("access.cost", cost(of))),
        seats: view.seats_left,
        how: view
            .connector
            .map_or_else(|| words.t("approvals.by-hand"), |kind| words.t1("approvals.by-connector", kind)),
        advice: words.t(advice),
        why: view.reasons.iter().map(|reason| f.named("advice", reason.code())).collect(),
        tone,
        snapshot,
    }
}

/// `GET /approvals/{key}`: a page with a form, and no more than that.
pub async fn show(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    render(visit, &key, &Form::default(), None, StatusCode::OK).await
}

async fn render(
    visit: Visit,
    key: &str,
    form: &Form,
    problem: Option<String>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let number: TicketNumber = key.parse().map_err(|_| Failure::NoPage)?;
    let (ticket, case) = visit.app.ticket(&visit.actor, number).await?;
    let case = case.ok_or(Failure::NoPage)?;
    let awaited = case.awaited().into_iter().any(|person| person == visit.person());
    let may = awaited && permission::decide_access(&visit.actor, &ticket, &case).is_ok();
    let key_of_form = visit.app.clock.new_id().to_string();
    let waits = case.state == AccessState::Awaiting;
    let shown = if_any(visit.app.decision_view(&visit.actor, number).await)?;
    let answers = case.concerns(visit.person());
    let f = visit.frame;
    let questions = shown.as_ref().map(|shown| questions::shown(&f, &shown.view.questions)).unwrap_or_default();
    let asked = waits && questions.iter().any(|question| question.answer.is_none());
    let ticked = form.all("insight");
    let insight =
        |name: &'static str| (name, f.words.t(&format!("insight.{name}")), ticked.iter().any(|one| one == name));
    let insights = INSIGHTS.into_iter().map(insight).collect();
    let wanted = wanted(&f, &case);
    let present = case.current_step().map(|(number, _)| number);
    let steps = case.steps.iter().enumerate().map(|(number, step)| StepShown {
        who: step.approvers.iter().map(|id| f.name(id)).collect(),
        needed: step.needed,
        due: f.times.due(step.due_at),
        now: case.state == AccessState::Awaiting && present == Some(number),
        decided: case.decisions.iter().filter(|one| one.step == number).map(|one| f.decided(one)).collect(),
    });
    let steps = steps.collect();
    let subject = f.organisation.people.get(&case.request.subject);
    let (title, department) = subject.map(|p| (p.title.clone(), p.department.clone())).unwrap_or_default();
    let asked_by = (case.submitted_by != case.request.subject).then(|| f.name(&case.submitted_by));
    let page_ = ShowPage {
        key: number.to_string(),
        who: f.name(&case.request.subject),
        title,
        department,
        asked_by,
        groups: groups(&wanted, form),
        without_role: form.has("without-role"),
        wanted,
        justification: case.request.justification.clone(),
        reason: f.case_reason(&case),
        steps,
        may,
        state: f.words.t(&format!("access.{}", case.state.code())),
        settled: case.state != AccessState::Awaiting,
        problem,
        filled: (form.text("hours"), form.text("reason")),
        key_of_form,
        extends: case.request.extends,
        known: shown.filter(|_| waits).map(|shown| known(&f, shown)),
        questions,
        asked,
        answers: answers && asked,
        insights,
        f,
    };
    page(status, &page_)
}

/// The groups that may be given, all of them ticked until the reader has said otherwise.
fn groups(wanted: &Wanted, form: &Form) -> Vec<(String, bool)> {
    let given = groups_given(form);
    let is_given = |group: &String| given.as_ref().is_none_or(|all| all.contains(group));
    wanted.groups.iter().map(|group| (group.clone(), is_given(group))).collect()
}

/// The groups that are ticked; `None` where the form has none to tick.
fn groups_given(form: &Form) -> Option<Vec<String>> {
    form.has("groups").then(|| form.all("group"))
}

/// Whether a form approves the request, or denies it.
fn approves(form: &Form) -> Result<bool, Failure> {
    match form.text("decision").as_str() {
        "approve" => Ok(true),
        "deny" => Ok(false),
        _ => Err(Failure::BadForm),
    }
}

/// `POST /approvals/{key}`.
pub async fn decide(visit: Visit, Path(key): Path<String>, form: Form) -> Result<Response, Failure> {
    let number: TicketNumber = key.parse().map_err(|_| Failure::NoPage)?;
    let approve = approves(&form)?;
    let hours = form.given("hours").filter(|_| approve);
    let decision = ApproverDecision {
        approve,
        reason: form.text("reason"),
        hours: hours.map(|hours| hours.trim().parse().unwrap_or_default()),
        narrow: Narrow {
            without_role: approve && form.has("without-role"),
            groups: groups_given(&form).filter(|_| approve),
        },
        seen: form.given("snapshot").map(|snapshot| Seen {
            snapshot,
            insights: form.all("insight"),
            ..Seen::default()
        }),
    };
    let once = form.once(&format!("decide {key}"));
    match visit.app.decide_access(&visit.actor, number, decision, once).await {
        Ok(_) => Ok(Redirect::to(&format!("/approvals/{number}")).into_response()),
        Err(Error::Refused(refusal)) => {
            let problem = visit.frame.refused(&refusal);
            render(visit, &key, &form, Some(problem), StatusCode::CONFLICT).await
        }
        Err(Error::Rejected { problems }) => {
            let all = visit.frame.problems(&problems);
            render(visit, &key, &form, Some(all), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(other) => Err(other.into()),
    }
}
