//! Every text of the pages, by a key, in the reader's language. Texts have places `{0}` and `{1}` for what changes.
//!
//! The pseudo-language is English made longer and accented: what stands on a page without it was not written through here.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};

use crate::desk::organisation::form::{Fault, filled};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    German,
    /// For tests: chosen by the cookie alone.
    Pseudo,
}

/// The cookie that keeps a chosen language.
pub const LANGUAGE_COOKIE: &str = "ruledesk-language";

type Texts = HashMap<&'static str, &'static str>;

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| {
    let mut texts = read(include_str!("../../../templates/words/en.txt"));
    texts.extend(read(include_str!("../../../templates/words/en-desk.txt")));
    texts.extend(read(include_str!("../../../templates/words/en-faults.txt")));
    texts.extend(Fault::ALL.iter().map(|fault| (fault.key(), fault.text())));
    texts.extend(read(include_str!("../../../templates/words/en-more.txt")));
    texts.extend(read(include_str!("../../../templates/words/en-reasons.txt")));
    texts
});
static GERMAN: LazyLock<Texts> = LazyLock::new(|| {
    let mut texts = read(include_str!("../../../templates/words/de.txt"));
    texts.extend(read(include_str!("../../../templates/words/de-desk.txt")));
    texts.extend(read(include_str!("../../../templates/words/de-faults.txt")));
    texts.extend(read(include_str!("../../../templates/words/de-more.txt")));
    texts.extend(read(include_str!("../../../templates/words/de-reasons.txt")));
    texts
});

/// The texts of a file: a line each, `key = text`; `#` begins a comment.
fn read(file: &'static str) -> Texts {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).map(|(key, text)| (key.trim(), text.trim())).collect()
}

impl Language {
    /// Those that a reader may choose.
    pub const OFFERED: [Language; 2] = [Language::English, Language::German];

    /// The tag for `lang` (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::Pseudo => "en-x-pseudo",
        }
    }

    /// Its name in itself.
    pub const fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "Deutsch",
            Language::Pseudo => "Pseudo",
        }
    }

    /// The language with this tag.
    pub fn from_tag(tag: &str) -> Option<Language> {
        [Language::English, Language::German, Language::Pseudo].into_iter().find(|language| language.tag() == tag)
    }

    /// The language that a request asks for: chosen before, or by the browser's order.
    pub fn of(headers: &HeaderMap) -> Language {
        let chosen = super::cookie(headers, LANGUAGE_COOKIE).and_then(|tag| Language::from_tag(&tag));
        let accepted = super::header_text(headers, header::ACCEPT_LANGUAGE);
        let named = accepted.split(',').filter_map(|part| {
            let tag = part.split(';').next()?.trim().to_ascii_lowercase();
            let primary = tag.split('-').next()?.to_owned();
            Language::OFFERED.into_iter().find(|language| language.tag() == primary)
        });
        chosen.or_else(|| named.into_iter().next()).unwrap_or(Language::English)
    }
}

/// The words of one reader.
#[derive(Debug, Clone, Copy)]
pub struct Words(pub Language);

impl Words {
    fn text(self, key: &str) -> Option<&'static str> {
        let own = match self.0 {
            Language::German => GERMAN.get(key),
            Language::English | Language::Pseudo => None,
        };
        own.or_else(|| ENGLISH.get(key)).copied()
    }

    /// Whether there is such a text.
    pub fn has(self, key: &str) -> bool {
        self.text(key).is_some()
    }

    /// The text of a key. One that there is none for stands for itself, and a test finds it.
    pub fn t(&self, key: &str) -> String {
        let text = self.text(key).unwrap_or(key);
        if self.0 == Language::Pseudo { pseudo(text) } else { text.to_owned() }
    }

    /// The text with one place filled in.
    pub fn t1(&self, key: &str, first: impl Display) -> String {
        self.t(key).replace("{0}", &first.to_string())
    }

    /// The text with two places filled in.
    pub fn t2(&self, key: &str, first: impl Display, second: impl Display) -> String {
        // The second first: what is filled in may have braces.
        let (before, after) = match self.t(key).split_once("{1}") {
            Some((before, after)) => (before.to_owned(), Some(after.to_owned())),
            None => (self.t(key), None),
        };
        let first = first.to_string();
        let tail = after.map(|after| format!("{second}{}", after.replace("{0}", &first)));
        format!("{}{}", before.replace("{0}", &first), tail.unwrap_or_default())
    }

    /// The text with all its places filled in, by the values in their order.
    pub fn filled(&self, key: &str, values: &[String]) -> String {
        filled(&self.t(key), values)
    }

    /// A number with so many digits behind its point, which is a comma for readers of German.
    pub fn decimal(&self, number: f64, digits: usize) -> String {
        let plain = format!("{number:.digits$}");
        if self.0 == Language::German { plain.replace('.', ",") } else { plain }
    }

    /// A number as it was written for programs, with its thousands apart and the sign of the language before its fraction; what is no
    /// number stays as it is.
    pub fn number(&self, plain: &str) -> String {
        let (point, between) = if self.0 == Language::German { (",", '.') } else { (".", ',') };
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.chars().chain(fraction.chars()).all(|digit| digit.is_ascii_digit()) {
            return plain.to_owned();
        }
        let mut written = sign.to_owned();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                written.push(between);
            }
            written.push(digit);
        }
        if !fraction.is_empty() {
            written.push_str(point);
            written.push_str(fraction);
        }
        written
    }

    /// The text for one or for several.
    pub fn n(&self, key: &str, count: impl Display) -> String {
        let count = count.to_string();
        let form = if count == "1" { "one" } else { "other" };
        self.t1(&format!("{key}.{form}"), count)
    }
}

