//! Open hours whose edge falls into the hour that the clocks skip, counted minute by minute.

use std::collections::BTreeSet;

use jiff::Timestamp;
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
