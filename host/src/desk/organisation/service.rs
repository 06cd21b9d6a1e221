//! How tickets end and which promises are watched: the policies of a desk, and of a request type or a category where it has its own.

use std::collections::BTreeMap;

use super::{Calendar, Organisation};
use crate::desk::id::{CalendarId, CategoryId, MacroId, PriorityId, RequestTypeId, Tag, TeamId};
use crate::desk::sla::{ClockKind, ClockName};

/// Where it stands whose a device is: a reference table with a column of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devices {
    /// The table; its key names a device.
    pub table: String,
    /// The column with the person's id.
    pub owner: String,
    /// The columns that those who help the person see; none stands for all.
    pub show: Vec<String>,
}

/// A category in the taxonomy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub id: CategoryId,
    pub name: String,
    /// Who takes such tickets where no rule has answered.
    pub team: Option<TeamId>,
    /// Their priority where no rule has answered, and so what they are promised.
    pub priority: Option<PriorityId>,
    /// The canned reply that stands first where such tickets are answered.
    pub template: Option<MacroId>,
    /// The category of the articles that come of such tickets; `None` is their own.
    pub knowledge: Option<CategoryId>,
    /// The promises about such tickets in the place of those of their priority, by that.
    pub promises: BTreeMap<PriorityId, Targets>,
    /// Whether it only says that no category was found yet: no ticket is resolved in it.
    pub catch_all: bool,
}

/// The promises about a ticket, in minutes that the calendar of its priority is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Targets {
    pub first_response: u32,
    pub resolution: u32,
    /// Between two public answers of the desk; `None` promises nothing.
    pub update: Option<u32>,
}

impl Organisation {
    /// The word of a category about its tickets, or that of its nearest parent that has one.
    pub fn of_category<T>(&self, category: &CategoryId, word: impl Fn(&Category) -> Option<T>) -> Option<T> {
        let mut id = category.as_str();
        loop {
            if let Some(found) = self.categories.get(id).and_then(&word) {
                return Some(found);
            }
            id = id.rsplit_once('.')?.0;
        }
    }

    /// The promises about tickets of a category and a priority: those of the category, or of its nearest parent that has some for the
    /// priority, else those of the priority. `None` where there is no such priority.
    pub fn targets(&self, category: &CategoryId, priority: &PriorityId) -> Option<Targets> {
        let (_, level) = self.priority(priority)?;
        let own = self.of_category(category, |category| category.promises.get(priority).copied());
        Some(own.unwrap_or(Targets {
            first_response: level.first_response_minutes,
            resolution: level.resolution_minutes,
            update: level.update_minutes,
        }))
    }

    /// All that promises about tickets are made by, as one text that is another where they are: calendars, the list of priorities,
    /// what categories promise in their place, what teams agree on, the time to confirm, and the shares at which something is done.
    pub fn promises(&self) -> String {
        let calendar = |calendar: &Calendar| {
            let Calendar { zone, week, holidays } = calendar;
            format!("{:?} {week:?} {holidays:?}", zone.iana_name())
        };
        let calendars: Vec<String> = self.calendars.iter().map(|(id, of)| format!("{id} {}", calendar(of))).collect();
        let teams = self.teams.values().map(|team| (&team.id, team.resolution_minutes, &team.calendar));
        let types = self.request_types.values().map(|form| (&form.id, &form.closing));
        let own = self.categories.values().filter(|category| !category.promises.is_empty());
        let own: Vec<_> = own.map(|category| (&category.id, &category.promises)).collect();
        let (teams, types): (Vec<_>, Vec<_>) = (teams.collect(), types.collect());
        let (desk, levels, watch) = (calendar(&self.calendar), &self.priorities, &self.watch);
        format!("{desk} {calendars:?} {levels:?} {teams:?} {types:?} {:?} {watch:?} {own:?}", self.closing)
    }
}

/// A part of the record that says how a ticket was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordPart {
    Symptom,
    Cause,
    Fix,
    NextTime,
}

impl RecordPart {
    /// Every part, in the order in which people read them.
    pub const ALL: [RecordPart; 4] = [RecordPart::Symptom, RecordPart::Cause, RecordPart::Fix, RecordPart::NextTime];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            RecordPart::Symptom => "symptom",
            RecordPart::Cause => "cause",
            RecordPart::Fix => "fix",
            RecordPart::NextTime => "next-time",
        }
    }
}

/// The effect of a requester's words on a ticket that is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The ticket comes back.
    Reopens,
    /// The ticket stays as it is, and its assignee hears of the words.
    IsNoted,
}

impl Reply {
    /// Every effect.
    pub const ALL: [Reply; 2] = [Reply::Reopens, Reply::IsNoted];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Reply::Reopens => "reopen",
            Reply::IsNoted => "note",
        }
    }
}

/// How tickets of a type end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The parts of the record that an agent fills in to resolve a ticket.
    pub record: Vec<RecordPart>,
    /// How long the requester may confirm or dispute a resolution, in minutes that the calendar is open; then the desk closes
    /// the ticket.
    pub confirm_minutes: u32,
    /// How long a requester who is asked something may take to answer, in open minutes; then the desk cancels the ticket. `None` for
    /// as long as they like.
    pub answer_minutes: Option<u32>,
    /// The share of either time after which the requester is reminded, in percent; `None` for no reminder.
    pub remind_percent: Option<u16>,
    pub reply: Reply,
    /// For how many days after the resolution words bring the ticket back; afterwards a follow-up ticket is the way.
    /// `None` for as long as it is resolved.
    pub reopen_days: Option<u32>,
    /// Whether words that only thank change nothing.
    pub ignores_thanks: bool,
}

