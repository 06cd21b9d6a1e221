//! Promises in open time: how long the desk has been open between two instants, and when a clock runs out.
//!
//! A clock keeps what it has used and since when it runs, never only a due date: so a changed target or a pause loses
//! nothing.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Span, Timestamp};

use super::id::CalendarId;
use super::organisation::{Calendar, Organisation};

/// How far ahead an end is looked for, in days; a calendar that is closed for so long never opens.
const DAYS_AHEAD_MAX: usize = 3 * 366;

/// A minute, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;

/// The instant so long after another one; the last that there is where it would come after that.
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The instant so long before another one; the first that there is where it would come before that.
pub fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// A promise that is being kept, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// What was promised, in milliseconds of open time.
    pub target_ms: i64,
    /// What earlier runs have used, in milliseconds of open time.
    pub used_ms: i64,
    /// Since when it runs; `None` while it pauses and after it was met.
    pub running_since: Option<Timestamp>,
    /// When the promise was kept, in time or late.
    pub met_at: Option<Timestamp>,
    /// When it runs out if nothing pauses it; `None` while it pauses, after it was met, or in a calendar that never opens.
    pub due_at: Option<Timestamp>,
    /// The largest share of the target at which something was done about it, in percent: each share is acted on once.
    pub alerted: u16,
    /// The end of the day for which it was promised, where a day was promised and no time; `None` for all others.
    pub day_end: Option<Timestamp>,
}

/// The promises that a ticket is under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    /// Until a first public answer of the desk.
    pub first_response: Clock,
    /// Until the ticket is resolved.
    pub resolution: Clock,
    /// Until the desk's next public answer, from the first one on.
    pub update: Option<Clock>,
    /// Until the team that has the ticket is done with it: its own agreement with the others.
    pub team: Option<Clock>,
    /// Until the requester has said whether the resolution holds.
    pub confirmation: Option<Clock>,
    /// Until the requester, who is asked something, has answered.
    pub answer: Option<Clock>,
    /// Those that only the configuration knows, by their names.
    pub further: BTreeMap<ClockName, Clock>,
}

/// The longest name of a further clock, in bytes.
pub const CLOCK_NAME_BYTES_MAX: usize = 24;

/// The name of a clock that the configuration declares. It is short and copied like a word of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockName([u8; CLOCK_NAME_BYTES_MAX]);

impl ClockName {
    /// The name, where it is one: lower-case letters, digits and hyphens, and none of the words of the desk's own clocks.
    pub fn parse(text: &str) -> Option<ClockName> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let fits = (1..=CLOCK_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
        let taken = ClockKind::ALL.into_iter().any(|kind| kind.code() == text);
        let mut bytes = [0; CLOCK_NAME_BYTES_MAX];
        bytes.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
        (fits && !taken).then_some(ClockName(bytes))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(CLOCK_NAME_BYTES_MAX);
        self.0.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// The name of one of a ticket's promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockKind {
    FirstResponse,
    Resolution,
    Update,
    Team,
    Confirmation,
    Answer,
    /// One that the configuration declares.
    Further(ClockName),
}

impl ClockKind {
    /// Every kind that the desk has by itself.
    pub const ALL: [ClockKind; 6] = [
        ClockKind::FirstResponse,
        ClockKind::Resolution,
        ClockKind::Update,
        ClockKind::Team,
        ClockKind::Confirmation,
        ClockKind::Answer,
    ];

    /// The stable word for programs.
    pub fn code(&self) -> &str {
        match self {
            ClockKind::FirstResponse => "first-response",
            ClockKind::Resolution => "resolution",
            ClockKind::Update => "next-update",
            ClockKind::Team => "team-resolution",
            ClockKind::Confirmation => "confirmation",
            ClockKind::Answer => "requester-answer",
            ClockKind::Further(name) => name.as_str(),
        }
    }

    /// The kind with this word; a word that is none of the desk's own is a name that a configuration has, or had.
    pub fn from_code(code: &str) -> Option<ClockKind> {
        let own = ClockKind::ALL.into_iter().find(|kind| kind.code() == code);
        own.or_else(|| ClockName::parse(code).map(ClockKind::Further))
    }

    /// Whether it is the requester's time, and no promise of the desk.
    pub const fn is_of_requester(self) -> bool {
        matches!(self, ClockKind::Confirmation | ClockKind::Answer)
    }

    /// Whether it is an agreement among those who work on tickets, of which requesters read nothing.
    pub const fn is_internal(&self) -> bool {
        matches!(self, ClockKind::Team | ClockKind::Further(_))
    }
}

impl Clocks {
    /// The first two, and no others.
    pub const fn of(first_response: Clock, resolution: Clock) -> Clocks {
        let further = BTreeMap::new();
        Clocks { first_response, resolution, update: None, team: None, confirmation: None, answer: None, further }
    }

