//! Promises against an oracle that counts minute by minute, as a person with a wall clock would: pauses, other targets, other
//! calendars, both changes of the clocks, split days and weeks that are closed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ruledesk::desk::change::{Change, TicketWrite};
use ruledesk::desk::organisation::service::{FurtherClock, Occasion};
use ruledesk::desk::organisation::{Calendar, OpenHours, Organisation};
use ruledesk::desk::sla::{Clock, ClockKind, ClockName};
use ruledesk::desk::ticket::lifecycle::alerts::keep_time;
use ruledesk::desk::ticket::{State, Ticket, WaitingFor};

use crate::store::fixture::{Wanted, organisation};

/// How far ahead the oracle looks for an end, in minutes.
const AHEAD: i64 = 30 * 24 * 60;

fn calendar(zone: &str, hours: &[(&str, &str)], days: &[usize], holidays: &[&str]) -> Calendar {
    let open: Vec<OpenHours> = hours
        .iter()
        .map(|(start, end)| OpenHours { start: start.parse().unwrap(), end: end.parse().unwrap() })
        .collect();
    let mut week: [Vec<OpenHours>; 7] = Default::default();
    days.iter().for_each(|day| week[*day].clone_from(&open));
    let holidays: BTreeSet<_> = holidays.iter().map(|day| day.parse().unwrap()).collect();
    Calendar { zone: TimeZone::get(zone).unwrap(), week, holidays }
}

/// Monday and Thursday only with a break at noon; day and night; and evenings in another zone, with a closed week.
fn calendars() -> [Calendar; 3] {
    let closed = ["2026-03-30", "2026-03-31", "2026-04-01", "2026-04-02", "2026-04-03", "2026-10-26"];
    [
        calendar("Europe/Berlin", &[("08:00", "12:00"), ("13:00", "18:00")], &[0, 3], &[]),
        calendar("UTC", &[("00:00", "00:00")], &[0, 1, 2, 3, 4, 5, 6], &[]),
        calendar("America/New_York", &[("01:00", "04:30"), ("20:00", "00:00")], &[0, 1, 4, 6], &closed),
    ]
}

fn minute(n: i64) -> Timestamp {
    Timestamp::from_second(n * 60).unwrap()
}

fn open_at(calendar: &Calendar, n: i64) -> bool {
    let local = calendar.zone.to_datetime(minute(n));
    let day = local.date().weekday().to_monday_zero_offset() as usize;
    let within =
        |hours: &OpenHours| hours.start <= local.time() && (local.time() < hours.end || hours.end == Time::midnight());
    !calendar.holidays.contains(&local.date()) && calendar.week[day].iter().any(within)
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Pause,
    Resume,
    /// Another target in minutes, by another calendar.
    Retarget(u32, usize),
    Meet,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Pause),
        3 => Just(Act::Resume),
        2 => (1_u32..3_000, 0_usize..3).prop_map(|(minutes, calendar)| Act::Retarget(minutes, calendar)),
        1 => Just(Act::Meet),
        1 => Just(Act::Reopen),
    ]
}

/// A clock that is wound minute by minute.
struct Oracle {
    used: i64,
    target: i64,
    calendar: usize,
    running: bool,
    met: bool,
}

impl Oracle {
    fn pass(&mut self, calendars: &[Calendar; 3], from: i64, minutes: i64) {
        let open = (from..from + minutes).filter(|n| self.running && open_at(&calendars[self.calendar], *n)).count();
        self.used += i64::try_from(open).unwrap();
    }

