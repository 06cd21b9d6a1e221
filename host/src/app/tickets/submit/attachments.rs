//! Files that people add to tickets: taken, kept, bound to a ticket, and given out.

use std::fmt::Display;
use std::ops::Range;
use std::time::Duration;

use jiff::SignedDuration;

use crate::app::tickets::change::{Changed, Key, Retry, Which, idempotency};
use crate::app::tickets::quota::Turn;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{AttachmentId, TicketNumber};
use crate::desk::organisation::form::{Fault, Field, Problem, Value};
use crate::desk::organisation::{FieldKind, Organisation};
use crate::desk::permission;
use crate::desk::sla::earlier;
use crate::desk::ticket::Attachment;
use crate::desk::ticket::intake::attachment::{self, OF_TICKET_MAX, Scan, clean_name, essence, is_meant};
use crate::desk::ticket::intake::{ATTACHMENTS_MAX, NewTicket};
use crate::desk::ticket::timeline::Visibility;
use crate::store::tickets::attachments::NewAttachment;
use crate::store::tickets::attachments::files::Spool;
pub use crate::store::tickets::attachments::{StoredAttachment, ToScan};

/// How long a file is kept that no ticket gets.
const LOOSE_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Files that are taken to be scanned at once.
const SCANNED_AT_ONCE: usize = 8;
/// The media type of bytes about which nothing is known.
const UNKNOWN: &str = "application/octet-stream";
const TEXT: &str = "text/plain";

/// Why a file is not taken, or not given out.
#[derive(Debug, thiserror::Error)]
pub enum NotThis {
    #[error("the file is larger than {} MiB, which is the bound", bytes_max >> 20)]
    TooLarge { bytes_max: u64 },
    #[error("the file is in quarantine until it has been scanned for malware: try again soon")]
    NotScanned,
    #[error("the file stays in quarantine: it has the malware {malware}")]
    Infected { malware: String },
}

/// A file as its sender describes it.
#[derive(Debug, Clone)]
pub struct Declared {
    pub name: String,
    pub media_type: String,
    /// In bytes, where it is said.
    pub size: Option<u64>,
}

/// A file that comes in.
#[derive(Debug)]
pub struct Incoming {
    declared: Declared,
    sort: Sort,
    uploader: String,
    spool: Spool,
    bytes_max: u64,
    /// Its place among those of its sender that come in, until it is kept or given up.
    turn: Option<Turn>,
}

impl Incoming {
    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// [`NotThis::TooLarge`]; where the disk does not take it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.spool.size().saturating_add(bytes.len() as u64) > self.bytes_max {
            return Err(NotThis::TooLarge { bytes_max: self.bytes_max }.into());
        }
        Ok(self.spool.write(bytes).await?)
    }
}

/// A file of a person's own, or something of theirs as it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Of a type that the desk takes.
    File,
    /// Of any type, since nothing of it is to be lost, and only for those who work on tickets: a mail has the words of others below
    /// its author's, and in its head the way that it went.
    Original,
}

impl Sort {
    /// Those who may see such a file at most.
    const fn visibility(self) -> Visibility {
        match self {
            Sort::File => Visibility::Public,
            Sort::Original => Visibility::Internal,
        }
    }
}

fn wrong(code: &str, fault: Fault, values: &[&dyn Display]) -> Error {
    Problem::of("attachments", code, fault, values).into()
}

/// The media type that a file's beginning shows.
fn found_type(beginning: &[u8]) -> &'static str {
    if let Some(kind) = infer::get(beginning) {
        return kind.mime_type();
    }
    // A character may be cut off where the beginning ends.
    let is_text = match std::str::from_utf8(beginning) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if is_text && !beginning.contains(&0) { TEXT } else { UNKNOWN }
}

