//! A desk that is lived in: some weeks of tickets, answers, approvals and articles, written by the same use cases that people
//! use, at the times of a clock that is set. `serve --demo` begins with it where the database is empty.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::app::tickets::work::{Filter, Start, Words};
use crate::app::{App, Error};
use crate::cli::Failure;
use crate::desk::access::ApproverDecision;
use crate::desk::actor::{Actor, Role};
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::organisation::form::Raw;
use crate::desk::ticket::edit::EditTicket;
use crate::desk::ticket::intake::Submission;
use crate::desk::ticket::knowledge::{ArticleState, ArticleText};
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{Move, State, Ticket};
use crate::jobs::runner::run_due;
use crate::jobs::ways::Ways;

/// The story, as the file has it.
const STORY: &str = include_str!("demo.toml");
/// How long before the present it begins.
pub const BEGINS_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 24);
/// The category of what is resolved without one, and without another in the story.
const OTHERWISE: &str = "software.error";
/// The longest time for which the clock is moved on without doing what has become due meanwhile.
const STEP: SignedDuration = SignedDuration::from_hours(3);

#[derive(Deserialize)]
struct Story {
    article: Vec<Article>,
    ticket: Vec<Told>,
}

#[derive(Deserialize)]
struct Article {
    title: String,
    body: String,
    category: String,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    helped: Vec<String>,
}

/// A ticket and all that came of it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Told {
    /// How long before the present, such as `12d 3h`.
    ago: String,
    who: String,
    #[serde(rename = "type")]
    request_type: String,
    subject: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    fields: toml::Table,
    #[serde(default)]
    then: Vec<Step>,
}

/// One act on a ticket.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
struct Step {
    /// How long after the ticket.
    after: String,
    /// A person's id, or `agent` for the one whose it is, or the team's first.
    by: Option<String>,
    take: bool,
    reply: Option<String>,
    note: Option<String>,
    task: Option<String>,
    state: Option<String>,
    reason: String,
    resolve: Option<Resolved>,
    /// The category that it is given before it is resolved, where no rule found one.
    category: Option<String>,
    approve: Option<String>,
    deny: Option<String>,
    escalate: Option<String>,
    /// It is a duplicate of the ticket with this subject.
    duplicate_of: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct Resolved {
    symptom: String,
    cause: String,
    fix: String,
    next_time: String,
}

/// A length such as `12d 3h 20m`, in minutes.
fn minutes(text: &str) -> Result<i64, Failure> {
    let mut sum = 0;
    for part in text.split_whitespace() {
        let unit = part.chars().last().unwrap_or_default();
        let of = match unit {
            'd' => 24 * 60,
            'h' => 60,
            'm' => 1,
            _ => return Err(format!("the demo's story says `{text}`, which is no length").into()),
        };
        let number: i64 = part.trim_end_matches(unit).parse()?;
        sum += number * of;
    }
    Ok(sum)
}

/// The people of the story, and what they may do.
struct Cast(Arc<App>);

impl Cast {
    fn actor(&self, id: &str) -> Result<Actor, Failure> {
        let id: PersonId = id.parse()?;
        let organisation = self.0.organisation();
        let works = organisation.teams.values().any(|team| team.members.iter().any(|member| member.person == id));
        let roles = if works { vec![Role::Agent, Role::Approver] } else { vec![Role::Requester, Role::Approver] };
        Ok(Actor::Person { id, roles: roles.into_iter().collect() })
    }

