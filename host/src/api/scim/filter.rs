//! Filters of lists and of paths (RFC 7644, section 3.4.2.2): `userName eq "amara" and not (active eq false)`.

use serde_json::Value;

/// The longest filter, in bytes.
const BYTES_MAX: usize = 2_000;
/// How deep parentheses may lie in each other.
const DEPTH_MAX: usize = 20;
/// The most comparisons of a filter: each is made with every entry of the directory, or every value of a list.
const COMPARISONS_MAX: usize = 50;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    /// An attribute, a word such as `eq`, and the value that it is compared with.
    Compare(String, Word, Value),
    /// An attribute with several values, one of which fits.
    Among(String, Box<Filter>),
}

/// The words that compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Equal,
    NotEqual,
    Contains,
    Begins,
    Ends,
    Present,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

const WORDS: [(&str, Word); 10] = [
    ("eq", Word::Equal),
    ("ne", Word::NotEqual),
    ("co", Word::Contains),
    ("sw", Word::Begins),
    ("ew", Word::Ends),
    ("pr", Word::Present),
    ("gt", Word::Greater),
    ("ge", Word::GreaterOrEqual),
    ("lt", Word::Less),
    ("le", Word::LessOrEqual),
];

/// A text that is no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoFilter;

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    ///
    /// [`NoFilter`].
    pub fn read(text: &str) -> Result<Filter, NoFilter> {
        if text.len() > BYTES_MAX {
            return Err(NoFilter);
        }
        let mut reader = Reader { rest: text.trim_start(), depth: 0 };
        let filter = reader.any()?;
        if filter.comparisons() > COMPARISONS_MAX {
            return Err(NoFilter);
        }
        reader.rest.is_empty().then_some(filter).ok_or(NoFilter)
    }

    /// How many comparisons it makes with one value.
    pub fn comparisons(&self) -> usize {
        match self {
            Filter::And(one, other) | Filter::Or(one, other) => one.comparisons() + other.comparisons(),
            Filter::Not(one) | Filter::Among(_, one) => one.comparisons(),
            Filter::Compare(..) => 1,
        }
    }

    /// Whether it holds for a resource, or for one value of several.
    pub fn holds(&self, about: &Value) -> bool {
        match self {
            Filter::And(one, other) => one.holds(about) && other.holds(about),
            Filter::Or(one, other) => one.holds(about) || other.holds(about),
            Filter::Not(one) => !one.holds(about),
            Filter::Compare(path, word, value) => {
                let found = values(about, path);
                match word {
                    Word::Present => !found.is_empty(),
                    Word::NotEqual => !found.iter().any(|one| compares(one, Word::Equal, value, path)),
                    word => found.iter().any(|one| compares(one, *word, value, path)),
                }
            }
            Filter::Among(path, filter) => values(about, path).iter().any(|one| filter.holds(one)),
        }
    }
}

/// The member of an object with a name; case does not matter.
pub fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A path's parts: a schema's name is one, though it has dots.
pub fn parts(path: &str) -> Vec<&str> {
    match path.rsplit_once(':') {
        Some((schema, rest)) if path.to_ascii_lowercase().starts_with("urn:") => {
            // The core's own attributes stand at the top.
            let core = schema.to_ascii_lowercase().contains(":core:");
            // The version's dot and number belong to the schema.
            match rest.split_once('.') {
                _ if schema.to_ascii_lowercase().ends_with(":2.0") => vec![path],
                Some((name, sub)) if core => vec![name, sub],
                Some((name, sub)) => vec![schema, name, sub],
                None if core => vec![rest],
                None => vec![schema, rest],
            }
        }
        _ => path.split('.').collect(),
    }
}

/// All values at a path; each of a list, and of a complex one its `value`.
fn values<'v>(about: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![about];
    for part in parts(path) {
        found = found.into_iter().filter_map(|value| member(value, part)).flat_map(each).collect();
    }
    found.retain(|value| {
        !value.is_null() && value.as_str() != Some("") && value.as_array().is_none_or(|all| !all.is_empty())
    });
    found
}

fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |all| all.iter().collect())
}

