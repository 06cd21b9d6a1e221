//! The organisation that the desk serves: people, teams, taxonomy, forms, levels and the app catalog.
//!
//! It is checked when it is built (`config` does that), so code that has an [`Organisation`] may rely on every id in it
//! naming something that exists. It never changes; a reload makes a new one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::id::{
    AppId, CalendarId, CategoryId, ConnectorId, GroupId, ImpactId, MacroId, PersonId, PriorityId, RequestTypeId, Skill,
    Tag, TeamId, TierId, UrgencyId,
};
use super::sla;

pub mod accounts;
pub mod condition;
pub mod connector;
pub mod difference;
pub mod directory;
pub mod form;
pub mod identity;
pub mod looser;
pub mod parts;
pub mod schedule;
pub mod service;

use accounts::Given;
use condition::Condition;
use directory::{DepartmentReaders, Source, Validity};

use connector::Connector;
use parts::{Part, TaskPattern};
use schedule::Schedule;
pub use service::Category;
use service::{CannedReply, Closing, Macro, RoutingAgain, Watch};

/// Everything that the desk knows about whom it serves.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// The organisation's name as people read it.
    pub name: String,
    /// When the desk is open; its time zone is the desk's.
    pub calendar: Calendar,
    /// Other calendars that promises may go by.
    pub calendars: BTreeMap<CalendarId, Calendar>,
    pub people: BTreeMap<PersonId, Person>,
    /// How the document of people came.
    pub people_from: Source,
    /// Those who read the tickets of departments.
    pub department_readers: Vec<DepartmentReaders>,
    pub teams: BTreeMap<TeamId, Team>,
    pub categories: BTreeMap<CategoryId, Category>,
    pub tags: BTreeSet<Tag>,
    /// Those of them that requesters may put on a ticket themselves; rules may go by the others.
    pub requester_tags: BTreeSet<Tag>,
    /// From the lowest step to the highest.
    pub impacts: Vec<ImpactId>,
    /// From the lowest step to the highest.
    pub urgencies: Vec<UrgencyId>,
    /// From the most urgent level to the least.
    pub priorities: Vec<PriorityLevel>,
    /// The level that an impact and an urgency give together, where an agent sets them and says no level.
    pub matrix: BTreeMap<(ImpactId, UrgencyId), PriorityId>,
    pub request_types: BTreeMap<RequestTypeId, RequestType>,
    pub apps: BTreeMap<AppId, App>,
    /// By what the desk writes to apps.
    pub connectors: BTreeMap<ConnectorId, Connector>,
    /// Access that no person may hold together.
    pub incompatible: Vec<Incompatible>,
    /// The currency of costs, such as `EUR`; empty where no cost is given.
    pub currency: String,
    pub defaults: Defaults,
    /// When routing is asked again by itself.
    pub routing: RoutingAgain,
    /// How tickets end whose type says nothing else.
    pub closing: Closing,
    /// When promises that run out are talked about.
    pub watch: Watch,
    pub macros: BTreeMap<MacroId, Macro>,
    /// In the order of the configuration.
    pub canned_replies: Vec<CannedReply>,
    /// Work that comes again by the calendar.
    pub schedules: Vec<Schedule>,
    pub devices: Option<service::Devices>,
}

/// What stands where no rule has answered.
#[derive(Debug, Clone)]
pub struct Defaults {
    pub team: TeamId,
    pub priority: PriorityId,
    pub category: CategoryId,
    /// Who approves access where a rule has failed and the requester has no manager.
    pub access_approvers: Vec<PersonId>,
    /// How long such an approval may take, in hours.
    pub access_due_hours: u32,
    /// The hours that approvers have, where an app has none of its own.
    pub deadlines: sla::Deadlines,
    /// The longest grant where a rule for access has failed and people decide in its place, in hours.
    pub access_fallback_hours: u32,
    /// Whether one person may approve several steps of a request.
    pub one_approver_for_several_steps: bool,
    /// How many people who hold access may leave within an hour before the desk asks a person whether that is so; `None` for 20,
    /// or half of those who hold any.
    pub leavers_max: Option<u32>,
    /// Whether access ends at once that the rules deny a person who has moved; else it is reviewed.
    pub ends_on_move: bool,
}