impl Office {
    /// Begins to take a file, for a submission that is not sent yet, or for the ticket that is named.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a ticket that the actor may not read; [`Error::Refused`]; [`Error::TooMuch`];
    /// [`NotThis::TooLarge`]; [`Error::Busy`] where many files come in.
    pub async fn begin_attachment(
        &self,
        actor: &Actor,
        to: Option<(TicketNumber, Visibility)>,
        declared: Declared,
    ) -> Result<Incoming, Error> {
        let uploader = match to {
            None => permission::create(&self.organisation(), actor, None)?.submitted_by().to_string(),
            Some((number, visibility)) => {
                let (ticket, case) = self.ticket(actor, number).await?;
                permission::comment(actor, &ticket, case.as_ref(), visibility)?;
                if self.store.attachments(number, Visibility::Internal, OF_TICKET_MAX).await?.len() >= OF_TICKET_MAX {
                    return Err(wrong("too-many", Fault::FullTicket, &[&OF_TICKET_MAX]));
                }
                actor.person().map(ToString::to_string).unwrap_or_default()
            }
        };
        self.begin(actor, uploader, (declared, Sort::File)).await
    }

    /// Begins to take something of a person's as it came in, for a submission that is not sent yet or words that are not said yet.
    ///
    /// # Errors
    ///
    /// As [`Office::begin_attachment`].
    pub(super) async fn begin_original(&self, actor: &Actor, declared: Declared) -> Result<Incoming, Error> {
        let uploader = permission::create(&self.organisation(), actor, None)?.submitted_by().to_string();
        self.begin(actor, uploader, (declared, Sort::Original)).await
    }

    async fn begin(
        &self,
        actor: &Actor,
        uploader: String,
        (declared, sort): (Declared, Sort),
    ) -> Result<Incoming, Error> {
        let bytes_max = self.quotas.attachments().bytes_max;
        if declared.size.is_some_and(|size| size > bytes_max) {
            return Err(NotThis::TooLarge { bytes_max }.into());
        }
        let turn = self.begin_file(actor)?;
        self.check_files(actor, sort.visibility(), declared.size.unwrap_or(0)).await?;
        let spool = self.store.files.begin(self.clock.new_id()).await?;
        Ok(Incoming { declared, sort, uploader, spool, bytes_max, turn })
    }

    /// Keeps a file that has come in to its end.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for a type that this desk does not take, and for an empty file; [`Error::TooMuch`].
    pub async fn keep_attachment(&self, actor: &Actor, incoming: Incoming) -> Result<StoredAttachment, Error> {
        let Incoming { declared, sort, uploader, spool, bytes_max: _, turn: _turn } = incoming;
        let spooled = spool.end().await?;
        if spooled.size == 0 {
            return Err(wrong("empty", Fault::EmptyFile, &[]));
        }
        let (declared_type, found_type) = (essence(&declared.media_type), found_type(&spooled.beginning));
        if sort == Sort::File {
            self.check_types([declared_type.as_str(), found_type])?;
        }
        self.check_files(actor, sort.visibility(), spooled.size).await?;
        let new = NewAttachment {
            id: AttachmentId(self.clock.new_id()),
            name: clean_name(&declared.name),
            declared_type: if declared_type.is_empty() { UNKNOWN.to_owned() } else { declared_type },
            found_type: found_type.to_owned(),
            uploader,
            visibility: sort.visibility(),
            scan: if self.quotas.attachments().scanner.is_some() { Scan::Pending } else { Scan::Unscanned },
        };
        self.store.keep_attachment(&new, &spooled, (self.clock.new_id(), self.clock.now())).await?;
        self.find_attachment(new.id).await
    }

