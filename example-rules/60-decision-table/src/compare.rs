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

/// Whether the text stands somewhere inside.
pub fn contains(text: &str, lower: &str) -> bool {
    let Some(first) = lower.chars().next() else { return true };
    if first.is_ascii() {
        let first = [first as u8, (first as u8).to_ascii_uppercase()];
        let begins =
            |(at, byte): (usize, &u8)| first.contains(byte) && starts_with(text.get(at..).unwrap_or_default(), lower);
        return text.as_bytes().iter().enumerate().any(begins);
    }
    text.char_indices().any(|(at, c)| lower_char(c) == first && starts_with(text.get(at..).unwrap_or_default(), lower))
}

/// Whether the words of the phrase, one space between each two, stand side by side as whole words.
pub fn mentions(text: &str, phrase: &str) -> bool {
    let Some(first) = phrase.chars().next() else { return false };
    let mut inside = false;
    text.char_indices().any(|(at, c)| {
        let begins = !inside && lower_char(c) == first;
        inside = c.is_alphanumeric();
        begins && phrase_at(text.get(at..).unwrap_or_default(), phrase)
    })
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
/// At most one place to go back to is kept, the last `*`: the work is bounded by the product of both lengths, and there
/// is no pattern that makes it worse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    pub fn new(lower: String) -> Self {
        Self(lower)
    }

    pub fn matches(&self, text: &str) -> bool {
        let (mut text, mut pattern) = (text.chars(), self.0.chars());
        // After the last `*`: the pattern from there, and the text from where it was last tried.
        let mut again: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            match (pattern.next(), text.clone().next()) {
                (None, None) => return true,
                (Some('*'), _) if pattern.as_str().is_empty() => return true,
                (Some('*'), _) => {
                    again = Some((pattern.clone(), text.clone()));
                    continue;
                }
                (Some(_), None) => return false,
                (Some(wanted), Some(c)) if fits(wanted, c) => {
                    text.next();
                    continue;
                }
                _ => {}
            }
            let Some((from, tried)) = &mut again else { return false };
            tried.next();
            (pattern, text) = (from.clone(), tried.clone());
        }
    }
}

fn fits(wanted: char, c: char) -> bool {
    match wanted {
        '?' => true,
        '#' => c.is_ascii_digit(),
        wanted => lower_char(c) == wanted,
    }
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
    fn patterns() {
        let matches = |pattern: &str, text| Pattern::new(pattern.to_owned()).matches(text);
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
        assert!(!matches(&"*a".repeat(50), &"b".repeat(10_000)));
    }
}
