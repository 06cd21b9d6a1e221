//! The head of a message or of one of its parts.

use mail_parser::{ContentType, HeaderValue, Message, MessageParser, MimeHeaders as _};

use super::{FIELD_BYTES_MAX, NotRead};

/// The ids of other messages that a message names, the most that are looked at.
const IDS_MAX: usize = 50;

/// A head as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// All fields: names in lower case, values in one line, as they were written.
    pub(super) fields: Vec<(String, String)>,
    pub subject: String,
    /// Without the brackets.
    pub message_id: Option<String>,
    /// The messages that it answers, the nearest first.
    pub answers: Vec<String>,
    /// The media type, in lower case: `text` and `plain` where nothing is said.
    pub media_type: (String, String),
    pub charset: Option<String>,
    pub boundary: Option<String>,
    pub report_type: Option<String>,
    /// The transfer encoding, in lower case.
    pub encoding: String,
    pub is_attached: bool,
    /// The name of the file that a part is.
    pub name: Option<String>,
}

/// The head with the line that ends it, and the rest.
pub fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(length) = raw.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let line = raw.get(at..at + length).unwrap_or_default();
        at += length + 1;
        if line.is_empty() || line == b"\r" {
            return raw.split_at_checked(at).unwrap_or((raw, &[]));
        }
    }
    (raw, &[])
}

impl Head {
    /// Reads a head of at most so many bytes; `None` where it has no field.
    ///
    /// # Errors
    ///
    /// [`NotRead::LongHead`].
    pub fn read(bytes: &[u8], bytes_max: usize) -> Result<Option<Head>, NotRead> {
        if bytes.len() > bytes_max || longest_field(bytes) > FIELD_BYTES_MAX {
            return Err(NotRead::LongHead);
        }
        // A message may end with its head, and a field ends with its line.
        let ended = [bytes, b"\r\n\r\n"].concat();
        Ok(MessageParser::default().parse_headers(ended.as_slice()).as_ref().map(Head::of))
    }

    fn of(message: &Message<'_>) -> Head {
        let raw = |from: u32, to: u32| message.raw_message.get(from as usize..to as usize).unwrap_or_default();
        let fields = message.headers().iter().map(|header| {
            let (from, to, end) = (header.offset_field(), header.offset_start(), header.offset_end());
            let name = String::from_utf8_lossy(raw(from, to)).to_ascii_lowercase();
            let name = name.strip_suffix(':').unwrap_or(&name).trim_end();
            // The package reads over blanks in a name and before it. To mail systems `Fr om: x` is no author.
            let begins_line = from.checked_sub(1).is_none_or(|before| raw(before, from) == b"\n");
            let name = if begins_line { name.to_owned() } else { format!(" {name}") };
            let value = String::from_utf8_lossy(raw(to, end));
            (name, value.split_whitespace().collect::<Vec<_>>().join(" "))
        });
        let content = message.content_type();
        let attribute = |name: &str| content.and_then(|content| content.attribute(name)).map(str::to_owned);
        Head {
            fields: fields.collect(),
            subject: message.subject().unwrap_or_default().to_owned(),
            message_id: message.message_id().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned),
            answers: answers(message),
            media_type: content.map_or_else(plain, media_type),
            charset: attribute("charset"),
            boundary: attribute("boundary"),
            report_type: attribute("report-type").map(|kind| kind.to_ascii_lowercase()),
            encoding: message.content_transfer_encoding().unwrap_or_default().trim().to_ascii_lowercase(),
            is_attached: message.content_disposition().is_some_and(ContentType::is_attachment),
            name: message.attachment_name().map(decoded).filter(|name| !name.is_empty()),
        }
    }

    /// The values of the fields with this name, which is in lower case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The value of the first field with this name, which is in lower case.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The address of the one author; `None` where there are several, in one field or in two, since any of them could be meant.
    ///
    /// It is read here, and as it is written. A mail system looks at the same field to find out whether the author is forged, and where
    /// programs could read it in two ways, it may have looked at another address, or at none.
    pub fn author(&self) -> Option<String> {
        let mut fields = self.all("from");
        match (fields.next(), fields.next()) {
            (Some(field), None) => address(field),
            _ => None,
        }
    }

    /// Whether it is of this media type.
    pub fn is(&self, family: &str, kind: &str) -> bool {
        self.media_type.0 == family && self.media_type.1 == kind
    }
}

/// The bytes of the longest field of a head, with the lines that go on with it.
fn longest_field(head: &[u8]) -> usize {
    let (mut longest, mut field) = (0, 0);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let goes_on = line.first().is_some_and(|byte| matches!(*byte, b' ' | b'\t'));
        field = if goes_on { field + line.len() } else { line.len() };
        longest = longest.max(field);
    }
    longest
}

fn plain() -> (String, String) {
    ("text".to_owned(), "plain".to_owned())
}

fn media_type(content: &ContentType<'_>) -> (String, String) {
    let (family, kind) = (content.ctype().to_ascii_lowercase(), content.subtype().unwrap_or_default());
    (family, kind.to_ascii_lowercase())
}

/// The address in a field that has one and nothing that could be taken for another.
fn address(field: &str) -> Option<String> {
    let plain = unquoted(field)?;
    let (name, address) = match plain.trim().split_once('<') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix('>')?.trim()),
        None => ("", plain.trim()),
    };
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]:;,\"\\".contains(c);
    let is_one = address.matches('@').count() == 1 && !address.contains(is_odd);
    // Some programs write the address as the name, too.
    let is_named = !name.contains(['@', '>', ':', ';']) || name.eq_ignore_ascii_case(address);
    (is_one && is_named).then(|| address.to_ascii_lowercase())
}

/// A field with a space for each comment and a quotation mark for each quoted string (RFC 5322, section 3.2): their words are their
/// writer's to choose. `None` where one of them does not end, so that it is not known what is inside.
pub(super) fn unquoted(field: &str) -> Option<String> {
    let mut plain = String::with_capacity(field.len());
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for c in field.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted || depth > 0 => is_escaped = true,
            '"' if depth == 0 => {
                is_quoted = !is_quoted;
                plain.push_str(if is_quoted { "\"" } else { "" });
            }
            _ if is_quoted => {}
            '(' => depth += 1,
            ')' => {
                depth = depth.checked_sub(1)?;
                plain.push(' ');
            }
            _ if depth > 0 => {}
            _ => plain.push(c),
        }
    }
    (depth == 0 && !is_quoted).then_some(plain)
}

fn answers(message: &Message<'_>) -> Vec<String> {
    let ids = |value: &HeaderValue<'_>| -> Vec<String> {
        value.as_text_list().unwrap_or_default().iter().map(|id| id.trim().to_owned()).collect()
    };
    let mut found = ids(message.in_reply_to());
    // The last of the references is the nearest.
    for id in ids(message.references()).into_iter().rev() {
        if !found.contains(&id) {
            found.push(id);
        }
        if found.len() >= IDS_MAX {
            break;
        }
    }
    found.truncate(IDS_MAX);
    found
}

/// A file's name. Many programs write it as encoded words, which have no place in a parameter (RFC 2231 has another form for it).
fn decoded(name: &str) -> String {
    if !name.contains("=?") {
        return name.trim().to_owned();
    }
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let head = format!("Subject: {plain}\r\n\r\n");
    let message = MessageParser::default().parse_headers(head.as_bytes());
    message.and_then(|message| message.subject().map(|name| name.trim().to_owned())).unwrap_or(plain)
}