    /// Every kind that the desk has by itself, and those further ones that these clocks have.
    pub fn kinds(&self) -> Vec<ClockKind> {
        ClockKind::ALL.into_iter().chain(self.further.keys().copied().map(ClockKind::Further)).collect()
    }

    /// The kinds of these clocks and of others, each once.
    pub fn kinds_with(&self, others: &Clocks) -> Vec<ClockKind> {
        let mut kinds = self.kinds();
        let more = others.further.keys().filter(|name| !self.further.contains_key(*name));
        kinds.extend(more.copied().map(ClockKind::Further));
        kinds
    }

    /// The clock of this kind, if the ticket has one.
    pub fn get(&self, kind: ClockKind) -> Option<&Clock> {
        match kind {
            ClockKind::FirstResponse => Some(&self.first_response),
            ClockKind::Resolution => Some(&self.resolution),
            ClockKind::Update => self.update.as_ref(),
            ClockKind::Team => self.team.as_ref(),
            ClockKind::Confirmation => self.confirmation.as_ref(),
            ClockKind::Answer => self.answer.as_ref(),
            ClockKind::Further(name) => self.further.get(&name),
        }
    }

    /// Puts a clock in the place of the one of this kind; only those that not every ticket has may end.
    pub fn set(&mut self, kind: ClockKind, clock: Option<Clock>) {
        match (kind, clock) {
            (ClockKind::FirstResponse, Some(clock)) => self.first_response = clock,
            (ClockKind::Resolution, Some(clock)) => self.resolution = clock,
            (ClockKind::FirstResponse | ClockKind::Resolution, None) => {}
            (ClockKind::Update, clock) => self.update = clock,
            (ClockKind::Team, clock) => self.team = clock,
            (ClockKind::Confirmation, clock) => self.confirmation = clock,
            (ClockKind::Answer, clock) => self.answer = clock,
            (ClockKind::Further(name), Some(clock)) => {
                self.further.insert(name, clock);
            }
            (ClockKind::Further(name), None) => {
                self.further.remove(&name);
            }
        }
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, kind: ClockKind) -> Option<&mut Clock> {
        match kind {
            ClockKind::FirstResponse => Some(&mut self.first_response),
            ClockKind::Resolution => Some(&mut self.resolution),
            ClockKind::Update => self.update.as_mut(),
            ClockKind::Team => self.team.as_mut(),
            ClockKind::Confirmation => self.confirmation.as_mut(),
            ClockKind::Answer => self.answer.as_mut(),
            ClockKind::Further(name) => self.further.get_mut(&name),
        }
    }
}

impl Clock {
    /// A clock that starts now.
    pub fn start(calendar: &Calendar, minutes: u32, now: Timestamp) -> Clock {
        let target_ms = i64::from(minutes) * MINUTE_MS;
        let due_at = due(calendar, now, target_ms);
        Clock { target_ms, used_ms: 0, running_since: Some(now), met_at: None, due_at, alerted: 0, day_end: None }
    }

    /// The open time that it has used up to `now`, in milliseconds.
    pub fn used(&self, calendar: &Calendar, now: Timestamp) -> i64 {
        self.used_ms + self.running_since.map_or(0, |since| elapsed(calendar, since, now))
    }

    /// Whether the promise was or would now be broken.
    pub fn breached(&self, calendar: &Calendar, now: Timestamp) -> bool {
        self.used(calendar, self.met_at.unwrap_or(now)) > self.target_ms
    }

    /// When it will have used this share of its target, in percent; `None` while it stands still, and where that never comes.
    pub fn reaches(&self, calendar: &Calendar, percent: u16) -> Option<Timestamp> {
        let share = self.target_ms.saturating_mul(i64::from(percent)) / 100;
        due(calendar, self.running_since?, share - self.used_ms)
    }

    /// The same clock, standing still. Nothing changes where it stands already.
    #[must_use]
    pub fn pause(self, calendar: &Calendar, now: Timestamp) -> Clock {
        let used_ms = self.used(calendar, now);
        Clock { used_ms, running_since: None, due_at: None, ..self }
    }

    /// The same clock, running. Nothing changes where it runs already or was met.
    #[must_use]
    pub fn resume(self, calendar: &Calendar, now: Timestamp) -> Clock {
        if self.running_since.is_some() || self.met_at.is_some() {
            return self;
        }
        let due_at = due(calendar, now, self.target_ms - self.used_ms);
        Clock { running_since: Some(now), due_at, ..self }
    }

    /// The same clock, with the promise kept.
    #[must_use]
    pub fn meet(self, calendar: &Calendar, now: Timestamp) -> Clock {
        if self.met_at.is_some() {
            return self;
        }
        Clock { met_at: Some(now), ..self.pause(calendar, now) }
    }

