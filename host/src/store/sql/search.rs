//! Searches for words, which each database has an index of its own for. Both get the same words, folded here, so that they find
//! the same: no case, no accents, nothing but letters and digits. A letter that people write in several ways is found by each of
//! them (`straße` by `strasse`), and so is a word of a language that has no spaces, wherever it stands.
//!
//! Each word of a search stands for all that begin so. SQLite gathers all places of all of these before it gives the first one, but
//! goes through the places of words that are named one by one, newest first, until it has enough. So a search of tickets there asks
//! the index first for the words that begin so, and then for these by name.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::dialect::Clause;

/// The most words that a search goes by.
const WORDS_MAX: usize = 24;
/// The longest word that an index holds, in characters.
const WORD_CHARS_MAX: usize = 60;
/// Words shorter than this say little about what a text is about, in characters.
const TELLING_CHARS_MIN: usize = 4;
/// The length of the pieces of a text without spaces, in characters: about a word.
const PIECE_CHARS: usize = 4;
/// The words of a piece of text that is shown around what was found.
const SHOWN_WORDS: usize = 30;
/// The most words of the index that are named for one beginning of a word: each costs a look into every piece of the index. Where more
/// begin so, the index gathers them by itself.
const NAMED_MAX: usize = 64;
/// The most words of the index that one search names.
const NAMED_IN_ALL_MAX: usize = 512;
/// After the last letter that a word may have: no text has it.
const LAST: char = '\u{10ffff}';

/// The letters of a word, folded: without case and accents.
fn letters(word: &str) -> impl Iterator<Item = char> {
    word.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase)
}

/// A word of a text, folded, as long as an index holds it.
fn folded(word: &str) -> String {
    letters(word).take(WORD_CHARS_MAX).collect()
}

/// A folded word in the letters of those who have no others: a Turkish keyboard has two letters for `i`, a Swiss one no `ß`. A small
/// letter that is written in several shapes has one of them, such as sigma at the end of a Greek word.
fn plainest(folded: &str) -> String {
    let mut plain = String::with_capacity(folded.len());
    for letter in folded.chars() {
        match letter {
            'ı' => plain.push('i'),
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' => plain.push('d'),
            'ſ' => plain.push('s'),
            'ς' => plain.push('σ'),
            'µ' => plain.push('μ'),
            'ϐ' => plain.push('β'),
            'ϑ' => plain.push('θ'),
            'ϕ' => plain.push('φ'),
            'ϖ' => plain.push('π'),
            'ϰ' => plain.push('κ'),
            'ϱ' => plain.push('ρ'),
            'ϵ' => plain.push('ε'),
            other => plain.push(other),
        }
    }
    plain
}

/// Whether a language writes words of this letter without spaces between them: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
fn is_dense(letter: char) -> bool {
    matches!(u32::from(letter), 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x2fa1f)
}

/// The pieces of a word of such letters, from each letter on at which a word may begin.
fn pieces(word: &str) -> Vec<String> {
    if !word.contains(is_dense) {
        return Vec::new();
    }
    let letters: Vec<char> = letters(word).collect();
    let begins = letters.windows(2).zip(1..).filter(|(both, _)| both.iter().any(|letter| is_dense(*letter)));
    begins.map(|(_, n)| letters.iter().skip(n).take(PIECE_CHARS).collect()).collect()
}

/// The pieces that a long word without spaces is looked for by: one after the other, the last one whole.
fn parts(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() <= PIECE_CHARS || !word.contains(is_dense) {
        return Vec::new();
    }
    let last = letters.len().saturating_sub(PIECE_CHARS);
    let begins = (0..last).step_by(PIECE_CHARS).chain([last]);
    begins.map(|n| letters.iter().skip(n).take(PIECE_CHARS).collect()).collect()
}

