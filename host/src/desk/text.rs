//! Texts that people write: which of them are the same, and which say nothing.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// A text in the one form in which it is kept: canonically composed (Unicode Standard Annex 15, NFC). What looks the same and
/// was written on another system is then the same text.
pub fn normal(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The same for a text that is given away.
pub fn into_normal(text: String) -> String {
    if is_nfc(&text) { text } else { text.nfc().collect() }
}

/// Whether two texts are the same to people.
pub fn are_same(one: &str, other: &str) -> bool {
    one == other || normal(one) == normal(other)
}

/// Whether nothing of a text can be seen.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// Whether a character is one that is not drawn: those with the property `Default_Ignorable_Code_Point` (Unicode Standard, section
/// 5.21), and signs that are drawn as nothing: the empty braille pattern, fillers of Egyptian and Khitan, the note without a head.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{13441}'..='\u{13442}' | '\u{16fe4}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The longest part of a name that a sentence repeats, in characters.
const QUOTED_CHARS_MAX: usize = 100;

/// The beginning of a name that came from outside, in backticks, for a sentence that repeats it. Invisible and control characters are
/// written as their code points, since they may be the reason why the name is unknown.
pub fn quoted(name: &str) -> String {
    let mut text = String::from("`");
    for c in name.chars().take(QUOTED_CHARS_MAX) {
        if c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}') {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text.push_str(if name.chars().nth(QUOTED_CHARS_MAX).is_some() { "…`" } else { "`" });
    text
}

/// The first `chars_max` characters of a text, with an ellipsis where there are more.
pub fn beginning(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A library's sentence with each text that it has in backticks or quotation marks shortened and escaped as by [`quoted`].
pub fn with_quoted(sentence: &str) -> String {
    let mut said = String::new();
    for (at, piece) in sentence.split('`').enumerate() {
        if at % 2 == 1 {
            said.push_str(&quoted(piece));
            continue;
        }
        for (at, text) in piece.split('"').enumerate() {
            said.push_str(if at == 0 { "" } else { "\"" });
            if at % 2 == 0 {
                said.push_str(text);
            } else {
                said.push_str(quoted(text).trim_matches('`'));
            }
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_of_a_name_is_short_and_text() {
        assert_eq!(quoted("team-ü"), "`team-ü`");
        assert_eq!(quoted("a\u{202e}b\u{1b}\n\u{200b}"), r"`a\u{202e}b\u{1b}\u{a}\u{200b}`");
        let long = quoted(&"\u{202e}".repeat(200_000));
        assert!(long.len() < 1_000 && long.ends_with("…`"), "{} bytes", long.len());
    }

    #[test]
    fn a_library_s_sentence_repeats_no_more_of_a_name_than_others_do() {
        let short = "`to`: unknown variant `a`, expected one of `loaded`, `shadow` at line 1";
        assert_eq!(with_quoted(short), short);
        let long = "z".repeat(5_000);
        let variant = with_quoted(&format!("unknown variant `{long}`, expected `a`"));
        assert_eq!(variant, format!("unknown variant {}, expected `a`", quoted(&long)));
        let kind = with_quoted(&format!("invalid type: string \"{long}\", expected u32"));
        assert!(kind.len() < 200 && kind.ends_with("z…\", expected u32"), "{kind}");
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        assert!(are_same("Z\u{fc}rich", "Zu\u{308}rich"));
        assert!(!are_same("Zurich", "Z\u{fc}rich") && !are_same("a", "A"));
        assert_eq!(into_normal("Zu\u{308}rich".to_owned()), "Z\u{fc}rich");
        assert!(matches!(normal("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn what_cannot_be_seen_is_nothing() {
        for nothing in [
            "",
            " \t\r\n",
            "\u{200b}",
            "\u{2060}\u{feff}",
            "\u{a0}\u{3000}",
            "\u{ad}\u{3164}",
            "\u{fe0f}\0",
            "\u{2800}",
            "\u{1d159}\u{13442}\u{16fe4}",
        ] {
            assert!(is_blank(nothing), "{nothing:?}");
        }
        for something in [".", "\u{200b}x", "\u{1f600}", "\u{301}"] {
            assert!(!is_blank(something), "{something:?}");
        }
    }
}
