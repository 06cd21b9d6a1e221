//! Several rules' answers at one stage, made into one verdict.
//!
//! Answers arrive as the rules gave them. [`check`] turns each into one that names only what exists, or says why not; an
//! answer that does not pass counts as that rule's failure. The other functions here are total: for any answers and failures
//! there is a verdict, and it says which rule set what.

use std::cmp::Reverse;

use super::actor::{Author, RuleRef};
use super::id::{CategoryId, ImpactId, PersonId, PriorityId, Skill, Tag, TeamId, TicketNumber, UrgencyId};
use super::organisation::form::{Field, Problem};
use super::organisation::{Kind, Member, Organisation, RequestType, Strategy};

pub mod access;
pub mod check;
mod unfit;

pub use unfit::Unfit;

/// The signal that at least one intake rule could not say what it thinks.
pub const INTAKE_UNCHECKED: &str = "intake-unchecked";

/// One rule's part in a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Given<A> {
    pub rule: RuleRef,
    pub reason: String,
    /// Priority only: stands above a higher proposal of another rule.
    pub overrides: bool,
    /// `None` where the rule failed.
    pub answer: Option<A>,
}

/// Who or what set a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    Rule {
        rule: RuleRef,
        reason: String,
    },
    /// No rule did, and the request type says so.
    RequestType,
    /// No rule did, and the category says so.
    Category,
    /// No rule did.
    Default,
}

impl By {
    pub(in crate::desk) fn rule<A>(given: &Given<A>) -> By {
        By::Rule { rule: given.rule.clone(), reason: given.reason.clone() }
    }

    /// Whom the timeline names.
    pub fn author(&self) -> Author {
        match self {
            By::Rule { rule, .. } => Author::Rule(rule.clone()),
            By::RequestType | By::Category | By::Default => Author::System,
        }
    }

    /// Why, in a sentence.
    pub fn reason(&self) -> &str {
        match self {
            By::Rule { reason, .. } => reason,
            By::RequestType => "no rule answered; the request type's own stands",
            By::Category => "no rule answered; the category's own stands",
            By::Default => "no rule answered; the desk's default stands",
        }
    }
}

/// A value and who set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<T> {
    pub value: T,
    pub by: By,
}

/// What an intake rule changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    pub subject: Option<String>,
    pub body: Option<String>,
    pub fields: Vec<Field>,
    pub tags: Vec<Tag>,
    pub signals: Vec<String>,
    pub duplicate_of: Option<TicketNumber>,
}

impl Changes {
    /// The original that a rule has named does not exist: what that rule said does not stand, and the ticket says so.
    pub fn no_such_original(&mut self) {
        self.duplicate_of = None;
        push_new(&mut self.signals, &INTAKE_UNCHECKED.to_owned());
    }
}

/// What an intake rule says.
#[derive(Debug, Clone, PartialEq)]
pub enum IntakeAnswer {
    Accept(Changes),
    Reject(Vec<Problem>),
}

/// What intake comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum IntakeVerdict {
    Accepted(Changes),
    Rejected(Vec<Problem>),
}

/// Intake: every rule was asked; problems are merged, and any rejection rejects. Of several changes to one thing the last
/// rule's stands. A rule that failed rejects nothing.
pub fn intake(given: &[Given<IntakeAnswer>]) -> IntakeVerdict {
    let mut merged = Changes::default();
    let mut problems: Vec<Problem> = Vec::new();
    for given in given {
        match &given.answer {
            Some(IntakeAnswer::Accept(changes)) => merge(&mut merged, changes),
            Some(IntakeAnswer::Reject(found)) => {
                problems.extend(found.iter().filter(|p| !problems.contains(p)).cloned().collect::<Vec<_>>());
            }
            None => push_new(&mut merged.signals, &INTAKE_UNCHECKED.to_owned()),
        }
    }
    if problems.is_empty() { IntakeVerdict::Accepted(merged) } else { IntakeVerdict::Rejected(problems) }
}

