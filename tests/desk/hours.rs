//! Open hours whose edge falls into the hour that the clocks skip, counted minute by minute; and the day until which a ticket waits.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::change::at::At;
use ruledesk::desk::change::timer::TimerKind;
use ruledesk::desk::organisation::{Calendar, OpenHours, Organisation};
use ruledesk::desk::permission;
use ruledesk::desk::sla;
use ruledesk::desk::ticket::lifecycle::links::Around;
use ruledesk::desk::ticket::{self, Move, State, Ticket, WaitingFor};

use crate::store::fixture::{Wanted, organisation, person, uuid};

fn night(start: &str, end: &str) -> Calendar {
    let open = OpenHours { start: start.parse().unwrap(), end: end.parse().unwrap() };
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    Calendar { zone, week: std::array::from_fn(|_| vec![open]), holidays: BTreeSet::new() }
}

/// The minutes of a day and a half, from noon before, at which a wall clock shows an open hour.
fn counted(calendar: &Calendar, from: Timestamp) -> i64 {
    let open = calendar.week[0][0];
    let minutes = (0..36 * 60).filter(|minute| {
        let at = Timestamp::from_millisecond(from.as_millisecond() + minute * 60_000).unwrap();
        let time = calendar.zone.to_datetime(at).time();
        open.start <= time && time < open.end
    });
    i64::try_from(minutes.count()).unwrap()
}

fn measured(calendar: &Calendar, from: Timestamp) -> i64 {
    let to = Timestamp::from_second(from.as_second() + 36 * 3600).unwrap();
    sla::elapsed(calendar, from, to) / 60_000
}

#[test]
fn a_desk_that_opens_in_the_skipped_hour_opens_when_the_clocks_jump() {
    let from: Timestamp = "2026-03-28T12:00:00Z".parse().unwrap();
    for (start, end) in [("02:30", "06:00"), ("00:00", "02:30"), ("02:15", "02:45")] {
        let calendar = night(start, end);
        assert_eq!(measured(&calendar, from), counted(&calendar, from), "{start} to {end}");
    }
}

/// Whether the clock on the wall shows an hour of that day's.
fn shown_open(calendar: &Calendar, at: Timestamp) -> bool {
    let local = calendar.zone.to_datetime(at);
    let day = usize::try_from(local.date().weekday().to_monday_zero_offset()).unwrap();
    // 24:00 is written as the midnight at which it ends.
    let within =
        |open: &OpenHours| open.start <= local.time() && (open.end == Time::midnight() || local.time() < open.end);
    calendar.week[day].iter().any(within)
}

/// Shifts that begin or end at midnight, on each day or on one: in nights in which the clocks change, also where they do so at
/// midnight, which is then skipped or whose hour before or after comes twice.
#[test]
fn a_shift_begins_and_ends_by_the_clock_on_the_wall_also_at_a_midnight_that_is_skipped() {
    let hours = |start: &str, end: Time| OpenHours { start: start.parse().unwrap(), end };
    let (late, early) = (hours("22:00", Time::midnight()), hours("00:00", "06:00".parse().unwrap()));
    let whole = hours("00:00", Time::midnight());
    let mut changes = 0;
    for (name, noons) in [
        ("Europe/Berlin", ["2026-03-28T11:00:00Z", "2026-10-24T10:00:00Z"]),
        ("Asia/Beirut", ["2026-03-28T10:00:00Z", "2026-10-24T09:00:00Z"]),
        ("America/Havana", ["2026-03-07T17:00:00Z", "2026-10-31T16:00:00Z"]),
        ("America/Santiago", ["2026-04-04T15:00:00Z", "2026-09-05T16:00:00Z"]),
    ] {
        let zone = TimeZone::get(name).unwrap();
        for noon in noons.map(|noon| noon.parse::<Timestamp>().unwrap()) {
            // The first and the last moment of each five minutes.
            let moments = (0..36 * 12).flat_map(|five| [five * 300_000, five * 300_000 + 299_999]);
            let instants: Vec<Timestamp> =
                moments.map(|ms| Timestamp::from_millisecond(noon.as_millisecond() + ms).unwrap()).collect();
            let offsets: BTreeSet<i32> = instants.iter().map(|at| zone.to_offset(*at).seconds()).collect();
            changes += offsets.len() - 1;
            for shift in [vec![late], vec![early], vec![early, late], vec![whole]] {
                for only in [None, Some(5), Some(6)] {
                    let of_day =
                        |day: usize| if only.is_none_or(|only| only == day) { shift.clone() } else { Vec::new() };
                    let week = std::array::from_fn(of_day);
                    let calendar = Calendar { zone: zone.clone(), week, holidays: BTreeSet::new() };
                    for at in &instants {
                        assert_eq!(sla::is_open(&calendar, *at), shown_open(&calendar, *at), "{name} {at} {only:?}");
                    }
                }
            }
        }
    }
    assert_eq!(changes, 8, "the clocks change in each of these nights");
}

