//! Mail that comes in: a message (RFC 5322) as the desk reads it, and the law of what it is. Pure: the use case is in `app`.
//!
//! Only the head is read by a package. The body is taken apart here, because a message may hold messages, encoded ones too, and
//! each level of those costs a reader that goes down into them some of its stack: here they are files and nothing more.

mod body;
mod head;
mod html;
pub mod nature;
mod quoted;
#[cfg(test)]
mod tests;
pub mod thread;

use crate::desk::organisation::form::{BODY_CHARS_MAX, SUBJECT_CHARS_MAX};
use crate::desk::text::{into_normal, is_blank};
use head::Head;
use nature::{Bounce, Nature};
use thread::Evidence;

pub use body::File;

/// The bytes of the head of a message, and of the head of a part, which names a file and little else.
const HEAD_BYTES_MAX: usize = 256 << 10;
const PART_HEAD_BYTES_MAX: usize = 8 << 10;
/// The bytes of one field. The time that the package takes for one grows with the square of them: for the beginnings of encoded words
/// that have no end, and for a parameter in very many pieces.
const FIELD_BYTES_MAX: usize = 32 << 10;
/// The parts of a message, at all depths.
const PARTS_MAX: usize = 200;
/// How deep parts may be in others.
const DEPTH_MAX: usize = 10;
/// The bytes of a part that is shown as text; a longer one is a file.
const TEXT_BYTES_MAX: usize = 4 << 20;
/// The end of a text that was cut.
const CUT: &str = "\n[\u{2026}]";
/// The words with which mail programs begin the subject of a mail that is sent on.
const FORWARDED: [&str; 3] = ["fwd", "fw", "wg"];
/// The words by which people say that they have answered between the lines, in lower case.
const BELOW: [&str; 8] =
    ["inline", "in-line", "see below", "answers below", "comments below", "siehe unten", "s. u.", "weiter unten"];
/// The fields of a head that rules are asked with, and the longest of their values, in characters.
const FOR_RULES: [&str; 9] =
    ["from", "to", "cc", "reply-to", "subject", "message-id", "importance", "x-priority", "content-language"];
const FOR_RULES_CHARS_MAX: usize = 998;

/// Why a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    #[error("has no head: send it as the mail system has it, from the first line of its head on")]
    NoHead,
    #[error("has a longer head than mail programs write, or a longer field in one: send it to fewer people at once")]
    LongHead,
    #[error("has more than {PARTS_MAX} parts: send fewer files at once")]
    ManyParts,
    #[error("has parts in parts, more than {DEPTH_MAX} deep: send the files alone")]
    Deep,
}

/// A message as the desk reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address of its author, in lower case; `None` where it names none, or several.
    pub from: Option<String>,
    /// In one line, and no longer than a ticket's.
    pub subject: String,
    /// All that its author wrote, with what it quotes: as much of it as a ticket takes.
    pub text: String,
    /// The same without what it quotes, as far as that is certain.
    pub reply: String,
    /// Whether its author means what is below as well: sends the mail of another on, or has written between its lines.
    pub points_below: bool,
    pub files: Vec<File>,
    /// Fields of the head for the rules.
    pub headers: Vec<(String, String)>,
    pub evidence: Evidence,
    /// By what it is known as the same when it comes again: its id, or where it has none, who wrote what and when.
    pub identity: String,
    /// When it was written, as its author's program says: two mails with one id and two times are two.
    pub written: String,
    /// The head, to tell who vouches for it.
    head: Head,
    bounce: Option<Bounce>,
}

impl Mail {
    /// Whether a mail system of this name says that the author's domain stands behind it.
    pub fn is_vouched_for_by(&self, authserv_id: &str) -> bool {
        let domain = self.from.as_deref().and_then(|from| from.rsplit_once('@')).map_or("", |(_, domain)| domain);
        nature::vouches(&self.head, authserv_id, domain)
    }

    /// Who is behind it, for a desk that has these addresses and these mailing lists.
    pub fn nature(&self, own: &[String], lists: &[String]) -> Nature<'_> {
        nature::of(&self.head, self.from.as_deref(), (own, lists), self.bounce.as_ref())
    }
}

/// Reads a message.
///
/// # Errors
///
/// [`NotRead`].
pub fn read(raw: &[u8]) -> Result<Mail, NotRead> {
    let (head_bytes, _) = head::split(raw);
    let head = Head::read(head_bytes, HEAD_BYTES_MAX)?.ok_or(NotRead::NoHead)?;
    let found = body::read(raw)?;
    let text = found.text();
    let subject = line(&head.subject, SUBJECT_CHARS_MAX);
    let from = head.author();
    let written = head.first("date").unwrap_or_default().to_owned();
    let identity = match &head.message_id {
        Some(id) => format!("id {id}"),
        None => {
            let files = found.files.iter().map(|file| format!("{} {}", file.name, file.bytes.len()));
            let files = files.collect::<Vec<_>>().join(" ");
            format!("content {} {written} {subject} {text} {files}", from.as_deref().unwrap_or_default())
        }
    };
    let headers = FOR_RULES.iter().filter_map(|name| {
        let value = if *name == "subject" { Some(subject.as_str()) } else { head.first(name) };
        Some(((*name).to_owned(), line(value?, FOR_RULES_CHARS_MAX)))
    });
    let headers = headers.collect();
    let bounce = nature::bounce(&head, &found);
    let whole = into_normal(text);
    let begun = beginning(&whole);
    // An answer may be its files alone; else words are never lost.
    let is_said_by_files = !found.files.is_empty() && !points_below(&subject, "");
    let reply = quoted::without(begun);
    let reply = if is_blank(reply) && !is_said_by_files { begun } else { reply };
    let marked = |text: &str| match text.len() == begun.len() && begun.len() < whole.len() {
        true => format!("{text}{CUT}"),
        false => text.to_owned(),
    };
    let (text, reply) = (marked(begun), marked(reply));
    let evidence = Evidence::of(&head, &subject);
    let points_below = points_below(&subject, &reply);
    let files = found.files;
    Ok(Mail { from, subject, text, reply, points_below, files, headers, evidence, identity, written, bounce, head })
}

/// Whether the author of these words means what is below them.
fn points_below(subject: &str, words: &str) -> bool {
    let first = subject.split_once(':').map_or("", |(first, _)| first.trim());
    let words = words.to_lowercase();
    FORWARDED.iter().any(|word| word.eq_ignore_ascii_case(first)) || BELOW.iter().any(|word| words.contains(word))
}

/// As much of a text as a ticket takes, with room for a mark where that is not all: answers to answers grow long by what they quote,
/// which is below the new words.
fn beginning(text: &str) -> &str {
    if text.char_indices().nth(BODY_CHARS_MAX).is_none() {
        return text;
    }
    let end = text.char_indices().nth(BODY_CHARS_MAX - CUT.chars().count());
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// A text in one line, without characters that deceive, and no longer than this.
fn line(text: &str, chars_max: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() || is_end_of_line(c) { ' ' } else { c }).collect();
    let joined = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().filter(|c| !turns(*c)).take(chars_max).collect()
}

/// A text in lines, without the characters that no text of a ticket has.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let kept = text.chars().map(|c| if is_end_of_line(c) || c == '\r' { '\n' } else { c });
    let kept: String = kept.filter(|c| !turns(*c) && (!c.is_control() || matches!(c, '\n' | '\t'))).collect();
    kept.trim().to_owned()
}

/// The ends of lines that Unicode has besides.
fn is_end_of_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// The overrides of direction, with which a text reads as another.
fn turns(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}
