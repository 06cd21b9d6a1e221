//! What agents change about a ticket by hand: each field with the reason, written into the timeline beside what the rules
//! said, so that one can see later where people thought otherwise.

use jiff::Timestamp;

use super::assignment;
use super::lifecycle::clocks;
use super::sight::Part;
use super::timeline::{Entry, Event, Field, Visibility};
use super::{Ticket, changed};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{CategoryId, ImpactId, PersonId, Skill, Tag, TeamId, UrgencyId};
use crate::desk::organisation::form::{Fault, Problem, check_characters};
use crate::desk::organisation::{Organisation, PriorityLevel};
use crate::desk::permission::MayEdit;
use crate::desk::refusal::Refusal;
use crate::desk::text::{into_normal, is_blank, quoted};
use crate::desk::verdict::{By, Rated, Routed};

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 1_000;
/// The most tags that a ticket may be given.
const TAGS_MAX: usize = 50;

/// The changes that an actor asks for; a field that is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditTicket {
    pub category: Option<String>,
    pub impact: Option<String>,
    pub urgency: Option<String>,
    pub priority: Option<String>,
    pub team: Option<String>,
    /// `Some(None)` leaves the ticket in its team's queue.
    pub assignee: Option<Option<String>>,
    /// All tags that it is to have.
    pub tags: Option<Vec<String>>,
    pub reason: String,
}

impl EditTicket {
    /// The same in the one form in which texts are kept.
    #[must_use]
    pub fn into_normal(self) -> Self {
        let one = |text: Option<String>| text.map(into_normal);
        let Self { category, impact, urgency, priority, team, assignee, tags, reason } = self;
        Self {
            category: one(category),
            impact: one(impact),
            urgency: one(urgency),
            priority: one(priority),
            team: one(team),
            assignee: assignee.map(one),
            tags: tags.map(|tags| tags.into_iter().map(into_normal).collect()),
            reason: into_normal(reason),
        }
    }
}

/// The same, naming only what exists.
#[derive(Debug, Clone, Default)]
struct Checked {
    category: Option<CategoryId>,
    impact: Option<ImpactId>,
    urgency: Option<UrgencyId>,
    /// With its rank.
    priority: Option<(usize, PriorityLevel)>,
    team: Option<TeamId>,
    assignee: Option<Option<PersonId>>,
    tags: Option<Vec<Tag>>,
}

/// Changes a ticket by hand; `None` where it is as wanted already. A ticket that goes to another team without an assignee
/// gets one as at its creation, when the store writes the change.
///
/// # Errors
/// [`Refusal::Problems`] for what does not exist and for a missing reason; [`Refusal::Finished`] where no work is owed.
pub fn edit(ticket: &Ticket, wanted: &EditTicket, permit: &MayEdit, at: &At<'_>) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    if !ticket.state.is_unfinished() {
        return Err(Refusal::Finished { state: ticket.state });
    }
    let organisation = at.organisation;
    let checked = check(organisation, ticket, wanted)?;
    let mut edit = Edit::of(ticket, (author.clone(), wanted.reason.trim()), at);
    edit.classify(&checked, at);
    let priority = checked.priority.as_ref().map(|(rank, level)| (*rank, level));
    edit.rate((checked.impact.as_ref(), checked.urgency.as_ref()), priority, at);
    let assignment = edit.route(&checked, at);
    Ok(edit.into_change(ticket, assignment))
}

/// A ticket while it is being changed.
struct Edit<'a> {
    after: Ticket,
    entries: Vec<Entry>,
    now: Timestamp,
    author: Author,
    reason: &'a str,
}

