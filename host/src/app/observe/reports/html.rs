//! A report as a page that stands by itself: one file, no script, no address of another.

use std::fmt::Write as _;

use crate::app::observe::reports::{Cell, Days, Report, ReportTable};
use crate::desk::organisation::form::filled;
pub use crate::messages::ENGLISH;
use crate::messages::{reports, words};

/// The policy of such a page: its own styles, and nothing else.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// The most rows that are plotted: the page says how many more there are.
const BARS_MAX: usize = 400;
/// The width of the labels, of the longest bar, and the height of a row, in the plot's units.
const LABEL: i64 = 260;
const BAR: i64 = 520;
const ROW: i64 = 22;
/// The longest label, in characters.
const LABEL_CHARS_MAX: usize = 38;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1f24;\
                     background:#fff}table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;text-align:left;\
                     border-bottom:1px solid #d5dae0}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
                     svg{width:100%;height:auto}rect{fill:#2a6fb0}text{font:13px system-ui,sans-serif;fill:currentColor}\
                     @media(prefers-color-scheme:dark){body{color:#e6e9ed;background:#14171a}rect{fill:#6ba7e0}\
                     th,td{border-color:#3a4149}}";

/// A text in a reader's language; the key itself where there is none.
fn said<'a>(locale: &str, key: &'a str) -> &'a str {
    reports::text(locale, key).unwrap_or(key)
}

/// The heading of a column, or its name among programs where there is none.
fn heading<'a>(locale: &str, column: &'a str) -> &'a str {
    reports::text(locale, &format!("report.{column}")).unwrap_or(column)
}

/// The name of a report over some days, in a reader's language.
pub fn title(report: Report, days: Days, locale: &str) -> String {
    let name = said(locale, &format!("report.title.{}", report.code())).to_owned();
    let [from, to] = [days.from, days.to].map(|day| words::day(locale, day));
    filled(said(locale, "report.page-title"), &[name, from, to])
}

/// The words with which a report is sent, in a reader's language.
pub fn letter(title: &str, organisation: &str, rows: usize, locale: &str) -> String {
    let key = if rows == 1 { "report.letter.one" } else { "report.letter.other" };
    filled(said(locale, key), &[title.to_owned(), organisation.to_owned(), rows.to_string()])
}

