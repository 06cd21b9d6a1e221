//! Days, times and spans as people write them. It knows nothing of fields.

use ruledesk_sdk::types::Moment;

pub const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 1_440;

pub const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn whole(text: &str) -> Option<i64> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.bytes().fold(0, |number, byte| number * 10 + i64::from(byte - b'0')))
}

/// The days since 1970 of a day written as `2026-12-24`; a time of day after it counts for nothing.
pub fn days(written: &str) -> Option<i64> {
    let date = written.split(['T', ' ']).next()?;
    let mut parts = date.split('-').map(whole);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=longest).contains(&day) || year > 9_999 {
        return None;
    }
    // Years begin in March here, so that the leap day is the last of its year.
    let years = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(years * 365 + years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400) + of_year - 719_468)
}

/// The year, month and day of the days since 1970.
pub fn date(days: i64) -> (i64, i64, i64) {
    let from_march = days + 719_468;
    let era = from_march.div_euclid(146_097);
    let of_era = from_march.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The minutes since 1970 of an instant, in the desk's time zone as it is at the decision.
pub fn local_minutes(at: u64, now: &Moment) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX) / MINUTE_MS + i64::from(now.utc_offset)
}

/// The day of an instant in the desk's time zone, in days since 1970.
pub fn day_of(at: u64, now: &Moment) -> i64 {
    local_minutes(at, now).div_euclid(DAY_MINUTES)
}

/// The minute of the day written as `18:00`; `24:00` is the day's end.
pub fn minute(written: &str) -> Option<u16> {
    let mut parts = written.split(':');
    let (hour, minute) = (whole(parts.next()?)?, whole(parts.next()?)?);
    let minutes = hour * 60 + minute;
    let fits = hour <= 24 && minute <= 59 && minutes <= DAY_MINUTES;
    if fits { u16::try_from(minutes).ok() } else { None }
}

/// The milliseconds of a span written as `3 days`, `36 hours`, `90 minutes` or `2 weeks`.
pub fn span_ms(written: &str) -> Option<i64> {
    let (number, unit) = written.trim().split_once(' ')?;
    let minutes = match unit.trim().trim_end_matches('s') {
        "minute" => 1,
        "hour" => 60,
        "day" => DAY_MINUTES,
        "week" => 7 * DAY_MINUTES,
        _ => return None,
    };
    whole(number)?.checked_mul(minutes * MINUTE_MS)
}

/// The number of a weekday, Monday is 1: its name, or the first three letters of it.
pub fn weekday(written: &str) -> Option<u8> {
    let lower = ruledesk_sdk::text::lower(written);
    let named = |name: &str| name == lower || name.get(..3) == Some(lower.as_str());
    let index = WEEKDAYS.iter().position(|name| named(name))?;
    u8::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!((days("1970-01-01"), days("2026-01-05"), days("2000-02-29")), (Some(0), Some(20_458), Some(11_016)));
        for day in (-200_000..200_000).step_by(37) {
            let (year, month, number) = date(day);
            if year >= 0 {
                assert_eq!(days(&format!("{year:04}-{month:02}-{number:02}")), Some(day));
            }
        }
        for wrong in ["2026-02-29", "2026-13-01", "2026-1", "x", "2026-01-01-01", "24.12.2026", ""] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_spans_and_weekdays_are_read() {
        assert_eq!(
            (minute("18:05"), minute("24:00"), minute("24:01"), minute("6pm")),
            (Some(1_085), Some(1_440), None, None)
        );
        assert_eq!(
            (span_ms("36 hours"), span_ms("1 day"), span_ms("soon")),
            (Some(129_600_000), Some(86_400_000), None)
        );
        assert_eq!((weekday("Sunday"), weekday("mon"), weekday("someday")), (Some(7), Some(1), None));
    }
}
