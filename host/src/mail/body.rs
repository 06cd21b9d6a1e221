//! The body of a message: its words as text, and everything else as files.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

use super::head::{Head, split};
use super::{DEPTH_MAX, HEAD_BYTES_MAX, NotRead, PART_HEAD_BYTES_MAX, PARTS_MAX, TEXT_BYTES_MAX, html, lines};
use crate::desk::text::is_blank;

/// Base64 as mail programs write it: with padding or without, and with bits left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// The names of the encoding that programs name which know of none: what is in it says itself that it is not in another.
const ASCII: [&str; 3] = ["us-ascii", "ascii", "ansi_x3.4-1968"];
/// The names of an encoding that only mail has (RFC 2152).
const UTF_7: [&str; 2] = ["utf-7", "unicode-1-1-utf-7"];

/// The most bytes of plain words that may say no more than that HTML is needed.
const NOTICE_BYTES_MAX: usize = 300;

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// Words of a message.
#[derive(Debug, Clone)]
struct Words {
    is_html: bool,
    text: String,
}

/// All that was found in a message, or in a part of one.
#[derive(Debug, Default)]
pub struct Found {
    words: Vec<Words>,
    pub files: Vec<File>,
    /// The report of a mail system about a delivery (RFC 3464).
    pub status: Option<String>,
    /// The message that it is about, or the head of that.
    pub returned: Option<String>,
}

impl Found {
    /// All words, in order.
    pub fn text(&self) -> String {
        let texts = self.words.iter().map(|words| lines(&words.text)).filter(|text| !is_blank(text));
        texts.collect::<Vec<_>>().join("\n\n")
    }

    fn add(&mut self, other: Found) {
        self.words.extend(other.words);
        self.files.extend(other.files);
        self.status = self.status.take().or(other.status);
        self.returned = self.returned.take().or(other.returned);
    }
}

/// Reads a whole message.
///
/// # Errors
///
/// [`NotRead`].
pub fn read(raw: &[u8]) -> Result<Found, NotRead> {
    Walk::default().part(raw, 0)
}

#[derive(Default)]
struct Walk {
    parts: usize,
}

impl Walk {
    fn part(&mut self, raw: &[u8], depth: usize) -> Result<Found, NotRead> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(NotRead::ManyParts);
        }
        if depth > DEPTH_MAX {
            return Err(NotRead::Deep);
        }
        let (head, body) = split(raw);
        let plain = || Head { media_type: ("text".to_owned(), "plain".to_owned()), ..Head::default() };
        let bytes_max = if depth == 0 { HEAD_BYTES_MAX } else { PART_HEAD_BYTES_MAX };
        let head = Head::read(head, bytes_max)?.unwrap_or_else(plain);
        match &head.boundary {
            Some(boundary) if head.media_type.0 == "multipart" => {
                let pieces = pieces(body, boundary);
                if pieces.is_empty() {
                    // Its boundary was lost on the way, and its words were not.
                    return Ok(self.leaf(&plain(), body, depth));
                }
                let found =
                    pieces.into_iter().map(|piece| self.part(piece, depth + 1)).collect::<Result<Vec<_>, NotRead>>()?;
                Ok(joined(head.is("multipart", "alternative"), found))
            }
            _ => Ok(self.leaf(&head, body, depth)),
        }
    }

    fn leaf(&self, head: &Head, body: &[u8], depth: usize) -> Found {
        let bytes = decoded(&head.encoding, body);
        let (family, kind) = &head.media_type;
        let mut found = Found::default();
        let is_report = family == "message" && ["delivery-status", "global-delivery-status"].contains(&kind.as_str());
        let is_returned = (family == "message" && kind == "rfc822") || (family == "text" && kind == "rfc822-headers");
        if is_report {
            found.status = Some(text_of(&bytes, None).into_owned());
        }
        if is_returned {
            found.returned = Some(text_of(split(&bytes).0, None).into_owned());
        }
        let is_html = kind == "html";
        let is_words = family == "text" && (is_html || kind == "plain" || kind.is_empty());
        let is_alone = depth == 0 || (head.name.is_none() && !head.is_attached);
        if is_words && is_alone && bytes.len() <= TEXT_BYTES_MAX {
            let text = text_of(&bytes, head.charset.as_deref());
            let text = if is_html { html::text(&text) } else { text.into_owned() };
            found.words.push(Words { is_html, text });
        } else if !bytes.is_empty() {
            let name = head.name.clone().unwrap_or_else(|| self.name_of(family, kind));
            found.files.push(File { name, media_type: format!("{family}/{kind}"), bytes: bytes.into_owned() });
        }
        found
    }

    /// A name for a file that has none.
    fn name_of(&self, family: &str, kind: &str) -> String {
        let ending = match (family, kind) {
            ("message", "rfc822" | "global") => "eml",
            ("text", "calendar") => "ics",
            ("text", "html") => "html",
            ("text" | "message", _) => "txt",
            ("image", "png" | "gif" | "jpeg" | "webp") => kind,
            _ => "bin",
        };
        format!("part-{}.{ending}", self.parts)
    }
}

/// The parts of a part as one. Of several forms of the same words, the plain one counts where it says something.
fn joined(is_alternative: bool, mut found: Vec<Found>) -> Found {
    if is_alternative {
        let pages: Vec<String> =
            found.iter().flat_map(|one| &one.words).filter(|words| words.is_html).map(flat).collect();
        let says = |one: &Found, html: bool| {
            let counts = |words: &&Words| words.is_html == html && (html || !only_points_to(&pages, words));
            one.words.iter().filter(counts).any(|words| !is_blank(&words.text))
        };
        let chosen =
            found.iter().position(|one| says(one, false)).or_else(|| found.iter().position(|one| says(one, true)));
        let others = found.iter_mut().enumerate().filter(|(at, _)| Some(*at) != chosen);
        others.for_each(|(_, other)| other.words.clear());
    }
    let mut all = Found::default();
    found.into_iter().for_each(|one| all.add(one));
    all
}

