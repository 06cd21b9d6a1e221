//! Reads the JSON that settings arrive as into a tree. It knows nothing of rules or of serde.
//!
//! It is small on purpose: a rule is compiled anew whenever it changes, so every kilobyte delays a reload. It trusts
//! nobody: wrong JSON is an error, and nesting is bounded.

use std::fmt;

/// Tables and lists inside each other at most; deeper settings are an error, not a stack overflow.
const DEPTH_MAX: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Null,
    Flag(bool),
    /// A whole number below zero.
    Negative(i64),
    /// A whole number from zero.
    Whole(u64),
    Fraction(f64),
    Text(String),
    List(Vec<Node>),
    /// Keys in the order written.
    Table(Vec<(String, Node)>),
}

/// Where and why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson {
    /// The byte at which reading stopped.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings are not JSON at byte {}: expected {}", self.at, self.expected)
    }
}

/// Reads one JSON value.
///
/// Numbers with at most 15 digits are read exactly, others to within a few units in the last place.
///
/// # Errors
///
/// Says at which byte something else was expected.
pub fn parse(text: &str) -> Result<Node, NotJson> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.expected("the end"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn expected(&self, expected: &'static str) -> NotJson {
        NotJson { at: self.at, expected }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, NotJson> {
        if depth > DEPTH_MAX {
            return Err(self.expected("less nesting"));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.table(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => Ok(Node::Text(self.string()?)),
            Some(b't') => self.word("true", Node::Flag(true)),
            Some(b'f') => self.word("false", Node::Flag(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &str, node: Node) -> Result<Node, NotJson> {
        if !self.rest().starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(node)
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn table(&mut self, depth: usize) -> Result<Node, NotJson> {
        let mut entries = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Node::Table(entries));
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.expected("`:`"));
            }
            entries.push((key, self.value(depth + 1)?));
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Node::Table(entries));
            }
            if !self.eat(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, NotJson> {
        let mut nodes = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.eat(b']') {
            return Ok(Node::List(nodes));
        }
        loop {
            nodes.push(self.value(depth + 1)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Node::List(nodes));
            }
            if !self.eat(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn string(&mut self) -> Result<String, NotJson> {
        if !self.eat(b'"') {
            return Err(self.expected("a string"));
        }
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(stop) = rest.bytes().position(|b| matches!(b, b'"' | b'\\') || b < 0x20) else {
                return Err(self.expected("the string's end"));
            };
            text.push_str(rest.get(..stop).unwrap_or_default());
            self.at += stop;
            if self.eat(b'"') {
                return Ok(text);
            }
            if !self.eat(b'\\') {
                return Err(self.expected("no control character"));
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, NotJson> {
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.escaped_unit(),
            _ => return Err(self.expected("an escape")),
        })
    }

    /// The character of a `\uXXXX`, or of two that form a pair.
    fn escaped_unit(&mut self) -> Result<char, NotJson> {
        let first = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.hex4()?;
            0x1_0000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
        } else {
            first
        };
        char::from_u32(code).ok_or(self.expected("a character's code"))
    }

    fn hex4(&mut self) -> Result<u32, NotJson> {
        let digits = self.rest().get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        self.at += 4;
        code.ok_or(self.expected("four hexadecimal digits"))
    }

    fn number(&mut self) -> Result<Node, NotJson> {
        let negative = self.eat(b'-');
        let (mut digits, mut exponent, mut whole) = (0_u64, 0_i32, true);
        let start = self.at;
        self.digits(&mut digits, &mut exponent, false);
        if self.at == start {
            return Err(self.expected("a digit"));
        }
        whole &= exponent == 0;
        if self.eat(b'.') {
            whole = false;
            self.digits(&mut digits, &mut exponent, true);
        }
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            let minus = self.eat(b'-');
            if !minus {
                self.eat(b'+');
            }
            let (mut power, mut dropped) = (0_u64, 0);
            self.digits(&mut power, &mut dropped, false);
            let power = i32::try_from(power).unwrap_or(i32::MAX).min(9_999);
            exponent = exponent.saturating_add(if minus { -power } else { power });
        }
        Ok(match (whole, negative, i64::try_from(digits)) {
            (true, false, _) => Node::Whole(digits),
            (true, true, Ok(value)) => Node::Negative(-value),
            _ => Node::Fraction(scaled(digits, exponent) * if negative { -1.0 } else { 1.0 }),
        })
    }

    /// Appends decimal digits; those that no longer fit only move the exponent.
    fn digits(&mut self, digits: &mut u64, exponent: &mut i32, fraction: bool) {
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            let more = digits.checked_mul(10).and_then(|d| d.checked_add(u64::from(byte - b'0')));
            match more {
                Some(more) if *exponent <= 0 || fraction => {
                    *digits = more;
                    *exponent -= i32::from(fraction);
                }
                _ => *exponent = exponent.saturating_add(i32::from(!fraction)),
            }
        }
    }
}

/// `digits` times ten to the `exponent`.
///
/// The standard parser would add 19 kilobytes to every rule. Up to 15 digits and a power up to 22 both factors are
/// exact, so that the one rounding gives the same result.
fn scaled(digits: u64, exponent: i32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "numbers of more than 15 digits are rounded, as documented")]
    let mut value = digits as f64;
    let mut left = exponent.unsigned_abs().min(400);
    while left > 0 {
        let step = left.min(22);
        let power = (0..step).fold(1.0_f64, |power, _| power * 10.0);
        value = if exponent < 0 { value / power } else { value * power };
        left -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Node {
        Node::Text(s.to_owned())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let parsed = parse(r#" {"a": [1, -2, 2.5, true, null], "b": {"c": "x"}, "d": {}, "e": []} "#);
        let list = vec![Node::Whole(1), Node::Negative(-2), Node::Fraction(2.5), Node::Flag(true), Node::Null];
        let expected = Node::Table(vec![
            ("a".to_owned(), Node::List(list)),
            ("b".to_owned(), Node::Table(vec![("c".to_owned(), text("x"))])),
            ("d".to_owned(), Node::Table(vec![])),
            ("e".to_owned(), Node::List(vec![])),
        ]);
        assert_eq!(parsed, Ok(expected));
    }

    #[test]
    fn numbers_agree_with_the_standard_parser() {
        for written in ["0.1", "0.15", "1e3", "2.5E-2", "1e22", "123456.789", "0.000001", "99.99", "4e+2"] {
            let expected: f64 = written.parse().unwrap();
            assert_eq!(parse(written), Ok(Node::Fraction(expected)), "{written}");
        }
        assert_eq!(parse("18446744073709551615"), Ok(Node::Whole(u64::MAX)));
        let Ok(Node::Fraction(large)) = parse("184467440737095516160") else { panic!() };
        assert!((large / 1.844_674_407_370_955e20 - 1.0).abs() < 1e-12);
        let Ok(Node::Fraction(pi)) = parse("3.14159265358979323846264") else { panic!() };
        assert!((pi - std::f64::consts::PI).abs() < 1e-12);
    }

    #[test]
    fn escapes_are_read_as_their_characters() {
        assert_eq!(parse(r#""a\n\"\u00e9\ud83d\ude00/""#), Ok(text("a\n\"é😀/")));
    }

    #[test]
    fn what_is_not_json_is_an_error_with_its_place() {
        for wrong in
            ["", "{", "[1,", "\"a", "{\"a\" 1}", "tru", "1 2", "-", "\"\\ud800\"", "\"\\u12", "{a:1}", "\"\\uzzzz\""]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse("[1 2]"), Err(NotJson { at: 3, expected: "`,` or `]`" }));
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