/// When the desk is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub zone: TimeZone,
    /// The open hours of each day, Monday first: sorted, without overlap. An end of midnight is the day's end.
    pub week: [Vec<OpenHours>; 7],
    /// Days on which the desk is closed.
    pub holidays: BTreeSet<Date>,
}

/// From `start` up to, not including, `end`; an `end` of 00:00 means the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenHours {
    pub start: Time,
    pub end: Time,
}

/// Somebody in the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub email: String,
    pub department: String,
    pub title: String,
    pub location: String,
    pub manager: Option<PersonId>,
    pub groups: Vec<GroupId>,
    pub vip: bool,
    /// Somebody who has left can neither submit nor approve nor be assigned.
    pub active: bool,
    pub attributes: BTreeMap<String, String>,
    /// The people who may approve in their place for a while.
    pub delegations: Vec<Delegation>,
    /// The person who has this account as well, such as for administration; `None` where it is their only one.
    pub same_as: Option<PersonId>,
    pub valid: Validity,
    pub source: Source,
}

/// Leave for another person to approve in one's place: from the beginning of one day to the end of another, by the desk's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    pub to: PersonId,
    pub from: Date,
    pub until: Date,
    /// When the person gave it themselves; `None` where the configuration has it, and its days alone say when it holds.
    pub given: Option<Given>,
}

/// A team, which is also a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub members: Vec<Member>,
    pub strategy: Strategy,
    /// 1 is the first line.
    pub tier: u8,
    /// The team that takes what this one cannot solve.
    pub escalates_to: Option<TeamId>,
    /// How long a ticket may stay with this team, in minutes that its calendar is open: an operational level agreement.
    pub resolution_minutes: Option<u32>,
    /// How long one who gets a ticket of this team may leave it untouched, in such minutes; then it goes back to the team. `None` for as
    /// long as they like.
    pub take_up_minutes: Option<u32>,
    /// How often that may happen to a ticket before it stays in the queue, which the lead hears of.
    pub take_up_times: u32,
    /// The member who answers for the queue; `None` where all of them do.
    pub lead: Option<PersonId>,
    /// The calendar that these run by; `None` is the desk's.
    pub calendar: Option<CalendarId>,
}

/// Somebody's part in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub person: PersonId,
    pub skills: BTreeSet<Skill>,
    /// Whether new tickets may be assigned to this member now.
    pub available: bool,
    /// The calendar of the hours in which they may be; `None` for at any time.
    pub shift: Option<CalendarId>,
    /// The most unfinished tickets that the desk gives this member; people may give more.
    pub capacity: Option<u32>,
    pub absences: Vec<Absence>,
}

/// A time in which a member is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The member of the team who takes their tickets meanwhile.
    pub deputy: Option<PersonId>,
}

/// How a team shares out its tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Each in turn.
    RoundRobin,
    /// The member with the fewest open tickets; of several, the first in turn.
    LeastLoaded,
}

/// A priority level and what it promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorityLevel {
    pub id: PriorityId,
    pub name: String,
    /// The longest time until an agent first answers, in minutes that the calendar is open.
    pub first_response_minutes: u32,
    /// The longest time until it is resolved, in minutes that the calendar is open.
    pub resolution_minutes: u32,
    /// The longest time between two public answers of the desk, in minutes that the calendar is open; `None` promises nothing.
    pub update_minutes: Option<u32>,
    /// The calendar that these promises run by; `None` is the desk's.
    pub calendar: Option<CalendarId>,
}

/// What a ticket is, in the field's own division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Incident,
    Request,
    Problem,
    Change,
}

