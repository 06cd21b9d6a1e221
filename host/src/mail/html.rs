//! HTML as the text that its reader sees. Mail programs write it in many ways and break it in more: nothing that is visible is left
//! out for that.

use std::borrow::Cow;

use mail_parser::decoders::html::add_html_token;

use crate::desk::text::is_blank;

/// How many signs a line has that is quoted in quotes.
const QUOTES_MAX: usize = 8;
/// The longest name of a character, in bytes.
const ENTITY_BYTES_MAX: usize = 40;
/// The elements with which a new line begins, and after which one does.
const BLOCKS: [&str; 33] = [
    "address", "article", "aside", "body", "caption", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "section",
    "table", "tbody", "tr", "ul", "html",
];
/// The elements whose content is not for readers, as they end.
const RAW: [&str; 4] = ["</script", "</style", "</title", "</template"];
const COMMENT_END: &str = "-->";
/// A tag that ends where its attributes do.
const QUOTED_END: &str = "\">";
const END: &str = ">";
/// The elements that have no content.
const EMPTY: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// The elements whose ends writers may leave out: the next of their kind ends them.
const ENDED_BY_THE_NEXT: [&str; 8] = ["dd", "dt", "li", "option", "p", "td", "th", "tr"];
/// The elements that are in no paragraph: where one begins, a paragraph ends that its writer has not ended.
const IN_NO_PARAGRAPH: [&str; 28] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "pre",
    "section",
    "ul",
];
/// The words of a style by which an element is not shown.
const HIDING: [&str; 2] = ["display:none", "visibility:hidden"];

/// The words of a style by which a quote is none.
const INDENTED: &str = "border:none";

/// The text of a page. What it hides is left out, since its writer may have shown other words than those to the one who sent it on; a
/// page that hides everything, or hides to its end, is taken for a broken one.
pub fn text(html: &str) -> String {
    let page = Page::read(html, true);
    if page.hidden.is_none() && !is_blank(&page.text) { page.text } else { Page::read(html, false).text }
}

#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    Words(&'a str),
    Begin { name: &'a str, attributes: &'a str },
    End(&'a str),
}

struct Tokens<'a> {
    rest: &'a str,
    /// The ends that were looked for and are not in the rest, so that no other search for them goes through it.
    missing: Vec<&'static str>,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let Some(at) = self.rest.find('<') else {
                let words = std::mem::take(&mut self.rest);
                return (!words.is_empty()).then_some(Token::Words(words));
            };
            if at > 0 {
                let (words, rest) = self.rest.split_at_checked(at)?;
                self.rest = rest;
                return Some(Token::Words(words));
            }
            let after = self.rest.strip_prefix('<').unwrap_or_default();
            if let Some(comment) = after.strip_prefix("!--") {
                self.rest = self.after_comment(comment);
                continue;
            }
            let named = after.strip_prefix('/').unwrap_or(after);
            let is_element = named.starts_with(|c: char| c.is_ascii_alphabetic());
            let is_tag = is_element || after.starts_with(['!', '?', '/']);
            let Some((tag, rest)) = is_tag.then(|| self.tag(named)).flatten() else {
                // A sign of the text's own, such as that of `a < b`.
                self.rest = after;
                return Some(Token::Words("<"));
            };
            self.rest = rest;
            if !is_element {
                continue;
            }
            let end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
            let (name, attributes) = tag.split_at_checked(end).unwrap_or((tag, ""));
            if named.len() < after.len() {
                return Some(Token::End(name));
            }
            let raw = RAW.into_iter().find(|raw| raw.get(2..).is_some_and(|own| own.eq_ignore_ascii_case(name)));
            match raw {
                Some(raw) => self.skip_to(raw),
                None => return Some(Token::Begin { name, attributes }),
            }
        }
    }
}

impl<'a> Tokens<'a> {
    fn misses(&mut self, end: &'static str) {
        self.missing.push(end);
    }