    /// Refuses a file of which the sender's type or the content's is not taken.
    fn check_types(&self, types: [&str; 2]) -> Result<(), Error> {
        let policy = self.quotas.attachments();
        let is = |patterns: &[String], media_type: &str| patterns.iter().any(|pattern| is_meant(pattern, media_type));
        for media_type in types {
            let shown: String = media_type.chars().take(100).collect();
            if is(&policy.refused_types, media_type) {
                return Err(wrong("type-refused", Fault::FileType, &[&shown]));
            }
            let untold = media_type.is_empty() || media_type == UNKNOWN;
            if !(policy.types.is_empty() || is(&policy.types, media_type) || untold && media_type == types[0]) {
                let taken = policy.types.join(", ");
                return Err(wrong("type-refused", Fault::OtherFileType, &[&shown, &taken]));
            }
        }
        Ok(())
    }

    async fn find_attachment(&self, id: AttachmentId) -> Result<StoredAttachment, Error> {
        let found = self.store.attachment(id).await?;
        found.ok_or_else(|| Error::Missing { what: "attachment", name: id.to_string() })
    }

    /// An attachment that the actor may read: their own as long as no ticket has it, then those of the tickets that they read, and
    /// the files of private notes only for those who read these.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn attachment(&self, actor: &Actor, id: AttachmentId) -> Result<StoredAttachment, Error> {
        let found = self.find_attachment(id).await?;
        let missing = || Error::Missing { what: "attachment", name: id.to_string() };
        let Some(number) = found.ticket else {
            let own = actor.person().is_some_and(|person| person.as_str() == found.uploader);
            return if own { Ok(found) } else { Err(missing()) };
        };
        let (_, _, permit) = self.readable(actor, number).await.map_err(|_| missing())?;
        if found.visibility <= permit.sees() { Ok(found) } else { Err(missing()) }
    }

    /// The attachments of a ticket that the actor may see, in the order in which they were uploaded.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn attachments(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<StoredAttachment>, Error> {
        let (_, _, permit) = self.readable(actor, number).await?;
        Ok(self.store.attachments(number, permit.sees(), OF_TICKET_MAX).await?)
    }

    /// An attachment whose content may be given out.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`NotThis::NotScanned`], [`NotThis::Infected`].
    pub async fn open_attachment(&self, actor: &Actor, id: AttachmentId) -> Result<StoredAttachment, Error> {
        let found = self.attachment(actor, id).await?;
        match found.scan {
            scan if scan.is_open() => Ok(found),
            Scan::Infected => Err(NotThis::Infected { malware: found.malware }.into()),
            _ => Err(NotThis::NotScanned.into()),
        }
    }

    /// A part of an attachment's content: as much of it as there is.
    ///
    /// # Errors
    ///
    /// Where the store of files cannot be read.
    pub async fn attachment_part(&self, attachment: &StoredAttachment, range: Range<u64>) -> Result<Vec<u8>, Error> {
        Ok(self.store.attachment_part(attachment, range).await?)
    }

    /// The files that a person has uploaded and wants to give to a ticket.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for one that is not there, not theirs, or another ticket's.
    pub(in crate::app) async fn uploads(&self, actor: &Actor, ids: &[AttachmentId]) -> Result<Vec<Attachment>, Error> {
        if ids.len() > ATTACHMENTS_MAX {
            return Err(wrong("too-many", Fault::TooMany, &[&ids.len(), &ATTACHMENTS_MAX]));
        }
        let mut found = Vec::new();
        for id in ids {
            match self.attachment(actor, *id).await {
                Ok(stored) if stored.ticket.is_none() => found.push(stored.into_attachment()),
                Ok(_) => return Err(taken()),
                Err(Error::Missing { .. }) => {
                    return Err(wrong("unknown", Fault::NoFile, &[id]));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }

    /// Refuses a submission that names rows of reference tables which are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`].
    pub(in crate::app) fn check_assets(&self, organisation: &Organisation, new: &NewTicket) -> Result<(), Error> {
        let Some(form) = organisation.request_types.get(&new.request_type) else { return Ok(()) };
        let reference = self.reference.load();
        let wrong = |(name, value): &Field| {
            let spec = form.fields.iter().find(|spec| spec.name == *name)?;
            let (FieldKind::Asset { table }, Value::Text(key)) = (&spec.kind, value) else { return None };
            let values: [&dyn Display; 3] = [&spec.label, table, key];
            (!reference.has(table, key)).then(|| Problem::of(name, "unknown", Fault::NoSuchKey, &values))
        };
        let problems: Vec<Problem> = new.fields.iter().filter_map(wrong).collect();
        if problems.is_empty() { Ok(()) } else { Err(Error::Rejected { problems }) }
    }

    /// A submission with the files that it names among its attachments.
    pub(in crate::app) async fn with_uploads(&self, actor: &Actor, mut new: NewTicket) -> Result<NewTicket, Error> {
        let uploads = std::mem::take(&mut new.uploads);
        new.attachments.extend(self.uploads(actor, &uploads).await?);
        Ok(new)
    }

    /// Forgets files that were uploaded for something that did not come about. One that a ticket has stays.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub(super) async fn forget_uploads(&self, ids: &[AttachmentId]) -> Result<(), Error> {
        for id in ids {
            self.store.forget_loose_attachment(*id).await?;
        }
        Ok(())
    }

    /// Gives a file to a ticket without words.
    ///
    /// # Errors
    ///
    /// As [`Office::comment`].
    pub async fn attach(
        &self,
        actor: &Actor,
        (number, visibility): (TicketNumber, Visibility),
        id: AttachmentId,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        self.count_change(actor)?;
        let files = self.uploads(actor, &[id]).await?;
        let (number, _) = self.store.merged_into(number).await?;
        self.change(Which::Number(number), Retry::Commutes, idempotency(actor, key), |ticket, case, at| {
            let permit = permission::comment(actor, ticket, case, visibility)?;
            Ok(Some(attachment::add(ticket, &files, &permit, at)?))
        })
        .await
    }

    /// Contents that are due to be scanned; no other host gets them before `lease` is over.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn attachments_to_scan(&self, lease: Duration) -> Result<Vec<ToScan>, Error> {
        Ok(self.store.take_to_scan(self.clock.now(), lease, SCANNED_AT_ONCE).await?)
    }

    /// A part of a content that is to be scanned.
    ///
    /// # Errors
    ///
    /// Where the store of files cannot be read.
    pub async fn part_to_scan(&self, content: &ToScan, range: Range<u64>) -> Result<Vec<u8>, Error> {
        Ok(self.store.part_to_scan(content, range).await?)
    }

    /// Takes a scanner's answer: nothing, or malware of this name.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn attachment_scanned(&self, content: &ToScan, malware: Option<&str>) -> Result<(), Error> {
        if let Some(malware) = malware {
            tracing::warn!(malware, "a file that was uploaded has malware: it stays in quarantine");
        }
        Ok(self.store.scanned(content, malware).await?)
    }

    /// Has a content scanned again after a while.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn scan_again(&self, content: &ToScan, wait: Duration) -> Result<(), Error> {
        Ok(self.store.scan_again(content, self.clock.now(), wait).await?)
    }

    /// Forgets files that were uploaded a day ago and that no ticket got; how many contents.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn sweep_attachments(&self) -> Result<usize, Error> {
        Ok(self.store.sweep_attachments(earlier(self.clock.now(), LOOSE_FOR)).await?)
    }
}

/// The problem with a file that a ticket has already.
pub fn taken() -> Error {
    wrong("taken", Fault::FileTaken, &[])
}

impl From<NotThis> for Error {
    fn from(why: NotThis) -> Self {
        Error::Attachment(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_the_beginning_and_not_by_the_name() {
        assert_eq!(found_type(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/png");
        assert_eq!(found_type(b"%PDF-1.7\n"), "application/pdf");
        assert_eq!(found_type("Zürich".as_bytes().get(..2).unwrap()), TEXT, "cut inside a character");
        assert_eq!(found_type(b"a\0b"), UNKNOWN);
        assert_eq!(found_type(b"\xff\xfe\x01"), UNKNOWN);
    }
}