/// A request type and its form.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestType {
    pub id: RequestTypeId,
    pub name: String,
    pub kind: Kind,
    /// The category that stands where no rule has answered.
    pub category: Option<CategoryId>,
    pub fields: Vec<FieldSpec>,
    /// Whether tickets of this type ask for access, so that the access stage is asked.
    pub grants_access: bool,
    pub closing: Closing,
    /// Tickets that a submission makes besides its own.
    pub parts: Vec<Part>,
    pub tasks: Vec<TaskPattern>,
}

impl RequestType {
    /// Whether a submission makes more than its own ticket.
    pub fn makes_more(&self) -> bool {
        !self.parts.is_empty() || !self.tasks.is_empty()
    }
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSpec {
    pub name: String,
    pub label: String,
    pub kind: FieldKind,
    pub required: bool,
    /// Help for the person who fills the form in.
    pub help: String,
    /// Where it is asked; elsewhere no value of it is taken.
    pub show_when: Condition,
    /// Where it has to be filled in, though it need not elsewhere; empty for nowhere.
    pub require_when: Condition,
}

/// What a field may hold.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    Text {
        chars_max: usize,
    },
    /// A text of several lines.
    LongText {
        chars_max: usize,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    Flag,
    Date,
    Choice {
        options: Vec<String>,
    },
    Choices {
        options: Vec<String>,
    },
    /// The id of a person who has not left.
    Person,
    /// The id of an app of the catalog.
    App,
    /// The key of a row of a reference table.
    Asset {
        table: String,
    },
    /// The id of a file that was sent before.
    File,
}

/// An app that access can be requested to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    pub name: String,
    /// Who answers for the app.
    pub owner: Option<PersonId>,
    /// From the lowest tier to the highest.
    pub tiers: Vec<Tier>,
    pub attributes: BTreeMap<String, String>,
    /// A sentence or two for those who look for an app; may be empty.
    pub description: String,
    /// Other words by which people look for it.
    pub keywords: Vec<String>,
    /// Apps that may do as well.
    pub alternatives: Vec<AppId>,
    /// The groups whose members may ask for it; none where everybody may.
    pub requestable_by: Vec<GroupId>,
    /// By what the desk writes to it; `None` where the desk only keeps who may have it.
    pub connector: Option<ConnectorId>,
    /// Whether a person holds one of its tiers at a time, the highest that any grant gives.
    pub one_tier: bool,
    pub deadlines: Option<sla::Deadlines>,
    /// Whether access ends that was taken away in the app; else it is given again.
    pub ends_when_removed: bool,
    pub sessions_hours: Option<u32>,
    pub default_tier: Option<TierId>,
}

/// A licence tier of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    pub id: TierId,
    pub name: String,
    /// The risk class, such as `low` or `high`.
    pub risk: String,
    /// The longest grant, in hours.
    pub hours_max: u32,
    /// The groups that the tier gives.
    pub groups: Vec<GroupId>,
    /// Roles that may be asked for.
    pub roles: Vec<String>,
    /// Licences that exist; `None` where they are not counted.
    pub seats: Option<u32>,
    /// The cost of a seat for a month, in hundredths of the currency.
    pub monthly_cost: Option<u64>,
    /// Durations that a form offers, in hours, none longer than the longest.
    pub presets: Vec<u32>,
    /// The longest grant that is given at once in an emergency, in hours; `None` where none is.
    pub emergency_hours: Option<u32>,
    /// The hours that approvers of it have; `None` where those of the app hold.
    pub deadlines: Option<sla::Deadlines>,
}

/// Access that no person may hold together: nothing of the one half with anything of the other (separation of duties).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatible {
    /// The reason, as people read it.
    pub name: String,
    pub one: Vec<Item>,
    pub other: Vec<Item>,
}

/// An app, or one tier of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub app: AppId,
    pub tier: Option<TierId>,
}

impl Item {
    /// Whether it is this tier of this app.
    pub fn is(&self, app: &AppId, tier: &TierId) -> bool {
        self.app == *app && self.tier.as_ref().is_none_or(|own| own == tier)
    }
}

