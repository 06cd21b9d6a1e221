//! Reports about the work on tickets, from what the database counted.

use std::collections::BTreeMap;

use super::{By, Cell, ReportTable, first_of, share};
use crate::desk::organisation::Organisation;
use crate::desk::sla::MINUTE_MS;
use crate::desk::ticket::lifecycle::resolution::survey::{SATISFIED_FROM, SCORE_MAX};
use crate::desk::ticket::timeline::Field;
use crate::store::tickets::reports::{Counted, Decided};

/// How long the promises of each group took that were met: the mean, and how many took how long. The database counts all that took less.
pub fn time_taken(counted: Vec<Counted>) -> ReportTable {
    let row = |Counted { group, of, counts }: Counted| {
        let [met, sum] = first_of(&counts);
        let mean = sum / met.max(1) / MINUTE_MS;
        let mut row = vec![Cell::Text(group), Cell::Text(of), Cell::Number(met), Cell::Number(mean)];
        let mut before = 0;
        for under in counts.iter().skip(2).copied().chain([met]) {
            row.push(Cell::Number(under - before));
            before = under;
        }
        row
    };
    let columns = vec![
        "group",
        "clock",
        "met",
        "mean-minutes",
        "under-1-hour",
        "under-4-hours",
        "under-8-hours",
        "under-24-hours",
        "longer",
    ];
    ReportTable { columns, rows: counted.into_iter().map(row).collect() }
}

/// The share of requesters who were satisfied, and the mean score in hundredths.
pub fn satisfaction(counted: Vec<Counted>) -> ReportTable {
    let mut groups: BTreeMap<String, BTreeMap<i64, i64>> = BTreeMap::new();
    for Counted { group, of, counts } in counted {
        let [count] = first_of(&counts);
        *groups.entry(group).or_default().entry(of.parse().unwrap_or_default()).or_default() += count;
    }
    let row = |(group, scores): (String, BTreeMap<i64, i64>)| {
        let answers: i64 = scores.values().sum();
        let satisfied = scores.range(SATISFIED_FROM..).map(|(_, count)| count).sum();
        let each = (1..=SCORE_MAX).map(|score| Cell::Number(scores.get(&score).copied().unwrap_or_default()));
        let sum: i64 = scores.iter().map(|(score, count)| score * count).sum();
        let head = [Cell::Text(group), Cell::Number(answers)].into_iter().chain(each);
        head.chain([share(satisfied, answers), Cell::Number(sum * 100 / answers.max(1))]).collect()
    };
    let columns = vec![
        "group",
        "answers",
        "score-1",
        "score-2",
        "score-3",
        "score-4",
        "score-5",
        "satisfied-share",
        "mean-score-hundredths",
    ];
    ReportTable { columns, rows: groups.into_iter().map(row).collect() }
}

/// The minutes that were worked, and per ticket.
pub fn handling(counted: Vec<Counted>) -> ReportTable {
    let row = |Counted { group, counts, .. }: Counted| {
        let [tickets, minutes] = first_of(&counts);
        vec![Cell::Text(group), Cell::Number(tickets), Cell::Number(minutes), Cell::Number(minutes / tickets.max(1))]
    };
    let columns = vec!["group", "tickets", "minutes", "minutes-per-ticket"];
    ReportTable { columns, rows: counted.into_iter().map(row).collect() }
}

/// The share of resolutions that the first contact brought.
pub fn first_contact(counted: Vec<Counted>) -> ReportTable {
    let row = |Counted { group, counts, .. }: Counted| {
        let [resolved, first] = first_of(&counts);
        vec![Cell::Text(group), Cell::Number(resolved), Cell::Number(first), share(first, resolved)]
    };
    let columns = vec!["group", "resolved", "by-first-contact", "first-contact-share"];
    ReportTable { columns, rows: counted.into_iter().map(row).collect() }
}

/// How far people agree with each version of each rule, in each group where there are groups; and how often it found no real category.
pub fn corrections(decided: Vec<Decided>, by: Option<By>, organisation: &Organisation) -> ReportTable {
    let is_catch_all = |field: Field, to: &str| {
        field == Field::Category && organisation.categories.get(to).is_some_and(|category| category.catch_all)
    };
    let mut groups: BTreeMap<(String, String, String, Field), [i64; 3]> = BTreeMap::new();
    for Decided { group, rule, version, field, to, count, corrected } in decided {
        let [all, changed, other] = groups.entry((group, rule, version, field)).or_default();
        *all += count;
        *changed += corrected;
        *other += if is_catch_all(field, &to) { count } else { 0 };
    }
    let row = |((group, rule, version, field), [all, changed, other]): ((String, String, String, Field), [i64; 3])| {
        let group = by.map(|_| Cell::Text(group));
        let texts = [rule, version, field.code().to_owned()].map(Cell::Text);
        let numbers = [all, changed, other].map(Cell::Number);
        group.into_iter().chain(texts).chain(numbers).chain([share(all - changed, all)]).collect()
    };
    let columns = ["rule", "version", "field", "decided", "corrected", "found-none", "agreed-share"];
    let columns = by.map(|_| "group").into_iter().chain(columns).collect();
    ReportTable { columns, rows: groups.into_iter().map(row).collect() }
}

/// The events of promises by group and clock, in the order of their steps, and how many were broken.
pub fn promise_events(counted: Vec<Counted>) -> ReportTable {
    let row = |Counted { group, of, counts }: Counted| {
        let texts = [Cell::Text(group), Cell::Text(of)];
        texts.into_iter().chain(counts.into_iter().map(Cell::Number)).collect()
    };
    let columns = vec!["group", "clock", "started", "paused", "resumed", "met", "retargeted", "cancelled", "broken"];
    ReportTable { columns, rows: counted.into_iter().map(row).collect() }
}