fn compares(found: &Value, word: Word, value: &Value, path: &str) -> bool {
    let found = if found.is_object() { member(found, "value").unwrap_or(found) } else { found };
    match (found, value) {
        (Value::String(found), Value::String(value)) => {
            // The case of ids counts, that of names does not.
            let exact = parts(path)
                .last()
                .is_some_and(|last| ["id", "externalid"].iter().any(|exact| last.eq_ignore_ascii_case(exact)));
            let (found, value) =
                if exact { (found.clone(), value.clone()) } else { (found.to_lowercase(), value.to_lowercase()) };
            match word {
                Word::Equal => found == value,
                Word::Contains => found.contains(&value),
                Word::Begins => found.starts_with(&value),
                Word::Ends => found.ends_with(&value),
                Word::Greater => found > value,
                Word::GreaterOrEqual => found >= value,
                Word::Less => found < value,
                Word::LessOrEqual => found <= value,
                Word::NotEqual | Word::Present => false,
            }
        }
        (Value::Bool(found), Value::String(text)) => {
            word == Word::Equal && text.eq_ignore_ascii_case(if *found { "true" } else { "false" })
        }
        (Value::Number(found), Value::Number(value)) => {
            let (Some(found), Some(value)) = (found.as_f64(), value.as_f64()) else { return false };
            match word {
                Word::Equal => found == value,
                Word::Greater => found > value,
                Word::GreaterOrEqual => found >= value,
                Word::Less => found < value,
                Word::LessOrEqual => found <= value,
                _ => false,
            }
        }
        (found, value) => word == Word::Equal && found == value,
    }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<Filter, NoFilter> {
        let mut filter = self.all()?;
        while self.word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        Ok(filter)
    }

    fn all(&mut self) -> Result<Filter, NoFilter> {
        let mut filter = self.one()?;
        while self.word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, NoFilter> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(NoFilter);
        }
        let filter = if self.word("not") {
            self.sign('(')?;
            let inner = self.any()?;
            self.sign(')')?;
            Filter::Not(Box::new(inner))
        } else if self.rest.starts_with('(') {
            self.sign('(')?;
            let inner = self.any()?;
            self.sign(')')?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, NoFilter> {
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.:$/".contains(c))).unwrap_or(self.rest.len());
        let (path, rest) = self.rest.split_at(end);
        if path.is_empty() {
            return Err(NoFilter);
        }
        let path = path.to_owned();
        self.rest = rest;
        if self.rest.starts_with('[') {
            self.sign('[')?;
            let inner = self.any()?;
            self.sign(']')?;
            return Ok(Filter::Among(path, Box::new(inner)));
        }
        self.rest = self.rest.trim_start();
        let word = WORDS.into_iter().find(|(text, _)| self.word(text)).ok_or(NoFilter)?.1;
        let value = if word == Word::Present { Value::Null } else { self.value()? };
        Ok(Filter::Compare(path, word, value))
    }

    /// A value as JSON writes it.
    fn value(&mut self) -> Result<Value, NoFilter> {
        let end = if self.rest.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            values.next().ok_or(NoFilter)?.map_err(|_| NoFilter)?;
            values.byte_offset()
        } else {
            self.rest.find(|c: char| c.is_whitespace() || ")]".contains(c)).unwrap_or(self.rest.len())
        };
        let (value, rest) = self.rest.split_at_checked(end).ok_or(NoFilter)?;
        self.rest = rest.trim_start();
        let value: Value = serde_json::from_str(value).map_err(|_| NoFilter)?;
        if value.is_object() || value.is_array() { Err(NoFilter) } else { Ok(value) }
    }

    /// Takes a word, if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let Some(found) = self.rest.get(..word.len()).filter(|found| found.eq_ignore_ascii_case(word)) else {
            return false;
        };
        let rest = self.rest.get(found.len()..).unwrap_or_default();
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return false;
        }
        self.rest = rest.trim_start();
        true
    }

    fn sign(&mut self, sign: char) -> Result<(), NoFilter> {
        self.rest = self.rest.trim_start().strip_prefix(sign).ok_or(NoFilter)?.trim_start();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(filter: &str) -> bool {
        let user = json!({ "userName": "Amara@Example.org", "externalId": "A1", "active": true, "title": "",
            "emails": [{ "type": "work", "value": "amara@example.org" }, { "type": "home", "value": "a@home.example" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "Finance" } });
        Filter::read(filter).unwrap().holds(&user)
    }

    #[test]
    fn filters_of_providers_hold_as_they_are_meant() {
        for yes in [
            "userName eq \"amara@example.org\"",
            "externalId eq \"A1\" and active eq true",
            "emails[type eq \"work\" and value co \"example\"]",
            "emails.value eq \"a@home.example\"",
            "not (userName sw \"b\") and (title pr or active eq true)",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"finance\"",
            "USERNAME EW \".ORG\"",
            "active eq \"True\"",
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in ["externalId eq \"a1\"", "title pr", "userName ne \"amara@example.org\"", "nickName eq \"x\""] {
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}a pr{}", "(".repeat(99), ")".repeat(99));
        let long = |n: usize| vec!["a pr"; n].join(" or ");
        assert!(Filter::read(&long(COMPARISONS_MAX)).is_ok());
        let long = long(COMPARISONS_MAX + 1);
        for bad in [
            "",
            "userName",
            "userName eq",
            "userName is \"x\"",
            "a eq {}",
            "(a pr",
            "a pr b",
            "a eq \"x",
            deep.as_str(),
            long.as_str(),
        ] {
            assert_eq!(Filter::read(bad), Err(NoFilter), "{bad}");
        }
    }
}