    /// The rest after a comment; where that has no end, all that it says.
    fn after_comment(&mut self, comment: &'a str) -> &'a str {
        // `<!-->` and `<!--->` are comments, too.
        if let Some(rest) = [">", "->"].into_iter().find_map(|end| comment.strip_prefix(end)) {
            return rest;
        }
        if self.missing.contains(&COMMENT_END) {
            return comment;
        }
        match comment.split_once(COMMENT_END) {
            Some((_, rest)) => rest,
            None => {
                self.misses(COMMENT_END);
                comment
            }
        }
    }

    /// Goes on where an element ends; where it has no end, with what is in it.
    fn skip_to(&mut self, end: &'static str) {
        if self.missing.contains(&end) {
            return;
        }
        let found =
            self.rest.as_bytes().windows(end.len()).position(|bytes| bytes.eq_ignore_ascii_case(end.as_bytes()));
        match found.and_then(|at| self.rest.get(at..)) {
            Some(rest) => self.rest = rest,
            None => self.misses(end),
        }
    }

    /// A tag without the signs about it, and the rest after it.
    fn tag(&mut self, named: &'a str) -> Option<(&'a str, &'a str)> {
        let mut found = None;
        if !self.missing.contains(&QUOTED_END) {
            found = end_of_tag(named);
            if found.is_none() {
                self.misses(QUOTED_END);
            }
        }
        if found.is_none() && !self.missing.contains(&END) {
            found = named.find(END);
            if found.is_none() {
                self.misses(END);
            }
        }
        let (tag, rest) = named.split_at_checked(found?)?;
        Some((tag, rest.strip_prefix(END)?))
    }
}

/// Where a tag ends: at the first sign for it that is in no quoted value.
fn end_of_tag(tag: &str) -> Option<usize> {
    let (mut quote, mut before) = (None, b' ');
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if before == b'=' => quote = Some(byte),
            (None, _) => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    None
}

/// An element that is not shown, and how many of its kind are open.
struct Hidden<'a> {
    name: &'a str,
    open: usize,
}

impl Hidden<'_> {
    fn ends_with(&mut self, token: Token<'_>) -> bool {
        match token {
            Token::Begin { name, .. } if name.eq_ignore_ascii_case(self.name) => {
                self.open = if is_one_of(&ENDED_BY_THE_NEXT, name) { 0 } else { self.open + 1 };
            }
            Token::Begin { name, .. } if is_one_of(&["p"], self.name) && is_one_of(&IN_NO_PARAGRAPH, name) => {
                self.open = 0;
            }
            Token::End(name) if name.eq_ignore_ascii_case(self.name) => self.open -= 1,
            _ => {}
        }
        self.open == 0
    }
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

/// Whether an element is not shown, by its own style.
fn is_hidden(name: &str, attributes: &str) -> bool {
    if is_one_of(&EMPTY, name) || is_one_of(&["body", "html"], name) {
        return false;
    }
    let style = compact(attributes);
    HIDING.iter().any(|sign| style.contains(sign))
}

/// The attributes of an element in lower case, without blanks.
fn compact(attributes: &str) -> String {
    let compact: String = attributes.chars().filter(|c| !c.is_whitespace()).collect();
    compact.to_ascii_lowercase()
}

/// A page, as far as it was read.
#[derive(Default)]
struct Page<'a> {
    text: String,
    /// Whether the last line has a character.
    is_begun: bool,
    has_space: bool,
    /// For each element of quotes that is open whether it is one, and how many are.
    open: Vec<bool>,
    quotes: usize,
    /// The elements that keep their lines.
    kept: usize,
    hidden: Option<Hidden<'a>>,
}

