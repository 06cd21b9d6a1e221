//! The lines in which two texts differ.

use std::time::Duration;

use similar::{Algorithm, ChangeTag, TextDiff};

use crate::desk::text::beginning;

/// Lines around a change that are shown with it.
const AROUND: usize = 2;
/// The most of a line that is shown, in characters: a table's may be as long as its file.
const LINE_CHARS_MAX: usize = 1_000;
/// How long a diff may look for the shortest one, after which it gives one that is longer.
const PATIENCE: Duration = Duration::from_millis(200);

/// The part that a line has in a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Same,
    Added,
    Removed,
}

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub part: Part,
    /// Its number in the text that has it, from 1; of both, the later one's.
    pub number: usize,
    pub text: String,
}

/// The lines that differ, in groups, each with some lines around it; at most `lines_max` of them.
pub fn changed(before: &str, after: &str, lines_max: usize) -> Vec<Vec<Line>> {
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_lines(before, after);
    let mut left = lines_max;
    let mut groups = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        let mut lines = Vec::new();
        for change in group.iter().flat_map(|op| diff.iter_changes(op)).take(left) {
            let part = match change.tag() {
                ChangeTag::Equal => Part::Same,
                ChangeTag::Insert => Part::Added,
                ChangeTag::Delete => Part::Removed,
            };
            let number = change.new_index().or(change.old_index()).map_or(0, |index| index + 1);
            let text = beginning(change.value().trim_end_matches('\n'), LINE_CHARS_MAX);
            lines.push(Line { part, number, text });
        }
        left -= lines.len();
        if lines.is_empty() {
            break;
        }
        groups.push(lines);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_stands_between_the_lines_around_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\n";
        let groups = changed(before, "a\nb\nc\nD\ne\nf\ng\n", 100);
        let shown: Vec<(Part, usize, &str)> =
            groups.iter().flatten().map(|line| (line.part, line.number, line.text.as_str())).collect();
        let same = Part::Same;
        let wanted = [
            (same, 2, "b"),
            (same, 3, "c"),
            (Part::Removed, 4, "d"),
            (Part::Added, 4, "D"),
            (same, 5, "e"),
            (same, 6, "f"),
        ];
        assert_eq!(shown, wanted);
        assert_eq!(changed(before, before, 100), Vec::<Vec<Line>>::new());
        assert_eq!(changed("", &"x\n".repeat(50), 10).concat().len(), 10);
        let long = "ü".repeat(1_000_000);
        assert_eq!(changed("", &long, 10)[0][0].text, format!("{}…", "ü".repeat(LINE_CHARS_MAX)));
    }
}