    fn due(&self, calendars: &[Calendar; 3], now: i64) -> Option<i64> {
        let mut left = self.target - self.used;
        if left <= 0 {
            return Some(now);
        }
        (now..now + AHEAD).find_map(|n| {
            left -= i64::from(open_at(&calendars[self.calendar], n));
            (left == 0).then_some(n + 1)
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_promise_runs_as_a_wall_clock_would_count_it(
        // Around both changes of the clocks.
        start in prop_oneof![29_576_160_i64..29_580_000, 29_880_000_i64..29_884_000],
        target in 1_u32..3_000,
        first in 0_usize..3,
        acts in prop::collection::vec((0_i64..2_000, act()), 0..8),
    ) {
        let calendars = calendars();
        let mut clock = Clock::start(&calendars[first], target, minute(start));
        let mut oracle = Oracle { used: 0, target: i64::from(target), calendar: first, running: true, met: false };
        let mut now = start;
        for (minutes, act) in acts {
            oracle.pass(&calendars, now, minutes);
            now += minutes;
            let (by, at) = (&calendars[oracle.calendar], minute(now));
            match act {
                Act::Pause => {
                    clock = clock.pause(by, at);
                    oracle.running = false;
                }
                Act::Resume => {
                    clock = clock.resume(by, at);
                    oracle.running |= !oracle.met;
                }
                Act::Retarget(minutes, calendar) => {
                    clock = clock.retarget((by, &calendars[calendar]), minutes, at);
                    (oracle.target, oracle.calendar) = (i64::from(minutes), calendar);
                }
                Act::Meet => {
                    clock = clock.meet(by, at);
                    (oracle.running, oracle.met) = (false, true);
                }
                Act::Reopen => {
                    clock = clock.reopen(by, at);
                    (oracle.running, oracle.met) = (true, false);
                }
            }
            let by = &calendars[oracle.calendar];
            prop_assert_eq!(clock.used(by, minute(now)), oracle.used * 60_000);
            prop_assert_eq!(clock.running_since.is_some(), oracle.running);
            match oracle.due(&calendars, now).filter(|_| oracle.running) {
                // It has run out already, and says since when.
                Some(due) if due == now => prop_assert!(clock.due_at.is_some_and(|due| due <= minute(now))),
                Some(due) => prop_assert_eq!(clock.due_at, Some(minute(due))),
                None => prop_assert!(clock.due_at.is_none_or(|due| due > minute(now + AHEAD))),
            }
            let half = clock.reaches(by, 50);
            prop_assert!(half.is_none_or(|half| clock.due_at.is_some_and(|due| half <= due)));
        }
    }
}

/// Always open, with a clock that begins with the work, and that a tag meets; two of the three priorities promise it.
fn with_diagnosis() -> Organisation {
    let minutes = [("critical", 30), ("medium", 60)].map(|(level, minutes)| (level.parse().unwrap(), minutes));
    let diagnosis = FurtherClock {
        id: ClockName::parse("diagnosis").unwrap(),
        name: "Diagnosis".to_owned(),
        starts: vec![Occasion::State("in_progress".to_owned())],
        pauses: vec!["waiting_requester".to_owned()],
        met: vec![Occasion::Tag("site".parse().unwrap())],
        minutes: minutes.into(),
        calendar: None,
        request_types: Vec::new(),
    };
    let always = calendar("UTC", &[("00:00", "00:00")], &[0, 1, 2, 3, 4, 5, 6], &[]);
    let mut organisation = Organisation { calendar: always, ..organisation() };
    organisation.watch.further = vec![diagnosis];
    organisation
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    To(State),
    Tagged(bool),
    Rated(&'static str),
}

fn turn() -> impl Strategy<Value = Turn> {
    let requester = State::Waiting(WaitingFor::Requester);
    let vendor = State::Waiting(WaitingFor::Vendor);
    let states = vec![State::Open, State::InProgress, requester, vendor, State::Resolved, State::Reopened];
    prop_oneof![
        4 => prop::sample::select(states).prop_map(Turn::To),
        1 => any::<bool>().prop_map(Turn::Tagged),
        2 => prop::sample::select(vec!["critical", "medium", "low"]).prop_map(Turn::Rated),
    ]
}

fn turned(ticket: &Ticket, turn: Turn, organisation: &Organisation, now: i64) -> Ticket {
    let mut after = ticket.clone();
    after.version += 1;
    after.updated_at = minute(now);
    match turn {
        Turn::To(state) => after.state = state,
        Turn::Tagged(true) => after.tags = vec!["site".parse().unwrap()],
        Turn::Tagged(false) => after.tags.clear(),
        Turn::Rated(level) => after.priority = level.parse().unwrap(),
    }
    let write = TicketWrite::Update { before: Box::new(ticket.clone()), after: Box::new(after) };
    let mut change = Change::of_parts(write, None, Vec::new(), Vec::new());
    keep_time(&mut change, organisation);
    change.after().clone()
}

/// One who watches the ticket with a wall clock, and knows of the clock only what its configuration says.
struct Watcher {
    used: Option<i64>,
    met: bool,
    runs: bool,
}

impl Watcher {
    fn sees(&mut self, before: &Ticket, after: &Ticket) {
        let promised = |ticket: &Ticket| ticket.priority.as_str() != "low";
        let works = |ticket: &Ticket| ticket.state == State::InProgress;
        let tagged = |ticket: &Ticket| ticket.tags.iter().any(|tag| tag.as_str() == "site");
        if self.met {
            return;
        }
        if !promised(after) {
            self.used = None;
        } else if self.used.is_some() {
            self.met = tagged(after);
        } else if works(after) && !tagged(after) && (!works(before) || !promised(before)) {
            self.used = Some(0);
        }
        let stands = matches!(after.state, State::Waiting(WaitingFor::Requester) | State::Resolved);
        self.runs = self.used.is_some() && !self.met && !stands;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_clock_that_is_only_configured_runs_as_one_who_watches_the_ticket_would_count_it(
        turns in prop::collection::vec((0_i64..90, turn()), 1..30),
    ) {
        let organisation = with_diagnosis();
        let kind = ClockKind::from_code("diagnosis").unwrap();
        let mut ticket = Wanted::new(1).create(&organisation).change.after().clone();
        let mut watcher = Watcher { used: None, met: false, runs: false };
        let mut now = 30_000_000;
        for (minutes, turn) in turns {
            now += minutes;
            watcher.used = watcher.used.map(|used| used + if watcher.runs { minutes } else { 0 });
            let after = turned(&ticket, turn, &organisation, now);
            watcher.sees(&ticket, &after);
            ticket = after;
            let clock = ticket.clocks.get(kind);
            let used = clock.map(|clock| clock.used(&organisation.calendar, minute(now)) / 60_000);
            prop_assert_eq!(used, watcher.used);
            prop_assert_eq!(clock.is_some_and(|clock| clock.met_at.is_some()), watcher.met);
            prop_assert_eq!(clock.is_some_and(|clock| clock.running_since.is_some()), watcher.runs);
            let promised = [("critical", 30), ("medium", 60)].into_iter().find(|(level, _)| *level == ticket.priority.as_str());
            if let (Some(clock), Some((_, minutes)), false) = (clock, promised, watcher.met) {
                prop_assert_eq!(clock.target_ms, minutes * 60_000);
            }
        }
    }
}
