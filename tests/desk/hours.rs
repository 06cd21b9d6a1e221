//! Open hours whose edge falls into the hour that the clocks skip, counted minute by minute.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use ruledesk::desk::organisation::{Calendar, OpenHours};
use ruledesk::desk::sla;

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