impl<'a> Edit<'a> {
    fn of(ticket: &Ticket, (author, reason): (Author, &'a str), at: &At<'_>) -> Self {
        Edit { after: changed(ticket, at.now), entries: Vec::new(), now: at.now, author, reason }
    }

    /// The change, if there is one.
    fn into_change(self, ticket: &Ticket, assignment: Option<assignment::Assignment>) -> Option<Change> {
        let (after, entries) = (self.after, self.entries);
        (!entries.is_empty()).then(|| {
            let mut change = Change::update(ticket, after, entries);
            change.assignment = assignment;
            change
        })
    }

    fn push(&mut self, visibility: Visibility, event: Event) {
        self.entries.push(Entry { at: self.now, author: self.author.clone(), visibility, event });
    }

    /// Writes down that a field has another value.
    fn set(&mut self, field: Field, from: Option<String>, to: String) {
        let reason = self.reason.to_owned();
        self.push(Part::Set(field).visibility(), Event::Set { field, from, to, reason });
    }

    fn classify(&mut self, checked: &Checked, at: &At<'_>) {
        if let Some(category) = checked.category.as_ref().filter(|id| **id != self.after.category) {
            let from = std::mem::replace(&mut self.after.category, category.clone());
            clocks::follow_category(&mut self.after, &from, at);
            self.set(Field::Category, Some(from.to_string()), category.to_string());
        }
        if let Some(tags) = checked.tags.as_ref().filter(|tags| **tags != self.after.tags) {
            let from = std::mem::replace(&mut self.after.tags, tags.clone());
            self.set(Field::Tags, Some(listed(&from)), listed(tags));
        }
    }

    /// Sets impact, urgency, and the priority with its rank.
    fn rate(
        &mut self,
        (impact, urgency): (Option<&ImpactId>, Option<&UrgencyId>),
        priority: Option<(usize, &PriorityLevel)>,
        at: &At<'_>,
    ) {
        if let Some(impact) = impact.filter(|id| Some(*id) != self.after.impact.as_ref()) {
            let from = self.after.impact.replace(impact.clone());
            self.set(Field::Impact, from.map(|id| id.to_string()), impact.to_string());
        }
        if let Some(urgency) = urgency.filter(|id| Some(*id) != self.after.urgency.as_ref()) {
            let from = self.after.urgency.replace(urgency.clone());
            self.set(Field::Urgency, from.map(|id| id.to_string()), urgency.to_string());
        }
        let Some((rank, level)) = priority.filter(|(_, level)| level.id != self.after.priority) else { return };
        clocks::follow_priority(&mut self.after, level, at);
        let from = std::mem::replace(&mut self.after.priority, level.id.clone());
        self.after.rank = i64::try_from(rank).unwrap_or(i64::MAX);
        self.set(Field::Priority, Some(from.to_string()), level.id.to_string());
    }

    /// Sends the ticket to another team.
    fn enter(&mut self, team: &TeamId, skills: &[Skill], tier: u8, at: &At<'_>) {
        let from = std::mem::replace(&mut self.after.team, team.clone());
        self.after.skills = skills.to_vec();
        self.set(Field::Team, Some(from.to_string()), team.to_string());
        if tier != self.after.tier {
            let from = std::mem::replace(&mut self.after.tier, tier);
            self.set(Field::Tier, Some(from.to_string()), tier.to_string());
        }
        clocks::enter_team(&mut self.after, at);
    }

    /// Sets team and assignee; gives how the store is to choose one where none is named.
    fn route(&mut self, checked: &Checked, at: &At<'_>) -> Option<assignment::Assignment> {
        let organisation = at.organisation;
        let moves = checked.team.as_ref().filter(|id| **id != self.after.team);
        if let Some(team) = moves {
            let tier = organisation.teams.get(team).map_or(self.after.tier, |team| team.tier);
            // What the rules asked for of the other team says nothing about this one.
            self.enter(team, &[], tier, at);
        }
        match &checked.assignee {
            Some(assignee) if moves.is_some() || *assignee != self.after.assignee => {
                self.after.assignee.clone_from(assignee);
                let event = Event::Assigned {
                    team: self.after.team.to_string(),
                    assignee: assignee.as_ref().map(ToString::to_string),
                    reason: self.reason.to_owned(),
                };
                self.push(Part::Assignee.visibility(), event);
                None
            }
            Some(_) => None,
            None => moves.map(|team| {
                self.after.assignee = None;
                assignment::in_team(organisation, team, at.now)
            }),
        }
    }
}

impl EditTicket {
    /// The category that a ticket has after it; its own where there is no such category, which the edit itself refuses.
    pub fn category_on(&self, ticket: &Ticket, organisation: &Organisation) -> CategoryId {
        let named = self.category.as_deref().and_then(|id| organisation.categories.get_key_value(id));
        named.map_or_else(|| ticket.category.clone(), |(id, _)| id.clone())
    }
}

/// The priority, where it was asked for, and the destination that the rules find for a ticket as it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub rated: Option<Rated>,
    pub routed: Routed,
}