    /// The one who works on a ticket, or would be the first to.
    fn agent(&self, ticket: &Ticket) -> Result<Actor, Failure> {
        let organisation = self.0.organisation();
        let team = organisation.teams.get(&ticket.team);
        let first = team.and_then(|team| team.members.first()).map(|member| member.person.clone());
        let person =
            ticket.assignee.clone().or(first).ok_or("the demo's story has a ticket of a team without people")?;
        self.actor(person.as_str())
    }
}

/// One thing that happens: the ticket itself, or a step of it.
enum Happens<'a> {
    Ticket(usize, &'a Told),
    Step(usize, &'a Step),
}

/// Whether nothing was ever asked of the desk.
///
/// # Errors
///
/// Where the store cannot be read.
pub async fn is_new(app: &Arc<App>) -> Result<bool, Error> {
    let (found, _) = app.tickets(&admin(app), Filter::default(), Start::Queue(None), 1).await?;
    Ok(found.items.is_empty())
}

fn admin(app: &Arc<App>) -> Actor {
    let organisation = app.organisation();
    let someone = organisation.people.keys().next().cloned();
    let roles = [Role::Admin, Role::Agent].into_iter().collect();
    someone.map_or(Actor::System, |id| Actor::Person { id, roles })
}

/// The outcome of the story.
#[derive(Debug, Default)]
pub struct Lived {
    pub tickets: usize,
    /// Each act that this desk refused, and why.
    pub refused: Vec<String>,
}

/// Lets the story happen up to the present, on a desk whose clock stands [`BEGINS_BEFORE`] it; the clock stands at the present
/// afterwards. What the desk refuses is left out.
///
/// # Errors
///
/// Where the story cannot be read, or belongs to another organisation.
pub async fn live_in(app: &Arc<App>, ways: &Arc<Ways>, present: Timestamp) -> Result<Lived, Failure> {
    let story: Story = toml::from_str(STORY)?;
    let mut all: Vec<(Timestamp, Happens<'_>)> = Vec::new();
    for (n, told) in story.ticket.iter().enumerate() {
        let at = present.checked_sub(SignedDuration::from_mins(minutes(&told.ago)?))?;
        all.push((at, Happens::Ticket(n, told)));
        for step in &told.then {
            all.push((at.checked_add(SignedDuration::from_mins(minutes(&step.after)?))?, Happens::Step(n, step)));
        }
    }
    all.retain(|(at, _)| *at < present);
    all.sort_by_key(|(at, _)| *at);
    let cast = Cast(Arc::clone(app));
    articles(&cast, &story.article).await?;
    let mut numbers: BTreeMap<usize, TicketNumber> = BTreeMap::new();
    let mut refused = Vec::new();
    let by_subject = |subject: &str| story.ticket.iter().position(|told| told.subject == subject);
    for (at, happens) in &all {
        go_on(app, ways, *at).await?;
        match happens {
            Happens::Ticket(n, told) => match submit(&cast, told).await {
                Ok(number) => drop(numbers.insert(*n, number)),
                Err(error) => refused.push(format!("`{}`: {error}", told.subject)),
            },
            Happens::Step(n, step) => {
                let Some(number) = numbers.get(n) else { continue };
                let original = step.duplicate_of.as_deref().and_then(by_subject).and_then(|n| numbers.get(&n));
                // A life has many kinds of acts, which together are larger than the stack of a thread may be.
                if let Err(error) = Box::pin(act(&cast, *number, step, original)).await {
                    refused.push(format!("{number}, after {}: {error}", step.after));
                }
            }
        }
    }
    go_on(app, ways, present).await?;
    run_due(app, ways).await?;
    Ok(Lived { tickets: numbers.len(), refused })
}

/// Moves the clock on to an instant, and does on the way what becomes due.
async fn go_on(app: &Arc<App>, ways: &Arc<Ways>, to: Timestamp) -> Result<(), Failure> {
    loop {
        let left = to.duration_since(app.clock.now());
        if left <= SignedDuration::ZERO {
            return Ok(());
        }
        app.clock.advance(left.min(STEP));
        if left > SignedDuration::from_mins(30) {
            run_due(app, ways).await?;
        }
    }
}

async fn articles(cast: &Cast, all: &[Article]) -> Result<(), Failure> {
    let agent = cast.actor("kofi")?;
    let any = Condition { matches: Some(Tags::Any), none_matches: None };
    for Article { title, body, category, draft, helped } in all {
        let text = ArticleText {
            title: title.clone(),
            body: body.trim().to_owned(),
            language: "en".to_owned(),
            category: Some(category.clone()),
            review_on: None,
        };
        let article = cast.0.add_article(&agent, text).await?;
        if *draft {
            continue;
        }
        cast.0.change_article(&agent, article.number, &any, (None, Some(ArticleState::Public))).await?;
        for person in helped {
            let reader = cast.actor(person)?;
            cast.0.vote(&reader, article.number, true).await?;
            cast.0.deflected(&reader, article.number).await?;
        }
    }
    Ok(())
}

fn raw(value: &toml::Value) -> Raw {
    match value {
        toml::Value::String(text) => Raw::Text(text.clone()),
        toml::Value::Integer(number) => Raw::Number(*number as f64),
        toml::Value::Float(number) => Raw::Number(*number),
        toml::Value::Boolean(flag) => Raw::Flag(*flag),
        other => Raw::Text(other.to_string()),
    }
}

async fn submit(cast: &Cast, told: &Told) -> Result<TicketNumber, Failure> {
    let submission = Submission {
        request_type: told.request_type.clone(),
        channel: "portal".to_owned(),
        channel_named: told.channel.clone(),
        subject: told.subject.clone(),
        body: told.body.trim().to_owned(),
        fields: told.fields.iter().map(|(name, value)| (name.clone(), raw(value))).collect(),
        ..Submission::default()
    };
    // What came by telephone or by mail was taken down by an agent.
    let (actor, requester) = match told.channel {
        Some(_) => (cast.actor("nadia")?, Some(told.who.parse()?)),
        None => (cast.actor(&told.who)?, None),
    };
    Ok(cast.0.create_ticket(&actor, requester, submission, None).await.map_err(plain)?.ticket.number)
}

/// An error with all that was wrong.
fn plain(error: Error) -> Failure {
    super::told(error)
}

async fn act(cast: &Cast, number: TicketNumber, step: &Step, original: Option<&TicketNumber>) -> Result<(), Failure> {
    let (ticket, _) = cast.0.ticket(&admin(&cast.0), number).await?;
    let actor = match step.by.as_deref() {
        None | Some("agent") => cast.agent(&ticket)?,
        Some("requester") => {
            Actor::Person { id: ticket.submitted.requester.clone(), roles: [Role::Requester].into_iter().collect() }
        }
        Some(id) => cast.actor(id)?,
    };
    let app = &cast.0;
    if step.take {
        take(app, &actor, &ticket).await?;
    }
    if let Some(original) = original {
        Box::pin(app.link(&actor, number, (LinkKind::Duplicate, *original), None)).await.map_err(plain)?;
    }
    if let Some(text) = &step.note {
        app.comment(&actor, number, Words::new(text.trim(), Visibility::Internal), None).await.map_err(plain)?;
    }
    if let Some(text) = &step.task {
        app.add_task(&actor, number, text, None).await.map_err(plain)?;
    }
    if let Some(text) = &step.reply {
        app.comment(&actor, number, Words::new(text.trim(), Visibility::Public), None).await.map_err(plain)?;
    }
    if let Some(reason) = &step.escalate {
        app.escalate(&actor, number, reason, None).await.map_err(plain)?;
    }
    for (word, reason) in [(true, &step.approve), (false, &step.deny)] {
        if let Some(reason) = reason {
            decide(cast, number, word, reason).await?;
        }
    }
    if let Some(record) = &step.resolve {
        let record = ResolutionRecord {
            symptom: record.symptom.clone(),
            cause: record.cause.clone(),
            fix: record.fix.clone(),
            next_time: record.next_time.clone(),
        };
        categorize(app, &actor, &ticket, step.category.as_deref().unwrap_or(OTHERWISE)).await?;
        step_to(app, &actor, number, Move { reason: record.fix.clone(), record, ..Move::to(State::Resolved) }).await?;
    }
    if let Some(to) = step.state.as_deref().and_then(State::from_code) {
        let wanted = Move { reason: step.reason.clone(), ..Move::to(to) };
        step_to(app, &actor, number, wanted).await?;
    }
    Ok(())
}

fn as_it_is() -> Condition {
    Condition { matches: Some(Tags::Any), none_matches: None }
}

async fn step_to(app: &Arc<App>, actor: &Actor, number: TicketNumber, wanted: Move) -> Result<(), Failure> {
    Box::pin(app.transition(actor, number, &as_it_is(), wanted, None)).await.map(drop).map_err(plain)
}

/// An agent says what a ticket is about that no rule has recognised.
async fn categorize(app: &Arc<App>, actor: &Actor, ticket: &Ticket, category: &str) -> Result<(), Failure> {
    if ticket.category != app.organisation().defaults.category {
        return Ok(());
    }
    let reason = "This is what it is about".to_owned();
    let wanted = EditTicket { category: Some(category.to_owned()), reason, ..EditTicket::default() };
    Box::pin(app.edit_ticket(actor, ticket.number, &as_it_is(), wanted, None)).await.map(drop).map_err(plain)
}

/// An agent takes a ticket and begins with it.
async fn take(app: &Arc<App>, actor: &Actor, ticket: &Ticket) -> Result<(), Failure> {
    if ticket.assignee.as_ref() != actor.person() {
        let assignee = Some(actor.person().map(ToString::to_string));
        let wanted = EditTicket { assignee, reason: "I take it".to_owned(), ..EditTicket::default() };
        Box::pin(app.edit_ticket(actor, ticket.number, &as_it_is(), wanted, None)).await.map_err(plain)?;
    }
    step_to(app, actor, ticket.number, Move::to(State::InProgress)).await
}

/// The first of those who are asked says their word.
async fn decide(cast: &Cast, number: TicketNumber, approve: bool, reason: &str) -> Result<(), Failure> {
    let (_, case) = cast.0.ticket(&admin(&cast.0), number).await?;
    let awaited = case.as_ref().and_then(|case| case.awaited().first().map(|person| (*person).clone()));
    let Some(person) = awaited else { return Ok(()) };
    let approver = cast.actor(person.as_str())?;
    let decision =
        ApproverDecision { approve, reason: reason.to_owned(), hours: None, narrow: Default::default(), seen: None };
    cast.0.decide_access(&approver, number, decision, None).await.map(drop).map_err(plain)
}