    /// The same clock, promised again: after it was met and the ticket came back.
    #[must_use]
    pub fn reopen(self, calendar: &Calendar, now: Timestamp) -> Clock {
        Clock { met_at: None, ..self }.resume(calendar, now)
    }

    /// The same clock as it is promised by a configuration that has changed: its target, and the calendar by which the time counts
    /// since it began to run last. One that was promised for a day keeps the day, and once it has stood still its open time instead.
    /// Nothing changes once it was met.
    #[must_use]
    pub fn promised_by(self, calendar: &Calendar, minutes: u32) -> Clock {
        if self.met_at.is_some() {
            return self;
        }
        let until_then = |end: Timestamp| {
            let since = self.running_since.filter(|_| self.used_ms == 0)?;
            Some(elapsed(calendar, since, end)).filter(|open| *open > 0)
        };
        let target_ms = match self.day_end {
            None => i64::from(minutes) * MINUTE_MS,
            Some(end) => until_then(end).unwrap_or(self.target_ms),
        };
        let due_at = self.running_since.and_then(|since| due(calendar, since, target_ms - self.used_ms));
        Clock { target_ms, due_at, ..self }
    }

    /// The same clock with another target, and from now on by another calendar; what it has used by the one before stays used. It is
    /// for no day any more.
    #[must_use]
    pub fn retarget(self, (before, calendar): (&Calendar, &Calendar), minutes: u32, now: Timestamp) -> Clock {
        let target_ms = i64::from(minutes) * MINUTE_MS;
        let used_ms = self.used(before, now);
        let running_since = self.running_since.map(|_| now);
        let due_at = running_since.and_then(|now| due(calendar, now, target_ms - used_ms));
        Clock { target_ms, used_ms, running_since, due_at, day_end: None, ..self }
    }
}

/// The hours that the approvers of a request have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deadlines {
    /// All of them.
    Clock,
    /// Those in which a calendar is open: the desk's own where none is named.
    Open(Option<CalendarId>),
}

impl Deadlines {
    /// The calendar whose open hours count; `None` where all hours do.
    pub fn calendar<'o>(&self, organisation: &'o Organisation) -> Option<&'o Calendar> {
        match self {
            Deadlines::Clock => None,
            Deadlines::Open(named) => {
                let named = named.as_ref().and_then(|id| organisation.calendars.get(id));
                Some(named.unwrap_or(&organisation.calendar))
            }
        }
    }
}

/// When `ms` milliseconds of open time after `start` have passed; a used-up clock is due at `start`.
pub fn due(calendar: &Calendar, start: Timestamp, ms: i64) -> Option<Timestamp> {
    let mut left = ms;
    if left <= 0 {
        return Some(start);
    }
    let first = calendar.zone.to_datetime(start).date();
    let mut date = first;
    for _ in 0..DAYS_AHEAD_MAX {
        for (from, to) in open_on(calendar, date) {
            let from = from.max(start);
            let open = (to.as_millisecond() - from.as_millisecond()).max(0);
            if open >= left {
                return Timestamp::from_millisecond(from.as_millisecond() + left).ok();
            }
            left -= open;
        }
        date = date.tomorrow().ok()?;
    }
    None
}