/// Changes a ticket by hand, and sets what the rules found along with it. All that the person names themselves stays theirs: in a team
/// that they name, the rules say who can have the ticket. Where neither a rule nor the category says anything, the ticket stays as it
/// is.
///
/// # Errors
/// As [`edit`].
pub fn edit_with(
    ticket: &Ticket,
    wanted: &EditTicket,
    found: &Found,
    permit: &MayEdit,
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let mut by_hand = edit(ticket, wanted, permit, at)?;
    if let Some(change) = &mut by_hand
        && is_said(&found.routed.team.by)
        && found.routed.team.value == change.after().team
    {
        change.on_ticket(|after| after.skills.clone_from(&found.routed.skills));
        if change.assignment.is_some() {
            change.assignment = Some(assignment::needed(at.organisation, &found.routed, at.now));
        }
    }
    let before = by_hand.as_ref().map_or(ticket, Change::after).clone();
    let rates = [&wanted.impact, &wanted.urgency, &wanted.priority].iter().all(|named| named.is_none());
    let routes = wanted.team.is_none() && wanted.assignee.is_none();
    let rated = found.rated.as_ref().filter(|_| rates);
    let by_rules = by_rules(&before, rated, routes.then_some(&found.routed), at);
    Ok(match (by_hand, by_rules) {
        (Some(by_hand), Some(by_rules)) => Some(by_hand.then(by_rules)),
        (by_hand, by_rules) => by_hand.or(by_rules),
    })
}

fn by_rules(ticket: &Ticket, rated: Option<&Rated>, routed: Option<&Routed>, at: &At<'_>) -> Option<Change> {
    let mut edit = Edit::of(ticket, (Author::System, ""), at);
    if let Some(rated) = rated.filter(|rated| is_said(&rated.level.by))
        && let Some(priority) = at.organisation.priority(&rated.level.value)
    {
        (edit.author, edit.reason) = (rated.level.by.author(), rated.level.by.reason());
        edit.rate((rated.impact.as_ref(), rated.urgency.as_ref()), Some(priority), at);
    }
    let moves = routed.filter(|routed| is_said(&routed.team.by) && routed.team.value != edit.after.team);
    let assignment = moves.map(|routed| {
        (edit.author, edit.reason) = (routed.team.by.author(), routed.team.by.reason());
        edit.after.assignee = None;
        edit.enter(&routed.team.value, &routed.skills, routed.tier, at);
        assignment::needed(at.organisation, routed, at.now)
    });
    edit.into_change(ticket, assignment)
}

/// Whether there is more to it than that nothing was said.
fn is_said(by: &By) -> bool {
    *by != By::Default
}

fn listed(tags: &[Tag]) -> String {
    tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ")
}

fn check(organisation: &Organisation, ticket: &Ticket, wanted: &EditTicket) -> Result<Checked, Refusal> {
    let mut problems: Vec<Problem> = check_reason("reason", &wanted.reason).into_iter().collect();
    let mut known = |field: &str, id: &str, names: Vec<&str>| {
        problems.push(Problem::of(field, "unknown", Fault::NotThere, &[&quoted(id), &names.join(", ")]));
    };
    let mut checked = Checked::default();
    if let Some(id) = &wanted.category {
        checked.category = organisation.categories.get_key_value(id.as_str()).map(|(id, _)| id.clone());
        if checked.category.is_none() {
            known("category", id, organisation.categories.keys().map(CategoryId::as_str).collect());
        }
    }
    if let Some(id) = &wanted.impact {
        checked.impact = organisation.impacts.iter().find(|step| step.as_str() == id).cloned();
        if checked.impact.is_none() {
            known("impact", id, organisation.impacts.iter().map(ImpactId::as_str).collect());
        }
    }
    if let Some(id) = &wanted.urgency {
        checked.urgency = organisation.urgencies.iter().find(|step| step.as_str() == id).cloned();
        if checked.urgency.is_none() {
            known("urgency", id, organisation.urgencies.iter().map(UrgencyId::as_str).collect());
        }
    }
    if wanted.priority.is_none() {
        checked.priority = by_matrix(organisation, ticket, &checked);
    }
    if let Some(id) = &wanted.priority {
        let mut levels = organisation.priorities.iter().enumerate();
        checked.priority = levels.find(|(_, level)| level.id.as_str() == id).map(|(rank, level)| (rank, level.clone()));
        if checked.priority.is_none() {
            known("priority", id, organisation.priorities.iter().map(|level| level.id.as_str()).collect());
        }
    }
    if let Some(id) = &wanted.team {
        checked.team = organisation.teams.get_key_value(id.as_str()).map(|(id, _)| id.clone());
        if checked.team.is_none() {
            known("team", id, organisation.teams.keys().map(TeamId::as_str).collect());
        }
    }
    if wanted.team.is_none() && !organisation.teams.contains_key(&ticket.team) {
        let names: Vec<&str> = organisation.teams.keys().map(TeamId::as_str).collect();
        problems.push(Problem::of("team", "gone", Fault::TeamGone, &[&ticket.team, &names.join(", ")]));
    }
    problems.extend(check_tags(organisation, wanted, &mut checked));
    problems.extend(check_assignee(organisation, ticket, wanted, &mut checked));
    if problems.is_empty() { Ok(checked) } else { Err(Refusal::Problems { problems }) }
}

