//! Words and clean text, the same for every rule. It knows nothing of tickets.

/// The words of one or several texts, in lower case: runs of letters and digits in any script. An apostrophe or a dot
/// inside a word separates, so `e.g.` is two words.
///
/// ```
/// # use ruledesk_sdk::text::Words;
/// let words = Words::of("VPN is DOWN, again (Zürich)!");
/// assert_eq!(words.iter().collect::<Vec<_>>(), ["vpn", "is", "down", "again", "zürich"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The words with one space between; a new line where one text ends.
    text: String,
    /// Where each word lies in `text`, and the hash of it: most comparisons of words end at the hash.
    words: Vec<Word>,
    /// A bit for each hash that occurs, so that most words which do not occur are seen not to at once.
    marks: [u64; 8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word {
    start: usize,
    end: usize,
    hash: u32,
}

impl Words {
    /// The words of one text.
    pub fn of(text: &str) -> Self {
        let mut words = Self::default();
        words.add(text);
        words
    }

    /// Adds the words of another text. No phrase reaches from one into the next.
    pub fn add(&mut self, text: &str) {
        let mut lower = core::mem::take(&mut self.text).into_bytes();
        lower.reserve(text.len() + 1);
        let (mut at, mut word, mut between) = (0, None, b'\n');
        while let Some(&byte) = text.as_bytes().get(at) {
            let ascii = LOWER.get(usize::from(byte)).copied();
            let c = match ascii {
                Some(small) => (small != 0).then_some(char::from(small)),
                // `at` is always at a character's first byte.
                None => {
                    text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| c.is_alphanumeric()).map(lower_char)
                }
            };
            at += if ascii.is_some() { 1 } else { utf8_bytes(byte) };
            let Some(c) = c else {
                if let Some((start, hash)) = word.take() {
                    self.end_word(start, lower.len(), hash);
                }
                continue;
            };
            let (start, hash) = word.unwrap_or_else(|| {
                if !lower.is_empty() {
                    lower.push(between);
                    between = b' ';
                }
                (lower.len(), HASH_START)
            });
            word = Some((start, (hash ^ u32::from(c)).wrapping_mul(HASH_STEP)));
            if c.is_ascii() {
                lower.push(c as u8);
            } else {
                lower.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            between = b' ';
        }
        if let Some((start, hash)) = word {
            self.end_word(start, lower.len(), hash);
        }
        self.text = String::from_utf8(lower).unwrap_or_default();
    }

    fn end_word(&mut self, start: usize, end: usize, hash: u32) {
        self.words.push(Word { start, end, hash });
        let (place, bit) = mark(hash);
        if let Some(marks) = self.marks.get_mut(place) {
            *marks |= bit;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Each word, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.words.iter().filter_map(|word| self.text.get(word.start..word.end))
    }

    /// The word at `at` (from 0) and the one after it as a phrase, unless a text ends between them.
    ///
    /// ```
    /// # use ruledesk_sdk::text::Words;
    /// assert_eq!(Words::of("A paper-jam again").pair(1), Some("paper jam"));
    /// ```
    pub fn pair(&self, at: usize) -> Option<&str> {
        let (first, second) = (self.words.get(at)?, self.words.get(at + 1)?);
        self.text.get(first.start..second.end).filter(|pair| !pair.contains('\n'))
    }

    /// Whether the words of a phrase stand side by side here. An empty phrase never does.
    ///
    /// ```
    /// # use ruledesk_sdk::text::Words;
    /// assert!(Words::of("The network is down").has(&Words::of("is down")));
    /// assert!(!Words::of("Countdown").has(&Words::of("down")));
    /// ```
    pub fn has(&self, phrase: &Words) -> bool {
        let Some(first) = phrase.words.first() else {
            return false;
        };
        let (place, bit) = mark(first.hash);
        if self.marks.get(place).is_none_or(|marks| marks & bit == 0) {
            return false;
        }
        self.words.iter().filter(|word| word.hash == first.hash).any(|word| {
            let rest = self.text.get(word.start..).and_then(|rest| rest.strip_prefix(phrase.text.as_str()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n']))
        })
    }
}

/// Each ASCII letter and digit in lower case, 0 for the rest.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const LOWER: [u8; 128] = {
    let mut lower = [0; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            lower[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    lower
};

/// How many bytes a character has that begins with `first`, which is no ASCII (RFC 3629).
const fn utf8_bytes(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    }
}

/// Where a hash is marked.
const fn mark(hash: u32) -> (usize, u64) {
    ((hash >> 29) as usize, 1 << (hash >> 23 & 63))
}

/// FNV-1a, 32 bits, a character at a time.
const HASH_START: u32 = 0x811c_9dc5;
const HASH_STEP: u32 = 0x0100_0193;

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

/// One character as [`lower`] makes it, to compare texts without copying them. It has as many bytes as before.
///
/// ```
/// # use ruledesk_sdk::text::lower_char;
/// assert_eq!(lower_char('Ä'), 'ä');
/// ```
pub fn lower_char(c: char) -> char {
    let code = u32::from(c);
    // In a run of pairs each capital stands right before its small letter: at the even numbers or at the odd ones.
    let (even, odd) = (1 - (code & 1), code & 1);
    let shift = match code {
        0x178 => return 'ÿ',
        0x41..=0x5a | 0xc0..=0xd6 | 0xd8..=0xde | 0x391..=0x3a1 | 0x3a3..=0x3ab | 0x410..=0x42f => 32,
        0x400..=0x40f => 80,
        0x531..=0x556 => 48,
        0x386 => 38,
        0x388..=0x38a => 37,
        0x38c => 64,
        0x38e | 0x38f => 63,
        0x3cf => 8,
        0x4c0 => 15,
        0x139..=0x148 | 0x179..=0x17e | 0x4c1..=0x4ce => odd,
        0x130 | 0x131 | 0x138 | 0x149 | 0x17f => 0,
        0x100..=0x177 | 0x460..=0x481 | 0x48a..=0x4bf | 0x4d0..=0x52f | 0x1e00..=0x1e95 | 0x1ea0..=0x1eff => even,
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
    fn a_phrase_ends_where_its_text_ends() {
        let mut words = Words::of("It is");
        words.add("down, or is it? -- Ärger ÄRGER");
        assert_eq!(words.iter().collect::<Vec<_>>(), ["it", "is", "down", "or", "is", "it", "ärger", "ärger"]);
        assert!(!words.has(&Words::of("is down")) && words.has(&Words::of("IS it")) && words.has(&Words::of("ärger")));
        assert_eq!((words.pair(1), words.pair(2), words.pair(7)), (None, Some("down or"), None));
        assert!(!words.has(&Words::default()) && !words.has(&Words::of("it is downtown")));
        assert!(Words::of(" ... ").is_empty());
    }

    /// `tests/languages/c.rs` asks the same of the SDK for C.
    #[test]
    fn lower_case_agrees_with_the_standard_tables() {
        let known = |c: char| matches!(u32::from(c), 0..0x180 | 0x386..0x3d0 | 0x400..0x557 | 0x1e00..0x1f00);
        for c in '\0'..='\u{ffff}' {
            // One letter that lowers to two and one whose small one is shorter stay as they are, and so does all that is outside
            // of these ranges.
            let expected = if known(c) && !matches!(c, 'İ' | 'ẞ') { c.to_lowercase().next() } else { Some(c) };
            assert_eq!(Some(lower_char(c)), expected, "{c} {:x}", u32::from(c));
            assert_eq!(lower_char(c).len_utf8(), c.len_utf8(), "{c}");
        }
    }
}