/// The page of a report, in a reader's language.
pub fn page(report: Report, days: Days, table: &ReportTable, locale: &str) -> String {
    let (title, tag) = (title(report, days, locale), reports::tag(locale));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    if let Some(plot) = plot(table, locale) {
        page.push_str(&plot);
    }
    page.push_str("<table><thead><tr>");
    for (place, column) in table.columns.iter().enumerate() {
        let class = if is_number(table, place) { " class=\"n\"" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(page, "<th scope=\"col\"{class}>{}</th>", escaped(heading(locale, column)));
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in &table.rows {
        page.push_str("<tr>");
        for (column, cell) in table.columns.iter().zip(row) {
            let class = if matches!(cell, Cell::Text(_)) { "" } else { " class=\"n\"" };
            let _ = write!(page, "<td{class}>{}</td>", escaped(&shown(column, cell, locale)));
        }
        page.push_str("</tr>\n");
    }
    if table.rows.is_empty() {
        let (width, none) = (table.columns.len(), said(locale, "report.page-none"));
        let _ = write!(page, "<tr><td colspan=\"{width}\">{none}</td></tr>");
    }
    page.push_str("</tbody></table>\n</body></html>\n");
    page
}

fn is_number(table: &ReportTable, place: usize) -> bool {
    table.rows.first().and_then(|row| row.get(place)).is_some_and(|cell| !matches!(cell, Cell::Text(_)))
}

fn shown(column: &str, cell: &Cell, locale: &str) -> String {
    match cell {
        // A week or a month has the same name in each language.
        Cell::Text(text) if column == "day" => {
            text.parse().map_or_else(|_| text.clone(), |day| words::day(locale, day))
        }
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Share(None) => "–".to_owned(),
        Cell::Share(Some(share)) => format!("{}{}{} %", share / 10, reports::point(locale), share % 10),
    }
}

/// A bar for each row, as long as its first number says; `None` where there is nothing to plot.
fn plot(table: &ReportTable, locale: &str) -> Option<String> {
    let place = (0..table.columns.len()).find(|place| is_number(table, *place))?;
    let name = table.columns.get(place)?;
    let bar = |row: &Vec<Cell>| {
        let value = match row.get(place)? {
            Cell::Number(number) => *number,
            Cell::Text(_) | Cell::Share(_) => return None,
        };
        let columns = table.columns.iter().zip(row);
        let texts = columns
            .filter(|(_, cell)| matches!(cell, Cell::Text(text) if !text.is_empty()))
            .map(|(column, cell)| shown(column, cell, locale));
        Some((texts.collect::<Vec<_>>().join(" · "), value))
    };
    let mut bars: Vec<(String, i64)> = table.rows.iter().filter_map(bar).collect();
    let more = bars.len().saturating_sub(BARS_MAX);
    bars.truncate(BARS_MAX);
    let most = bars.iter().map(|(_, value)| *value).max().filter(|most| *most > 0)?;
    let height = ROW * i64::try_from(bars.len()).ok()?;
    let (width, label) = (LABEL + BAR + 80, escaped(heading(locale, name)));
    let mut svg =
        format!("<h2>{label}</h2>\n<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\n");
    for (n, (text, value)) in (0..).zip(&bars) {
        let short: String = text.chars().take(LABEL_CHARS_MAX).collect();
        let (top, base, long) = (n * ROW, n * ROW + 15, value.max(&0) * BAR / most);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{}</text><rect x=\"{LABEL}\" y=\"{}\" width=\"{long}\" \
             height=\"{}\"/><text x=\"{}\" y=\"{base}\">{value}</text>",
            LABEL - 8,
            escaped(&short),
            top + 3,
            ROW - 6,
            LABEL + long + 6,
        );
    }
    svg.push_str("</svg>\n");
    if more > 0 {
        let text = filled(said(locale, "report.page-more"), &[BARS_MAX.to_string(), more.to_string()]);
        let _ = writeln!(svg, "<p>{}</p>", escaped(&text));
    }
    Some(svg)
}

/// Text as HTML takes it, in content and in attributes.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stands_by_itself_and_shows_texts_as_texts() {
        let row = |text: &str, n| vec![Cell::Text(text.to_owned()), Cell::Number(n), Cell::Share(Some(333))];
        let rows = vec![row("<script>alert(1)</script>", 4), row("b & c", 2)];
        let table = ReportTable { columns: vec!["group", "count", "share"], rows };
        let days = Days { from: "2026-01-01".parse().unwrap(), to: "2026-01-31".parse().unwrap() };
        let german = super::page(Report::Volume, days, &table, "de");
        let page = page(Report::Volume, days, &table, ENGLISH);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;") && page.contains("b &amp; c"), "{page}");
        assert!(page.contains("width=\"520\"") && page.contains("width=\"260\""), "the bars: {page}");
        assert!(page.contains("33.3 %") && !page.contains("http"), "{page}");
        assert!(page.contains("<h1>Volume, 2026-01-01 to 2026-01-31</h1>"), "{page}");
        for text in ["<html lang=\"de\">", "<h1>Aufkommen, 01.01.2026 bis 31.01.2026</h1>", ">Gruppe</th>", "33,3 %"] {
            assert!(german.contains(text), "{text}: {german}");
        }
    }

    #[test]
    fn days_stand_in_a_page_as_its_reader_s_language_writes_them() {
        let row = |day: &str| vec![Cell::Text(day.to_owned()), Cell::Text("2026-01-09".to_owned()), Cell::Number(1)];
        let table =
            ReportTable { columns: vec!["day", "group", "created"], rows: vec![row("2026-01-02"), row("2026-W02")] };
        let days = Days { from: "2026-01-01".parse().unwrap(), to: "2026-01-31".parse().unwrap() };
        let german = page(Report::Volume, days, &table, "de-AT");
        // A group is a name, also where it looks like a day.
        for text in ["<td>02.01.2026</td><td>2026-01-09</td>", ">02.01.2026 · 2026-01-09</text>", "<td>2026-W02</td>"]
        {
            assert!(german.contains(text), "{text}: {german}");
        }
        assert!(page(Report::Volume, days, &table, ENGLISH).contains("<td>2026-01-02</td>"));
    }

    /// A year in days is plotted to its end; of what is longer the page says what is missing.
    #[test]
    fn a_plot_ends_with_its_table_or_says_that_it_does_not() {
        let days = Days { from: "2026-01-01".parse().unwrap(), to: "2026-12-31".parse().unwrap() };
        let of = |rows: usize| {
            let row = |n: usize| vec![Cell::Text(format!("row {n}")), Cell::Number(1)];
            page(
                Report::Volume,
                days,
                &ReportTable { columns: vec!["day", "created"], rows: (0..rows).map(row).collect() },
                ENGLISH,
            )
        };
        let year = of(366);
        assert!(year.contains(">row 365</text>") && !year.contains("in the table alone"), "{year}");
        let longer = of(BARS_MAX + 7);
        assert!(longer.contains("the first 400 rows; 7 more are in the table alone"), "{longer}");
        assert_eq!((longer.matches("<rect").count(), longer.matches("<td>row ").count()), (BARS_MAX, BARS_MAX + 7));
    }

    #[test]
    fn a_report_of_nothing_says_so() {
        let days = Days { from: "2026-01-01".parse().unwrap(), to: "2026-01-31".parse().unwrap() };
        let page = page(Report::Backlog, days, &ReportTable { columns: vec!["group"], rows: Vec::new() }, ENGLISH);
        assert!(page.contains("nothing in these days") && !page.contains("<svg"), "{page}");
    }
}