/// The words in small letters, with one space between two.
fn flat(words: &Words) -> String {
    words.text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Whether plain words only say that a program which shows HTML is needed: they are few, name it, and are in no page themselves.
fn only_points_to(pages: &[String], plain: &Words) -> bool {
    if plain.text.len() > NOTICE_BYTES_MAX {
        return false;
    }
    let notice = flat(plain);
    let is_said_there = pages.iter().any(|page| page.contains(&notice));
    notice.contains("html") && !is_said_there && pages.iter().any(|page| !is_blank(page))
}

/// The parts between the lines of a boundary (RFC 2046, section 5.1.1). The last may lack its end.
fn pieces<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let (mut pieces, mut begun, mut at) = (Vec::new(), None, 0);
    while at < body.len() {
        let rest = body.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default().trim_ascii_end();
        let after = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes()));
        if let Some(after) = after.filter(|after| after.is_empty() || *after == b"--") {
            if let Some(from) = begun.take() {
                let piece: &[u8] = body.get(from..at).unwrap_or_default();
                // The end of the line before a boundary belongs to the boundary.
                let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
                pieces.push(piece.strip_suffix(b"\r").unwrap_or(piece));
            }
            // One more than there may be is enough to be refused.
            if !after.is_empty() || pieces.len() > PARTS_MAX {
                return pieces;
            }
            begun = Some(at + length);
        }
        at += length;
    }
    pieces.extend(begun.and_then(|from| body.get(from..)));
    pieces
}

/// The bytes that a transfer encoding stands for. What is wrongly encoded is left out, and the rest is read.
fn decoded<'a>(encoding: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    match encoding {
        "base64" => Cow::Owned(from_base64(body)),
        "quoted-printable" => Cow::Owned(unquoted(body)),
        _ => Cow::Borrowed(body),
    }
}

/// Base64 (RFC 2045, section 6.8). Padding ends a piece of it: programs that encode piece by piece begin another one, and lists add words
/// of their own below the last.
fn from_base64(body: &[u8]) -> Vec<u8> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut out = Vec::new();
    for (place, piece) in body.split(|byte| *byte == b'=').enumerate() {
        if place > 0 && !piece.iter().all(|byte| is_digit(byte) || byte.is_ascii_whitespace()) {
            break;
        }
        let mut digits: Vec<u8> = piece.iter().copied().filter(is_digit).collect();
        // One digit more than whole bytes need stands for nothing.
        if digits.len() % 4 == 1 {
            digits.pop();
        }
        out.extend(BASE64.decode(&digits).unwrap_or_default());
    }
    out
}

/// Quoted-printable (RFC 2045, section 6.7).
fn unquoted(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'=' {
            out.push(*first);
            continue;
        }
        if let Some(more) = next_line(after) {
            rest = more;
            continue;
        }
        match after {
            [high, low, more @ ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high << 4) | low);
                    rest = more;
                }
                _ => out.push(b'='),
            },
            _ => out.push(b'='),
        }
    }
    out
}

/// The next line, where nothing else is in this one: mail systems may have put blanks there.
fn next_line(after: &[u8]) -> Option<&[u8]> {
    let blanks = after.iter().take_while(|byte| matches!(**byte, b' ' | b'\t')).count();
    let end = after.get(blanks..)?;
    end.strip_prefix(b"\r\n").or_else(|| end.strip_prefix(b"\n"))
}

/// Bytes as text: in the encoding that they name; where they name none, or are not in it, in UTF-8, and what is not that either as old
/// mail programs wrote it in the West. A few wrong bytes, such as those of a character that was cut through, do not make the rest
/// another encoding.
fn text_of<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let is_one_of = |names: &[&str]| charset.is_some_and(|name| names.iter().any(|own| own.eq_ignore_ascii_case(name)));
    if is_one_of(&UTF_7)
        && bytes.is_ascii()
        && let Some(decode) = charset_decoder(b"utf-7")
    {
        // An end of the line ends what was begun.
        return Cow::Owned(decode(&[bytes, b"\n"].concat()));
    }
    let (marked, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (Some(encoding), bytes.get(length..).unwrap_or_default()),
        None => (None, bytes),
    };
    let charset = charset.filter(|_| !is_one_of(&ASCII));
    let named = marked.or_else(|| charset.and_then(|name| Encoding::for_label(name.as_bytes())));
    let exactly = |encoding: &'static Encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    if let Some(text) = named.and_then(exactly) {
        return text;
    }
    // Bytes of seven bits are UTF-8 in any case, which says nothing.
    let says_utf_8 = named.is_none() || !bytes.is_ascii();
    if says_utf_8 && let Some(text) = exactly(UTF_8) {
        return text;
    }
    let nearly = |encoding: &'static Encoding| encoding.decode_without_bom_handling(bytes).0;
    let found = named.into_iter().chain([UTF_8]).map(nearly).find(|text| is_mostly_right(text));
    found.unwrap_or_else(|| nearly(if bytes.is_ascii() { UTF_8 } else { WINDOWS_1252 }))
}

/// Whether of all that is no ASCII in a text at least half was in the encoding that it was read in.
fn is_mostly_right(text: &str) -> bool {
    let odd = text.chars().filter(|c| !c.is_ascii());
    let (wrong, right) = odd.fold((0_usize, 0_usize), |(wrong, right), c| match c {
        char::REPLACEMENT_CHARACTER => (wrong + 1, right),
        _ => (wrong, right + 1),
    });
    right > 0 && wrong <= right
}
