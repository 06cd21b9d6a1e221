//! Texts, days and clocks, as the specification's section "Words used below" has them.

use ruledesk_sdk::types::Moment;

/// Runs of white space as one space, none at the ends.
pub fn squeeze(text: &str) -> String {
    let parts: Vec<&str> = text.split([' ', '\t', '\n', '\r']).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// Each text once, where it first appears.
pub fn united<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for text in texts {
        if !out.contains(text) {
            out.push(text.clone());
        }
    }
    out
}

/// A moment for people.
pub fn clock(now: &Moment) -> String {
    let (year, month, day) = civil(i64::from(now.local_day));
    let (hour, minute) = (now.minute_of_day / 60, now.minute_of_day % 60);
    let sign = if now.utc_offset < 0 { '-' } else { '+' };
    let offset = now.utc_offset.unsigned_abs();
    let state = if now.in_business_hours { "open" } else { "closed" };
    format!(
        "{year}-{month:02}-{day:02} {} {hour:02}:{minute:02} {sign}{:02}:{:02} {state}",
        now.weekday,
        offset / 60,
        offset % 60
    )
}

/// How far the minute of the day is from what instant and offset make of it.
pub fn drift(now: &Moment) -> i64 {
    let minutes = i64::try_from(now.at / 60_000).unwrap_or_default() + i64::from(now.utc_offset);
    i64::from(now.minute_of_day) - minutes.rem_euclid(1440)
}

/// Year, month and day of a day counted from 1970-01-01: the years are counted from March, in cycles of 400.
fn civil(day: i64) -> (i64, i64, i64) {
    let from_march = day + 719_468;
    let (cycle, of_cycle) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + cycle * 400 + i64::from(month <= 2), month, day)
}

/// Whether a text is a day, `YYYY-MM-DD`.
pub fn is_day(text: &str) -> bool {
    let &[a, b, c, d, b'-', e, f, b'-', g, h] = text.as_bytes() else {
        return false;
    };
    if ![a, b, c, d, e, f, g, h].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
    let (year, month, day) = (number(&[a, b, c, d]), number(&[e, f]), number(&[g, h]));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}
