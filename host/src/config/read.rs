//! Reading one TOML file key by key, noting everything that is wrong with its place.
//!
//! A derived deserializer would stop at the first error; this notes a problem and goes on, so that one start shows all
//! of them, up to a thousand. A value that could not be read is `None`. A caller may put anything in its place, since a single
//! problem refuses the whole configuration.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::desk::id::NotAnId;
use crate::desk::text::is_blank;

use super::names::Set;
use super::problem::Problem;
use super::wrong::{Wrong, nearest};

/// The most entries of one list, so that a file can neither fill the memory nor make a start slow.
pub const ENTRIES_MAX: usize = 100_000;

/// The most problems that are noted of one start: so many more help no one, and each is kept and shown.
const PROBLEMS_MAX: usize = 1_000;

/// One parsed file.
pub struct Document<'a> {
    pub file: &'static str,
    pub text: &'a str,
    pub root: Spanned<DeTable<'a>>,
    pub problems: &'a RefCell<Vec<Problem>>,
    /// Where its lines end, as soon as a place is asked for: to count them for each problem would take the square of the file.
    ends: OnceCell<Vec<usize>>,
}

impl<'a> Document<'a> {
    /// A file that was parsed, and where to note what is wrong with it.
    pub fn new(
        file: &'static str,
        text: &'a str,
        root: Spanned<DeTable<'a>>,
        problems: &'a RefCell<Vec<Problem>>,
    ) -> Document<'a> {
        Document { file, text, root, problems, ends: OnceCell::new() }
    }

    /// Notes what is wrong at a span of bytes.
    pub fn report(&self, span: &Range<usize>, key: &str, wrong: Wrong) {
        if self.has_enough() {
            return;
        }
        let (line, column) = self.place(span.start);
        let problem = Problem { file: self.file.to_owned(), line, column, key: key.to_owned(), wrong };
        self.problems.borrow_mut().push(problem);
    }

    /// Reads the file's top level; keys that `read` does not ask for are refused.
    pub fn read<T>(&self, read: impl FnOnce(&mut Keys<'_>) -> T) -> T {
        let mut keys = Keys::new(self, self.root.get_ref(), 0..0, String::new());
        let result = read(&mut keys);
        keys.refuse_others();
        result
    }

    /// Whether so much is wrong that more of it helps no one.
    fn has_enough(&self) -> bool {
        self.problems.borrow().len() >= PROBLEMS_MAX
    }

    fn line(&self, at: usize) -> usize {
        self.place(at).0
    }

    /// As [`place`].
    fn place(&self, at: usize) -> (usize, usize) {
        let ends = self.ends.get_or_init(|| self.text.match_indices('\n').map(|(end, _)| end).collect());
        let above = ends.partition_point(|end| *end < at);
        let start = above.checked_sub(1).and_then(|last| ends.get(last)).map_or(0, |end| end + 1);
        let before = self.text.get(start..at).or(self.text.get(start..)).unwrap_or_default();
        (above + 1, before.chars().count() + 1)
    }
}

/// The line and the column, in characters, that a byte of a text is on; both counted from 1.
pub fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    (line, before.get(start..).unwrap_or_default().chars().count() + 1)
}

