//! Plots as SVG, drawn by the server: readable in print, with their numbers in a table below.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::app::observe::reports::{Cell, Per, ReportTable};
use crate::web::frame::words::Words;

/// The width and height of the columns of a plot over days, in its own units.
const AREA: (f64, f64) = (720.0, 160.0);
/// The room for the axes' words.
const EDGE: (f64, f64) = (34.0, 22.0);
/// Bars of a plot; more are not readable.
const BARS_MAX: usize = 20;

/// A rectangle.
pub struct Box_ {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// Which of two or more series, from 0.
    pub series: usize,
    pub title: String,
}

/// A word at an axis.
pub struct Word {
    pub x: f64,
    pub y: f64,
    pub text: String,
}

/// Columns over days, one for each series.
pub struct Columns {
    pub boxes: Vec<Box_>,
    pub days: Vec<Word>,
    pub values: Vec<Word>,
    pub width: f64,
    pub height: f64,
}

/// Horizontal bars, one a group.
pub struct Bar {
    pub name: String,
    /// Of a hundred.
    pub length: f64,
    pub text: String,
}

/// A round number that is no less than the greatest, so that the axis ends with it.
fn round(most: i64) -> i64 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if step * factor * 4 >= most {
                return step * factor * 4;
            }
        }
        step *= 10;
    }
}

/// Columns for each day, with the numbers of each series added up over all groups. A label is the name of a day, and a short one.
pub fn columns(
    days: &[(String, Vec<i64>)],
    names: &[String],
    label: impl Fn(&str) -> (String, String),
) -> Option<Columns> {
    let most = days.iter().flat_map(|(_, numbers)| numbers).copied().max().filter(|most| *most > 0)?;
    let top = round(most);
    let of_day = AREA.0 / days.len() as f64;
    let of_series = (of_day * 0.8) / names.len().max(1) as f64;
    let mut boxes = Vec::new();
    for (n, (day, numbers)) in days.iter().enumerate() {
        let (day, _) = label(day);
        for (series, (number, name)) in numbers.iter().zip(names).enumerate() {
            let height = *number as f64 / top as f64 * AREA.1;
            boxes.push(Box_ {
                x: EDGE.0 + n as f64 * of_day + of_day * 0.1 + series as f64 * of_series,
                y: 4.0 + AREA.1 - height,
                width: (of_series - 0.5).max(0.5),
                height,
                series,
                title: format!("{day} {name}: {number}"),
            });
        }
    }
    let every = days.len().div_ceil(8).max(1);
    let day = |(n, (day, _)): (usize, &(String, Vec<i64>))| Word {
        x: EDGE.0 + n as f64 * of_day,
        y: AREA.1 + EDGE.1,
        text: label(day).1,
    };
    let value = |quarter: i64| Word {
        x: EDGE.0 - 6.0,
        y: 8.0 + AREA.1 - AREA.1 * quarter as f64 / 4.0,
        text: (top * quarter / 4).to_string(),
    };
    Some(Columns {
        boxes,
        days: days.iter().enumerate().step_by(every).map(day).collect(),
        values: (0..=4).map(value).collect(),
        width: AREA.0 + EDGE.0 + 4.0,
        height: AREA.1 + EDGE.1 + 6.0,
    })
}

/// The numbers of each of some days, weeks or months, over all groups; nothing happened on a day that the report does not name.
pub fn by_day(table: &ReportTable, (from, to): (Date, Date), per: Per, skip: usize) -> Vec<(String, Vec<i64>)> {
    let none = vec![0; table.columns.len().saturating_sub(skip)];
    let all = from.series(1.day()).take_while(|day| *day <= to);
    let mut days: BTreeMap<String, Vec<i64>> = all.map(|day| (per.of(day), none.clone())).collect();
    for row in &table.rows {
        let Some(Cell::Text(day)) = row.first() else { continue };
        let sums = days.entry(day.clone()).or_insert_with(|| none.clone());
        sums.iter_mut().zip(row.iter().skip(skip)).for_each(|(sum, cell)| *sum += number(cell));
    }
    days.into_iter().collect()
}

fn number(cell: &Cell) -> i64 {
    match cell {
        Cell::Number(number) => *number,
        Cell::Share(share) => share.unwrap_or_default(),
        Cell::Text(_) => 0,
    }
}

/// A bar for each row, by one of its columns; shares are of a hundred, numbers of the greatest.
pub fn bars(words: Words, (table, column): (&ReportTable, usize), name: impl Fn(&[Cell]) -> String) -> Vec<Bar> {
    let most = table.rows.iter().filter_map(|row| row.get(column)).map(number).max().unwrap_or_default().max(1);
    let bar = |row: &Vec<Cell>| {
        let cell = row.get(column)?;
        let (length, text) = match cell {
            Cell::Share(None) => (0.0, "-".to_owned()),
            Cell::Share(Some(share)) => {
                let percent = *share as f64 / 10.0;
                (percent, format!("{} %", words.decimal(percent, 1)))
            }
            other => (number(other) as f64 * 100.0 / most as f64, number(other).to_string()),
        };
        Some(Bar { name: name(row), length, text })
    };
    let mut bars: Vec<Bar> = table.rows.iter().filter_map(bar).collect();
    bars.sort_by(|one, other| other.length.total_cmp(&one.length));
    bars.truncate(BARS_MAX);
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_with_a_round_number_above_the_greatest() {
        assert_eq!([1, 4, 5, 9, 41, 100, 101].map(round), [4, 4, 8, 20, 80, 200, 200]);
    }

    #[test]
    fn the_groups_of_a_day_are_one_column() {
        let row = |day: &str, group: &str, n| {
            vec![Cell::Text(day.to_owned()), Cell::Text(group.to_owned()), Cell::Number(n), Cell::Number(1)]
        };
        let rows = vec![row("2026-11-01", "a", 2), row("2026-11-01", "b", 3), row("2026-11-02", "a", 1)];
        let table = ReportTable { columns: vec!["day", "group", "created", "closed"], rows };
        let day = |text: &str| text.parse::<Date>().unwrap();
        let days = by_day(&table, (day("2026-11-01"), day("2026-11-03")), Per::Day, 2);
        assert_eq!(
            days,
            [
                ("2026-11-01".to_owned(), vec![5, 2]),
                ("2026-11-02".to_owned(), vec![1, 1]),
                ("2026-11-03".to_owned(), vec![0, 0])
            ]
        );
        let label = |day: &str| (day.to_owned(), day.replace("2026-", ""));
        let drawn = columns(&days, &["created".to_owned(), "closed".to_owned()], label).unwrap();
        assert_eq!(drawn.boxes.len(), 6);
        assert_eq!((drawn.boxes[0].title.as_str(), drawn.days[0].text.as_str()), ("2026-11-01 created: 5", "11-01"));
        let weeks = by_day(&table.per(Per::Week), (day("2026-11-01"), day("2026-11-09")), Per::Week, 2);
        let names: Vec<&str> = weeks.iter().map(|(week, _)| week.as_str()).collect();
        assert_eq!(names, ["2026-W44", "2026-W45", "2026-W46"], "the 1st of November is a Sunday");
        assert_eq!((&weeks[0].1, &weeks[1].1), (&vec![5, 2], &vec![1, 1]));
        assert!(columns(&[("2026-11-01".to_owned(), vec![0])], &["created".to_owned()], label).is_none());
    }
}