/// The words of a text with their places in bytes.
fn places(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let mut rest = 0;
    std::iter::from_fn(move || {
        let begin = rest + text.get(rest..)?.find(part)?;
        let word = text.get(begin..)?;
        let word = word.get(..word.find(|c| !part(c)).unwrap_or(word.len()))?;
        rest = begin + word.len();
        Some((begin, word))
    })
}

/// A text as an index takes it.
pub fn indexed(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for (_, word) in places(text) {
        // Most words are of letters that have no accents and one form each.
        if word.is_ascii() {
            separate(&mut words);
            words.extend(word.chars().take(WORD_CHARS_MAX).map(|letter| letter.to_ascii_lowercase()));
            continue;
        }
        let folded = folded(word);
        let plain = Some(plainest(&folded)).filter(|plain| *plain != folded);
        for form in plain.into_iter().chain([folded]).chain(pieces(word)) {
            separate(&mut words);
            words.push_str(&form);
        }
    }
    words
}

/// Puts a space behind the words that are there.
fn separate(words: &mut String) {
    if !words.is_empty() {
        words.push(' ');
    }
}

/// Words that are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    words: Vec<String>,
    /// Whether one of them is enough.
    any: bool,
}

impl Wanted {
    /// A search: all words, the beginnings of words among them. `None` where there is no word.
    pub fn all(text: &str) -> Option<Wanted> {
        Wanted::of(places(text).map(|(_, word)| folded(word)), false)
    }

    /// Texts like this one: any of its words that tell something.
    pub fn like(text: &str) -> Option<Wanted> {
        let words = places(text).map(|(_, word)| folded(word));
        Wanted::of(words.filter(|word| word.chars().count() >= TELLING_CHARS_MIN), true)
    }

    fn of(words: impl Iterator<Item = String>, any: bool) -> Option<Wanted> {
        let mut kept: Vec<String> = Vec::new();
        for word in words {
            // A mark without a letter leaves nothing.
            if kept.len() < WORDS_MAX && !word.is_empty() && !kept.contains(&word) {
                kept.push(word);
            }
        }
        (!kept.is_empty()).then_some(Wanted { words: kept, any })
    }

    /// The same for words that stand in the index as they are, besides those that are looked for.
    #[must_use]
    pub fn and(mut self, word: &str) -> Wanted {
        self.words.push(word.to_owned());
        self
    }

    /// The search as a database's index reads it. Words are letters and digits, so that nothing of it is syntax.
    pub fn text(&self, is_sqlite: bool) -> String {
        if is_sqlite {
            self.written((" OR ", " AND "), &|word| format!("\"{word}\"*"))
        } else {
            self.written((" | ", " & "), &|word| format!("{word}:*"))
        }
    }

    /// The same for SQLite's index of tickets, with its words by name instead of their beginnings.
    pub fn text_by_name(&self, named: &Named) -> String {
        self.written((" OR ", " AND "), &|word| named.written(word))
    }

    /// The beginnings of words that it goes by, each once.
    pub fn beginnings(&self) -> Vec<String> {
        let mut beginnings: Vec<String> = Vec::new();
        for word in &self.words {
            for beginning in [vec![word.clone(), plainest(word)], parts(word)].concat() {
                if !beginnings.contains(&beginning) {
                    beginnings.push(beginning);
                }
            }
        }
        beginnings
    }

    fn written(&self, (or, and): (&str, &str), begins: &dyn Fn(&str) -> String) -> String {
        let one = |word: &String| {
            // In an index of an earlier program the first form is the only one.
            let mut forms = vec![begins(word)];
            forms.extend(Some(plainest(word)).filter(|plain| plain != word).map(|plain| begins(&plain)));
            let parts = parts(word);
            if !parts.is_empty() {
                let parts: Vec<String> = parts.iter().map(|part| begins(part)).collect();
                forms.push(format!("({})", parts.join(and)));
            }
            if forms.len() == 1 { forms.concat() } else { format!("({})", forms.join(or)) }
        };
        self.words.iter().map(one).collect::<Vec<_>>().join(if self.any { or } else { and })
    }