/// The keys of one table.
pub struct Keys<'a> {
    document: &'a Document<'a>,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    path: String,
    asked: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    fn new(document: &'a Document<'a>, table: &'a DeTable<'a>, span: Range<usize>, path: String) -> Self {
        Keys { document, table, span, path, asked: Vec::new() }
    }

    fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key, if it is there.
    pub fn optional(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        Some(Node { document: self.document, path: self.path(key), value })
    }

    /// The value of a key; its absence is a problem.
    pub fn required(&mut self, key: &'static str) -> Option<Node<'a>> {
        let node = self.optional(key);
        if node.is_none() {
            self.report(key, Wrong::Missing);
        }
        node
    }

    /// Notes what is wrong with a key that is not there, or with the table as a whole.
    pub fn report(&self, key: &str, wrong: Wrong) {
        self.document.report(&self.span, &self.path(key), wrong);
    }

    /// The items of a list; absent is empty.
    pub fn list(&mut self, key: &'static str) -> Vec<Node<'a>> {
        self.optional(key).map(|node| node.list()).unwrap_or_default()
    }

    /// The items of a list that must be there and has at least one.
    pub fn filled_list(&mut self, key: &'static str) -> Vec<Node<'a>> {
        let Some(node) = self.required(key) else { return Vec::new() };
        let items = node.list();
        if items.is_empty() {
            node.report(Wrong::Blank);
        }
        items
    }

    /// Reads a table below this one; keys that `read` does not ask for are refused.
    ///
    /// If it is absent, it is read as an empty one, so that each key says for itself whether it is needed.
    pub fn table<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Keys<'_>) -> T) -> Option<T> {
        match self.optional(key) {
            Some(node) => node.keys(read),
            None => {
                let empty = DeTable::new();
                let mut keys = Keys::new(self.document, &empty, self.span.clone(), self.path(key));
                Some(read(&mut keys))
            }
        }
    }

    /// Reads `[[key]]` tables that each have an `id`, which has to be unique.
    pub fn entries<I, T>(&mut self, key: &'static str, mut read: impl FnMut(&mut Keys<'_>, I) -> T) -> Vec<T>
    where
        I: FromStr<Err = NotAnId>,
    {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut found = Vec::new();
        let prefix = self.path(key);
        for node in self.list(key) {
            let entry = node.keys(|keys| {
                let id = keys.required("id");
                let text = id.as_ref().and_then(|id| id.text()).unwrap_or_default();
                if let (Some(id), false) = (&id, text.is_empty()) {
                    keys.path = format!("{prefix}.{text}");
                    id.refuse_repeated(text, &mut seen);
                }
                // A stand-in lets the rest of an entry be read whose id is wrong; it never gets out.
                let id = id.and_then(|id| id.id::<I>()).or_else(|| "unnamed".parse().ok());
                id.map(|id| read(keys, id))
            });
            found.extend(entry.flatten());
        }
        found
    }

    /// Leaves out keys whose place is another file: they are passed over, or refused.
    pub fn leave_out(&mut self, keys: &[&'static str], file: &'static str, refused: bool) {
        for key in keys {
            if let (Some(node), true) = (self.optional(key), refused) {
                node.report(Wrong::HasItsOwnFile { file });
            }
        }
    }

    fn refuse_others(self) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(&name) {
                let nearest = nearest(name, self.asked.iter().copied());
                let wrong = Wrong::UnknownKey { nearest, allowed: self.asked.clone() };
                self.document.report(&key.span(), &self.path(name), wrong);
            }
        }
    }
}

