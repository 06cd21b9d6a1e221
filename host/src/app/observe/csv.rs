//! Tables as files for spreadsheets (RFC 4180).

use super::reports::{Cell, ReportTable};

/// The beginnings that a spreadsheet takes for a formula (OWASP, CSV injection); some take the wide forms of East Asian scripts, too.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A text that a spreadsheet does not take for a formula.
pub fn plain(text: String) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text }
}

/// A cell. A text that a spreadsheet would take for a formula is marked as a text.
fn quoted(text: &str) -> String {
    let text = plain(text.to_owned());
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Rows of texts.
pub fn rows(all: impl IntoIterator<Item = Vec<String>>) -> String {
    all.into_iter().map(|row| line(row.iter().map(|text| quoted(text)))).collect()
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\r\n"
}

/// A report with its columns' names; shares are numbers from 0 to 1.
pub fn report(table: &ReportTable) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => quoted(text),
        Cell::Number(number) => number.to_string(),
        Cell::Share(share) => share.map(|share| format!("{:.3}", share as f64 / 1_000.0)).unwrap_or_default(),
    };
    let names = line(table.columns.iter().map(|name| (*name).to_owned()));
    names + &table.rows.iter().map(|row| line(row.iter().map(cell))).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_cell_is_a_text_and_no_formula() {
        let row =
            vec![Cell::Text("=1+1, \"x\"".to_owned()), Cell::Share(Some(333)), Cell::Share(None), Cell::Number(-3)];
        let table = ReportTable { columns: vec!["a", "b", "c", "d"], rows: vec![row] };
        assert_eq!(report(&table), "a,b,c,d\r\n\"'=1+1, \"\"x\"\"\",0.333,,-3\r\n");
        assert_eq!(rows([vec!["a b".to_owned(), "@x".to_owned()]]), "a b,'@x\r\n");
        for wide in ["\u{ff1d}1+1", "\u{ff0b}1", "\u{ff0d}1", "\u{ff20}x"] {
            assert_eq!(rows([vec![wide.to_owned()]]), format!("'{wide}\r\n"));
        }
        assert_eq!(rows([vec!["\n=1+1".to_owned()]]), "\"'\n=1+1\"\r\n");
    }
}
