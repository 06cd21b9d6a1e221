//! The words of reports that go out as pages and letters of their own, in a reader's language: those of the desk's own report pages.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::reasons::read;
use super::words::is_german;

type Texts = HashMap<&'static str, &'static str>;

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| read(include_str!("../../templates/words/en-desk.txt")).collect());
static GERMAN: LazyLock<Texts> = LazyLock::new(|| read(include_str!("../../templates/words/de-desk.txt")).collect());

/// The text of a key; in English for a language that the desk does not ship, and `None` where there is none.
pub fn text(locale: &str, key: &str) -> Option<&'static str> {
    let all = if is_german(locale) { &GERMAN } else { &ENGLISH };
    all.get(key).copied()
}

/// The tag of the language in which such a page is written.
pub fn tag(locale: &str) -> &'static str {
    if is_german(locale) { "de" } else { "en" }
}

/// The sign between a number's whole part and its fraction.
pub fn point(locale: &str) -> char {
    if is_german(locale) { ',' } else { '.' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_in_the_reader_s_language_or_in_english() {
        assert_eq!(text("de-AT", "report.created"), Some("Angelegt"));
        assert_eq!(text("fr", "report.created"), Some("Created"));
        assert_eq!(text("en", "report.of-another-program"), None);
    }
}
