//! A trial's report as text for people, JSON for programs, and JUnit's XML for build servers.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::trial::{Outcome, Place, Report, Tried};
use crate::rules::load::MANIFEST_FILE;
use crate::rules::text::shown;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Human,
    Json,
    JUnit,
}

/// The report's text.
pub fn write(report: &Report, format: Format) -> String {
    match format {
        Format::Human => human(report),
        Format::Json => as_json(report),
        Format::JUnit => junit(report),
    }
}

fn place(tried: &Tried) -> String {
    match &tried.place {
        Place::Example(_) => MANIFEST_FILE.to_owned(),
        Place::File(file, _) => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

fn human(report: &Report) -> String {
    let mut out = String::new();
    for tried in &report.tried {
        let word = if tried.outcome == Outcome::Passed { "ok  " } else { "FAIL" };
        let _ = write!(out, "{word} {} {}: {}", tried.stage, place(tried), tried.name);
        if let Some(cost) = tried.cost {
            let _ = write!(out, " (fuel {}, {} µs)", cost.fuel, cost.took.as_micros());
        }
        out.push('\n');
        for line in complaint(tried) {
            let _ = writeln!(out, "     {line}");
        }
    }
    if !report.empty_tables.is_empty() {
        let _ = writeln!(
            out,
            "note: no rows are known for {}: give a desk's configuration with --config, or rows in a case",
            report.empty_tables.join(", ")
        );
    }
    let (all, failed) = (report.tried.len(), report.failed());
    let _ = writeln!(out, "{} {}: {} passed, {failed} failed", report.rule, report.version, all - failed);
    out
}

/// What is to be said about a case that did not pass.
fn complaint(tried: &Tried) -> Vec<String> {
    let mut lines = match &tried.outcome {
        Outcome::Passed => return Vec::new(),
        Outcome::NotAsked(message) => return vec![format!("not asked: {}", shown(message))],
        Outcome::Differs(differences) => {
            let mut lines: Vec<String> = Vec::new();
            for difference in differences {
                if difference.path == "expect" && difference.expected.is_null() {
                    lines
                        .push("nothing is expected yet: write `expect`, or record the answer with --accept".to_owned());
                } else {
                    lines.push(format!("{}:", difference.path));
                    lines.push(format!("  expected {}", shown(&difference.expected.to_string())));
                    lines.push(format!("  got      {}", shown(&difference.got.to_string())));
                }
            }
            lines
        }
    };
    let word = |key: &str| tried.said.get(key).and_then(Value::as_str);
    lines.push(match (word("message"), word("decision")) {
        (Some(message), _) => message.to_owned(),
        (None, decision) => {
            format!("the rule said: {}, because {}", decision.unwrap_or("?"), shown(word("reason").unwrap_or("?")))
        }
    });
    lines.extend(tried.log.iter().map(|line| format!("log {}: {}", level(line), shown(&line.message))));
    lines
}

/// A log line's level as a word.
pub fn level(line: &crate::rules::run::guest::LogLine) -> &'static str {
    use crate::rules::contract::Level;
    match line.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn as_json(report: &Report) -> String {
    let cases: Vec<Value> = report
        .tried
        .iter()
        .map(|tried| {
            let (outcome, differences, message) = match &tried.outcome {
                Outcome::Passed => ("passed", Vec::new(), None),
                Outcome::Differs(differences) => ("failed", differences.clone(), None),
                Outcome::NotAsked(message) => ("not-asked", Vec::new(), Some(message)),
            };
            json!({
                "name": tried.name,
                "stage": tried.stage,
                "file": place(tried),
                "outcome": outcome,
                "differences": differences,
                "message": message,
                "answer": tried.said,
                "fuel": tried.cost.map(|cost| cost.fuel),
                "micros": tried.cost.map(|cost| u64::try_from(cost.took.as_micros()).unwrap_or(u64::MAX)),
                "memory-peak": tried.cost.map(|cost| cost.memory_peak),
                "log": tried.log,
            })
        })
        .collect();
    let whole = json!({
        "rule": report.rule,
        "version": report.version,
        "component": report.component,
        "passed": report.tried.len() - report.failed(),
        "failed": report.failed(),
        "empty-tables": report.empty_tables,
        "cases": cases,
    });
    serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
}

/// As most build servers read it: one suite a rule, `failure` for another answer, `error` for a case that was not asked.
fn junit(report: &Report) -> String {
    let seconds = |tried: &Tried| tried.cost.map_or(0.0, |cost| cost.took.as_secs_f64());
    let not_asked = report.not_asked();
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{not_asked}\" time=\"{:.6}\">",
        escaped(&report.rule),
        report.tried.len(),
        report.failed() - not_asked,
        report.tried.iter().map(seconds).sum::<f64>(),
    );
    for tried in &report.tried {
        let _ = write!(
            out,
            "    <testcase classname=\"{}.{}\" name=\"{}\" file=\"{}\" time=\"{:.6}\"",
            escaped(&report.rule),
            tried.stage,
            escaped(&tried.name),
            escaped(&place(tried)),
            seconds(tried),
        );
        let lines = complaint(tried).join("\n");
        let _ = match &tried.outcome {
            Outcome::Passed => writeln!(out, "/>"),
            Outcome::NotAsked(message) => {
                writeln!(out, "><error message=\"{}\">{}</error></testcase>", escaped(message), escaped(&lines))
            }
            Outcome::Differs(differences) => {
                let paths: Vec<&str> = differences.iter().map(|difference| difference.path.as_str()).collect();
                let message = escaped(&paths.join(", "));
                writeln!(out, "><failure message=\"{message}\">{}</failure></testcase>", escaped(&lines))
            }
        };
    }
    out + "  </testsuite>\n</testsuites>\n"
}

/// Text as XML takes it, in content and in attributes. Most control characters have no form in XML at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_xml() {
        assert_eq!(escaped("a<b> & \"c\"\u{0}\n"), "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}\n");
    }
}