impl<'a> Page<'a> {
    fn read(html: &'a str, hides: bool) -> Page<'a> {
        let mut page = Page::default();
        for token in (Tokens { rest: html, missing: Vec::new() }) {
            if let Some(hidden) = &mut page.hidden {
                let is_over = hidden.ends_with(token);
                if is_over {
                    page.hidden = None;
                }
                if !is_over || matches!(token, Token::End(_)) {
                    continue;
                }
            }
            match token {
                Token::Words(words) => page.say(words),
                Token::Begin { name, attributes } if hides && is_hidden(name, attributes) => {
                    page.hidden = Some(Hidden { name, open: 1 });
                }
                Token::Begin { name, attributes } => page.element(name, Some(attributes)),
                Token::End(name) => page.element(name, None),
            }
        }
        page
    }

    /// An element begins, with these attributes, or ends.
    fn element(&mut self, name: &str, attributes: Option<&str>) {
        match name.to_ascii_lowercase().as_str() {
            "br" => self.new_line(),
            "td" | "th" => self.has_space = true,
            "blockquote" => {
                self.end_line();
                if let Some(attributes) = attributes {
                    // Programs indent words of the author's own by the same element.
                    let is_quote = !compact(attributes).contains(INDENTED);
                    self.quotes += usize::from(is_quote);
                    self.open.push(is_quote);
                } else if self.open.pop() == Some(true) {
                    self.quotes -= 1;
                }
            }
            "pre" => {
                self.end_line();
                self.kept = if attributes.is_some() { self.kept + 1 } else { self.kept.saturating_sub(1) };
            }
            name if BLOCKS.contains(&name) => self.end_line(),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.has_space = false;
        if self.is_begun {
            self.new_line();
        }
    }

    fn new_line(&mut self) {
        self.text.push('\n');
        (self.is_begun, self.has_space) = (false, false);
    }

    fn say(&mut self, words: &str) {
        for c in characters(words).chars() {
            if c == '\n' && self.kept > 0 {
                self.new_line();
            } else if c.is_ascii_whitespace() && self.kept == 0 {
                self.has_space = true;
            } else {
                if !self.is_begun {
                    self.text.extend(std::iter::repeat_n("> ", self.quotes.min(QUOTES_MAX)));
                } else if self.has_space {
                    self.text.push(' ');
                }
                (self.is_begun, self.has_space) = (true, false);
                self.text.push(c);
            }
        }
    }
}

/// Words with the characters that are written by their names or numbers.
fn characters(words: &str) -> Cow<'_, str> {
    let Some((first, rest)) = words.split_once('&') else { return Cow::Borrowed(words) };
    let mut out = first.to_owned();
    for piece in rest.split('&') {
        match piece.split_once(';').filter(|(name, _)| is_name(name)) {
            Some((name, words)) => {
                add_html_token(&mut out, format!("&{name};").as_bytes(), false);
                out.push_str(words);
            }
            None => {
                out.push('&');
                out.push_str(piece);
            }
        }
    }
    Cow::Owned(out)
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'#';
    !name.is_empty() && name.len() <= ENTITY_BYTES_MAX && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn what_a_reader_sees_is_there_however_it_is_written() {
        for (html, wanted) in [
            ("a<!---->b<!--- x --->c<!-- > -->d<!-->e<!--->f", "abcdef"),
            ("<html><head><meta charset=x><title>t</title><body>words", "words"),
            (
                "<style type=\"text/css\">p > a { color: red }</style>words<script src='x'>if (a<b) c()</script>",
                "words",
            ),
            ("<a title=\"a > b\" href=x>words</a> here", "words here"),
            ("if a < b and b > c, 1<2", "if a < b and b > c, 1<2"),
            ("<p class=a>one</p>\n<p class=b>two</p>", "one\ntwo\n"),
            ("<br clear=all>one<br class=x />two", "\none\ntwo"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
            ("Gr&uuml;&#223;e &amp; &lt;b&gt; &nosuch; R&D; &", "Gr\u{fc}\u{df}e & <b> &nosuch; R&D; &"),
            ("<pre>a\n  b</pre>c", "a\n  b\nc"),
            ("<!--[if mso]><p>other</p><![endif]--><![if !mso]>words<![endif]><o:p></o:p>", "words"),
            ("<DIV>one</DIV>\u{fc}<Div\n class='x'>two", "one\n\u{fc}\ntwo"),
        ] {
            assert_eq!(text(html), wanted, "{html}");
        }
    }

    #[test]
    fn what_has_no_end_loses_no_words() {
        for html in ["<!-- words", "<style>words", "<a href=\"x>words", "<div style=\"display:none\">words", "<words"] {
            assert!(text(html).contains("words"), "{html}");
        }
        // A search for each of these would go through all the rest.
        for piece in ["<!--", "<style>", "<a \"", "<a =\"", "<", "&", "<blockquote>x", "</", "<div style=display:none>"]
        {
            let many = piece.repeat(50_000);
            assert!(text(&many).len() <= many.len() * 20, "{piece}");
        }
    }

    #[test]
    fn words_that_no_reader_saw_are_left_out() {
        for html in [
            "<div style=\"max-height:0; DISPLAY : none\">hidden<div>more</div></div>seen",
            "seen<span style='visibility:hidden'>hidden</span>",
            "<p style=display:none>hidden<p>seen",
            "<P style=display:none>hidden <b>more</b><DIV>seen</DIV></p>",
            "<p style=display:none>hidden<pre>seen</pre><p></p>",
            "<img style=\"display:none\">seen",
            "<br style=display:none>seen",
        ] {
            assert_eq!(text(html).trim(), "seen", "{html}");
        }
        assert_eq!(text("<div style=\"display:none\">all of it</div>").trim(), "all of it");
    }

    #[test]
    fn quotes_are_marked_line_by_line() {
        let html = "<div>no</div><div>On Monday x wrote:<br></div><blockquote class=q>which?<br>where?<blockquote>old\
                    </blockquote></blockquote>the left<blockquote>since?</blockquote>";
        let indented = "<blockquote style=\"margin: 0 0 0 40px; border: none\">one</blockquote>two";
        assert_eq!(text(indented), "one\ntwo");
        assert_eq!(text(html), "no\nOn Monday x wrote:\n> which?\n> where?\n> > old\nthe left\n> since?\n");
    }
}
