//! Messages in the outbox as they are sent, and how people want to hear of things.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Claimed, Queue, cut, held};
use crate::desk::change::message::{About, AccessNews, MessageKind, Moved, NewDay, Reply};
use crate::desk::id::{DraftId, MessageId, PersonId, TicketId};
use crate::desk::ticket::State;
use crate::desk::ticket::timeline::AccessOutcome;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at_or_epoch, corrupt, ms, parsed};
use crate::store::sql::places;
use crate::store::{Error, Store};

const T: &str = "outbox";

/// The columns of a message that waits, as [`waiting`] reads them.
const COLUMNS: &str = "id, ticket, kind, recipient, queued_at, payload";

/// A message that has not left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingMessage {
    pub id: MessageId,
    pub ticket: TicketId,
    /// `None` for a kind that only a newer program knows.
    pub kind: Option<MessageKind>,
    pub to: PersonId,
    pub queued_at: Timestamp,
    pub about: About,
}

/// How a person wants to hear of things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPreference {
    pub delivery: String,
    /// Empty for the directory's or the desk's own.
    pub locale: String,
    /// The choices for single kinds, by their words, as JSON.
    pub kinds: String,
}

/// An [`About`] as it is kept: the stable words of the states.
#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<(Option<String>, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<(String, String, String)>,
    /// Whether the desk gave the reason by itself. Messages from before this was kept do not say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_desk: bool,
    /// The news of access, why, and whether the desk gave that reason by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<(String, String, bool)>,
    /// The day that the ticket goes by, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<(String, String)>,
}

/// The payload of a message; empty where it tells nothing besides its kind.
pub fn payload(about: &About) -> String {
    let About { reply, moved, access, day } = about;
    if *about == About::default() {
        return String::new();
    }
    let reply = reply.as_ref().map(|Reply { by, body }| (by.as_ref().map(ToString::to_string), body.clone()));
    let moved = moved.as_ref();
    let by_desk = moved.is_some_and(|moved| moved.by_desk);
    let moved = moved.map(|m| (m.from.code().to_owned(), m.to.code().to_owned(), m.reason.clone()));
    let access = access.as_ref().map(|news| (news.outcome.code().to_owned(), news.reason.clone(), news.by_desk));
    let day = day.as_ref().map(|NewDay { to, reason }| (to.clone(), reason.clone()));
    // Texts only: there is nothing that JSON cannot say.
    serde_json::to_string(&Payload { reply, moved, by_desk, access, day }).unwrap_or_default()
}

fn about(payload: &str) -> Result<About, Error> {
    if payload.is_empty() {
        return Ok(About::default());
    }
    let wrong = || corrupt(T, "payload", payload);
    let Payload { reply, moved, by_desk, access, day } = serde_json::from_str(payload).map_err(|_| wrong())?;
    let reply = reply.map(|(by, body)| {
        let by = by.map(|by| parsed(T, "payload", &by)).transpose()?;
        Ok::<_, Error>(Reply { by, body })
    });
    let state = |code: &str| State::from_code(code).ok_or_else(wrong);
    let moved =
        moved.map(|(from, to, reason)| Ok::<_, Error>(Moved { from: state(&from)?, to: state(&to)?, reason, by_desk }));
    let access = access.map(|(outcome, reason, by_desk)| {
        let outcome = AccessOutcome::from_code(&outcome).ok_or_else(wrong)?;
        Ok::<_, Error>(AccessNews { outcome, reason, by_desk })
    });
    let day = day.map(|(to, reason)| NewDay { to, reason });
    Ok(About { reply: reply.transpose()?, moved: moved.transpose()?, access: access.transpose()?, day })
}

fn waiting(row: &Row) -> Result<WaitingMessage, Error> {
    Ok(WaitingMessage {
        id: MessageId(row.uuid(0)?),
        ticket: TicketId(row.uuid(1)?),
        kind: MessageKind::from_code(&row.text(2)?),
        to: parsed(T, "recipient", &row.text(3)?)?,
        queued_at: at_or_epoch(row.int(4)?),
        about: about(&row.text(5)?)?,
    })
}