/// The level that follows from an impact or an urgency that changes.
fn by_matrix(organisation: &Organisation, ticket: &Ticket, checked: &Checked) -> Option<(usize, PriorityLevel)> {
    let impact = checked.impact.as_ref().or(ticket.impact.as_ref())?;
    let urgency = checked.urgency.as_ref().or(ticket.urgency.as_ref())?;
    let same = ticket.impact.as_ref() == Some(impact) && ticket.urgency.as_ref() == Some(urgency);
    let level = organisation.matrix.get(&(impact.clone(), urgency.clone())).filter(|_| !same)?;
    organisation.priority(level).map(|(rank, level)| (rank, level.clone()))
}

/// Why a reason, which comes in this field, cannot stand beside a change, if it cannot.
pub fn check_reason(field: &str, reason: &str) -> Option<Problem> {
    if is_blank(reason) {
        let missing = || Problem::of(field, "required", Fault::NoReason, &[]);
        return check_characters(field, reason).or_else(|| Some(missing()));
    }
    check_optional_reason(field, reason)
}

/// The same where a change may also be made without one.
pub fn check_optional_reason(field: &str, reason: &str) -> Option<Problem> {
    if let Some(problem) = check_characters(field, reason) {
        return Some(problem);
    }
    let too_long = reason.chars().count() > REASON_CHARS_MAX;
    too_long.then(|| Problem::of(field, "too-long", Fault::Long, &[&REASON_CHARS_MAX]))
}

fn check_tags(organisation: &Organisation, wanted: &EditTicket, checked: &mut Checked) -> Vec<Problem> {
    let Some(tags) = &wanted.tags else { return Vec::new() };
    if tags.len() > TAGS_MAX {
        return vec![Problem::of("tags", "too-many", Fault::TooMany, &[&tags.len(), &TAGS_MAX])];
    }
    let mut found: Vec<Tag> = Vec::new();
    let mut problems = Vec::new();
    for tag in tags {
        match organisation.tags.get(tag.as_str()) {
            Some(tag) if found.contains(tag) => {}
            Some(tag) => found.push(tag.clone()),
            None => problems.push(Problem::of("tags", "unknown", Fault::NoTag, &[&quoted(tag)])),
        }
    }
    checked.tags = Some(found);
    problems
}

/// Members of a team that are named where another person should have its ticket.
const NAMED_MAX: usize = 10;

/// Whoever is to have the ticket is a member of the team that it is then in, and has not left.
fn check_assignee(
    organisation: &Organisation,
    ticket: &Ticket,
    wanted: &EditTicket,
    checked: &mut Checked,
) -> Option<Problem> {
    let assignee = wanted.assignee.as_ref()?;
    let Some(id) = assignee else {
        checked.assignee = Some(None);
        return None;
    };
    let team = organisation.teams.get(checked.team.as_ref().unwrap_or(&ticket.team))?;
    let members = || team.members.iter().map(|member| &member.person).filter(|person| organisation.is_active(person));
    if let Some(person) = members().find(|person| person.as_str() == id) {
        checked.assignee = Some(Some(person.clone()));
        return None;
    }
    let known = |id: &str| organisation.people.get(id).map(|person| person.name.clone());
    let named = |person: &PersonId| format!("{} ({person})", known(person.as_str()).unwrap_or_default());
    let names: Vec<String> = members().take(NAMED_MAX).map(named).collect();
    let more = members().count().saturating_sub(NAMED_MAX);
    let (who, names) = (known(id.as_str()).unwrap_or_else(|| quoted(id)), names.join(", "));
    let fault = match (names.is_empty(), more) {
        (true, _) => Fault::NotInEmptyTeam,
        (false, 0) => Fault::NotInTeam,
        (false, _) => Fault::NotInLargeTeam,
    };
    Some(Problem::of("assignee", "unknown", fault, &[&who, &team.name, &names, &more]))
}
