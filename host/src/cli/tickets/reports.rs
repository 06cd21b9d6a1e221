//! `ruledesk reports`: the numbers of a desk that runs, for scripts and spreadsheets. The desk is asked over HTTP in the name of the person
//! whose token it is, who has to be one that reads reports.

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use jiff::civil::Date;

use crate::app::observe::reports::{By, Per, Report};
use crate::cli::{Failure, Place, say_file};

/// Prints a report as CSV, as JSON or as a page, from a desk that runs (`--url`, `--token`).
#[derive(Debug, Args)]
pub struct Reports {
    /// The report.
    #[arg(value_parser = PossibleValuesParser::new(Report::ALL.map(Report::code)))]
    report: String,
    /// The first day, such as 2026-05-01, in the desk's time zone.
    #[arg(long, value_parser = day)]
    from: Date,
    /// The last day.
    #[arg(long, value_parser = day)]
    to: Date,
    /// The column that divides it.
    #[arg(long, value_parser = PossibleValuesParser::new(By::ALL.map(By::column)))]
    by: Option<String>,
    /// Of `volume` and `backlog-over-time`: the time that a row is about; a day where nothing is said.
    #[arg(long, value_parser = PossibleValuesParser::new(Per::ALL.map(Per::code)))]
    per: Option<String>,
    /// The form in which it is printed.
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Csv,
    Json,
    /// A page that needs nothing else, with a plot.
    Html,
}

impl Form {
    /// The word by which the desk knows it, and the media type.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Form::Csv => ("csv", "text/csv"),
            Form::Json => ("json", "application/json"),
            Form::Html => ("html", "text/html"),
        }
    }
}

fn day(text: &str) -> Result<Date, String> {
    // A part of a time would be passed over without a word.
    let day = (text.len() == "YYYY-MM-DD".len()).then(|| text.parse().ok()).flatten();
    day.ok_or_else(|| "write a day such as 2026-05-01".to_owned())
}

/// Prints it.
pub fn run(reports: &Reports) -> Result<(), Failure> {
    let Reports { report, from, to, by, per, format, place } = reports;
    let desk = place.remote()?.ok_or(super::WHICH_DESK)?;
    let (form, media_type) = format.words();
    let mut path = format!("/reports/{report}?from={from}&to={to}&format={form}");
    // None of these words has a character that an address writes otherwise.
    for (name, value) in [("by", by), ("per", per)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={value}"));
        }
    }
    let text = desk.ask(("GET", &path), media_type, None)?;
    let end = if text.ends_with('\n') { "" } else { "\n" };
    say_file(&(text + end));
    Ok(())
}