impl Store {
    /// The message that was claimed; `None` where it is gone or has left.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or the message is damaged.
    pub async fn waiting_message(&self, claimed: &Claimed) -> Result<Option<WaitingMessage>, Error> {
        let sql = format!("select {COLUMNS} from outbox where id = $1 and sent_at is null");
        self.db.optional(&sql, vec![claimed.key.into()]).await?.as_ref().map(waiting).transpose()
    }

    /// All messages that wait for a person, the oldest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or a message is damaged.
    pub async fn waiting_messages_of(&self, person: &PersonId, limit: i64) -> Result<Vec<WaitingMessage>, Error> {
        let sql = format!(
            "select {COLUMNS} from outbox where recipient = $1 and sent_at is null and dead_at is null order by id limit $2"
        );
        let rows = self.db.all(&sql, vec![person.as_str().into(), limit.into()]).await?;
        // One that is damaged is laid aside by itself when it is claimed.
        Ok(rows.iter().filter_map(|row| waiting(row).ok()).collect())
    }

    /// How many messages of a kind have not left yet, counted up to `most`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn waiting_of_kind(&self, kind: &str, most: i64) -> Result<i64, Error> {
        let sql = "select count(*) from (select 1 from outbox where kind = $1 and sent_at is null and dead_at is null \
                   limit $2) waiting";
        let rows = self.db.all(sql, vec![kind.into(), most.into()]).await?;
        rows.first().map_or(Ok(0), |row| row.int(0))
    }

    /// Writes down that a message has left, with the receipt in the peer's words. Its content is not kept. Whether the claim still
    /// held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn message_left(&self, claimed: &Claimed, now: Timestamp, receipt: &str) -> Result<bool, Error> {
        let held = held(Queue::Outbox);
        let sql = format!("update outbox set sent_at = $3, receipt = $4, payload = '', fence = null where {held}");
        self.settle(claimed, &sql, vec![ms(now).into(), cut(receipt).into()]).await
    }

    /// Writes down that a message was not to be sent, and why. Its content is not kept. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn message_not_sent(&self, claimed: &Claimed, now: Timestamp, why: &str) -> Result<bool, Error> {
        let held = held(Queue::Outbox);
        let sql = format!(
            "update outbox set sent_at = $3, receipt = $4, payload = '', fence = null, not_sent = 1 where {held}"
        );
        self.settle(claimed, &sql, vec![ms(now).into(), cut(why).into()]).await
    }

    /// Writes down that these messages of a person have left in one letter.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn messages_left(&self, ids: &[MessageId], now: Timestamp, receipt: &str) -> Result<u64, Error> {
        let places = places(2, ids.len());
        let sql = format!(
            "update outbox set sent_at = $1, receipt = $2, payload = '', fence = null \
             where sent_at is null and id in ({places})"
        );
        let mut args: Vec<Arg> = vec![ms(now).into(), cut(receipt).into()];
        args.extend(ids.iter().map(|id| Arg::from(id.0)));
        self.write(&sql, args).await
    }

    /// The ticket that a message was about, and its kind as far as this program knows it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn message_about(&self, id: MessageId) -> Result<Option<(TicketId, Option<MessageKind>)>, Error> {
        let row = self.db.optional("select ticket, kind from outbox where id = $1", vec![id.0.into()]).await?;
        row.map(|row| Ok((TicketId(row.uuid(0)?), MessageKind::from_code(&row.text(1)?)))).transpose()
    }

    /// Whether a person was to get a message of this kind about a ticket.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn has_had_message(&self, ticket: TicketId, to: &PersonId, kind: MessageKind) -> Result<bool, Error> {
        let sql = "select 1 from outbox where ticket = $1 and recipient = $2 and kind = $3 limit 1";
        let args = vec![ticket.0.into(), to.as_str().into(), Arg::from(kind.code())];
        Ok(self.db.optional(sql, args).await?.is_some())
    }

    /// Has a person hear that a mail of theirs is kept as a draft, which stands in the place of a ticket: once, however often it comes.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn queue_about_draft(&self, draft: DraftId, to: &PersonId, now: Timestamp) -> Result<(), Error> {
        let sql = "insert into outbox (id, ticket, kind, recipient, queued_at, not_before) values ($1, $2, $3, $4, $5, $6) \
                   on conflict (id) do nothing";
        let (kind, now) = (MessageKind::MailKept.code(), ms(now));
        let args: Vec<Arg> =
            vec![draft.0.into(), draft.0.into(), kind.into(), to.as_str().into(), now.into(), now.into()];
        self.write(sql, args).await.map(drop)
    }

    /// Writes down that a message which had left came back, in the words of the mail system. Whether there was one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn message_came_back(&self, id: MessageId, receipt: &str) -> Result<bool, Error> {
        let sql = "update outbox set receipt = $2 where id = $1 and sent_at is not null";
        Ok(self.write(sql, vec![id.0.into(), cut(receipt).into()]).await? > 0)
    }

    /// How a person wants to hear of things, where they have said so.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn preference(&self, person: &PersonId) -> Result<Option<StoredPreference>, Error> {
        let sql = "select delivery, locale, kinds from message_preferences where person = $1";
        let row = self.db.quick(sql, vec![person.as_str().into()]).await?.into_iter().next();
        row.map(|row| Ok(StoredPreference { delivery: row.text(0)?, locale: row.text(1)?, kinds: row.text(2)? }))
            .transpose()
    }

    /// Keeps how a person wants to hear of things.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn prefer(&self, person: &PersonId, wanted: &StoredPreference, now: Timestamp) -> Result<(), Error> {
        let sql = "insert into message_preferences (person, delivery, locale, changed_at, kinds) values ($1, $2, $3, $4, $5) \
                   on conflict (person) do update set delivery = excluded.delivery, locale = excluded.locale, \
                   changed_at = excluded.changed_at, kinds = excluded.kinds";
        let StoredPreference { delivery, locale, kinds } = wanted;
        let args = vec![
            person.as_str().into(),
            delivery.as_str().into(),
            locale.as_str().into(),
            Arg::from(ms(now)),
            kinds.as_str().into(),
        ];
        self.write(sql, args).await.map(drop)
    }

    /// The key with this name that all hosts of the desk share; `fresh` becomes it where there is none.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn shared_secret(&self, name: &str, fresh: &str) -> Result<String, Error> {
        let sql = "insert into secrets (name, value) values ($1, $2) on conflict do nothing";
        self.write(sql, vec![name.into(), Arg::from(fresh)]).await?;
        let row = self.db.optional("select value from secrets where name = $1", vec![name.into()]).await?;
        row.ok_or(Error::Stopped)?.text(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_tells_reads_back() {
        let reply = Reply { by: Some("kofi".parse().unwrap()), body: "Grüße \"x\"\n".to_owned() };
        let moved = Moved { from: State::Open, to: State::Resolved, reason: "done".to_owned(), by_desk: true };
        let ended = AccessNews { outcome: AccessOutcome::Revoked, reason: "gone".to_owned(), by_desk: false };
        for told in [
            About::default(),
            About { reply: Some(reply.clone()), ..About::default() },
            About { reply: Some(Reply { by: None, ..reply }), moved: Some(moved), ..About::default() },
            About { access: Some(ended), ..About::default() },
            About { day: Some(NewDay { to: "2027-01-18".to_owned(), reason: String::new() }), ..About::default() },
        ] {
            assert_eq!(about(&payload(&told)).unwrap(), told);
        }
        assert_eq!(payload(&About::default()), "");
        assert!(about("{\"moved\":[\"a\",\"b\",\"c\"]}").is_err() && about("[").is_err());
    }
}
