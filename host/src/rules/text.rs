//! Texts that are not ours, for people: on terminals, in logs, in plain files, and where one line is kept of them.
//!
//! Text of a requester, a rule, a manifest or another program goes through [`shown`] before it is printed, so that it
//! moves no cursor, forges no line, and reads in the order in which it is written.

use std::borrow::Cow;
use std::fmt::Write;

/// The longest reason that is kept of a rule's answer, in characters: as long as a person's.
pub const REASON_CHARS_MAX: usize = 1_000;
/// The longest fault that is kept, in bytes.
pub const FAULT_BYTES_MAX: usize = 4 << 10;

/// A text without anything that a terminal or a reader would take for more than text: control characters (C0, C1), bidirectional
/// overrides and line breaks are written as `\u{..}`.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            _ if is_dangerous(character) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

/// The same for a text of several lines, which stay lines.
pub fn shown_lines(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

/// JSON in which characters that do more than be drawn are escaped, as JSON has it: it says the same, and may be shown on a terminal.
/// Outside of its texts there are none of them but line ends.
pub fn in_json(json: &str) -> Cow<'_, str> {
    let is_bad = |c: char| c != '\n' && is_dangerous(c);
    if !json.contains(is_bad) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_bad(c) {
            // Writing to a String cannot fail. All of them are below U+10000, for which JSON has one escape.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a character is a control character, ends a line, or changes the direction in which others are shown (Unicode
/// Standard Annex 9).
pub fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// One line of a text, of so many characters at most: line breaks and control characters become spaces, and `…` stands for what
/// is cut.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut line: String =
        text.chars().take(chars_max).map(|character| if is_dangerous(character) { ' ' } else { character }).collect();
    if text.chars().nth(chars_max).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

/// The beginning of a text, of so many bytes at most; what is cut is counted.
pub fn cut(mut text: String, bytes_max: usize) -> String {
    let bytes = text.len();
    if bytes > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        // Writing to a String cannot fail.
        let _ = write!(text, "… ({bytes} bytes)");
    }
    text
}

/// A sentence about what a guest said, which may repeat some of it: shown as text, and no longer than a fault.
pub fn complaint(sentence: String) -> String {
    cut(shown(&cut(sentence, FAULT_BYTES_MAX)), FAULT_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_text_and_as_long_as_a_fault() {
        let complaint = complaint("\u{202e}\u{1b}\n".repeat(200_000));
        assert!(complaint.len() < FAULT_BYTES_MAX + 100, "{} bytes", complaint.len());
        assert!(!complaint.chars().any(|c| c == '\n' || is_dangerous(c)), "{complaint}");
    }

    #[test]
    fn nothing_that_moves_a_cursor_or_forges_a_line_is_shown_as_it_is() {
        let text = "a\u{1b}[2J\u{7}\r\nb\u{9b}1m\u{202e}c\u{2066}\u{2028}\u{85}é\t漢";
        let shown = shown(text);
        assert!(!shown.chars().any(|c| c == '\n' || is_dangerous(c)), "{shown}");
        assert_eq!(shown, r"a\u{1b}[2J\u{7}\u{d}\nb\u{9b}1m\u{202e}c\u{2066}\u{2028}\u{85}é 漢");
        assert_eq!(shown_lines("a\nb\r"), "a\nb\\u{d}");
    }

    #[test]
    fn a_line_of_json_has_no_characters_that_do_more_than_be_drawn() {
        let line = "{\"why\":\"x\u{9b}2J\u{202e}\u{2066}\u{2028}é 漢\"}\n";
        let written = in_json(line);
        assert_eq!(written, "{\"why\":\"x\\u009b2J\\u202e\\u2066\\u2028é 漢\"}\n");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert!(read(line).is_some() && read(line) == read(&written), "it says the same");
        assert!(matches!(in_json("{\"a\":1}\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(one_line("ab\ncd", 9), "ab cd");
        assert_eq!(one_line("abcdef", 3), "ab…");
        assert_eq!(one_line("abc", 3), "abc");
        assert_eq!(cut("äöü".to_owned(), 3), "ä… (6 bytes)");
        assert_eq!(cut("abc".to_owned(), 3), "abc");
    }
}