fn merge(merged: &mut Changes, changes: &Changes) {
    if let Some(subject) = &changes.subject {
        merged.subject = Some(subject.clone());
    }
    if let Some(body) = &changes.body {
        merged.body = Some(body.clone());
    }
    for (name, value) in &changes.fields {
        merged.fields.retain(|(other, _)| other != name);
        merged.fields.push((name.clone(), value.clone()));
    }
    changes.tags.iter().for_each(|tag| push_new(&mut merged.tags, tag));
    changes.signals.iter().for_each(|signal| push_new(&mut merged.signals, signal));
    merged.duplicate_of = merged.duplicate_of.or(changes.duplicate_of);
}

fn push_new<T: Clone + PartialEq>(list: &mut Vec<T>, item: &T) {
    if !list.contains(item) {
        list.push(item.clone());
    }
}

/// What a categorization rule says; `None` in every field is no opinion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classification {
    pub category: Option<CategoryId>,
    pub tags: Vec<Tag>,
    pub kind: Option<Kind>,
}

/// What categorization comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Classified {
    pub category: Decided<CategoryId>,
    pub tags: Vec<Decided<Tag>>,
    pub kind: Decided<Kind>,
}

/// Categorization: the first category wins, so does the first kind; tags are united. Where access is asked for, the desk may decide and
/// resolve at once: there a category that only says that none was found does not win over the one that the request type has for it.
pub fn categorization(
    organisation: &Organisation,
    request_type: &RequestType,
    given: &[Given<Classification>],
) -> Classified {
    let first =
        |pick: &dyn Fn(&Classification) -> bool| given.iter().find(|given| given.answer.as_ref().is_some_and(pick));
    let is_real = |id: &CategoryId| organisation.categories.get(id).is_some_and(|category| !category.catch_all);
    let own = request_type.category.as_ref().filter(|own| request_type.grants_access && is_real(own));
    let counts = |id: &CategoryId| own.is_none() || is_real(id);
    let category = first(&|answer| answer.category.as_ref().is_some_and(counts))
        .and_then(|given| Some((given.answer.as_ref()?.category.clone()?, By::rule(given))))
        .or_else(|| Some((request_type.category.clone()?, By::RequestType)))
        .unwrap_or_else(|| (organisation.defaults.category.clone(), By::Default));
    let kind = first(&|answer| answer.kind.is_some())
        .and_then(|given| Some((given.answer.as_ref()?.kind?, By::rule(given))))
        .unwrap_or((request_type.kind, By::RequestType));
    let mut tags: Vec<Decided<Tag>> = Vec::new();
    for given in given {
        for tag in given.answer.iter().flat_map(|answer| &answer.tags) {
            if !tags.iter().any(|decided| decided.value == *tag) {
                tags.push(Decided { value: tag.clone(), by: By::rule(given) });
            }
        }
    }
    Classified {
        category: Decided { value: category.0, by: category.1 },
        tags,
        kind: Decided { value: kind.0, by: kind.1 },
    }
}

/// What a priority rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    pub impact: Option<ImpactId>,
    pub urgency: Option<UrgencyId>,
    pub level: PriorityId,
    /// Of the level; 0 is the most urgent.
    pub rank: usize,
}

/// What priority comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Rated {
    pub impact: Option<ImpactId>,
    pub urgency: Option<UrgencyId>,
    pub level: Decided<PriorityId>,
    pub rank: usize,
}

