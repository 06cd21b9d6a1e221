//! Removes a person's name and words from tickets, and their name from what others wrote down about them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Erasure;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::ticket::Ticket;
use crate::desk::ticket::lifecycle::watchers::named_otherwise;
use crate::store::Error;
use crate::store::chain::audit;
use crate::store::chain::timelines::{Part, digest};
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::from_json;
use crate::store::tickets::timeline::{ERASED, TimelineRow};
use crate::store::tickets::{rows, search};

/// Statements about a ticket that was the person's own: `$1` is its number, `$2` the text in the place of their words, `$3` the person.
/// Each is given all three, so that one that needs fewer names the others in a condition that always holds.
const OF_OWN: [&str; 4] = [
    "update contents set body = $2, fields = '[]', attachments = '[]' where ticket = $1 and $3 <> ''",
    "update surveys set comment = '' where ticket = $1 and $2 <> $3",
    "update tasks set text = $2 where ticket = $1 and author = $3",
    "update resolutions set symptom = case symptom when '' then '' else $2 end, cause = case cause when '' then '' else $2 end, \
     fix = case fix when '' then '' else $2 end, next_time = case next_time when '' then '' else $2 end \
     where ticket = $1 and resolved_by = $3",
];

/// A field that is filled in with this text alone, as the contents of a ticket have it.
pub(super) fn field_text(text: &str) -> String {
    filled_in(text).to_string()
}

fn filled_in(text: &str) -> Value {
    json!({ "text": text })
}

impl Erasure<'_> {
    /// Whether a field of a form may name the person. One of a form that is no more is taken to do so: who asks to be erased is not
    /// to stay because of that.
    fn may_name(&self, form: &str, field: &str) -> bool {
        !self.texts.contains(&(form.to_owned(), field.to_owned()))
    }

    /// The fields of a ticket as its contents have them, with the other name in those that name the person.
    fn in_fields(&self, form: &str, before: &str) -> String {
        let (named, otherwise) = (filled_in(self.person.as_str()), filled_in(self.pseudonym));
        // Where they are damaged, the name is found as it is written.
        let Ok(mut fields) = serde_json::from_str::<Vec<(String, Value)>>(before) else {
            return before.replace(&named.to_string(), &otherwise.to_string());
        };
        let naming = |(field, value): &&mut (String, Value)| *value == named && self.may_name(form, field);
        let mut changed = false;
        for (_, value) in fields.iter_mut().filter(naming) {
            *value = otherwise.clone();
            changed = true;
        }
        if changed { json!(fields).to_string() } else { before.to_owned() }
    }
}

/// Takes a person off one ticket; how many entries changed, or `None` where it has nothing of the person after all, as one that names
/// another whose id begins alike: such a ticket stays as it is.
pub(super) async fn erase_in_ticket(
    tx: &mut Tx,
    erasure: Erasure<'_>,
    number: TicketNumber,
    parts: &[Part],
) -> Result<Option<usize>, Error> {
    let Erasure { person, pseudonym, .. } = erasure;
    let lock = format!("select number from tickets where number = $1{}", tx.for_update());
    tx.optional(&lock, vec![number.0.into()]).await?;
    let found = tx.all(&rows::select("t.number = $1"), vec![number.0.into()]).await?;
    let Some(ticket) = rows::ticket(&found)? else { return Ok(None) };
    let own = ticket.submitted.requester == *person;
    let before = TimelineRow::all(tx, number.0).await?;
    let mut after = before.clone();
    let mut entries = 0;
    for row in &mut after {
        if let Some(changed) = row.without(person.as_str(), pseudonym, own)? {
            changed.put_in_place(tx).await?;
            *row = changed;
            entries += 1;
        }
    }
    let is_filled_in = own || erase_in_contents(tx, erasure, (number, ticket.submitted.request_type.as_str())).await?;
    let is_named =
        ticket.belongs_to(person) || ticket.is_watched_by(person) || ticket.assignee.as_ref() == Some(person);
    if entries == 0 && !is_filled_in && !is_named {
        return Ok(None);
    }
    erase_ticket(tx, erasure, &ticket).await?;
    search::pend(tx, std::iter::once((number, ticket.version + 1))).await?;
    let changed = parts.iter().filter_map(|part| {
        let within = |row: &&TimelineRow| (part.first..=part.last).contains(&row.seq);
        let (was, is) = (digest(before.iter().filter(within)), digest(after.iter().filter(within)));
        (was != is).then(|| json!([part.first, part.last, was, is]))
    });
    let changed: Vec<Value> = changed.collect();
    if !changed.is_empty() {
        let detail = json!({ "by": erasure.by, "as": pseudonym, "parts": changed });
        let entry = audit::Entry { at: erasure.now, event: audit::ERASED, about: number.to_string(), detail };
        audit::append(tx, &[entry]).await?;
    }
    Ok(Some(entries))
}