/// English as a language that is half as long again, with accents, and marked at both ends.
fn pseudo(text: &str) -> String {
    let accented = |c: char| match c {
        'a' => 'á',
        'e' => 'é',
        'i' => 'í',
        'o' => 'ó',
        'u' => 'ú',
        'A' => 'Å',
        'E' => 'É',
        'O' => 'Ö',
        other => other,
    };
    let longer = "~".repeat(text.chars().count() / 3);
    format!("[{}{longer}]", text.chars().map(accented).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> [usize; 4] {
        ["{0}", "{1}", "{2}", "{3}"].map(|place| text.matches(place).count())
    }

    #[test]
    fn each_language_says_all_that_the_others_say() {
        let mut keys: Vec<_> = ENGLISH.keys().copied().collect();
        keys.sort_unstable();
        let mut german: Vec<_> = GERMAN.keys().copied().collect();
        german.sort_unstable();
        assert_eq!(keys, german);
        for (key, text) in ENGLISH.iter() {
            let other = GERMAN.get(key).copied().unwrap_or_default();
            let ([first, rest @ ..], [other_first, other_rest @ ..]) = (places(text), places(other));
            assert!(first.min(1) == other_first.min(1) && rest == other_rest, "{key}");
        }
    }

    /// A text that was not translated, or only in part; what stands in backticks is the same in every language.
    #[test]
    fn no_german_text_is_english() {
        const ENGLISH_WORDS: [&str; 14] = [
            "the", "you", "your", "is", "has", "which", "there", "does", "than", "may", "cannot", "this", "with", "and",
        ];
        for (key, text) in GERMAN.iter() {
            let said = text.split('`').step_by(2).flat_map(|piece| piece.split(|c: char| !c.is_alphabetic()));
            let english: Vec<&str> =
                said.filter(|word| ENGLISH_WORDS.contains(&word.to_lowercase().as_str())).collect();
            assert!(english.is_empty(), "{key}: {english:?} in {text}");
        }
    }

    #[test]
    fn every_key_that_a_template_or_a_handler_names_has_a_text() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in ["templates", "src/web"] {
            collect(&root.join(folder), &mut files);
        }
        let mut missing = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (call, forms) in
                [(".t(\"", [""].as_slice()), (".t1(\"", &[""]), (".t2(\"", &[""]), (".n(\"", &[".one", ".other"])]
            {
                for found in text.split(call).skip(1) {
                    let key = found.split('"').next().unwrap_or_default();
                    missing.extend(
                        forms
                            .iter()
                            .map(|form| format!("{key}{form}"))
                            .filter(|key| !ENGLISH.contains_key(key.as_str())),
                    );
                }
            }
        }
        missing.sort_unstable();
        missing.dedup();
        assert_eq!(missing, Vec::<String>::new());
    }

    fn collect(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { collect(&path, files) } else { files.push(path) }
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        let words = Words(Language::English);
        assert_eq!(words.t2("test.both", "{1}", "x"), "{1} and x");
        assert_eq!(words.n("time.minutes", 1), "1 min");
        assert!(Words(Language::Pseudo).t("nav.start").starts_with('['));
        assert_eq!(words.decimal(12.345, 1), "12.3");
        assert_eq!(Words(Language::German).decimal(12.345, 1), "12,3");
        let german = Words(Language::German);
        for (plain, english, said) in [
            ("-0.5", "-0.5", "-0,5"),
            ("999", "999", "999"),
            ("100000", "100,000", "100.000"),
            ("-1234.25", "-1,234.25", "-1.234,25"),
            ("IT-7", "IT-7", "IT-7"),
            ("", "", ""),
        ] {
            assert_eq!((words.number(plain).as_str(), german.number(plain).as_str()), (english, said));
        }
    }

    #[test]
    fn a_reader_gets_the_first_language_of_theirs_that_there_is() {
        let asks = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
            Language::of(&headers)
        };
        assert_eq!(asks("fr-FR, de-CH;q=0.8, en;q=0.5"), Language::German);
        assert_eq!(asks("fr"), Language::English);
    }
}
