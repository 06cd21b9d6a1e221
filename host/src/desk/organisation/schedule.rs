//! Work that comes again by the calendar: tickets that are opened and reports that are sent, at days and a time of the desk's zone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};

use super::form::Raw;
use super::{Calendar, OpenHours};
use crate::desk::id::{PersonId, RequestTypeId, ScheduleId};

/// How far ahead the next occurrence is looked for, in days: a rhythm that has none by then never comes.
const DAYS_AHEAD_MAX: usize = 3 * 366;
/// How far an occurrence moves at most to a day that is open, in days.
const DAYS_MOVED_MAX: i64 = 31;

/// The days on which something comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Every {
    Day,
    /// These days of each week.
    Week(Vec<Weekday>),
    /// These days of each month; in a shorter month its last day stands for one that it has not.
    Month(BTreeSet<i8>),
}

/// The fate of an occurrence on a day on which the calendar is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClosed {
    /// It comes all the same.
    Keep,
    /// It is left out.
    Skip,
    /// It comes on the next day that is open.
    Move,
}

impl OnClosed {
    /// Every fate.
    pub const ALL: [OnClosed; 3] = [OnClosed::Keep, OnClosed::Skip, OnClosed::Move];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            OnClosed::Keep => "keep",
            OnClosed::Skip => "skip",
            OnClosed::Move => "next-open-day",
        }
    }
}

/// When something comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rhythm {
    pub every: Every,
    pub at: Time,
    pub on_closed: OnClosed,
}

impl Rhythm {
    /// The first occurrence after an instant; `None` where none comes in years.
    pub fn next_after(&self, calendar: &Calendar, after: Timestamp) -> Option<Timestamp> {
        let today = calendar.zone.to_datetime(after).date();
        let mut day = today.checked_sub(jiff::Span::new().days(DAYS_MOVED_MAX)).ok()?;
        let mut next: Option<Timestamp> = None;
        for _ in 0..DAYS_AHEAD_MAX {
            let moved = self.falls_on(day).then(|| self.settled(calendar, day)).flatten();
            let at =
                moved.and_then(|day| calendar.zone.to_ambiguous_timestamp(day.to_datetime(self.at)).compatible().ok());
            if let Some(at) = at.filter(|at| *at > after) {
                next = Some(next.map_or(at, |earlier| earlier.min(at)));
            }
            // One that moves forward may overtake the one behind it by so much, and no more.
            if next.is_some_and(|next| calendar.zone.to_datetime(next).date() <= day) {
                return next;
            }
            day = day.tomorrow().ok()?;
        }
        next
    }

    fn falls_on(&self, day: Date) -> bool {
        match &self.every {
            Every::Day => true,
            Every::Week(days) => days.contains(&day.weekday()),
            Every::Month(days) => {
                let is_last = day.day() == day.days_in_month();
                days.iter().any(|wanted| *wanted == day.day() || (is_last && *wanted > day.day()))
            }
        }
    }

    /// The day on which an occurrence comes; `None` where it is left out.
    fn settled(&self, calendar: &Calendar, day: Date) -> Option<Date> {
        if self.on_closed == OnClosed::Keep || calendar.is_open_on(day) {
            return Some(day);
        }
        if self.on_closed == OnClosed::Skip {
            return None;
        }
        let mut next = day;
        for _ in 0..DAYS_MOVED_MAX {
            next = next.tomorrow().ok()?;
            if calendar.is_open_on(next) {
                return Some(next);
            }
        }
        None
    }
}

impl Calendar {
    /// The hours of a day in which it is open; none on a holiday.
    pub fn hours_on(&self, day: Date) -> &[OpenHours] {
        let place = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        match self.week.get(place) {
            Some(hours) if !self.holidays.contains(&day) => hours,
            _ => &[],
        }
    }

    /// Whether it is open at any time of a day.
    fn is_open_on(&self, day: Date) -> bool {
        !self.hours_on(day).is_empty()
    }
}

/// The days that a report is about, which are over when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Day,
    /// From Monday to Sunday.
    Week,
    Month,
}

impl Over {
    /// Every length.
    pub const ALL: [Over; 3] = [Over::Day, Over::Week, Over::Month];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Over::Day => "day",
            Over::Week => "week",
            Over::Month => "month",
        }
    }

    /// The first and the last of the last such days before a day.
    pub fn before(self, day: Date) -> Option<(Date, Date)> {
        let back = |days: i64| day.checked_sub(jiff::Span::new().days(days)).ok();
        Some(match self {
            Over::Day => (back(1)?, back(1)?),
            Over::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                (back(since_monday + 7)?, back(since_monday + 1)?)
            }
            Over::Month => {
                let last = back(i64::from(day.day()))?;
                (last.first_of_month(), last)
            }
        })
    }
}

/// A report that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// How many tickets came, were resolved and were closed, day by day.
    Volume,
    /// The unfinished tickets as they are now, by age.
    Backlog,
    /// The tickets that were unfinished at the end of each day.
    Trend,
    /// The promises that were kept.
    Attainment,
    /// How long the first answer and the resolution took, in open time.
    Taken,
    /// How resolutions ended: confirmed, disputed, unanswered.
    Resolutions,
    /// The articles that spared tickets.
    Deflection,
    /// The answers of requesters about how it went.
    Satisfaction,
    /// The time that was worked on tickets.
    Handling,
    /// The resolutions that the first contact brought.
    FirstContact,
    /// How tickets went from team to team.
    Handovers,
    /// The events of promises, and how many were broken.
    PromiseEvents,
    /// The decisions of rules, by their versions, and those of them that people corrected.
    Corrections,
}