/// Puts the pseudonym into the ticket's own row, and removes the words where the ticket was the person's.
async fn erase_ticket(tx: &mut Tx, erasure: Erasure<'_>, ticket: &Ticket) -> Result<(), Error> {
    let Erasure { person, pseudonym, .. } = erasure;
    let named = |id: &PersonId| if id == person { pseudonym.to_owned() } else { id.to_string() };
    let watchers: Vec<String> = ticket.watchers.iter().map(named).collect();
    let own = ticket.submitted.requester == *person;
    let subject = if own { ERASED } else { ticket.submitted.subject.as_str() };
    let sql = "update tickets set requester = $1, submitted_by = $2, assignee = $3, watchers = $4, subject = $5, \
               version = version + 1 where number = $6";
    let args: Vec<Arg> = vec![
        named(&ticket.submitted.requester).into(),
        named(&ticket.submitted.submitted_by).into(),
        ticket.assignee.as_ref().map(named).into(),
        json!(watchers).to_string().into(),
        subject.into(),
        ticket.number.0.into(),
    ];
    tx.execute(sql, args).await?;
    for sql in OF_OWN.into_iter().filter(|_| own) {
        tx.execute(sql, vec![ticket.number.0.into(), ERASED.into(), person.as_str().into()]).await?;
    }
    Ok(())
}

/// Puts the other name into the fields of another's ticket that name the person, and takes away the names of the files that the person
/// sent with it; whether there were any.
async fn erase_in_contents(
    tx: &mut Tx,
    erasure: Erasure<'_>,
    (number, form): (TicketNumber, &str),
) -> Result<bool, Error> {
    let person = erasure.person;
    let sql = "select fields, attachments from contents where ticket = $1";
    let Some(row) = tx.optional(sql, vec![number.0.into()]).await? else { return Ok(false) };
    let before = row.text(0)?;
    let fields = erasure.in_fields(form, &before);
    let mut changed = fields != before;
    let text = row.text(1)?;
    let mut files: Vec<Value> = from_json("contents", "attachments", &text)?;
    let sql = "select id from attachments where ticket = $1 and uploader = $2";
    let sent = tx.all(sql, vec![number.0.into(), person.as_str().into()]).await?;
    let sent = sent.iter().map(|row| Ok(row.uuid(0)?.to_string())).collect::<Result<BTreeSet<_>, Error>>()?;
    // Each is its name, its type and its size; where the desk keeps the file, a list follows that begins with its id.
    for file in &mut files {
        let is_theirs = file.pointer("/3/0").and_then(Value::as_str).is_some_and(|id| sent.contains(id));
        if let Some(name) = file.get_mut(0).filter(|_| is_theirs) {
            *name = ERASED.into();
            changed = true;
        }
    }
    if changed {
        let sql = "update contents set fields = $2, attachments = $3 where ticket = $1";
        tx.execute(sql, vec![number.0.into(), fields.into(), json!(files).to_string().into()]).await?;
    }
    Ok(changed)
}

/// Puts the pseudonym into words of others that name the person, in messages that have not left.
pub(super) async fn erase_in_messages(tx: &mut Tx, erasure: Erasure<'_>) -> Result<(), Error> {
    let Erasure { person, pseudonym, .. } = erasure;
    let sql = "select id, payload from outbox where sent_at is null and payload like $1";
    for row in tx.all(sql, vec![format!("%@{person}%").into()]).await? {
        // A damaged message is reported when it is to be sent.
        let Ok(mut payload) = serde_json::from_str::<Value>(&row.text(1)?) else { continue };
        if let Some(Value::String(said)) = payload.pointer_mut("/reply/1")
            && let Some(otherwise) = named_otherwise(said, person.as_str(), pseudonym)
        {
            *said = otherwise;
            let sql = "update outbox set payload = $2 where id = $1";
            tx.execute(sql, vec![row.uuid(0)?.into(), payload.to_string().into()]).await?;
        }
    }
    Ok(())
}

/// Puts the pseudonym into the drafts that others keep for the person or about them.
pub(super) async fn erase_in_drafts(tx: &mut Tx, erasure: Erasure<'_>) -> Result<(), Error> {
    let Erasure { person, pseudonym, .. } = erasure;
    let sql = "select person, id, content from drafts where content like $1 and person <> $2";
    let named = format!("%\"{person}\"%");
    for row in tx.all(sql, vec![named.into(), person.as_str().into()]).await? {
        let rename = |value: &mut Value| {
            if value.as_str() == Some(person.as_str()) {
                *value = pseudonym.into();
            }
        };
        // A damaged draft names no person, and must not stop the others.
        let Ok(mut content) = serde_json::from_str::<Value>(&row.text(2)?) else { continue };
        content.get_mut("requester").into_iter().for_each(rename);
        let form = content.get("request_type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let fields = content.get_mut("fields").and_then(Value::as_object_mut);
        let naming = fields.into_iter().flatten().filter(|(field, _)| erasure.may_name(&form, field));
        for (_, value) in naming {
            rename(value);
        }
        let sql = "update drafts set content = $3 where person = $1 and id = $2";
        tx.execute(sql, vec![row.text(0)?.into(), row.uuid(1)?.into(), content.to_string().into()]).await?;
    }
    Ok(())
}