    /// The piece of a text that has the first of the words: parts in turn, and whether each was looked for.
    pub fn shown(&self, text: &str) -> Vec<(String, bool)> {
        let found = |word: &str| {
            let word = folded(word);
            let begins = |wanted: &str| word.starts_with(wanted) || plainest(&word).starts_with(&plainest(wanted));
            let within = |wanted: &str| wanted.contains(is_dense) && word.contains(wanted);
            self.words.iter().any(|wanted| begins(wanted) || within(wanted))
        };
        let words: Vec<(usize, &str)> = places(text).collect();
        let first = words.iter().position(|(_, word)| found(word)).unwrap_or_default();
        let from = first.saturating_sub(SHOWN_WORDS / 3);
        let shown = words.iter().skip(from).take(SHOWN_WORDS);
        let (mut parts, mut end) = (Vec::new(), words.get(from).map_or(0, |(begin, _)| *begin));
        for (begin, word) in shown.filter(|(_, word)| found(word)) {
            parts.push((text.get(end..*begin).unwrap_or_default().to_owned(), false));
            parts.push(((*word).to_owned(), true));
            end = begin + word.len();
        }
        let last = words.get(from..).and_then(|rest| rest.iter().take(SHOWN_WORDS).next_back());
        let stop = last.map_or(0, |(begin, word)| begin + word.len());
        parts.push((text.get(end..stop.max(end)).unwrap_or_default().to_owned(), false));
        parts.retain(|(part, _)| !part.is_empty());
        parts
    }
}

/// The words of SQLite's index of tickets that begin as the words of a search do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named(BTreeMap<String, Vec<String>>);

impl Named {
    /// The statement that asks for these words, and its arguments. A row is the place of a beginning among those that were given, and
    /// a word. It leaps from each word over all of its places to the next one.
    pub fn statement(beginnings: &[String]) -> (String, Vec<String>) {
        let row = |n: usize| format!("({n}, ${}, ${})", 2 * n + 1, 2 * n + 2);
        let rows: Vec<String> = (0..beginnings.len()).map(row).collect();
        let sql = format!(
            "with recursive wanted (n, low, high) as (values {}), found (n, term, high, nth) as (select n, \
             (select term from tickets_terms where term >= low and term < high order by term limit 1), high, 1 from wanted \
             union all select n, (select t.term from tickets_terms t \
             where t.term >= found.term || char(1) and t.term < found.high order by t.term limit 1), high, nth + 1 \
             from found where found.term is not null and nth <= {NAMED_MAX}) \
             select n, term from found where term is not null",
            rows.join(", ")
        );
        let ends = beginnings.iter().flat_map(|beginning| [beginning.clone(), format!("{beginning}{LAST}")]);
        (sql, ends.collect())
    }

    /// The words for these beginnings, from the rows of the statement.
    pub fn of(beginnings: &[String], rows: impl Iterator<Item = (usize, String)>) -> Named {
        let mut terms: Vec<Vec<String>> = vec![Vec::new(); beginnings.len()];
        for (n, term) in rows {
            if let Some(terms) = terms.get_mut(n) {
                terms.push(term);
            }
        }
        let (mut named, mut left) = (BTreeMap::new(), NAMED_IN_ALL_MAX);
        for (beginning, terms) in beginnings.iter().zip(terms) {
            if terms.len() <= NAMED_MAX.min(left) {
                left -= terms.len();
                named.insert(beginning.clone(), terms);
            }
        }
        Named(named)
    }

    /// A beginning of a word as the index reads it.
    fn written(&self, beginning: &str) -> String {
        let Some(terms) = self.0.get(beginning) else { return format!("\"{beginning}\"*") };
        let quoted: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
        match quoted.len() {
            // No word begins so, and this one is none either.
            0 => format!("\"{beginning}\""),
            1 => quoted.concat(),
            _ => format!("({})", quoted.join(" OR ")),
        }
    }
}

