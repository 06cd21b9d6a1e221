//! Parts of the configuration that are read at one look: the year of a calendar, and the level that an impact and an urgency give.

use askama::Template;
use jiff::Span;
use jiff::civil::Date;

use crate::desk::id::{ImpactId, UrgencyId};
use crate::desk::organisation::Calendar;
use crate::web::frame::Frame;
use crate::web::frame::shown::Priority;

/// Months that are shown of a calendar.
const MONTHS: i32 = 12;

/// A month of a calendar's year.
struct Month {
    name: String,
    /// Weeks of seven days, Monday first.
    weeks: Vec<[Option<Day>; 7]>,
}

/// A day of a calendar.
#[derive(Clone, Copy)]
struct Day {
    number: i8,
    /// `open`, `closed` by the week, or `holiday`.
    kind: &'static str,
}

/// A year of a calendar, from this month on.
#[derive(Template)]
#[template(path = "admin/year.html")]
pub struct Year {
    f: Frame,
    /// The days of a week in short, Monday first.
    weekdays: Vec<String>,
    months: Vec<Month>,
}

impl Year {
    /// The year that begins with the present month.
    pub fn of(f: &Frame, calendar: &Calendar) -> Year {
        let today = calendar.zone.to_datetime(f.times.now).date();
        let months = (0..MONTHS).filter_map(|n| month(f, calendar, today, n)).collect();
        let weekdays = (1..=7).map(|day| f.words.t(&format!("weekday.{day}"))).collect();
        Year { f: f.clone(), weekdays, months }
    }
}

fn kind(calendar: &Calendar, day: Date) -> &'static str {
    match calendar.hours_on(day) {
        _ if calendar.holidays.contains(&day) => "holiday",
        [] => "closed",
        _ => "open",
    }
}

/// The month so many after the present one.
fn month(f: &Frame, calendar: &Calendar, today: Date, n: i32) -> Option<Month> {
    let first = today.first_of_month().checked_add(Span::new().months(n)).ok()?;
    let mut weeks = Vec::new();
    let mut week = [None; 7];
    for number in 1..=first.days_in_month() {
        let day = first.with().day(number).build().ok()?;
        let at = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        if let Some(place) = week.get_mut(at) {
            *place = Some(Day { number, kind: kind(calendar, day) });
        }
        if at == 6 || number == first.days_in_month() {
            weeks.push(std::mem::take(&mut week));
        }
    }
    let name = format!("{} {}", f.words.t(&format!("month.{}", first.month())), first.year());
    Some(Month { name, weeks })
}

/// The level that each impact and each urgency give together, the highest first.
#[derive(Template)]
#[template(path = "admin/matrix.html")]
pub struct Matrix {
    f: Frame,
    urgencies: Vec<String>,
    rows: Vec<(String, Vec<Option<Priority>>)>,
}

impl Matrix {
    /// The matrix of the frame's organisation.
    pub fn of(f: &Frame) -> Matrix {
        let organisation = &f.organisation;
        let level = |impact: &ImpactId, urgency: &UrgencyId| {
            let id = organisation.matrix.get(&(impact.clone(), urgency.clone()))?;
            Some(f.priority(id))
        };
        let row = |impact: &ImpactId| {
            let levels = organisation.urgencies.iter().rev().map(|urgency| level(impact, urgency));
            (f.named("option", impact), levels.collect())
        };
        Matrix {
            urgencies: organisation.urgencies.iter().rev().map(|urgency| f.named("option", urgency)).collect(),
            rows: organisation.impacts.iter().rev().map(row).collect(),
            f: f.clone(),
        }
    }
}
