//! Rows of a timeline without a person.

use serde_json::{Value as Json, json};

use super::{COLUMNS, PERSON, T, TimelineRow};
use crate::desk::ticket::lifecycle::watchers::named_otherwise;
use crate::store::Error;
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::corrupt;

/// The text in the place of words that were erased.
pub const ERASED: &str = "[erased]";

impl TimelineRow {
    /// The row with another name in a person's place, also where words of others name them as `@` and their id, and nothing of the
    /// person's own words where those go, too; `None` where it has nothing of the person. The names of their files, what they noted
    /// about their time, and questions and answers about access go in any case, as they do where else they are kept.
    pub fn without(&self, person: &str, pseudonym: &str, words_too: bool) -> Result<Option<TimelineRow>, Error> {
        let own = self.author_kind == PERSON && self.author.as_deref() == Some(person);
        let mut facts: Vec<Json> =
            serde_json::from_str(&self.details).map_err(|_| corrupt(T, "details", &self.details))?;
        let names_people = matches!(self.kind.as_str(), "assigned" | "acknowledged" | "watched" | "unwatched");
        for fact in facts.iter_mut().filter(|_| names_people) {
            if fact.as_str() == Some(person) {
                *fact = json!(pseudonym);
            }
        }
        if let ("commented", Some(Json::String(said))) = (self.kind.as_str(), facts.get_mut(1))
            && let Some(otherwise) = named_otherwise(said, person, pseudonym)
        {
            *said = otherwise;
        }
        let asked = matches!(facts.first().and_then(Json::as_str), Some("asked" | "answered"));
        let in_any_case = match self.kind.as_str() {
            "attached" | "time-spent" => true,
            "access-decided" => asked,
            _ => false,
        };
        // Where the words of each kind are.
        let words = match self.kind.as_str() {
            "commented" | "survey-answered" | "time-spent" | "task" | "attached" | "access-decided" => 1..2,
            "state-changed" => 2..3,
            "set" => 3..4,
            "resolved" => 0..4,
            "escalation-asked" => 0..1,
            _ => 0..0,
        };
        for word in facts.iter_mut().take(words.end).skip(words.start).filter(|_| own && (words_too || in_any_case)) {
            if word.as_str().is_some_and(|word| !word.is_empty()) {
                *word = json!(ERASED);
            }
        }
        let author = if own { Some(pseudonym.to_owned()) } else { self.author.clone() };
        let row = TimelineRow { author, details: json!(facts).to_string(), ..self.clone() };
        Ok((row != *self).then_some(row))
    }

    /// Writes the row's author and facts in the place of what is there. The caller holds the ticket's row.
    pub async fn put_in_place(&self, tx: &mut Tx) -> Result<(), Error> {
        let sql = "update timeline set author = $1, details = $2 where ticket = $3 and seq = $4";
        let args =
            vec![self.author.clone().into(), self.details.as_str().into(), self.ticket.into(), Arg::from(self.seq)];
        tx.execute(sql, args).await.map(drop)
    }

    /// Every row of a ticket, in order.
    pub async fn all(tx: &mut Tx, ticket: i64) -> Result<Vec<TimelineRow>, Error> {
        let sql = format!("select ticket, {COLUMNS} from timeline where ticket = $1 order by seq");
        tx.all(&sql, vec![ticket.into()]).await?.iter().map(TimelineRow::read).collect()
    }
}
