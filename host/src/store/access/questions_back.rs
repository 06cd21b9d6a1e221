//! Questions that approvers asked back before deciding, and the answers.

use crate::desk::access::Question;
use crate::desk::id::{PersonId, QuestionId, TicketId, TicketNumber};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, ms, parsed};
use crate::store::{Error, Store};

const T: &str = "access_questions";
/// Questions of one request that are read.
const READ_MAX: usize = 200;

impl Store {
    /// The questions about a request, oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn questions_about(&self, ticket: TicketId) -> Result<Vec<Question>, Error> {
        let sql = format!(
            "select id, asked_by, question, asked_at, answered_by, answer, answered_at from access_questions \
             where ticket = $1 order by id limit {READ_MAX}"
        );
        let rows = self.db.all(&sql, vec![ticket.0.into()]).await?;
        Ok(self.readable(T, &rows, |row| question(ticket, row)))
    }

    /// The questions that wait for the answer of those who have asked for access, or are to have it, oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn questions_to(&self, person: &PersonId) -> Result<Vec<(TicketNumber, Question)>, Error> {
        let sql = format!(
            "select q.id, q.asked_by, q.question, q.asked_at, q.answered_by, q.answer, q.answered_at, t.number, t.id \
             from access_questions q join access_cases c on c.ticket = q.ticket join tickets t on t.id = q.ticket \
             where q.answer is null and c.state = 'awaiting' \
             and (c.requester = $1 or c.submitted_by = $1 or c.subject = $1) order by q.id limit {READ_MAX}"
        );
        let rows = self.db.all(&sql, vec![person.as_str().into()]).await?;
        let one = |row: &Row| Ok((TicketNumber(row.int(7)?), question(TicketId(row.uuid(8)?), row)?));
        Ok(self.readable(T, &rows, one))
    }
}

fn question(ticket: TicketId, row: &Row) -> Result<Question, Error> {
    let answer = match (row.opt_text(4)?, row.opt_text(5)?, row.opt_int(6)?) {
        (Some(by), Some(words), Some(when)) => {
            Some((parsed(T, "answered_by", &by)?, words, at(T, "answered_at", when)?))
        }
        _ => None,
    };
    Ok(Question {
        id: QuestionId(row.uuid(0)?),
        ticket,
        asked_by: parsed(T, "asked_by", &row.text(1)?)?,
        question: row.text(2)?,
        asked_at: at(T, "asked_at", row.int(3)?)?,
        answer,
    })
}

/// Writes a question as it stands.
pub(in crate::store) async fn write(tx: &mut Tx, question: &Question) -> Result<(), Error> {
    let answer = question.answer.as_ref();
    let row: Vec<Arg> = vec![
        question.id.0.into(),
        question.ticket.0.into(),
        question.asked_by.as_str().into(),
        question.question.as_str().into(),
        ms(question.asked_at).into(),
        answer.map(|(by, ..)| by.to_string()).into(),
        answer.map(|(_, words, _)| words.clone()).into(),
        answer.map(|(.., when)| ms(*when)).into(),
    ];
    let head =
        "insert into access_questions (id, ticket, asked_by, question, asked_at, answered_by, answer, answered_at)";
    let tail = "on conflict (id) do update set answered_by = excluded.answered_by, answer = excluded.answer, \
                answered_at = excluded.answered_at";
    tx.insert_later(head, 8, tail, vec![row]).await
}
