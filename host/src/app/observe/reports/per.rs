//! The days of a report summed up by week or month: a table with a row for each day of a year is too long to read.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::trend::UNFINISHED;
use super::{Cell, Per, ReportTable};

impl ReportTable {
    /// The same table with a row for each period and each group; a table without days stays as it is. Counts of events are added up;
    /// of counts at the end of each day, that of the last day is taken.
    #[must_use]
    pub fn per(self, per: Per) -> ReportTable {
        if per == Per::Day || self.columns.first() != Some(&Per::Day.code()) {
            return self;
        }
        let stands = self.columns.get(2) == Some(&UNFINISHED);
        let mut sums: BTreeMap<(String, String), Vec<i64>> = BTreeMap::new();
        for row in &self.rows {
            let [Cell::Text(day), Cell::Text(group), numbers @ ..] = row.as_slice() else { continue };
            let Ok(day) = day.parse::<Date>() else { continue };
            let of_group = sums.entry((per.of(day), group.clone())).or_insert_with(|| vec![0; numbers.len()]);
            for (sum, cell) in of_group.iter_mut().zip(numbers) {
                if let Cell::Number(number) = cell {
                    *sum = if stands { *number } else { *sum + number };
                }
            }
        }
        let row = |((time, group), numbers): ((String, String), Vec<i64>)| {
            [Cell::Text(time), Cell::Text(group)].into_iter().chain(numbers.into_iter().map(Cell::Number)).collect()
        };
        let columns = std::iter::once(per.code()).chain(self.columns.iter().skip(1).copied()).collect();
        ReportTable { columns, rows: sums.into_iter().map(row).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_week_at_the_end_of_a_year_is_of_the_year_of_its_thursday() {
        let weeks = ["2024-12-29", "2024-12-30", "2025-01-05", "2026-12-31", "2027-01-03", "2027-01-04"]
            .map(|text| Per::Week.of(day(text)));
        assert_eq!(weeks, ["2024-W52", "2025-W01", "2025-W01", "2026-W53", "2026-W53", "2027-W01"]);
        let months = ["2026-12-31", "2027-01-01", "2028-02-29"].map(|text| Per::Month.of(day(text)));
        assert_eq!(months, ["2026-12", "2027-01", "2028-02"]);
        assert_eq!(Per::Day.of(day("2026-03-29")), "2026-03-29");
        assert_eq!(Per::ALL.map(|per| Per::from_code(per.code())), Per::ALL.map(Some));
    }

    fn table_of_two_days() -> ReportTable {
        let row = |day: &str, n: i64| vec![Cell::Text(day.to_owned()), Cell::Text(String::new()), Cell::Number(n)];
        ReportTable { columns: Vec::new(), rows: vec![row("2026-12-31", 7), row("2027-01-01", 4)] }
    }

    #[test]
    fn the_days_of_each_group_are_added_up_and_nothing_is_lost() {
        let row = |day: &str, group: &str, n: i64| {
            vec![Cell::Text(day.to_owned()), Cell::Text(group.to_owned()), Cell::Number(n), Cell::Number(1)]
        };
        let rows = vec![row("2026-12-31", "a", 2), row("2026-12-31", "b", 3), row("2027-01-01", "a", 4)];
        let table = ReportTable { columns: vec!["day", "group", "created", "closed"], rows };
        assert_eq!(table.clone().per(Per::Day), table);
        let weeks = table.clone().per(Per::Week);
        assert_eq!(weeks.columns, ["week", "group", "created", "closed"]);
        let of = |time: &str, group: &str, [created, closed]: [i64; 2]| {
            let words = [time, group].map(|text| Cell::Text(text.to_owned()));
            words.into_iter().chain([created, closed].map(Cell::Number)).collect::<Vec<_>>()
        };
        assert_eq!(weeks.rows, [of("2026-W53", "a", [6, 2]), of("2026-W53", "b", [3, 1])]);
        let months = table.per(Per::Month);
        assert_eq!(months.rows.len(), 3, "the years stand apart: {months:?}");
        let stands = ReportTable { columns: vec!["day", "group", UNFINISHED], ..table_of_two_days() }.per(Per::Week);
        assert_eq!(stands.rows, [vec![Cell::Text("2026-W53".to_owned()), Cell::Text(String::new()), Cell::Number(4)]]);
        let other = ReportTable { columns: vec!["group"], rows: vec![vec![Cell::Number(1)]] };
        assert_eq!(other.clone().per(Per::Month), other);
    }
}
