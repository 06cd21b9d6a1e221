//! Files that people add to tickets. The desk keeps a file before a ticket has it; the change that names it binds it to the
//! ticket, and the timeline says so.

use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{AttachmentId, CommentId};
use crate::desk::permission::{Comment, MayComment};
use crate::desk::refusal::Refusal;
use crate::desk::text::{is_invisible, normal};
use crate::desk::ticket::comment::{ANSWERED, is_answer};
use crate::desk::ticket::lifecycle::words;
use crate::desk::ticket::timeline::{Event, Visibility};
use crate::desk::ticket::{State, Ticket, changed, moved};

/// Files that one ticket may have.
pub const OF_TICKET_MAX: usize = 500;
/// The longest name of a file, in bytes: as long as file systems take.
pub const NAME_BYTES_MAX: usize = 255;
/// The name of a file of whose own nothing is left.
const NAMELESS: &str = "file";
/// Characters that a name has on no system.
const FORBIDDEN: &str = "<>:\"|?*";
/// The longest end of a name that is kept where the name is cut, in bytes.
const ENDING_BYTES_MAX: usize = 16;

/// An attached file, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    /// As its sender says.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// `None` for a file of which only this is known.
    pub content: Option<Content>,
}

/// The content of a file as the desk found it when a ticket got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub id: AttachmentId,
    /// SHA-256 in hexadecimal.
    pub digest: String,
    /// The media type by the content's own beginning.
    pub found_type: String,
    pub scan: Scan,
    /// Those who may see it, however public the words are that it comes with: a mail as it came says more than its author meant to say
    /// on a ticket.
    pub visibility: Visibility,
}

impl Attachment {
    /// Whether it may be shown to all who may read the ticket.
    pub fn is_public(&self) -> bool {
        self.content.as_ref().is_none_or(|content| content.visibility == Visibility::Public)
    }
}

/// How far the search for malware has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// The desk has no scanner.
    Unscanned,
    /// In quarantine until it is scanned.
    Pending,
    Clean,
    /// In quarantine for good.
    Infected,
}

codes! {
    Scan {
        Unscanned => "unscanned",
        Pending => "pending",
        Clean => "clean",
        Infected => "infected",
    }
}

impl Scan {
    /// Whether the content may be given out.
    pub const fn is_open(self) -> bool {
        matches!(self, Scan::Unscanned | Scan::Clean)
    }
}

/// A file that a change binds to its ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentWrite {
    pub id: AttachmentId,
    /// The comment that it came with.
    pub comment: Option<CommentId>,
    pub visibility: Visibility,
}

/// A file's name as it is kept: the last part of a path, without characters that are not drawn or turn the writing about, or
/// that a system has in no name.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let drawn = normal(last).into_owned();
    let drawn = drawn.chars().filter(|c| !c.is_control() && !is_invisible(*c));
    let kept: String = drawn.map(|c| if FORBIDDEN.contains(c) { '_' } else { c }).collect();
    let kept = kept.trim_matches(|c: char| c.is_whitespace() || c == '.');
    let cut = shortened(kept);
    if cut.is_empty() { NAMELESS.to_owned() } else { cut }
}

/// A name within the bound, with its ending.
fn shortened(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let ending = name.rfind('.').and_then(|at| name.get(at..)).filter(|ending| ending.len() <= ENDING_BYTES_MAX);
    let ending = ending.unwrap_or_default();
    let stem = name.get(..name.floor_char_boundary(NAME_BYTES_MAX - ending.len())).unwrap_or_default();
    format!("{stem}{ending}")
}

/// A media type without its parameters, in lower case (RFC 9110, section 8.3.1).
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is meant by a pattern such as `image/*` or `application/pdf`.
pub fn is_meant(pattern: &str, media_type: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(family) => media_type.split_once('/').is_some_and(|(own, _)| own == family),
        None => pattern == media_type,
    }
}

/// Adds files to a ticket without words. A requester who was asked for something has answered with it.
///
/// # Errors
/// [`Refusal::Forbidden`]; [`Refusal::Over`] for public files on a ticket that is over.
pub fn add(ticket: &Ticket, files: &[Attachment], permit: &MayComment, at: &At<'_>) -> Result<Change, Refusal> {
    let Comment { visibility, author, as_agent } = permit.on(ticket)?;
    let public = visibility == Visibility::Public;
    if public {
        words::check_open(ticket)?;
    }
    let comes_back = public && is_answer(ticket, author, as_agent);
    let after = if comes_back { moved(ticket, State::InProgress, at) } else { changed(ticket, at.now) };
    let mut change = Change::update(ticket, after, Vec::new());
    attach(&mut change, files, (author, visibility), at);
    if comes_back {
        let event = Event::StateChanged { from: ticket.state, to: State::InProgress, reason: ANSWERED.to_owned() };
        change.entries.push(at.entry(Author::System, visibility, event));
    }
    Ok(change)
}

/// Binds files to the ticket of a change, and to the comment that it makes, where it makes one.
pub fn attach(change: &mut Change, files: &[Attachment], (author, visibility): (&Author, Visibility), at: &At<'_>) {
    let comment = change.entries().iter().find_map(|entry| match entry.event {
        Event::Commented { comment, .. } => Some(comment),
        _ => None,
    });
    for file in files {
        let Some(content) = &file.content else { continue };
        let visibility = visibility.max(content.visibility);
        let event = Event::Attached {
            attachment: content.id,
            name: file.name.clone(),
            size: file.size,
            digest: content.digest.clone(),
        };
        change.entries.push(at.entry(author.clone(), visibility, event));
        change.attachments.push(AttachmentWrite { id: content.id, comment, visibility });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_no_path_and_nothing_that_deceives() {
        for (given, kept) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\amara\\photo.png", "photo.png"),
            // Shown from right to left, it would seem to end with `.txt`.
            ("invoice\u{202e}txt.exe", "invoicetxt.exe"),
            ("a\u{200b}b\0c\r\nd.txt", "abcd.txt"),
            ("Zu\u{308}rich <1>.txt", "Z\u{fc}rich _1_.txt"),
            ("..", "file"),
            ("", "file"),
            (" .hidden. ", "hidden"),
        ] {
            assert_eq!(clean_name(given), kept, "{given:?}");
        }
        let long = format!("{}.pdf", "\u{fc}".repeat(300));
        let kept = clean_name(&long);
        assert!(kept.len() <= NAME_BYTES_MAX && kept.ends_with("\u{fc}.pdf"), "{kept}");
    }

    #[test]
    fn patterns_mean_a_type_or_a_family() {
        assert!(is_meant("image/*", "image/png") && is_meant("image/png", "image/png"));
        assert!(!is_meant("image/*", "imagery/png") && !is_meant("image/png", "image/jpeg"));
        assert_eq!(essence(" Text/HTML; charset=utf-8"), "text/html");
    }

    #[test]
    fn words_read_back() {
        for scan in Scan::ALL {
            assert_eq!(Scan::from_code(scan.code()), Some(scan));
        }
    }
}
