//! Comparing texts without copying them; capital and small letters are alike. It knows nothing of fields.
//!
//! The second argument is always in small letters already. A letter has as many bytes small as capital, so lengths can be
//! compared first.

use ruledesk_sdk::text::lower_char;

/// Whether both are the same.
pub fn equal(text: &str, lower: &str) -> bool {
    text.len() == lower.len() && starts_with(text, lower)
}

/// What follows `lower` if the text starts with it.
fn after<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    // Nearly all texts are ASCII at their beginning, and bytes are cheaper than characters.
    let same = |(a, b): &(&u8, &u8)| a.is_ascii() && a.to_ascii_lowercase() == **b;
    let alike = text.as_bytes().iter().zip(lower.as_bytes()).take_while(same).count();
    let (mut rest, wanted) = (text.get(alike..)?.chars(), lower.get(alike..)?);
    for wanted in wanted.chars() {
        if lower_char(rest.next()?) != wanted {
            return None;
        }
    }
    Some(rest.as_str())
}

/// Whether the text starts so.
pub fn starts_with(text: &str, lower: &str) -> bool {
    text.len() >= lower.len() && after(text, lower).is_some()
}

/// Whether the text ends so.
pub fn ends_with(text: &str, lower: &str) -> bool {
    let mut back = text.chars().rev();
    lower.chars().rev().all(|wanted| back.next().map(lower_char) == Some(wanted))
}

/// The rests of the text that begin with this character, in either size.
fn from_each(text: &str, first: char) -> impl Iterator<Item = (&str, &str)> {
    // A byte of an ASCII character is never part of another one, so bytes do, and cost a third.
    let (small, capital) = (u32::from(first), u32::from(first.to_ascii_uppercase()));
    let begins = move |at: usize, byte: u8| match first.is_ascii() {
        true => u32::from(byte) == small || u32::from(byte) == capital,
        false => text.get(at..).and_then(|rest| rest.chars().next()).map(lower_char) == Some(first),
    };
    let places = text.as_bytes().iter().enumerate().filter(move |(at, byte)| begins(*at, **byte));
    places.filter_map(|(at, _)| text.split_at_checked(at))
}

/// Whether the text stands somewhere inside.
pub fn contains(text: &str, lower: &str) -> bool {
    let Some(first) = lower.chars().next() else { return true };
    from_each(text, first).any(|(_, rest)| starts_with(rest, lower))
}

/// Whether the words of the phrase, one space between each two, stand side by side as whole words.
pub fn mentions(text: &str, phrase: &str) -> bool {
    let Some(first) = phrase.chars().next() else { return false };
    from_each(text, first).any(|(before, rest)| !before.ends_with(char::is_alphanumeric) && phrase_at(rest, phrase))
}

fn phrase_at(text: &str, phrase: &str) -> bool {
    let mut rest = text;
    for (number, word) in phrase.split(' ').enumerate() {
        if number > 0 {
            rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        }
        match after(rest, word) {
            Some(next) if !next.starts_with(char::is_alphanumeric) => rest = next,
            _ => return false,
        }
    }
    true
}

/// Whether the category is `parent` or lies below it.
pub fn within(category: &str, parent: &str) -> bool {
    after(category, parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A pattern for a whole text: `*` stands for anything, `?` for one character, `#` for one digit.
///
/// Between two `*` the first place that fits is taken and never left again: the work is bounded by the product of both
/// lengths, and there is no pattern that makes it worse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Up to the first `*`.
    begin: String,
    /// After each `*`, the last of which has to end the text; none if there is no `*`.
    pieces: Vec<String>,
}

impl Pattern {
    pub fn new(lower: &str) -> Self {
        let mut pieces = lower.split('*').map(str::to_owned);
        Self { begin: pieces.next().unwrap_or_default(), pieces: pieces.collect() }
    }

    pub fn matches(&self, text: &str) -> bool {
        let Some(mut rest) = piece_at(text, &self.begin) else { return false };
        let Some((end, between)) = self.pieces.split_last() else { return rest.is_empty() };
        for piece in between {
            match find(rest, piece) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        let chars = end.chars().count();
        let from =
            if chars == 0 { Some(rest.len()) } else { rest.char_indices().rev().nth(chars - 1).map(|(at, _)| at) };
        from.and_then(|from| piece_at(rest.get(from..)?, end)).is_some()
    }
}

/// What follows the first place where the piece fits.
fn find<'a>(text: &'a str, piece: &str) -> Option<&'a str> {
    match piece.chars().next() {
        None => Some(text),
        Some('?' | '#') => text.char_indices().find_map(|(at, _)| piece_at(text.get(at..)?, piece)),
        Some(first) => from_each(text, first).find_map(|(_, rest)| piece_at(rest, piece)),
    }
}

/// What follows the piece if the text begins so.
fn piece_at<'a>(text: &'a str, piece: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    for wanted in piece.chars() {
        let c = rest.next()?;
        let fits = match wanted {
            '?' => true,
            '#' => c.is_ascii_digit(),
            wanted => lower_char(c) == wanted,
        };
        if !fits {
            return None;
        }
    }
    Some(rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capital_and_small_letters_are_alike() {
        assert!(equal("ÄRGER", "ärger") && equal("VPN", "vpn") && !equal("vpn2", "vpn"));
        assert!(starts_with("VPN down", "vpn") && ends_with("Im BÜRO", "büro") && contains("Die TÜR klemmt", "tür"));
        assert!(!contains("ab", "abc") && !ends_with("c", "abc") && contains("x", ""));
    }

    #[test]
    fn small_letters_are_as_long_as_capital_ones() {
        for c in (0..0x11_0000).filter_map(char::from_u32) {
            assert_eq!(lower_char(c).len_utf8(), c.len_utf8(), "{c}");
        }
    }

    #[test]
    fn words_are_whole_words() {
        assert!(mentions("The VPN is DOWN!", "is down") && mentions("is -- down", "is down"));
        assert!(!mentions("Countdown", "down") && !mentions("downtown", "down") && !mentions("is it down", "is down"));
        assert!(mentions("down down up", "down up"));
    }

    #[test]
    fn categories_lie_within_their_parents() {
        assert!(within("hardware.laptop", "hardware") && within("Hardware", "hardware"));
        assert!(!within("hardware-store", "hardware"));
    }

    #[test]
    fn a_pattern_matches_by_its_wildcards() {
        let matches = |pattern: &str, text| Pattern::new(pattern).matches(text);
        for (pattern, text) in [
            ("", ""),
            ("*", "x"),
            ("inc-####", "INC-0042"),
            ("*vpn*", "My VPN!"),
            ("a?c", "aéc"),
            ("a*b*c", "axbxbc"),
            ("*ab", "aab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "x"), ("?", ""), ("inc-####", "inc-42"), ("a*b", "abc"), ("#", "x"), ("abc", "ab")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, expected) in [("a*a", false), ("*a*", true), ("**", true), ("*é", false), ("?", true)] {
            assert_eq!(matches(pattern, "a"), expected, "{pattern}");
        }
        assert!(matches("*?b*#", "éb7") && !matches("*?b*#", "b7") && matches("é*é", "éé") && !matches("é*é", "é"));
        assert!(!matches(&"*a".repeat(50), &"b".repeat(10_000)));
    }
}