codes! {
    Kind {
        Incident => "incident",
        Request => "request",
        Problem => "problem",
        Change => "change",
    }
}

impl Strategy {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Strategy::RoundRobin => "round-robin",
            Strategy::LeastLoaded => "least-loaded",
        }
    }
}

impl App {
    /// The tier with this id, and its order: 0 is the lowest.
    pub fn tier(&self, id: &str) -> Option<(usize, &Tier)> {
        self.tiers.iter().enumerate().find(|(_, tier)| tier.id.as_str() == id)
    }
}

impl Organisation {
    /// The level with this id, and its rank: 0 is the most urgent.
    pub fn priority(&self, id: &PriorityId) -> Option<(usize, &PriorityLevel)> {
        self.priorities.iter().enumerate().find(|(_, level)| level.id == *id)
    }

    /// The calendar that a level's promises run by.
    pub fn calendar_of(&self, priority: &PriorityId) -> &Calendar {
        let named = self.priority(priority).and_then(|(_, level)| level.calendar.as_ref());
        named.and_then(|id| self.calendars.get(id)).unwrap_or(&self.calendar)
    }

    /// The calendar that a team's own promise runs by.
    pub fn calendar_of_team(&self, team: &TeamId) -> &Calendar {
        let named = self.teams.get(team).and_then(|team| team.calendar.as_ref());
        named.and_then(|id| self.calendars.get(id)).unwrap_or(&self.calendar)
    }

    /// How tickets of a type end.
    pub fn closing_of(&self, request_type: &RequestTypeId) -> &Closing {
        self.request_types.get(request_type).map_or(&self.closing, |form| &form.closing)
    }

    /// The absence of a member at an instant, by the desk's days.
    pub fn absence<'m>(&self, member: &'m Member, now: Timestamp) -> Option<&'m Absence> {
        let today = self.calendar.zone.to_datetime(now).date();
        member.absences.iter().find(|absence| absence.from <= today && today <= absence.to)
    }

    /// Whether a member may get new tickets at an instant: here, not absent, and in their shift.
    pub fn is_here(&self, member: &Member, now: Timestamp) -> bool {
        let active = self.is_active(&member.person);
        let shift = member.shift.as_ref().and_then(|id| self.calendars.get(id));
        member.available
            && active
            && self.absence(member, now).is_none()
            && shift.is_none_or(|calendar| sla::is_open(calendar, now))
    }

    /// The managers above a person, nearest first.
    pub fn managers(&self, person: &Person) -> Vec<PersonId> {
        let mut chain: Vec<PersonId> = Vec::new();
        let mut next = person.manager.as_ref();
        while let Some(id) = next {
            // `config` refuses circles; the check keeps this total for organisations built by hand.
            if chain.contains(id) || *id == person.id {
                break;
            }
            chain.push(id.clone());
            next = self.people.get(id).and_then(|p| p.manager.as_ref());
        }
        chain
    }

    /// The same of the person with this id; none where the organisation does not know them.
    pub fn managers_of(&self, person: &PersonId) -> Vec<PersonId> {
        self.people.get(person).map(|person| self.managers(person)).unwrap_or_default()
    }

    /// The connector of an app.
    pub fn connector_of(&self, app: &AppId) -> Option<&Connector> {
        self.connectors.get(self.apps.get(app)?.connector.as_ref()?)
    }

    /// Whether a person may ask for an app.
    pub fn may_request(&self, person: &PersonId, app: &App) -> bool {
        let groups = self.people.get(person).map(|person| person.groups.as_slice()).unwrap_or_default();
        app.requestable_by.is_empty() || app.requestable_by.iter().any(|group| groups.contains(group))
    }

    /// The active members of a group.
    pub fn members_of(&self, group: &GroupId) -> impl Iterator<Item = &Person> {
        self.people.values().filter(move |p| p.active && p.groups.contains(group))
    }
}
