//! The plots of a backtest's page: plain SVG and tables, coloured by the page's style.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::app::observe::reports::html::escaped;
use crate::app::replay::report::{BAR_STEP, CostReport, FieldReport, SideReport};
use crate::cli::which::thousands;

/// Values on one side of a matrix; what is left over is summed up.
const VALUES_MAX: usize = 12;
/// The rest.
const OTHERS: &str = "others";
/// A plot's inner size, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 140.0;
/// How much larger one bar's size is than that of the bar before it.
const STEP: f64 = BAR_STEP;

/// A bar with a share of its length filled.
pub fn bar(part: u64, whole: u64, class: &str) -> String {
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    // A value above zero is always visible.
    let shown = if part > 0 { share.max(0.8) } else { 0.0 };
    format!("<span class=\"bar\"><i class=\"{class}\" style=\"width:{shown:.2}%\"></i></span>")
}

/// From what to what, as a table whose cells are the darker the more there is in them.
pub fn matrix(field: &FieldReport) -> String {
    let values = values(field);
    let mut cells: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for moved in &field.moves {
        *cells.entry((shown(&values, &moved.from), shown(&values, &moved.to))).or_default() += moved.count;
    }
    let most = cells.iter().filter(|((from, to), _)| from != to).map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let mut names = values.clone();
    if cells.keys().any(|(from, to)| *from == OTHERS || *to == OTHERS) {
        names.push(OTHERS);
    }
    let mut out = "<div class=\"scroll\"><table class=\"matrix\"><tr><th>before ╲ after</th>".to_owned();
    for to in &names {
        let _ = write!(out, "<th>{}</th>", escaped(to));
    }
    out.push_str("</tr>");
    for from in &names {
        let _ = write!(out, "<tr><th>{}</th>", escaped(from));
        for to in &names {
            let count = cells.get(&(*from, *to)).copied().unwrap_or_default();
            let class = if from == to { "same" } else { "moved" };
            // Square roots keep rare changes visible beside frequent ones.
            let strength =
                if count == 0 || from == to { 0.0 } else { 12.0 + 68.0 * (count as f64 / most as f64).sqrt() };
            let number = if count == 0 { String::new() } else { thousands(count) };
            let _ = write!(out, "<td class=\"{class}\" style=\"--strength:{strength:.0}%\">{number}</td>");
        }
        out.push_str("</tr>");
    }
    out + "</table></div>"
}

/// The values that take part in changes, those that most tickets leave or reach first.
fn values(field: &FieldReport) -> Vec<&str> {
    let mut weights: BTreeMap<&str, u64> = BTreeMap::new();
    for moved in field.moves.iter().filter(|moved| moved.from != moved.to) {
        *weights.entry(&moved.from).or_default() += moved.count;
        *weights.entry(&moved.to).or_default() += moved.count;
    }
    let mut values: Vec<(&str, u64)> = weights.into_iter().collect();
    values.sort_by_key(|(value, weight)| (std::cmp::Reverse(*weight), *value));
    values.into_iter().take(VALUES_MAX).map(|(value, _)| value).collect()
}

fn shown<'a>(values: &[&'a str], value: &str) -> &'a str {
    values.iter().find(|known| **known == value).copied().unwrap_or(OTHERS)
}

/// An axis of time on which every mark is the double of the one before it.
struct Axis {
    /// Powers of two of a microsecond.
    low: f64,
    high: f64,
}

impl Axis {
    /// One that holds the bars of nearly all calls, if there are some.
    fn over(sides: &[(&SideReport, &str)]) -> Option<Axis> {
        let ends = || sides.iter().filter_map(|(side, _)| Some((side.histogram.first()?.0, usual_max_us(side))));
        let low = ends().map(|(first, _)| first).reduce(f64::min)?.log2().floor();
        let high = (ends().map(|(_, last)| last).reduce(f64::max)? * STEP).log2().ceil();
        Some(Axis { low, high: high.max(low + 1.0) })
    }

    fn at(&self, us: f64) -> f64 {
        (us.log2().min(self.high) - self.low) / (self.high - self.low) * WIDTH
    }

    fn marks(&self) -> String {
        let mark = |power: i32| {
            let us = f64::from(power).exp2();
            let (at, below) = (self.at(us), HEIGHT + 14.0);
            format!(
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>\
                 <text class=\"mark\" x=\"{at:.1}\" y=\"{below}\">{}</text>",
                time(us)
            )
        };
        (self.low as i32..=self.high as i32).map(mark).collect()
    }
}

/// The time that all but a few calls in a thousand do not exceed: the rest waited for the machine, and would squeeze the plot.
fn usual_max_us(side: &SideReport) -> f64 {
    let mut left = side.calls / 200;
    let beyond = side.histogram.iter().rev().take_while(|(_, count)| {
        let few = *count <= left;
        left = left.saturating_sub(*count);
        few
    });
    let beyond = beyond.count();
    side.histogram.iter().rev().nth(beyond).map_or(1.0, |(us, _)| *us)
}

/// How long calls took, before and after; a line marks each median.
pub fn latency(cost: &CostReport) -> String {
    let sides = [(cost.now.as_ref(), "before"), (Some(&cost.candidate), "after")];
    let sides: Vec<(&SideReport, &str)> = sides.into_iter().filter_map(|(side, class)| Some((side?, class))).collect();
    let Some(axis) = Axis::over(&sides) else { return String::new() };
    let share = |count: u64, side: &SideReport| count as f64 / side.calls.max(1) as f64;
    let shares = sides.iter().flat_map(|(side, _)| side.histogram.iter().map(|(_, count)| share(*count, side)));
    let top = shares.fold(1e-9, f64::max);
    let mut out = format!(
        "<svg viewBox=\"-24 -10 {:.0} {:.0}\" role=\"img\" aria-label=\"How long calls took\">{}",
        WIDTH + 48.0,
        HEIGHT + 32.0,
        axis.marks()
    );
    for (side, class) in &sides {
        let mut path = String::new();
        for (us, count) in &side.histogram {
            let y = HEIGHT * (1.0 - share(*count, side) / top);
            let _ = write!(path, "M{:.1},{HEIGHT} V{y:.1} H{:.1} V{HEIGHT} Z ", axis.at(*us), axis.at(us * STEP));
        }
        let middle = axis.at(side.p50_us);
        let _ = write!(
            out,
            "<path class=\"area {class}\" d=\"{path}\"/>\
             <line class=\"median {class}\" x1=\"{middle:.1}\" x2=\"{middle:.1}\" y1=\"-6\" y2=\"{HEIGHT}\"/>"
        );
    }
    out + "</svg>"
}

fn time(us: f64) -> String {
    if us >= 1_000.0 { format!("{:.0} ms", us / 1_000.0) } else { format!("{us:.0} µs") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_html() {
        assert_eq!(escaped("<b a=\"c\">&'"), "&lt;b a=&quot;c&quot;&gt;&amp;&#39;");
    }
}