/// Priority: the first rule that overrides, else the highest level proposed; of several proposals of one level the first.
/// Impact and urgency are the winner's, or the first that a rule gave. Where none answers, it is the level of the category or of its
/// nearest parent, else the desk's default.
pub fn priority(organisation: &Organisation, category: Option<&CategoryId>, given: &[Given<Option<Rating>>]) -> Rated {
    let proposals = || given.iter().filter_map(|given| Some((given, given.answer.as_ref()?.as_ref()?)));
    let winner = proposals()
        .find(|(given, _)| given.overrides)
        .or_else(|| proposals().rev().max_by_key(|(_, rating)| Reverse(rating.rank)));
    let Some((given, rating)) = winner else {
        let own = category.and_then(|id| organisation.of_category(id, |category| category.priority.clone()));
        let by = if own.is_some() { By::Category } else { By::Default };
        let level = own.unwrap_or_else(|| organisation.defaults.priority.clone());
        let rank = organisation.priority(&level).map_or(usize::MAX, |(rank, _)| rank);
        return Rated { impact: None, urgency: None, level: Decided { value: level, by }, rank };
    };
    let impact = rating.impact.clone().or_else(|| proposals().find_map(|(_, r)| r.impact.clone()));
    let urgency = rating.urgency.clone().or_else(|| proposals().find_map(|(_, r)| r.urgency.clone()));
    let level = Decided { value: rating.level.clone(), by: By::rule(given) };
    Rated { impact, urgency, level, rank: rating.rank }
}

/// What a routing rule says. It names a team, a person or skills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    pub team: Option<TeamId>,
    pub assignee: Option<PersonId>,
    pub skills: Vec<Skill>,
    pub strategy: Option<Strategy>,
    pub tier: Option<u8>,
}

/// What routing comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    pub team: Decided<TeamId>,
    pub assignee: Option<PersonId>,
    pub skills: Vec<Skill>,
    pub strategy: Strategy,
    pub tier: u8,
}

/// Routing: the first answer wins, else the category's own team or its nearest parent's, else the desk's default.
pub fn routing(organisation: &Organisation, category: &CategoryId, given: &[Given<Option<Destination>>]) -> Routed {
    // An answer that no team can be, such as skills that no team has together, leaves the word to the next rule.
    let found = given.iter().find_map(|given| {
        let to = given.answer.as_ref()?.as_ref()?;
        let team = to.team.clone().or_else(|| team_for(organisation, to))?;
        Some((team, By::rule(given), to.clone()))
    });
    let (team, by, to) = found.unwrap_or_else(|| {
        let own = organisation.of_category(category, |category| category.team.clone());
        let by = if own.is_some() { By::Category } else { By::Default };
        (own.unwrap_or_else(|| organisation.defaults.team.clone()), by, Destination::default())
    });
    let own = organisation.teams.get(&team);
    Routed {
        assignee: to.assignee,
        skills: to.skills,
        strategy: to.strategy.or(own.map(|t| t.strategy)).unwrap_or(Strategy::RoundRobin),
        tier: to.tier.or(own.map(|t| t.tier)).unwrap_or(1),
        team: Decided { value: team, by },
    }
}

/// The team of the named person, else the lowest-tier team with most members who have all the skills.
fn team_for(organisation: &Organisation, to: &Destination) -> Option<TeamId> {
    let able = |team: &super::organisation::Team| match &to.assignee {
        Some(person) => usize::from(team.members.iter().any(|m| m.person == *person)),
        None => team.members.iter().filter(|m| to.skills.iter().all(|s| can(m, s.as_str()))).count(),
    };
    organisation
        .teams
        .values()
        .map(|team| (able(team), team))
        .filter(|(able, _)| *able > 0)
        .min_by_key(|(able, team)| (team.tier, Reverse(*able), team.id.clone()))
        .map(|(_, team)| team.id.clone())
}

/// Whether a member can do what is asked for: `vpn@2` is the skill `vpn` at the level 2, which those can who have it at that level or
/// above. A skill without a level is one of level 1.
pub fn can(member: &Member, skill: &str) -> bool {
    let (name, level) = at_level(skill);
    let is_enough = |own: &Skill| {
        let (own, of) = at_level(own.as_str());
        own == name && of >= level
    };
    member.skills.contains(skill) || member.skills.iter().any(is_enough)
}

fn at_level(skill: &str) -> (&str, u32) {
    let found = skill.rsplit_once('@').and_then(|(name, level)| Some((name, level.parse().ok()?)));
    found.unwrap_or((skill, 1))
}