/// When a ticket is worked on again that is put off to a day, for a desk with this calendar; `None` where the day is refused.
fn goes_on(calendar: Calendar, now: &str, day: &str) -> Option<Timestamp> {
    let desk = Organisation { calendar, ..organisation() };
    let ticket = Wanted::new(1).create(&desk).change.after().clone();
    let ticket = Ticket { state: State::InProgress, ..ticket };
    let agent = Actor::Person { id: person("amara"), roles: [Role::Agent].into() };
    let permit = permission::transition(&agent, &ticket).unwrap();
    let wanted = Move { until: Some(day.parse().unwrap()), ..Move::to(State::Waiting(WaitingFor::Vendor)) };
    let ids = || uuid(6, 1);
    let at = At::new(now.parse().unwrap(), &desk, &ids);
    let change = ticket::transition(&ticket, None, wanted, &Around::default(), &permit, &at).ok()?;
    let timer = change.timers().iter().find(|timer| timer.key().0 == TimerKind::WaitsUntil);
    timer.and_then(|timer| timer.due_at())
}

/// A day is one of the desk's own wall, however far that is from elsewhere, and also where the night before it changes the clocks. On
/// a day on which the desk is closed nothing goes on before the next.
#[test]
fn a_day_until_which_a_ticket_waits_begins_as_the_desk_opens_by_the_clock_on_its_wall() {
    let work = OpenHours { start: "08:00".parse().unwrap(), end: "18:00".parse().unwrap() };
    let whole = OpenHours { start: Time::midnight(), end: Time::midnight() };
    let of = |zone: &str, open: OpenHours, days: usize| {
        let week = std::array::from_fn(|day| if day < days { vec![open] } else { Vec::new() });
        Calendar { zone: TimeZone::get(zone).unwrap(), week, holidays: BTreeSet::new() }
    };
    let (berlin, santiago, auckland) = ("Europe/Berlin", "America/Santiago", "Pacific/Auckland");
    for (calendar, now, day, wanted) in [
        // The clocks go back in the night to Sunday.
        (of(berlin, work, 5), "2026-10-23T10:00:00Z", "2026-10-26", Some("2026-10-26T07:00:00Z")),
        (of(berlin, work, 5), "2026-10-23T10:00:00Z", "2026-10-24", Some("2026-10-26T07:00:00Z")),
        // It is Friday there, half an hour past midnight.
        (of(berlin, work, 5), "2026-10-22T22:30:00Z", "2026-10-23", None),
        (of(berlin, work, 5), "2026-10-22T21:30:00Z", "2026-10-23", Some("2026-10-23T06:00:00Z")),
        // This day has no midnight.
        (of(santiago, whole, 7), "2026-09-05T16:00:00Z", "2026-09-06", Some("2026-09-06T04:00:00Z")),
        (of(auckland, whole, 7), "2026-09-01T13:00:00Z", "2026-09-02", None),
        (of(auckland, whole, 7), "2026-09-01T13:00:00Z", "2026-09-03", Some("2026-09-02T12:00:00Z")),
        // A desk that is never open goes on as the day begins.
        (of(berlin, work, 0), "2026-10-23T10:00:00Z", "2026-10-24", Some("2026-10-23T22:00:00Z")),
    ] {
        let zone = calendar.zone.clone();
        let found = goes_on(calendar, now, day);
        // Within its first moment, so that it is open by then.
        let second = found.map(|at| Timestamp::from_second(at.as_second()).unwrap().to_string());
        assert_eq!(second.as_deref(), wanted, "{zone:?}: {now}, {day}");
    }
}