/// The open time between two instants, in milliseconds; 0 where `to` lies before `from`.
pub fn elapsed(calendar: &Calendar, from: Timestamp, to: Timestamp) -> i64 {
    let last = calendar.zone.to_datetime(to).date();
    let mut date = calendar.zone.to_datetime(from).date();
    let mut total = 0;
    while date <= last {
        for (open, close) in open_on(calendar, date) {
            let (open, close) = (open.max(from), close.min(to));
            total += (close.as_millisecond() - open.as_millisecond()).max(0);
        }
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    total
}

/// Whether the desk is open at an instant.
pub fn is_open(calendar: &Calendar, at: Timestamp) -> bool {
    let date = calendar.zone.to_datetime(at).date();
    open_on(calendar, date).any(|(from, to)| from <= at && at < to)
}

/// The open intervals of one day as instants. An hour that the clocks skip is not open; one that they repeat is open
/// twice, because people sit there twice.
fn open_on(calendar: &Calendar, date: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    calendar.hours_on(date).iter().filter_map(move |hours| {
        let from = instant(calendar, date, hours.start)?;
        let to = if hours.end == Time::midnight() {
            instant(calendar, date.checked_add(Span::new().days(1)).ok()?, Time::midnight())?
        } else {
            instant(calendar, date, hours.end)?
        };
        Some((from, to))
    })
}

/// The instant of a local time; where the clocks jump over it, that of the jump.
fn instant(calendar: &Calendar, date: Date, time: Time) -> Option<Timestamp> {
    let local = date.to_datetime(time);
    let ambiguous = calendar.zone.to_ambiguous_timestamp(local);
    if let AmbiguousOffset::Gap { after, .. } = ambiguous.offset() {
        // With the offset of after the jump a skipped time lies before it, so that the jump is what follows.
        let jump = calendar.zone.following(after.to_timestamp(local).ok()?).next()?;
        return Some(jump.timestamp());
    }
    ambiguous.compatible().ok()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::desk::organisation::OpenHours;

    fn calendar(zone: &str, hours: &[(&str, &str)], days: usize) -> Calendar {
        let open: Vec<OpenHours> = hours
            .iter()
            .map(|(start, end)| OpenHours { start: start.parse().unwrap(), end: end.parse().unwrap() })
            .collect();
        let mut week: [Vec<OpenHours>; 7] = Default::default();
        week.iter_mut().take(days).for_each(|day| day.clone_from(&open));
        let holidays = ["2026-05-01".parse().unwrap()].into();
        Calendar { zone: TimeZone::get(zone).unwrap(), week, holidays }
    }

    /// Minute by minute, as a person with a wall clock would count.
    fn counted(calendar: &Calendar, from: Timestamp, minutes: i64) -> i64 {
        (0..minutes)
            .filter(|minute| {
                let at = Timestamp::from_millisecond(from.as_millisecond() + minute * 60_000).unwrap();
                let local = calendar.zone.to_datetime(at);
                let day = local.date().weekday().to_monday_zero_offset() as usize;
                !calendar.holidays.contains(&local.date())
                    && calendar.week[day].iter().any(|hours| {
                        hours.start <= local.time() && (local.time() < hours.end || hours.end == Time::midnight())
                    })
            })
            .count() as i64
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        // Around both changes of the clocks and a holiday, with split days and nights.
        #[test]
        fn open_time_is_what_a_wall_clock_counts(
            start in prop_oneof![1_774_569_600_i64..1_774_900_000, 1_792_800_000_i64..1_793_100_000, 1_777_500_000_i64..1_777_800_000],
            minutes in 0_i64..6_000,
            shape in 0_usize..3,
        ) {
            let hours: &[(&str, &str)] = [
                &[("08:00", "12:00"), ("13:00", "18:00")][..],
                &[("00:00", "00:00")][..],
                &[("04:00", "09:30"), ("20:00", "00:00")][..],
            ][shape];
            let calendar = calendar("Europe/Berlin", hours, 6);
            let from = Timestamp::from_second(start / 60 * 60).unwrap();
            let to = Timestamp::from_millisecond(from.as_millisecond() + minutes * 60_000).unwrap();
            let open = elapsed(&calendar, from, to);
            prop_assert_eq!(open, counted(&calendar, from, minutes) * 60_000);
            // What is due after that much open time has exactly that much open time before it.
            let end = due(&calendar, from, open.max(1)).unwrap();
            prop_assert_eq!(elapsed(&calendar, from, end), open.max(1));
        }
    }

    #[test]
    fn a_further_clock_reads_back_by_its_name_and_takes_none_of_the_desk_s_own() {
        for name in ["diagnosis", "a", "work-around-2", "abcdefghijklmnopqrstuvwx"] {
            let kind = ClockKind::from_code(name).unwrap();
            assert_eq!((kind.code(), kind.is_internal()), (name, true));
        }
        for bad in ["", "Diagnosis", "a b", "ä", "abcdefghijklmnopqrstuvwxy", "resolution"] {
            assert_eq!(ClockName::parse(bad), None, "{bad}");
        }
        assert_eq!(ClockKind::from_code("resolution"), Some(ClockKind::Resolution));
    }

    #[test]
    fn a_calendar_that_never_opens_promises_nothing() {
        let never = calendar("UTC", &[], 7);
        let clock = Clock::start(&never, 60, Timestamp::UNIX_EPOCH);
        assert_eq!(clock.due_at, None);
        assert!(!clock.breached(&never, Timestamp::from_second(1_000_000_000).unwrap()));
    }

    #[test]
    fn a_pause_is_kept_when_the_target_changes() {
        let always = calendar("UTC", &[("00:00", "00:00")], 7);
        let hour = |n: i64| Timestamp::from_second(1_800_000_000 + n * 3600).unwrap();
        let clock = Clock::start(&always, 8 * 60, hour(0)).pause(&always, hour(1));
        let clock = clock.retarget((&always, &always), 4 * 60, hour(3)).resume(&always, hour(4));
        assert_eq!(clock.due_at, Some(hour(7)), "one of four hours was used, three are left");
        assert!(!clock.breached(&always, hour(7)));
        assert!(clock.breached(&always, hour(8)));
        assert!(!clock.meet(&always, hour(6)).breached(&always, hour(99)));
    }
}