/// A word that stands for a person in an index, and that no text has.
pub fn word_of(person: &str) -> String {
    let hex: String = person.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("zzof{hex}zz")
}

/// The articles that have the words of `$1`, the best first: to be followed by a condition on `a`, and an order by `score`.
pub const ARTICLES: Clause = Clause::of(
    "select a.number, bm25(articles_text, 4.0, 1.0) as score from articles_text \
     join articles a on a.number = articles_text.rowid where articles_text match $1",
    "select a.number, -ts_rank_cd(x.words, to_tsquery('simple', $1)) as score from articles_text x \
     join articles a on a.number = x.id where x.words @@ to_tsquery('simple', $1)",
);
/// Takes an article, `$1`, out of the index.
pub const FORGET_ARTICLE: Clause =
    Clause::of("delete from articles_text where rowid = $1", "delete from articles_text where id = $1");
/// Puts an article, `$1`, with its title and body into the index.
pub const KEEP_ARTICLE: Clause = Clause::of(
    "insert into articles_text (rowid, title, body) values ($1, $2, $3)",
    "insert into articles_text (id, words) values ($1, setweight(to_tsvector('simple', $2), 'A') || to_tsvector('simple', $3))",
);
/// The rows of tickets that have the words of `$1`, to be followed by further conditions on `t` and [`TICKET_ROW`]. The order of
/// the tables is that of the index, so that a search for the newest ends as soon as it has found enough.
pub const TICKETS: Clause = Clause::of(
    "from tickets_text x cross join tickets t on t.number = x.rowid / 2 where x.tickets_text match $1",
    "from tickets_text x join tickets t on t.number = x.id / 2 where x.words @@ to_tsquery('simple', $1)",
);
/// The same on PostgreSQL by the index of words, all rows of which are gathered before any ticket is looked at.
pub const TICKETS_BY_WORDS: &str = "from (with having_them as materialized \
     (select id from tickets_text where words @@ to_tsquery('simple', $1)) select id from having_them) x \
     join tickets t on t.number = x.id / 2 where true";
/// The same on PostgreSQL by the tickets, of each of which these rows, a list, are looked at for the words.
pub fn tickets_with_words_in(rows: &str) -> String {
    format!("from tickets t cross join lateral {} where true", words_in(rows))
}
/// The same by those of a tag, `$2`.
pub fn tagged_with_words_in(rows: &str) -> String {
    let has = words_in(rows);
    format!("from tagged g join tickets t on t.number = g.number cross join lateral {has} where g.tag = $2")
}
fn words_in(rows: &str) -> String {
    format!(
        "(select 1 from tickets_text x where x.id = any (array[{rows}]) \
         and x.words @@ to_tsquery('simple', $1) limit 1) as has"
    )
}
/// The same on SQLite by the tickets of a tag, `$2`: the index is asked about each, from its first row to this one.
pub fn tagged_with_words_up_to(last: &str) -> String {
    format!(
        "from tagged g cross join tickets t on t.number = g.number where g.tag = $2 and (select 1 from tickets_text x \
         where x.tickets_text match $1 and x.rowid between g.number * 2 and {last} limit 1) is not null"
    )
}
/// Which of a ticket's two rows it is.
pub const TICKET_ROW: Clause = Clause::of("x.rowid", "x.id");
/// Takes rows out of the tickets' index: before and after their ids.
pub const FORGET_TICKETS: (Clause, &str) =
    (Clause::of("delete from tickets_text where rowid in (", "delete from tickets_text where id in ("), ")");
