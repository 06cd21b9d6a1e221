//! Attachments as rows. Their contents are objects in a store of files; a row of `attachment_contents` is there before its
//! object and goes after it, so that no object is ever without one.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::id::{AttachmentId, CommentId, TicketNumber};
use crate::desk::ticket::Attachment;
use crate::desk::ticket::intake::attachment::{Content, Scan};
use crate::desk::ticket::timeline::Visibility;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at, corrupt, ms};
use crate::store::sql::dialect::DATABASE_BYTES;
use crate::store::{Error, Store};

pub mod files;
mod sweep;

use files::Spooled;

const T: &str = "attachments";
const SELECT: &str = "select a.id, a.object, c.digest, a.name, a.declared_type, a.found_type, a.size, a.uploader, \
                      a.uploaded_at, a.ticket, a.comment, a.internal, c.scan, c.malware \
                      from attachments a join attachment_contents c on c.object = a.object";

/// How much a desk keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    pub database_bytes: u64,
    /// The files of tickets, and their bytes as they were sent.
    pub files: u64,
    pub file_bytes: u64,
}

/// An attachment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttachment {
    pub id: AttachmentId,
    /// The object that has its content.
    object: Uuid,
    /// SHA-256 in hexadecimal.
    pub digest: String,
    pub name: String,
    /// As its sender says.
    pub declared_type: String,
    /// By the content's own beginning.
    pub found_type: String,
    /// In bytes.
    pub size: u64,
    pub uploader: String,
    pub uploaded_at: Timestamp,
    /// `None` until a ticket has it.
    pub ticket: Option<TicketNumber>,
    /// The comment that it came with.
    pub comment: Option<CommentId>,
    pub visibility: Visibility,
    pub scan: Scan,
    /// The name of the malware that was found; empty where none was.
    pub malware: String,
}

impl StoredAttachment {
    /// The attachment as a ticket has it.
    pub fn into_attachment(self) -> Attachment {
        let Self { id, digest, found_type, scan, visibility, .. } = self;
        let content = Content { id, digest, found_type, scan, visibility };
        Attachment { name: self.name, media_type: self.declared_type, size: self.size, content: Some(content) }
    }
}

/// A file that was taken, before it is kept.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    pub id: AttachmentId,
    pub name: String,
    pub declared_type: String,
    pub found_type: String,
    pub uploader: String,
    /// Those who may see it at most, once a ticket has it.
    pub visibility: Visibility,
    /// The state in which a content begins that is new.
    pub scan: Scan,
}

/// A content that is to be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToScan {
    object: Uuid,
    /// In bytes.
    pub size: u64,
    /// How often that was begun, this time included.
    pub attempts: u64,
}

fn bytes(size: i64) -> Result<u64, Error> {
    u64::try_from(size).map_err(|_| corrupt(T, "size", size.to_string()))
}

fn count(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A visibility as the column `internal` has it.
fn internal(visibility: Visibility) -> Arg {
    i64::from(visibility == Visibility::Internal).into()
}

fn stored(row: &Row) -> Result<StoredAttachment, Error> {
    let (scan, comment) = (row.text(12)?, row.text(10)?);
    let comment = match comment.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| corrupt(T, "comment", text))?),
    };
    Ok(StoredAttachment {
        id: AttachmentId(row.uuid(0)?),
        object: row.uuid(1)?,
        digest: row.opt_text(2)?.unwrap_or_default(),
        name: row.text(3)?,
        declared_type: row.text(4)?,
        found_type: row.text(5)?,
        size: bytes(row.int(6)?)?,
        uploader: row.text(7)?,
        uploaded_at: at(T, "uploaded_at", row.int(8)?)?,
        ticket: row.opt_int(9)?.map(TicketNumber),
        comment,
        visibility: if row.int(11)? == 0 { Visibility::Public } else { Visibility::Internal },
        scan: Scan::from_code(&scan).ok_or_else(|| corrupt(T, "scan", scan))?,
        malware: row.text(13)?,
    })
}

