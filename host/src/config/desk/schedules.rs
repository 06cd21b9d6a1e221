//! `[[recurring-ticket]]` and `[[report-by-mail]]` of `desk.toml`: what comes again by the desk's calendar, each once however many
//! hosts there are, and after an outage as well.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Time, Weekday};

use crate::config::names::Names;
use crate::config::read::{Keys, Node, distinct};
use crate::config::wrong::{Known, Wrong};
use crate::desk::id::{PersonId, ScheduleId};
use crate::desk::organisation::form::Raw;
use crate::desk::organisation::schedule::{
    Every, MailedReport, OVER_DAYS, OnClosed, Over, PERS, REPORTS, RecurringTicket, Rhythm, Schedule, Work,
};

/// The most of each kind.
const SCHEDULES_MAX: usize = 200;
/// The most people who get one report.
const RECIPIENTS_MAX: usize = 50;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// The columns by which reports are divided.
const COLUMNS: [&str; 8] = ["category", "team", "assignee", "priority", "channel", "request_type", "state", "tag"];

/// Reads both kinds.
pub fn read(keys: &mut Keys<'_>, names: &Names) -> Vec<Schedule> {
    let mut all = keys.entries("recurring-ticket", |keys, id| ticket(keys, id, names));
    all.extend(keys.entries("report-by-mail", |keys, id| report(keys, id, names)));
    if all.len() > SCHEDULES_MAX {
        keys.report("recurring-ticket", Wrong::TooMany { found: all.len(), max: SCHEDULES_MAX });
    }
    all.into_iter().flatten().collect()
}

/// One `[[recurring-ticket]]`: it is opened as if its requester had sent it, through the same rules.
///
/// - `id`.
/// - `request-type`, `requester`.
/// - `subject`, `body`: `{date}` in them is the day; an absent body is empty.
/// - `fields`: a table of texts; default none.
///
/// And when, as for both kinds:
///
/// - `every`: `day`, `week` or `month`.
/// - `on`: the days of the week, such as `["monday"]`, or of the month, such as `[1, 31]`; needed for `week` and `month`.
/// - `at`: the time of the desk's zone, such as `08:00`.
/// - `closed-days`: `keep`, which is the default, `skip`, or `next-open-day`.
fn ticket(keys: &mut Keys<'_>, id: ScheduleId, names: &Names) -> Option<Schedule> {
    let form = keys.required("request-type").and_then(|node| node.known(&names.request_types));
    let requester = keys.required("requester").and_then(|node| node.known(&names.people));
    let subject = keys.required("subject").and_then(|node| node.filled());
    let body = keys.optional("body").and_then(|node| node.filled()).unwrap_or_default();
    let known = form.as_ref().and_then(|form| names.fields_of(&format!("{form}"))).unwrap_or_default();
    let fields = keys.optional("fields").map(|node| fields(&node, known)).unwrap_or_default();
    let rhythm = rhythm(keys);
    let work = RecurringTicket { request_type: form?, requester: requester?, subject: subject?, body, fields };
    Some(Schedule { id, rhythm: rhythm?, work: Work::Ticket(work) })
}

fn fields(node: &Node<'_>, known: &[String]) -> Vec<(String, Raw)> {
    let texts: BTreeMap<String, String> = node.texts().unwrap_or_default();
    for name in texts.keys().filter(|name| !known.contains(name)) {
        let what = "field of the form";
        node.report(Wrong::Unknown {
            what,
            text: name.clone(),
            nearest: None,
            known: Known::of(known.iter(), known.len()),
        });
    }
    texts.into_iter().map(|(name, text)| (name, Raw::Text(text))).collect()
}

/// One `[[report-by-mail]]`: a report as a page and as CSV, to each of some people.
///
/// - `id`.
/// - `report`: one of the reports of `/api/v1/reports`, such as `volume`.
/// - `by`: the column that divides it, such as `team`; absent is none.
/// - `per`: of `volume` and `backlog-over-time`: a row for each `day`, which is the default, `week` or `month`.
/// - `over`: `day`, `week` or `month`: the last whole one before it is sent.
/// - `to`: the people who get it.
/// - `every`, `on`, `at`, `closed-days`: as above.
fn report(keys: &mut Keys<'_>, id: ScheduleId, names: &Names) -> Option<Schedule> {
    let words = REPORTS.map(|report| (report, report));
    let report = keys.required("report").and_then(|node| node.one_of(&words)).map(str::to_owned);
    let by = keys.optional("by").and_then(|node| node.one_of(&COLUMNS.map(|by| (by, by)))).map(str::to_owned);
    let per = keys.optional("per");
    if let (Some(node), Some(report)) = (&per, &report)
        && !OVER_DAYS.contains(&report.as_str())
    {
        node.report(Wrong::NoDays { report: report.clone() });
    }
    let per = per.and_then(|node| node.one_of(&PERS.map(|per| (per, per)))).map(str::to_owned);
    let over = keys.required("over").and_then(|node| node.one_of(&Over::ALL.map(|over| (over.code(), over))));
    let people = keys.required("to");
    let list = people.as_ref().map(Node::list).unwrap_or_default();
    if let (Some(node), true) = (&people, list.is_empty()) {
        node.report(Wrong::Blank);
    }
    if list.len() > RECIPIENTS_MAX {
        keys.report("to", Wrong::TooMany { found: list.len(), max: RECIPIENTS_MAX });
    }
    let to: Vec<PersonId> = distinct(list, |node| node.known(&names.people));
    let rhythm = rhythm(keys);
    let work = MailedReport { report: report?, by, per, over: over?, to };
    Some(Schedule { id, rhythm: rhythm?, work: Work::Report(work) })
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Day,
    Week,
    Month,
}

fn rhythm(keys: &mut Keys<'_>) -> Option<Rhythm> {
    let units = [("day", Unit::Day), ("week", Unit::Week), ("month", Unit::Month)];
    let unit = keys.required("every").and_then(|node| node.one_of(&units));
    let on = keys.optional("on");
    let at = keys.required("at").and_then(|node| node.parsed(time));
    let closed = OnClosed::ALL.map(|fate| (fate.code(), fate));
    let on_closed = keys.optional("closed-days").and_then(|node| node.one_of(&closed)).unwrap_or(OnClosed::Keep);
    let list = on.as_ref().map(Node::list).unwrap_or_default();
    if list.is_empty() && matches!(unit, Some(Unit::Week | Unit::Month)) {
        keys.report("on", Wrong::Missing);
    }
    let every = match unit? {
        Unit::Day => Every::Day,
        Unit::Week => Every::Week(distinct(list, |node| node.one_of(&WEEKDAYS))),
        Unit::Month => {
            let days: BTreeSet<i8> =
                list.iter().filter_map(|node| node.whole(1, 31)).filter_map(|day| i8::try_from(day).ok()).collect();
            Every::Month(days)
        }
    };
    Some(Rhythm { every, at: at?, on_closed })
}

fn time(text: &str) -> Result<Time, Wrong> {
    let bad = || Wrong::NotATime { text: text.to_owned() };
    let is_plain = text.len() == "HH:MM".len() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    is_plain.then(|| text.parse().ok()).flatten().ok_or_else(bad)
}