/// One value and where it stands.
pub struct Node<'a> {
    document: &'a Document<'a>,
    path: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Node<'a> {
    /// Notes what is wrong with this value.
    pub fn report(&self, wrong: Wrong) {
        self.document.report(&self.span(), &self.path, wrong);
    }

    /// The bytes of the file that it takes.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    fn wrong_type<T>(&self, wanted: &'static str) -> Option<T> {
        self.report(Wrong::WrongType { wanted, found: kind(self.value.get_ref()) });
        None
    }

    /// A text, perhaps empty.
    pub fn text(&self) -> Option<&'a str> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            _ => self.wrong_type("text"),
        }
    }

    /// A text that says something.
    pub fn filled(&self) -> Option<String> {
        let text = self.text()?;
        if is_blank(text) {
            self.report(Wrong::Blank);
            return None;
        }
        if let Some(character) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.report(Wrong::ControlCharacter { character });
            return None;
        }
        Some(text.to_owned())
    }

    /// The same on one line, such as a name, which stands in lists and in the heads of mails.
    pub fn line(&self) -> Option<String> {
        let text = self.filled()?;
        if text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
            self.report(Wrong::NotOneLine);
            return None;
        }
        Some(text)
    }

    /// A text that `parse` understands.
    pub fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        parse(self.text()?).map_err(|wrong| self.report(wrong)).ok()
    }

    /// An id that is being defined.
    pub fn id<I: FromStr<Err = NotAnId>>(&self) -> Option<I> {
        self.parsed(|text| text.parse().map_err(Wrong::NotAnId))
    }

    /// The id of something that has to exist.
    pub fn known<I: FromStr<Err = NotAnId>>(&self, set: &Set) -> Option<I> {
        self.parsed(|text| {
            set.check(text)?;
            text.parse().map_err(Wrong::NotAnId)
        })
    }

    /// One of some words.
    pub fn one_of<T>(&self, words: &[(&'static str, T)]) -> Option<T>
    where
        T: Clone,
    {
        self.parsed(|text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, meaning)| meaning.clone()).ok_or_else(|| Wrong::NotOneOf {
                text: text.to_owned(),
                allowed: words.iter().map(|(word, _)| *word).collect(),
            })
        })
    }

    /// A whole number from `min` to `max`.
    pub fn whole(&self, min: u64, max: u64) -> Option<u64> {
        let DeValue::Integer(integer) = self.value.get_ref() else {
            return self.wrong_type("a whole number");
        };
        let found = u64::from_str_radix(integer.as_str(), integer.radix());
        let number = found.ok().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.report(Wrong::OutOfRange { found: integer.to_string(), min, max });
        }
        number
    }

    /// A number that is neither infinite nor not a number.
    pub fn number(&self) -> Option<f64> {
        let number = match self.value.get_ref() {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            // As TOML's own: at most 64 bits, which a double holds to 15 digits.
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            _ => return self.wrong_type("a number"),
        };
        let number = number.filter(|number| number.is_finite());
        if number.is_none() {
            self.report(Wrong::NotFinite);
        }
        number
    }

    /// Yes or no.
    pub fn flag(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong_type("true or false"),
        }
    }

    /// A day, written as TOML's local date or as text.
    pub fn day(&self) -> Option<jiff::civil::Date> {
        let text = match self.value.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => return self.wrong_type("a day as YYYY-MM-DD"),
        };
        let day = (text.len() == "YYYY-MM-DD".len()).then(|| text.parse().ok()).flatten();
        if day.is_none() {
            self.report(Wrong::NotADay { text });
        }
        day
    }

    /// The items of a list.
    pub fn list(&self) -> Vec<Node<'a>> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return self.wrong_type("a list").unwrap_or_default();
        };
        if items.len() > ENTRIES_MAX {
            self.report(Wrong::TooMany { found: items.len(), max: ENTRIES_MAX });
            return Vec::new();
        }
        let item = |(index, value)| Node { document: self.document, path: format!("{}[{index}]", self.path), value };
        items.iter().enumerate().map(item).collect()
    }

    /// Reads a table; keys that `read` does not ask for are refused.
    pub fn keys<T>(&self, read: impl FnOnce(&mut Keys<'_>) -> T) -> Option<T> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return self.wrong_type("a table");
        };
        let mut keys = Keys::new(self.document, table, self.span(), self.path.clone());
        let result = read(&mut keys);
        keys.refuse_others();
        Some(result)
    }

    /// A table of texts with free keys.
    pub fn texts(&self) -> Option<BTreeMap<String, String>> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return self.wrong_type("a table of texts");
        };
        let mut texts = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let node = Node { document: self.document, path: format!("{}.{name}", self.path), value };
            texts.extend(node.text().map(|text| (name, text.to_owned())));
        }
        Some(texts)
    }

    /// Refuses a text that stands in `seen`, with the byte where it stood first, else enters it there. Lines are counted for
    /// what is wrong only: counting them for each of many entries would take longer than all the rest.
    pub fn refuse_repeated(&self, text: &str, seen: &mut BTreeMap<String, usize>) {
        match seen.get(text) {
            Some(_) if self.document.has_enough() => {}
            Some(first) => {
                self.report(Wrong::Repeated { text: text.to_owned(), line: self.document.line(*first) });
            }
            None => _ = seen.insert(text.to_owned(), self.span().start),
        }
    }
}

/// Reads a list of texts with `read`, refusing what stands there twice.
pub fn distinct<'a, T>(nodes: Vec<Node<'a>>, read: impl Fn(&Node<'a>) -> Option<T>) -> Vec<T> {
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for node in nodes {
        if let Some(value) = read(&node) {
            node.refuse_repeated(node.text().unwrap_or_default(), &mut seen);
            found.push(value);
        }
    }
    found
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