codes! {
    Report {
        Volume => "volume",
        Backlog => "backlog",
        Trend => "backlog-over-time",
        Attainment => "sla-attainment",
        Taken => "time-taken",
        Resolutions => "resolutions",
        Deflection => "deflection",
        Satisfaction => "satisfaction",
        Handling => "handling-time",
        FirstContact => "first-contact",
        Handovers => "handovers",
        PromiseEvents => "sla-events",
        Corrections => "corrections",
    }
}

impl Report {
    /// Whether it has rows for each day, which can be put together to weeks and months.
    pub const fn is_over_days(self) -> bool {
        matches!(self, Report::Volume | Report::Trend)
    }
}

/// The time that a row of a report over days is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Per {
    #[default]
    Day,
    Week,
    Month,
}

// The words are also names of columns, and the shortest period is first.
codes! { Per { Day => "day", Week => "week", Month => "month" } }

impl Per {
    /// The name of the period that a day is in, as ISO 8601 writes it: `2026-05-01`, `2026-W18`, `2026-05`. A week belongs to the
    /// year of its Thursday.
    pub fn of(self, day: Date) -> String {
        match self {
            Per::Day => day.to_string(),
            Per::Week => {
                let week = day.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Per::Month => format!("{:04}-{:02}", day.year(), day.month()),
        }
    }
}

/// The column that a report tells tickets apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Category,
    Team,
    Assignee,
    Priority,
    Channel,
    RequestType,
    State,
    /// A ticket counts under each of its tags, and one without tags under none.
    Tag,
}

impl By {
    /// Every column.
    pub const ALL: [By; 8] =
        [By::Category, By::Team, By::Assignee, By::Priority, By::Channel, By::RequestType, By::State, By::Tag];

    /// The column's name, which is also the stable word for programs.
    pub const fn column(self) -> &'static str {
        match self {
            By::Category => "category",
            By::Team => "team",
            By::Assignee => "assignee",
            By::Priority => "priority",
            By::Channel => "channel",
            By::RequestType => "request_type",
            By::State => "state",
            By::Tag => "tag",
        }
    }

    /// The column with this name.
    pub fn from_column(name: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.column() == name)
    }

    /// Whether a ticket is in one group, so that the groups make the whole.
    pub fn divides(self) -> bool {
        self != By::Tag
    }
}

/// Something that comes again.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    pub id: ScheduleId,
    pub rhythm: Rhythm,
    pub work: Work,
}

/// The work that comes again.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    Ticket(RecurringTicket),
    Report(MailedReport),
}

/// A ticket that is opened again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurringTicket {
    pub request_type: RequestTypeId,
    pub requester: PersonId,
    /// `{date}` stands for the day.
    pub subject: String,
    /// `{date}` stands for the day.
    pub body: String,
    pub fields: Vec<(String, Raw)>,
}

/// A report that is sent again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailedReport {
    pub report: Report,
    pub by: Option<By>,
    pub per: Per,
    pub over: Over,
    pub to: Vec<PersonId>,
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn calendar() -> Calendar {
        let open = OpenHours { start: "08:00".parse().unwrap(), end: "18:00".parse().unwrap() };
        let mut week: [Vec<OpenHours>; 7] = Default::default();
        week.iter_mut().take(5).for_each(|day| day.push(open));
        let holidays = ["2026-05-01".parse().unwrap()].into();
        Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), week, holidays }
    }

    fn next(every: Every, on_closed: OnClosed, after: &str) -> String {
        let rhythm = Rhythm { every, at: "08:00".parse().unwrap(), on_closed };
        let calendar = calendar();
        let next = rhythm.next_after(&calendar, after.parse().unwrap()).unwrap();
        calendar.zone.to_datetime(next).to_string()
    }

    #[test]
    fn the_next_occurrence_is_by_the_walls_clock() {
        let day = |after: &str| next(Every::Day, OnClosed::Keep, after);
        assert_eq!(day("2026-03-28T06:59:59Z"), "2026-03-28T08:00:00");
        assert_eq!(
            day("2026-03-28T07:00:00Z"),
            "2026-03-29T08:00:00",
            "not the same one again, and summer time begins"
        );
        let week = Every::Week(vec![Weekday::Monday, Weekday::Friday]);
        assert_eq!(next(week.clone(), OnClosed::Keep, "2026-04-28T09:00:00Z"), "2026-05-01T08:00:00");
        assert_eq!(next(week.clone(), OnClosed::Skip, "2026-04-28T09:00:00Z"), "2026-05-04T08:00:00", "a holiday");
        // What moves from the holiday comes on Monday, with the one that is due there: one occurrence.
        assert_eq!(next(week.clone(), OnClosed::Move, "2026-04-28T09:00:00Z"), "2026-05-04T08:00:00");
        assert_eq!(next(week, OnClosed::Move, "2026-05-04T09:00:00Z"), "2026-05-08T08:00:00");
        let month = Every::Month([1, 31].into());
        assert_eq!(next(month.clone(), OnClosed::Keep, "2026-02-02T09:00:00Z"), "2026-02-28T08:00:00");
        assert_eq!(next(month, OnClosed::Move, "2026-02-20T09:00:00Z"), "2026-03-02T08:00:00", "a Saturday");
    }

    #[test]
    fn a_report_is_about_days_that_are_over() {
        let before = |over: Over, day: &str| {
            let (from, to) = over.before(day.parse().unwrap()).unwrap();
            format!("{from} {to}")
        };
        assert_eq!(before(Over::Day, "2026-03-01"), "2026-02-28 2026-02-28");
        assert_eq!(before(Over::Week, "2026-11-30"), "2026-11-23 2026-11-29", "a Monday");
        assert_eq!(before(Over::Week, "2026-11-29"), "2026-11-16 2026-11-22", "a Sunday");
        assert_eq!(before(Over::Month, "2026-03-31"), "2026-02-01 2026-02-28");
    }
}