/// Puts words into rows of the tickets' index: before and after pairs of an id and its words.
pub const KEEP_TICKETS: (Clause, Clause) = (
    Clause::of(
        "insert into tickets_text (rowid, words)",
        "insert into tickets_text (id, words) select v.id, to_tsvector('simple', v.words) from (",
    ),
    Clause::of("", ") v (id, words)"),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_syntax_is_none() {
        assert_eq!(indexed("Crème brûlée: 802.11ac, e\u{301}tat -- \"x\" & (Y)*"), "creme brulee 802 11ac etat x y");
        assert_eq!(
            indexed(&format!("a {} b", "Q".repeat(WORD_CHARS_MAX + 1))),
            format!("a {} b", "q".repeat(WORD_CHARS_MAX))
        );
        let wanted = Wanted::all("VPN \" OR *); drop").unwrap();
        assert_eq!(wanted.text(true), "\"vpn\"* AND \"or\"* AND \"drop\"*");
        assert_eq!(wanted.text(false), "vpn:* & or:* & drop:*");
        assert_eq!(Wanted::all(" -!? "), None);
        assert_eq!(Wanted::like("It is a VPN problem").unwrap().text(false), "problem:*");
    }

    #[test]
    fn a_word_is_found_however_its_letters_are_written_and_wherever_it_stands() {
        assert_eq!(indexed("Große Straße"), "grosse große strasse straße");
        assert_eq!(indexed("ÇALIŞMIYOR çalışmıyor"), "calismiyor calismiyor calısmıyor");
        assert_eq!(Wanted::all("Straße").unwrap().text(true), "(\"straße\"* OR \"strasse\"*)");
        assert_eq!(Wanted::all("strasse").unwrap().text(false), "strasse:*");
        assert_eq!(indexed("社内VPNが遅い"), "社内vpnか遅い 内vpn vpnか か遅い 遅い い");
        assert_eq!(Wanted::all("VPNが遅い").unwrap().text(false), "(vpnか遅い:* | (vpnか:* & nか遅い:*))");
        let shown = Wanted::all("遅い").unwrap().shown("社内VPNが遅い");
        assert_eq!(shown, [("社内VPNが遅い".to_owned(), true)]);
    }

    #[test]
    fn a_beginning_is_the_words_of_the_index_that_begin_so_as_far_as_they_are_not_too_many() {
        let wanted = Wanted::all("Straß vpn \u{301}").unwrap();
        let beginnings = wanted.beginnings();
        assert_eq!(beginnings, ["straß", "strass", "vpn"]);
        let rows = ["strasse", "strassen"].map(|term| (1, term.to_owned()));
        let named = Named::of(&beginnings, rows.into_iter());
        assert_eq!(wanted.text_by_name(&named), "(\"straß\" OR (\"strasse\" OR \"strassen\")) AND \"vpn\"");
        let many = |count: usize| Named::of(&beginnings, (0..count).map(|n| (2, format!("vpn{n}"))));
        assert!(wanted.text_by_name(&many(NAMED_MAX)).ends_with("OR \"vpn63\")"));
        assert!(wanted.text_by_name(&many(NAMED_MAX + 1)).ends_with(" AND \"vpn\"*"));
        assert_eq!(wanted.text_by_name(&Named::default()), wanted.text(true));
    }

    #[test]
    fn a_letter_of_several_shapes_is_one() {
        assert_eq!(indexed("οδός 5µm"), "οδοσ οδος 5μm 5µm");
        assert_eq!(Wanted::all("ΟΔΟΣ").unwrap().text(false), "οδοσ:*");
    }

    #[test]
    fn what_was_found_is_shown_in_the_text_as_it_was_written() {
        let wanted = Wanted::all("cafe").unwrap();
        let shown = wanted.shown("Im Café ist das WLAN aus.");
        let shown: Vec<(&str, bool)> = shown.iter().map(|(part, found)| (part.as_str(), *found)).collect();
        assert_eq!(shown, [("Im ", false), ("Café", true), (" ist das WLAN aus", false)]);
        assert!(wanted.shown("").is_empty());
        let long = format!("{} café {}", "word ".repeat(500), "word ".repeat(500));
        let shown: String = wanted.shown(&long).into_iter().map(|(part, _)| part).collect();
        assert!(shown.contains("café") && shown.len() < 200, "{shown}");
    }
}
