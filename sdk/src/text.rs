//! Words and clean text, the same for every rule. It knows nothing of tickets.

/// The words of a text in lower case: runs of letters and digits in any script. An apostrophe or a dot inside a word
/// separates, so `e.g.` is two words.
///
/// ```
/// # use ruledesk_sdk::text::words;
/// assert_eq!(words("VPN is DOWN, again (Zürich)!"), ["vpn", "is", "down", "again", "zürich"]);
/// ```
pub fn words(text: &str) -> Vec<String> {
    let pieces = text.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty());
    pieces.map(lower).collect()
}

/// Whether the words of a phrase stand side by side among `words`. An empty phrase never does.
///
/// ```
/// # use ruledesk_sdk::text::{has_phrase, words};
/// assert!(has_phrase(&words("The network is down"), &words("is down")));
/// assert!(!has_phrase(&words("Countdown"), &words("down")));
/// ```
pub fn has_phrase(words: &[String], phrase: &[String]) -> bool {
    !phrase.is_empty() && words.windows(phrase.len()).any(|window| window == phrase)
}

/// The text in lower case: Latin, Greek, Cyrillic and Armenian letters; others stay as they are.
///
/// The standard function would add fifteen kilobytes of tables to every rule.
///
/// ```
/// # use ruledesk_sdk::text::lower;
/// assert_eq!(lower("ÄRGER Łódź ΑΘΗΝΑ Москва"), "ärger łódź αθηνα москва");
/// ```
pub fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(lower_char).collect() }
}

/// One character as [`lower`] makes it, to compare texts without copying them.
///
/// ```
/// # use ruledesk_sdk::text::lower_char;
/// assert_eq!(lower_char('Ä'), 'ä');
/// ```
pub fn lower_char(c: char) -> char {
    let code = u32::from(c);
    let shift = match code {
        0x41..=0x5a | 0xc0..=0xd6 | 0xd8..=0xde | 0x391..=0x3a9 | 0x3aa..=0x3ab | 0x410..=0x42f => 32,
        0x400..=0x40f => 80,
        0x531..=0x556 => 48,
        0x386 => 38,
        0x388..=0x38a => 37,
        0x38c => 64,
        0x38e | 0x38f => 63,
        // In these ranges each capital stands right before its small letter.
        0x139..=0x148 | 0x179..=0x17e => code & 1,
        0x130 | 0x131 | 0x138 | 0x149 | 0x178 | 0x17f => 0,
        0x100..=0x177 | 0x460..=0x481 | 0x48a..=0x4bf | 0x4d0..=0x52f | 0x1e00..=0x1e95 => 1 - (code & 1),
        _ => 0,
    };
    char::from_u32(code + shift).unwrap_or(c)
}

/// The text with each run of white space made one space, and none at its ends.
///
/// ```
/// # use ruledesk_sdk::text::squeeze;
/// assert_eq!(squeeze("  a \t b\n"), "a b");
/// ```
pub fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}

/// The first `chars_max` characters at most.
///
/// ```
/// # use ruledesk_sdk::text::cut;
/// assert_eq!(cut("Zürich", 2), "Zü");
/// ```
pub fn cut(text: &str, chars_max: usize) -> &str {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_agrees_with_the_standard_tables() {
        let latin_greek_cyrillic = (0..0x180).chain(0x386..0x3d0).chain(0x400..0x557).chain(0x1e00..0x1e96);
        for c in latin_greek_cyrillic.filter_map(char::from_u32) {
            // These lower to two letters, or to one outside their block.
            if c.is_alphabetic() && !matches!(c, 'İ' | 'Ÿ' | 'Ӏ'..='ӏ' | 'Ϗ') {
                assert_eq!(Some(lower_char(c)), c.to_lowercase().next(), "{c}");
            }
        }
    }
}
