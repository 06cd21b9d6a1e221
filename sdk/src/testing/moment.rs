//! Moments for tests, in a desk whose time zone is UTC and which is open on weekdays from 8 to 18.

use crate::types::{Moment, Timestamp};

const MINUTE_MS: u64 = 60_000;

/// The moment written as `2026-01-05T09:30`.
///
/// # Panics
///
/// If it is written otherwise, or lies before 1970.
#[track_caller]
#[expect(clippy::panic, reason = "a test that misspells a moment has to fail")]
pub fn moment(written: &str) -> Moment {
    match minutes(written) {
        Some(minutes) => from_minutes(minutes),
        None => panic!("`{written}` is not a moment such as `2026-01-05T09:30`"),
    }
}

/// The milliseconds since 1970 of the moment written as `2026-01-05T09:30`.
///
/// # Panics
///
/// As [`moment`].
#[track_caller]
pub fn at(written: &str) -> Timestamp {
    moment(written).at
}

/// The moment of tests that name none: Monday, 5 January 2026, 09:00.
pub(crate) fn usual() -> Moment {
    from_minutes(29_460_060)
}

fn from_minutes(minutes: u64) -> Moment {
    let day = minutes / 1_440;
    let minute_of_day = minutes % 1_440;
    // The first of January 1970 was a Thursday.
    let weekday = (day + 3) % 7 + 1;
    let is_open = weekday <= 5 && (480..1_080).contains(&minute_of_day);
    Moment {
        at: minutes * MINUTE_MS,
        utc_offset: 0,
        local_day: i32::try_from(day).unwrap_or(i32::MAX),
        weekday: u8::try_from(weekday).unwrap_or(1),
        minute_of_day: u16::try_from(minute_of_day).unwrap_or(0),
        in_business_hours: is_open,
    }
}

fn minutes(written: &str) -> Option<u64> {
    let (date, time) = written.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (hour, minute) = time.split_once(':')?;
    let (hour, minute) = (hour.parse::<i64>().ok()?, minute.parse::<i64>().ok()?);
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60;
    let minutes = days(year, month, day) * 1_440 + hour * 60 + minute;
    in_range.then(|| u64::try_from(minutes).ok()).flatten()
}

/// Days since 1970-01-01 in the Gregorian calendar, from years that begin in March.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weekdays_are_those_of_the_calendar() {
        assert_eq!(at("1970-01-01T00:00"), 0);
        assert_eq!(at("2024-02-29T12:30"), 1_709_209_800_000);
        assert_eq!(moment("2026-01-05T09:00"), usual());
        let sunday = moment("2026-01-04T23:59");
        assert_eq!((sunday.weekday, sunday.in_business_hours), (7, false));
        assert_eq!(minutes("2026-13-01T00:00"), None);
    }
}