impl Store {
    /// The attachment with this id.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn attachment(&self, id: AttachmentId) -> Result<Option<StoredAttachment>, Error> {
        let row = self.db.optional(&format!("{SELECT} where a.id = $1"), vec![id.0.into()]).await?;
        row.as_ref().map(stored).transpose()
    }

    /// The attachments of a ticket in the order in which they were uploaded, at most `limit`: the internal ones only for
    /// readers who are shown them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn attachments(
        &self,
        ticket: TicketNumber,
        sees: Visibility,
        limit: usize,
    ) -> Result<Vec<StoredAttachment>, Error> {
        let visible = match sees {
            Visibility::Internal => "",
            Visibility::Public => "and a.internal = 0",
        };
        let sql = format!("{SELECT} where a.ticket = $1 {visible} order by a.id limit {limit}");
        Ok(self.readable(T, &self.db.all(&sql, vec![ticket.0.into()]).await?, stored))
    }

    /// The bytes of all attachments that a person has uploaded and that these may see, and how many of them no ticket has.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn attachments_of(&self, person: &str, visibility: Visibility) -> Result<(u64, u64), Error> {
        let sql = "select cast(coalesce(sum(size), 0) as bigint), count(*) - count(ticket) \
                   from attachments where uploader = $1 and internal = $2";
        let row = self.db.optional(sql, vec![person.into(), internal(visibility)]).await?;
        row.map_or(Ok((0, 0)), |row| Ok((bytes(row.int(0)?)?, u64::try_from(row.int(1)?).unwrap_or_default())))
    }

    /// How much the desk keeps.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn kept(&self) -> Result<Kept, Error> {
        let database = self.db.all(DATABASE_BYTES.text(&self.db), Vec::new()).await?;
        let sql = "select count(*), cast(coalesce(sum(size), 0) as bigint) from attachments";
        let files = self.db.all(sql, Vec::new()).await?;
        let mut kept = Kept::default();
        if let Some(row) = database.first() {
            kept.database_bytes = bytes(row.int(0)?)?;
        }
        if let Some(row) = files.first() {
            (kept.files, kept.file_bytes) = (bytes(row.int(0)?)?, bytes(row.int(1)?)?);
        }
        Ok(kept)
    }

    /// Keeps a file. A content that the store has already is not kept a second time.
    ///
    /// # Errors
    ///
    /// Where the database or the store of files does not take it.
    pub async fn keep_attachment(
        &self,
        new: &NewAttachment,
        spooled: &Spooled,
        (object, now): (Uuid, Timestamp),
    ) -> Result<(), Error> {
        let object = match self.touch(new, &spooled.digest, now).await? {
            Some(known) => known,
            None => self.keep_content(new, spooled, (object, now)).await?,
        };
        let insert = "insert into attachments (id, object, name, declared_type, found_type, size, uploader, uploaded_at, \
                      internal) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let args: Vec<Arg> = vec![
            new.id.0.into(),
            object.into(),
            new.name.as_str().into(),
            new.declared_type.as_str().into(),
            new.found_type.as_str().into(),
            count(spooled.size).into(),
            new.uploader.as_str().into(),
            ms(now).into(),
            internal(new.visibility),
        ];
        self.write(insert, args).await.map(drop)
    }

    /// The object that has a content, which is not swept away for a while from now on. One that was never scanned is, where
    /// there is a scanner now.
    async fn touch(&self, new: &NewAttachment, digest: &str, now: Timestamp) -> Result<Option<Uuid>, Error> {
        let sql = "update attachment_contents set touched_at = $1, scan_due = case when scan = 'unscanned' then $1 else \
                   scan_due end, scan = case when scan = 'unscanned' then $2 else scan end where digest = $3 \
                   returning object";
        let args: Vec<Arg> = vec![ms(now).into(), new.scan.code().into(), digest.into()];
        let touched = self.db.durably(async |mut tx| Ok((tx.optional(sql, args.clone()).await?, tx)));
        let row = touched.await?;
        row.map(|row| row.uuid(0)).transpose()
    }

    async fn keep_content(
        &self,
        new: &NewAttachment,
        spooled: &Spooled,
        (object, now): (Uuid, Timestamp),
    ) -> Result<Uuid, Error> {
        let insert = "insert into attachment_contents (object, digest, size, touched_at, scan, scan_due) \
                      values ($1, null, $2, $3, $4, $3)";
        let args: Vec<Arg> =
            vec![object.into(), count(spooled.size).into(), ms(now).into(), Scan::Unscanned.code().into()];
        self.write(insert, args).await?;
        self.files.keep(object, spooled).await?;
        let named = "update attachment_contents set digest = $1, scan = $2 where object = $3 \
                     and not exists (select 1 from attachment_contents where digest = $1)";
        let args: Vec<Arg> = vec![spooled.digest.as_str().into(), new.scan.code().into(), object.into()];
        match self.write(named, args).await {
            Ok(1) => Ok(object),
            // Another was quicker with the same content; the object of this one is swept away.
            Ok(_) => self.touch(new, &spooled.digest, now).await?.ok_or(Error::Conflict),
            // PostgreSQL refuses the second of two at one moment, when the first is there.
            Err(error @ Error::Unavailable(_)) => self.touch(new, &spooled.digest, now).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// A part of an attachment's content: as much of it as there is.
    ///
    /// # Errors
    ///
    /// Where the store of files cannot be read.
    pub async fn attachment_part(
        &self,
        attachment: &StoredAttachment,
        range: std::ops::Range<u64>,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.files.read(attachment.object, range).await?)
    }

    /// A part of a content that is to be scanned.
    ///
    /// # Errors
    ///
    /// Where the store of files cannot be read.
    pub async fn part_to_scan(&self, content: &ToScan, range: std::ops::Range<u64>) -> Result<Vec<u8>, Error> {
        Ok(self.files.read(content.object, range).await?)
    }

    /// Takes contents that are due to be scanned, which no other host gets before `lease` is over.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn take_to_scan(&self, now: Timestamp, lease: Duration, limit: usize) -> Result<Vec<ToScan>, Error> {
        let sql = format!(
            "update attachment_contents set scan_due = $1, scan_attempts = scan_attempts + 1 where object in \
             (select object from attachment_contents where scan = 'pending' and scan_due <= $2 order by scan_due limit {limit}) \
             and scan_due <= $2 returning object, size, scan_attempts"
        );
        let args: Vec<Arg> = vec![after(now, lease).into(), ms(now).into()];
        let taken = self.db.durably(async |mut tx| Ok((tx.all(&sql, args.clone()).await?, tx)));
        let rows = taken.await?;
        let one =
            |row: &Row| Ok(ToScan { object: row.uuid(0)?, size: bytes(row.int(1)?)?, attempts: bytes(row.int(2)?)? });
        Ok(self.readable("attachment_contents", &rows, one))
    }

    /// Writes what a scanner found: nothing, or malware of this name.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn scanned(&self, content: &ToScan, malware: Option<&str>) -> Result<(), Error> {
        let scan = if malware.is_some() { Scan::Infected } else { Scan::Clean };
        let sql = "update attachment_contents set scan = $1, malware = $2 where object = $3";
        let args: Vec<Arg> = vec![scan.code().into(), malware.unwrap_or_default().into(), content.object.into()];
        self.write(sql, args).await.map(drop)
    }

    /// Writes that a scan did not come to its end, and is to be tried again.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn scan_again(&self, content: &ToScan, now: Timestamp, wait: Duration) -> Result<(), Error> {
        let sql = "update attachment_contents set scan_due = $1 where object = $2";
        self.write(sql, vec![after(now, wait).into(), content.object.into()]).await.map(drop)
    }
}

fn after(now: Timestamp, wait: Duration) -> i64 {
    ms(now).saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}