impl Default for Closing {
    fn default() -> Self {
        Self {
            record: RecordPart::ALL.to_vec(),
            confirm_minutes: 24 * 60,
            answer_minutes: None,
            remind_percent: Some(50),
            reply: Reply::Reopens,
            reopen_days: None,
            ignores_thanks: true,
        }
    }
}

/// The changes by hand after which the rules for routing are asked again by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingAgain {
    /// A ticket gets another category, and its team was not set by hand.
    pub after_category: bool,
    /// A ticket goes to another team, and no person of it is named.
    pub after_team: bool,
    /// The types of the tickets about which they are not asked.
    pub not_for: Vec<RequestTypeId>,
}

impl Default for RoutingAgain {
    fn default() -> Self {
        Self { after_category: true, after_team: true, not_for: Vec::new() }
    }
}

/// When the desk raises its voice about promises that run out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// The shares of each promise at which those responsible are alerted, in percent, ascending; 100 is the breach.
    pub alert_at: Vec<u16>,
    /// The shares at which a ticket goes up one tier.
    pub escalate_at: Vec<Escalation>,
    /// The turns in its life at which a ticket goes up one tier.
    pub escalate_on: Vec<TurnEscalation>,
    /// Clocks that tickets have besides the desk's own.
    pub further: Vec<FurtherClock>,
}

impl Watch {
    /// The further clock of this name, where there is one for tickets of this type.
    pub fn further(&self, name: ClockName, request_type: &RequestTypeId) -> Option<&FurtherClock> {
        self.further.iter().find(|clock| clock.id == name && clock.is_for(request_type))
    }
}

/// A clock that the configuration declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherClock {
    pub id: ClockName,
    pub name: String,
    /// Any of these begins it.
    pub starts: Vec<Occasion>,
    /// The words of the states in which it stands still.
    pub pauses: Vec<String>,
    /// Any of these is what it promises.
    pub met: Vec<Occasion>,
    /// The time that it promises, in minutes that its calendar is open; other priorities have no such clock.
    pub minutes: BTreeMap<PriorityId, u32>,
    /// The calendar that it runs by; `None` is that of the priority.
    pub calendar: Option<CalendarId>,
    /// The types of the tickets that have it; none is all.
    pub request_types: Vec<RequestTypeId>,
}

impl FurtherClock {
    /// Whether tickets of this type have it.
    pub fn is_for(&self, request_type: &RequestTypeId) -> bool {
        self.request_types.is_empty() || self.request_types.contains(request_type)
    }
}

/// A turn in a ticket's life by which a further clock goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    Submitted,
    /// The first response was given.
    Answered,
    /// The ticket is in the state of this word.
    State(String),
    /// The ticket has this tag.
    Tag(Tag),
}

/// A share of a promise at which a ticket goes up one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    pub clock: ClockKind,
    pub percent: u16,
    /// The types of the tickets that do; none is all.
    pub request_types: Vec<RequestTypeId>,
}

impl Escalation {
    /// Whether it is about this promise of a ticket of this type.
    pub fn is_about(&self, clock: ClockKind, request_type: &RequestTypeId) -> bool {
        self.clock == clock && (self.request_types.is_empty() || self.request_types.contains(request_type))
    }
}

/// A turn in a ticket's life at which it goes up one tier: a rule that puts the tag on it, or gives it the priority, asks for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnEscalation {
    pub on: Turn,
    /// The types of the tickets that do; none is all.
    pub request_types: Vec<RequestTypeId>,
}

/// The part of a ticket by which it goes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It has got this tag.
    Tag(Tag),
    /// It has got this priority.
    Priority(PriorityId),
}

impl TurnEscalation {
    /// Whether it is about tickets of this type.
    pub fn is_for(&self, request_type: &RequestTypeId) -> bool {
        self.request_types.is_empty() || self.request_types.contains(request_type)
    }
}

/// A text that agents answer with, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannedReply {
    pub id: MacroId,
    pub name: String,
    /// With variables in braces.
    pub body: String,
}

/// Several changes of a ticket under one name. Its values are checked against the organisation where it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Macro {
    pub name: String,
    pub category: Option<String>,
    pub priority: Option<String>,
    pub team: Option<String>,
    pub tags: Option<Vec<String>>,
    /// Whether the agent who runs it gets the ticket.
    pub take: bool,
    /// A public answer, with variables in braces.
    pub reply: Option<String>,
    /// A private note, with variables in braces.
    pub note: Option<String>,
    /// The word of the state that the ticket goes to.
    pub to: Option<String>,
    /// The record of its resolution, where that is the state; with variables in braces.
    pub record: Vec<(RecordPart, String)>,
}

/// A place in a text where something of the ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    Key,
    Subject,
    Requester,
    Agent,
    Desk,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Variable; 5] =
        [Variable::Key, Variable::Subject, Variable::Requester, Variable::Agent, Variable::Desk];

    /// Its word, which stands in braces.
    pub const fn code(self) -> &'static str {
        match self {
            Variable::Key => "key",
            Variable::Subject => "subject",
            Variable::Requester => "requester",
            Variable::Agent => "agent",
            Variable::Desk => "desk",
        }
    }

    /// The variable whose word and closing brace a text begins with, and what follows.
    pub fn at_start(text: &str) -> Option<(Variable, &str)> {
        let (word, rest) = text.split_once('}')?;
        Variable::ALL.into_iter().find(|variable| variable.code() == word).map(|variable| (variable, rest))
    }

    /// The first opening brace of a text behind which no variable stands: what follows it, up to a few characters.
    pub fn unknown_in(text: &str) -> Option<String> {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('{') {
            match Variable::at_start(after) {
                Some((_, next)) => rest = next,
                None => return Some(after.chars().take(20).collect()),
            }
        }
        None
    }
}
